import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { Command } from 'commander'
import { registerAcl } from './acl.ts'
import { registerConnect } from './connect.ts'
import { registerDev } from './dev.ts'
import { registerDoctor } from './doctor.ts'
import { registerImport } from './import.ts'
import { registerKeys } from './keys.ts'
import { registerList } from './list.ts'
import { say } from './output.ts'
import { registerProviders } from './providers.ts'
import { registerReconnect } from './reconnect.ts'
import { registerRefresh } from './refresh.ts'
import { registerRestore } from './restore.ts'
import { registerResync } from './resync.ts'
import { registerRevoke } from './revoke.ts'
import { registerShow } from './show.ts'
import { registerStart } from './start.ts'
import { registerToken } from './token.ts'
import { registerWorker } from './worker.ts'

/** The command line of `perennial`, ready to parse. Ends in a CommanderError instead of leaving the process. */
export function createProgram(): Command {
  const program = new Command('perennial')
    .description('Keeps OAuth credentials alive: one durable Temporal workflow per credential, fresh tokens in Redis.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      outputError: (text) =>
        say(
          `perennial: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')} (--help shows what there is)`,
        ),
    })
    .addHelpText('after', '\nExit codes: 0 done, 1 refused or failed, 2 usage, 3 partly done.')
  const commands = [
    registerDev,
    registerWorker,
    registerStart,
    registerReconnect,
    registerConnect,
    registerImport,
    registerRefresh,
    registerRevoke,
    registerShow,
    registerList,
    registerToken,
    registerResync,
    registerRestore,
    registerProviders,
    registerKeys,
    registerAcl,
    registerDoctor,
  ]
  for (const register of commands) register(program)
  return program
}

function packageVersion(): string {
  const path = findPackageJSON(import.meta.url)
  if (path === undefined) throw new Error('the package of perennial has no package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
