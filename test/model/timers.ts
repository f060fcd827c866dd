import { currentTask } from './process.ts'

/** node:timers/promises, as far as the system uses it, in virtual time. */
export async function setTimeout<T>(ms: number, value?: T, options: { signal?: AbortSignal } = {}): Promise<T> {
  // who no longer waits has raced it with something else: that it still ends is seen by nobody
  if (options.signal?.aborted) throw new Error('aborted')
  await currentTask().sleep(ms)
  return value as T
}
