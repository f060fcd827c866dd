import type { Command } from 'commander'
import type { Restored } from '../client/restore.ts'
import { jsonFlag } from './arguments.ts'
import { partlyDone } from './exit.ts'
import { print, printJson, say } from './output.ts'
import { withPerennial } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

interface RestoreOptions extends TargetOptions {
  tenant?: string
  client?: string
  provider?: string
  json?: boolean
}

export function registerRestore(program: Command): void {
  withTargetOptions(program.command('restore'))
    .description('start the workflows again of what stands in Redis, after Temporal was lost; harmless when repeated')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--client <client>', 'only of this client')
    .option('--provider <provider>', 'only at this provider')
    .option(...jsonFlag)
    .action((options: RestoreOptions) =>
      withPerennial(options, async (perennial) => {
        const { tenant, client, provider } = options
        const tally = { restored: 0, running: 0, revoked: 0, unknown_client: 0, refused: 0 }
        const filter = {
          ...(tenant === undefined ? {} : { tenant }),
          ...(client === undefined ? {} : { client }),
          ...(provider === undefined ? {} : { provider }),
        }
        for await (const restored of perennial.restore(filter)) {
          tally[restored.outcome]++
          if (options.json) printJson(restored)
          else print(lineOf(restored))
        }
        say(`${tally.restored} restored, ${tally.running} were running, ${tally.revoked} are revoked`)
        const left = [
          ...(tally.unknown_client > 0
            ? [`${tally.unknown_client} were left: the configuration does not have their client`]
            : []),
          ...(tally.refused > 0 ? [`${tally.refused} were refused: their grant in Redis is not to be used`] : []),
        ]
        if (left.length > 0) throw partlyDone(left.join('; '))
      }),
    )
}

function lineOf({ credential, outcome, generation, reason, detail }: Restored): string {
  const why = reason === undefined ? '' : `  ${reason}: ${detail}`
  return `${credential}  ${outcome}  generation ${generation}${why}`
}
