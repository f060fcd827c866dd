import { type Command, Option } from 'commander'
import { type Status, statuses } from '../credential.ts'
import { jsonFlag } from './arguments.ts'
import { durationArgument } from './duration.ts'
import { print, printJson, say } from './output.ts'
import { withPerennial } from './session.ts'
import { Table } from './table.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

interface ListOptions extends TargetOptions {
  status?: Status
  tenant?: string
  client?: string
  provider?: string
  expiring?: number
  json?: boolean
}

export function registerList(program: Command): void {
  withTargetOptions(program.command('list'))
    .description('the fleet')
    .addOption(new Option('--status <status>', 'only with this status').choices(statuses))
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--client <client>', 'only of this client')
    .option('--provider <provider>', 'only at this provider')
    .option('--expiring <duration>', 'only whose refresh token expires within, e.g. 14d', durationArgument)
    .option(...jsonFlag)
    .action((options: ListOptions) =>
      withPerennial(options, async (perennial) => {
        const { status, tenant, client, provider, expiring } = options
        const views = perennial.list({
          ...(status === undefined ? {} : { status }),
          ...(tenant === undefined ? {} : { tenant }),
          ...(client === undefined ? {} : { client }),
          ...(provider === undefined ? {} : { provider }),
          ...(expiring === undefined ? {} : { expiringWithinMs: expiring }),
        })
        if (options.json) {
          for await (const view of views) printJson(view)
          return
        }
        const table = new Table(print)
        let count = 0
        for await (const view of views) {
          table.add(view)
          count += 1
        }
        table.end()
        if (count === 0) say('no such credential')
      }),
    )
}
