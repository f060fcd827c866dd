import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { SecretSource } from './schema.ts'

export interface SecretPlaces {
  /** the configuration file; paths are relative to it */
  path: string
  env: NodeJS.ProcessEnv
  allowLiterals: boolean
}

export type SecretRead = { value: string } | { problem: string }

/** Reads a secret, or says why it cannot be read: the variable or file is named, a value never. */
export async function readSecret(source: SecretSource, places: SecretPlaces): Promise<SecretRead> {
  if ('env' in source) return fromEnvironment(source.env, places.env)
  if ('file' in source) return fromFile(source.file, resolve(dirname(places.path), source.file))
  if ('harmless' in source) return { value: source.harmless }
  if (places.allowLiterals && source.literal !== '') return { value: source.literal }
  return {
    problem: places.allowLiterals
      ? 'is empty'
      : 'a secret must not stand in the file itself: write { env: NAME } or { file: PATH } (only perennial dev accepts literals)',
  }
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): SecretRead {
  const value = env[name]
  if (value !== undefined && value !== '') return { value }
  return { problem: `environment variable ${name} is ${value === undefined ? 'not set' : 'empty'}; set it` }
}

async function fromFile(name: string, path: string): Promise<SecretRead> {
  try {
    const value = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    return value === '' ? { problem: `file ${path} is empty; write the secret into it` } : { value }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'does not exist; create it' : `cannot be read (${code}); check its permissions`
    return { problem: `file ${name === path ? path : `${name} (${path})`} ${why}` }
  }
}
