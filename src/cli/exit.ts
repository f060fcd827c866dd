import { CommanderError } from 'commander'
import { ReaderError } from '../../packages/reader/src/errors.ts'
import { PerennialError } from '../errors.ts'
import { say } from './output.ts'

/** The command line itself is wrong. */
export const usageError = (message: string) => new PerennialError('usage', message)

/** Some of it was done. */
export const partlyDone = (message: string) => new PerennialError('partly_done', message)

const codes: Record<string, number> = { usage: 2, invalid_credential_id: 2, partly_done: 3 }

/**
 * Says why a command ended, in one line where it was to be expected, and with what exit code: 1 refused or failed,
 * 2 usage, 3 partly done.
 */
export function reportFailure(error: unknown, env: NodeJS.ProcessEnv): number {
  // commander has said it already; asking for help or the version ends this way too
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof PerennialError || error instanceof ReaderError) {
    say(`perennial: ${error.message}`)
    return codes[error.code] ?? 1
  }
  if (env.PERENNIAL_DEBUG) say(`perennial: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  else say(`perennial: ${firstLine(error)} (unexpected; PERENNIAL_DEBUG=1 shows where)`)
  return 1
}

const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]
