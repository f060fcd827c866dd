import type { Command } from 'commander'
import { createReader } from '../../packages/reader/src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import type { Config } from '../config.ts'
import { credentialCommand, jsonFlag } from './arguments.ts'
import { secondsArgument } from './duration.ts'
import { print, printable, printJson } from './output.ts'
import { openTarget } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

interface TokenOptions extends TargetOptions {
  minRemaining?: number
  json?: boolean
}

export function registerToken(program: Command): void {
  withTargetOptions(credentialCommand(program, 'token'))
    .description('the access token, as a service would read it')
    .option('--min-remaining <seconds>', 'refuse one that is valid for less', secondsArgument)
    .option(...jsonFlag)
    .action(async (id: string, options: TokenOptions) => {
      const { config } = await openTarget(options)
      const reader = createReader({ redis: config.redis.url, ...tenantKeys(config, id.split('/')[0] ?? '') })
      try {
        const token = await reader.get(id, { minRemainingMs: options.minRemaining ?? 0 })
        if (options.json) printJson({ credential: id, ...token })
        else print(printable(token.accessToken))
      } finally {
        await reader.close()
      }
    })
}

/** The keys that the services of a tenant would have. */
function tenantKeys(config: Config, tenant: string): { keys?: string[] } {
  if (!config.readers.sealed) return {}
  return { keys: config.keys.reader.map((master) => readerKeyText(readerKey(sealingKey(master), tenant))) }
}
