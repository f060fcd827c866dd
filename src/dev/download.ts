import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { PerennialError } from '../errors.ts'
import { isExecutable } from './executable.ts'

const run = promisify(execFile)
const script = join(import.meta.dirname, `sdk-server${extname(import.meta.filename)}`)

/** Where {@link downloadTemporal} puts the CLI; complete or not there at all. */
export const downloadedTemporal = (version: string, toolsDir: string): string => join(toolsDir, `temporal-v${version}`)

/** Gets the Temporal CLI as the SDK gets it for its own tests, from temporal.download; returns its path. */
export async function downloadTemporal(
  version: string,
  toolsDir: string,
  say?: (line: string) => void,
  withinMs = 120_000,
): Promise<string> {
  const binary = downloadedTemporal(version, toolsDir)
  say?.(`downloading the Temporal CLI ${version} from temporal.download into ${toolsDir} …`)
  await mkdir(toolsDir, { recursive: true })
  const why = await run(process.execPath, [script, toolsDir, `v${version}`], {
    timeout: withinMs,
    killSignal: 'SIGKILL',
  }).then(
    () => 'no binary in it',
    (error) => reason(error, withinMs),
  )
  // one that was downloaded and did not start is for whoever starts it to report
  if (await isExecutable(binary)) return binary
  throw new PerennialError('not_downloaded', `https://temporal.download: ${why}`)
}

function reason(error: unknown, withinMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if ('killed' in error && error.killed === true) return `not done within ${withinMs / 1_000} s`
  const stderr = 'stderr' in error ? String(error.stderr).trim() : error.message
  // a chain of causes, the address in each; the last one says what happened
  return (stderr.split('\n').at(-1) ?? '').replace(/^.*\): /, '').slice(0, 200)
}
