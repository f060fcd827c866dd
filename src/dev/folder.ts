import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PerennialError } from '../errors.ts'

const marker = 'stack.json'
const logLimitBytes = 16 * 1024 * 1024

/** The folder that holds everything of one dev stack: data, keys, logs. Only its owner can read it. */
export interface DataFolder {
  dir: string
  path(name: string): string
  /** a log to append to; one that has grown large is put aside once */
  log(name: string): string
  /** the path of a secret, made at random on first use: base64url of 32 bytes */
  secret(name: string): string
  /** writes a file that only the owner can read, as a whole or not at all; returns its path */
  write(name: string, text: string): string
}

/** Opens a data folder, or makes it; refuses one that holds something else. */
export function openFolder(given: string): DataFolder {
  const dir = resolve(given)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const present = readdirSync(dir)
  if (present.length > 0 && !present.includes(marker)) {
    const message = `${dir} holds files that are not of perennial dev; name a new or an empty folder with --data`
    throw new PerennialError('data_folder_refused', message)
  }
  chmodSync(dir, 0o700)
  // first of all: a kill from here on must not leave a folder that the next start refuses
  if (present.length === 0) writeWhole(join(dir, marker), '{}')
  for (const name of ['logs', 'redis', 'secrets']) mkdirSync(join(dir, name), { recursive: true, mode: 0o700 })
  const path = (name: string) => join(dir, name)
  const write = (name: string, text: string) => writeWhole(path(name), text)
  return {
    dir,
    path,
    write,
    log: (name) => freshLog(path(`logs/${name}.log`)),
    secret: (name) => {
      const file = path(`secrets/${name}`)
      if (readIfPresent(file) === undefined) writeWhole(file, randomBytes(32).toString('base64url'))
      return file
    },
  }
}

/** The text of a file, or undefined where there is none. */
export function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function writeWhole(file: string, text: string): string {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return file
}

function freshLog(file: string): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > logLimitBytes) renameSync(file, `${file}.old`)
  return file
}
