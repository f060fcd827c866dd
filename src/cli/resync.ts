import type { Command } from 'commander'
import { jsonFlag } from './arguments.ts'
import { print, printJson, say } from './output.ts'
import { withPerennial } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

export function registerResync(program: Command): void {
  withTargetOptions(program.command('resync'))
    .description('write to an emptied or replaced Redis again what the workflows know; harmless when repeated')
    .option(...jsonFlag)
    .action((options: TargetOptions & { json?: boolean }) =>
      withPerennial(options, async (perennial) => {
        let saidMs = performance.now()
        const progress = await perennial.resync(({ fenced, asked }) => {
          if (performance.now() - saidMs < 1_000) return
          saidMs = performance.now()
          say(`${fenced} tombstones written again, ${asked} credentials asked to compare`)
        })
        const { fenced, asked, gone } = progress
        if (options.json) printJson(progress)
        else
          print(
            `${asked} credentials compare themselves with Redis, ${fenced} tombstones written again, ${gone} ended meanwhile`,
          )
      }),
    )
}
