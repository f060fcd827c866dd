import type { Command } from 'commander'
import { PerennialError } from '../errors.ts'
import { credentialCommand, jsonFlag } from './arguments.ts'
import { withPerennial } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'
import { printView } from './view.ts'

export function registerShow(program: Command): void {
  withTargetOptions(credentialCommand(program, 'show'))
    .description('status, generation, expiry, next refresh, last failure and what to do about it')
    .option(...jsonFlag)
    .action((id: string, options: TargetOptions & { json?: boolean }) =>
      withPerennial(options, async (perennial) => {
        const view = await perennial.describe(id)
        if (view === undefined)
          throw new PerennialError('not_found', `there is no credential ${id}; perennial start begins one`)
        printView(view, options)
      }),
    )
}
