/** Waiting for one thing or another. */

/** Ends a wait with the reason of a signal; the work itself goes on for whoever else waits for it. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

/** What `work` resolves to, or undefined when that takes too long; never rejects for the wait. */
export async function soon<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Calls `then` with whether `work` succeeded in time, once; never rejects. */
export async function afterwards(work: Promise<unknown>, ms: number, then: (done: boolean) => void): Promise<void> {
  const success = work.then(
    () => true,
    () => false,
  )
  then((await soon(success, ms)) ?? false)
}
