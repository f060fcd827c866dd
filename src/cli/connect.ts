import type { Command } from 'commander'
import { type BeginOptions, grantCommand, handedGrant, withParameters } from './grant.ts'
import { withPerennial } from './session.ts'
import { printView } from './view.ts'

export function registerConnect(program: Command): void {
  withParameters(grantCommand(program, 'connect'))
    .description('start or reconnect, whichever is right; for callbacks that cannot know')
    .action((id: string, options: BeginOptions) =>
      withPerennial(options, async (perennial, config) => {
        printView(await perennial.connect(id, await handedGrant(id, options, config)), options)
      }),
    )
}
