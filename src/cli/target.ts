/**
 * Which servers a command talks to.
 */
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import type { Command } from 'commander'
import { PerennialError } from '../errors.ts'

export interface TargetOptions {
  config?: string
  data?: string
}

export interface Target {
  /** its configuration */
  path: string
  /** started by `perennial dev`, with a Temporal of its own */
  devStack: boolean
}

/** The options by which a command is told its servers. */
export const withTargetOptions = (command: Command) =>
  command
    .option('--config <file>', 'configuration (else PERENNIAL_CONFIG, else ./perennial.yaml)')
    .option('--data <dir>', 'data folder of a dev stack (else ./.perennial)')

/**
 * Finds the configuration: what the command line names, then the environment, then what lies in the folder.
 *
 * @throws PerennialError `no_target`
 */
export function findTarget(
  options: TargetOptions,
  env: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): Target {
  if (options.config !== undefined) return { path: options.config, devStack: false }
  const devStack = { path: join(options.data ?? '.perennial', 'perennial.yaml'), devStack: true }
  if (options.data !== undefined) {
    if (exists(devStack.path)) return devStack
    throw new PerennialError(
      'no_target',
      `there is no dev stack in ${options.data}: no ${devStack.path}; begin one with: npm start`,
    )
  }
  if (env.PERENNIAL_CONFIG) return { path: env.PERENNIAL_CONFIG, devStack: false }
  if (exists('perennial.yaml')) return { path: 'perennial.yaml', devStack: false }
  if (exists(devStack.path)) return devStack
  throw new PerennialError(
    'no_target',
    'no servers found: no --config, no PERENNIAL_CONFIG, no ./perennial.yaml, no dev stack in ./.perennial; begin one with: npm start',
  )
}

/**
 * The environment that leads to the target's Temporal. A dev stack brings its own, whatever else is set: a command
 * must not meet the Redis of the one and the Temporal of another.
 */
export function temporalEnvironment(target: Target, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!target.devStack) return env
  const others = Object.entries(env).filter(
    ([name]) => !/^TEMPORAL_(?:ADDRESS|NAMESPACE|PROFILE|API_KEY|TLS|GRPC_META)/.test(name),
  )
  return { ...Object.fromEntries(others), TEMPORAL_CONFIG_FILE: join(dirname(target.path), 'temporal.toml') }
}

/** Address and namespace that the environment leads to. Throws PerennialError `temporal_config_invalid`. */
export function temporalTarget(env: NodeJS.ProcessEnv): { address: string; namespace: string } {
  const defined = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(defined) })
    return { address: connectionOptions.address ?? 'localhost:7233', namespace: namespace ?? 'default' }
  } catch (error) {
    // only its first line: the parser goes on to quote the file
    const why = error instanceof Error ? error.message : String(error)
    throw new PerennialError(
      'temporal_config_invalid',
      `the settings for Temporal cannot be used: ${why.split('\n')[0]?.slice(0, 200)}; check TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE and TEMPORAL_TLS_*`,
    )
  }
}

/** `using ./perennial.yaml, Temporal 127.0.0.1:7233` */
export function targetText(target: Target, temporal: { address: string; namespace: string }): string {
  const path = relative('', target.path)
  const shown = path.startsWith('..') ? target.path : `./${path}`
  const namespace = temporal.namespace === 'default' ? '' : `, namespace ${temporal.namespace}`
  return `using ${shown}${target.devStack ? ' (dev stack)' : ''}, Temporal ${temporal.address}${namespace}`
}
