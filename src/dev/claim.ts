import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { PerennialError } from '../errors.ts'
import { type DataFolder, readIfPresent } from './folder.ts'
import { isRunning, type ProcessIdentity, startTime } from './processes.ts'

/**
 * Makes this process the only one that works on a data folder; refuses while another does. A claim ends with its
 * process, however that ended.
 *
 * @returns gives the folder back
 */
export function claimFolder(folder: DataFolder): () => void {
  const claim = folder.path('stack.json.claim')
  const own = `${claim}.${process.pid}`
  const identity: ProcessIdentity = { pid: process.pid, started: startTime(process.pid) ?? '' }
  writeFileSync(own, JSON.stringify(identity), { mode: 0o600 })
  try {
    while (!linked(own, claim)) {
      const holder = holderOf(claim)
      if (holder !== undefined && isRunning(holder)) {
        const message = `another perennial dev (pid ${holder.pid}) works on ${folder.dir}; end it, or name another folder with --data`
        throw new PerennialError('data_folder_in_use', message)
      }
      removeDead(claim, own)
    }
  } finally {
    rmSync(own, { force: true })
  }
  let held = true
  return () => {
    if (held) rmSync(claim, { force: true })
    held = false
  }
}

/** A link appears with its content, and fails where there is a claim already: no two processes can both succeed. */
function linked(own: string, claim: string): boolean {
  try {
    linkSync(own, claim)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Of several processes that found the same dead claim one moves it away; a living one that got moved is put back. */
function removeDead(claim: string, own: string): void {
  const aside = `${own}.dead`
  try {
    renameSync(claim, aside)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  const holder = holderOf(aside)
  if (holder !== undefined && isRunning(holder)) linked(aside, claim)
  rmSync(aside)
}

function holderOf(claim: string): ProcessIdentity | undefined {
  const text = readIfPresent(claim)
  return text === undefined ? undefined : JSON.parse(text)
}
