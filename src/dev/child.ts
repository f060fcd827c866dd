import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { PerennialError } from '../errors.ts'

export interface Exit {
  code: number | null
  signal: string | null
}

/** A child process that leads a process group of its own. */
export interface RunningServer {
  pid: number
  exited: Promise<Exit>
  /** asks the whole group to end and, after `graceMs` (10 s), kills it; resolves when it has ended */
  stop(graceMs?: number): Promise<void>
}

export interface Command {
  command: string
  args: string[]
  /** added to this process's environment; what is undefined is taken out of it */
  env?: Record<string, string | undefined>
  /** gets stdout and stderr, appended; without it they are dropped */
  logFile?: string
  /** hears the pid in the same tick in which the child begins, so that it can be written down */
  onSpawn?: (pid: number) => void
}

/**
 * Starts a child in its own process group: a Ctrl-C in the terminal reaches only this process, which then ends its
 * children in the right order.
 */
export async function runChild(command: Command): Promise<RunningServer> {
  const log = command.logFile === undefined ? undefined : openSync(command.logFile, 'a', 0o600)
  const output = log ?? 'ignore'
  const child = spawn(command.command, command.args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...command.env },
  })
  if (child.pid !== undefined) command.onSpawn?.(child.pid)
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  try {
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PerennialError('not_started', `${command.command} could not be started: ${reason}`)
  } finally {
    if (log !== undefined) closeSync(log)
  }
  const pid = child.pid
  if (pid === undefined) throw new PerennialError('not_started', `${command.command} could not be started`)
  return { pid, exited, stop: (graceMs = 10_000) => stopGroup(pid, exited, graceMs) }
}

async function stopGroup(pid: number, exited: Promise<Exit>, graceMs: number): Promise<void> {
  signalGroup(pid, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs)
  await exited
  clearTimeout(timer)
}

/** Signals a process and all of its group; one that has ended already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
