import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** A process as it can be found again: a recycled pid has another start time. */
export interface ProcessIdentity {
  pid: number
  /** opaque; equal exactly for the same process */
  started: string
}

/** Whether a process with this pid exists; a zombie counts as gone. */
export const isAlive = (pid: number): boolean => startTime(pid) !== undefined

/** What tells the process behind a pid from a later one with the same pid; undefined when there is none. */
export function startTime(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? startTimeFromProc(pid) : startTimeFromPs(pid)
}

/** Whether this very process still runs. */
export const isRunning = (process: ProcessIdentity): boolean => startTime(process.pid) === process.started

function startTimeFromProc(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'), boot)
  } catch {
    return undefined
  }
}

/**
 * Field 22 of /proc/PID/stat, in ticks since boot (proc_pid_stat(5)); the boot id makes it unique across reboots.
 * Field 2, the name in parentheses, may itself hold spaces and parentheses.
 */
export function parseStat(stat: string, boot: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const ticks = fields[19]
  return ticks === undefined || state === 'Z' || state === 'X' ? undefined : `${boot}/${ticks}`
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    const [state = '', ...started] = line.split(/\s+/)
    return line === '' || state.startsWith('Z') ? undefined : started.join(' ')
  } catch {
    return undefined
  }
}
