import type { Command } from 'commander'
import { type Config, loadConfig } from '../config.ts'
import { PerennialError } from '../errors.ts'
import { jsonFlag } from './arguments.ts'
import { type Check, fail, ok, warn } from './checks/check.ts'
import { print, printable, printJson, type Style, styled } from './output.ts'
import { chooseTarget } from './session.ts'
import { type Target, type TargetOptions, withTargetOptions } from './target.ts'

export function registerDoctor(program: Command): void {
  withTargetOptions(program.command('doctor'))
    .description('checks of configuration, Temporal, workers, Redis and providers, each with its fix')
    .option(...jsonFlag)
    .action(async (options: TargetOptions & { json?: boolean }) => {
      const checks = await examine(chooseTarget(options))
      for (const check of checks) {
        if (options.json) printJson(check)
        else printCheck(check)
      }
      const failed = checks.filter(({ status }) => status === 'fail').length
      if (failed > 0) throw new PerennialError('doctor_failed', `${failed} of ${checks.length} checks failed`)
    })
}

async function examine(target: Target): Promise<Check[]> {
  const config = await loadConfig(target.path).catch((error: unknown) => {
    if (error instanceof PerennialError) return error
    throw error
  })
  if (config instanceof PerennialError)
    return config.message.split('\n').map((problem) => fail('configuration', problem, `correct ${target.path}`))
  // loaded here: a wrong configuration is told without waiting for them
  const [{ checkTemporal }, { checkRedis }, { checkUsers }, { checkProviders }, { checkCredentials }] =
    await Promise.all([
      import('./checks/temporal.ts'),
      import('./checks/redis.ts'),
      import('./checks/users.ts'),
      import('./checks/providers.ts'),
      import('./checks/credentials.ts'),
    ])
  const groups = await Promise.all([
    checkTemporal(config),
    checkRedis(config.redis.url),
    // on a development stack everything is one person's
    target.devStack ? [] : checkUsers(config),
    checkProviders(config),
  ])
  const checks = [checkConfiguration(config), ...groups.flat()]
  const away = checks.some(({ check, status }) => ['temporal', 'redis'].includes(check) && status === 'fail')
  return away ? checks : [...checks, await checkCredentials(config)]
}

function checkConfiguration(config: Config): Check {
  const text = configurationText(config)
  if (config.readers.sealed) return ok('configuration', text)
  const fix = 'leave readers.sealed out, and give each service the key of its tenant'
  return warn('configuration', `${text}: whoever reads Redis, or a copy of it, has them`, fix)
}

function configurationText({ source, clients, keys, readers }: Config): string {
  const sealed = readers.sealed ? `${keys.reader.length} reader key(s)` : 'access tokens stored plain'
  return `${source}: ${clients.size} client(s), ${keys.grant.length} grant key(s), ${sealed}`
}

const styles: Record<Check['status'], Style> = { ok: 'green', warn: 'yellow', fail: 'red' }

function printCheck({ check, status, message, fix }: Check): void {
  print(`${styled(styles[status], status.padEnd(4))}  ${printable(check)}: ${printable(message)}`)
  if (fix !== undefined) print(`      fix: ${printable(fix)}`)
}
