import type { Command } from 'commander'
import { credentialCommand, jsonFlag } from './arguments.ts'
import { withPerennial } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'
import { printView } from './view.ts'

export function registerRefresh(program: Command): void {
  withTargetOptions(credentialCommand(program, 'refresh'))
    .description('refresh now and wait for the outcome')
    .option(...jsonFlag)
    .action((id: string, options: TargetOptions & { json?: boolean }) =>
      withPerennial(options, async (perennial) => printView(await perennial.refreshNow(id), options)),
    )
}
