import type { Command } from 'commander'
import { type GrantOptions, grantCommand, handedGrant } from './grant.ts'
import { withPerennial } from './session.ts'
import { printView } from './view.ts'

export function registerReconnect(program: Command): void {
  grantCommand(program, 'reconnect')
    .description('hand over a new grant for an existing credential')
    .action((id: string, options: GrantOptions) =>
      withPerennial(options, async (perennial, config) => {
        printView(await perennial.reconnect(id, await handedGrant(id, options, config)), options)
      }),
    )
}
