import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { PerennialError } from '../../src/errors.ts'
import type { Question, Ready, Sample } from './sampled.ts'

export interface Child {
  /** where it listens, if it does */
  port: number | undefined
  sample(question?: Question): Promise<Sample>
  /** ends it in its own time */
  stop(): Promise<void>
}

/** Starts a process of the benchmark, which can be asked for samples; resolves when it says that it is ready. */
export async function startChild(file: string, args: string[], logFile: string): Promise<Child> {
  const log = openSync(logFile, 'a')
  const child = fork(new URL(file, import.meta.url), args, {
    stdio: ['ignore', log, log, 'ipc'],
    execArgv: ['--expose-gc'],
  })
  const ask = async <T>(question?: Question): Promise<T> => {
    const ended = new AbortController()
    const left = once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new PerennialError('not_started', `${file} of the benchmark has ended; see ${logFile}`)
    })
    try {
      if (question !== undefined) child.send(question)
      const [message] = await Promise.race([once(child, 'message', { signal: ended.signal }), left])
      return message as T
    } finally {
      left.catch(() => {})
      ended.abort()
    }
  }
  const { port } = await ask<Ready>()
  return { port, sample: (question = 'sample') => ask<Sample>(question), stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
