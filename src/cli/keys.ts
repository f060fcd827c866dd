import type { Command } from 'commander'
import { newSealingKey } from '../store/sealing.ts'
import { jsonFlag } from './arguments.ts'
import { print, printJson } from './output.ts'

export function registerKeys(program: Command): void {
  program
    .command('keys')
    .description('sealing keys')
    .command('new')
    .description('a new sealing key: base64url of 32 random bytes, for keys.grant or keys.reader')
    .option(...jsonFlag)
    .action(({ json }: { json?: boolean }) => {
      const key = newSealingKey()
      if (json) printJson({ key })
      else print(key)
    })
}
