import type { Command } from 'commander'
import { type BeginOptions, grantCommand, handedGrant, withParameters } from './grant.ts'
import { withPerennial } from './session.ts'
import { printView } from './view.ts'

export function registerStart(program: Command): void {
  withParameters(grantCommand(program, 'start'))
    .description('begin a credential; client_credentials need no --from')
    .action((id: string, options: BeginOptions) =>
      withPerennial(options, async (perennial, config) => {
        printView(await perennial.start(id, await handedGrant(id, options, config)), options)
      }),
    )
}
