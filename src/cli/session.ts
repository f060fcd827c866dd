import type { Perennial } from '../client.ts'
import { type Config, loadConfig } from '../config.ts'
import { PerennialError } from '../errors.ts'
import { say } from './output.ts'
import {
  findTarget,
  type Target,
  type TargetOptions,
  targetText,
  temporalEnvironment,
  temporalTarget,
} from './target.ts'

/** Finds the servers of a command, says on stderr which they are, and reads the configuration. */
export async function openTarget(options: TargetOptions): Promise<{ target: Target; config: Config }> {
  const target = chooseTarget(options)
  return { target, config: await loadConfig(target.path) }
}

/** Finds the servers, says which, and makes their Temporal the one that this process talks to. */
export function chooseTarget(options: TargetOptions): Target {
  const target = findTarget(options, process.env)
  const env = temporalEnvironment(target, process.env)
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  say(targetText(target, temporalTarget(env)))
  return target
}

/** Runs a command against its servers. */
export async function withPerennial(
  options: TargetOptions,
  run: (perennial: Perennial, config: Config) => Promise<void>,
): Promise<void> {
  const { target, config } = await openTarget(options)
  // loaded here: what a command refuses by itself should not wait for it
  const { Perennial } = await import('../client.ts')
  const perennial = await Perennial.open(config)
  try {
    await run(perennial, config)
  } catch (error) {
    throw target.devStack ? withStartHint(error) : error
  } finally {
    await perennial.close()
  }
}

function withStartHint(error: unknown): unknown {
  if (!(error instanceof PerennialError) || !['temporal_unavailable', 'store_unavailable'].includes(error.code))
    return error
  return new PerennialError(error.code, `${error.message}; is the dev stack running? Start it with: npm start`)
}
