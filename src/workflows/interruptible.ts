import { CancellationScope, condition, sleep } from '@temporalio/workflow'

/**
 * Waits for something, for a while: what `condition(fn, timeout)` of the SDK does, with half of its promises. A worker
 * takes a stack trace of each promise that a workflow makes, and sleeping is what workflows do most.
 *
 * @returns whether it happened before the time was over
 */
export async function before(happened: () => boolean, ms: number, summary: string): Promise<boolean> {
  const timer = new CancellationScope()
  let over = false
  timer
    .run(() => sleep(ms, { summary }))
    .then(
      () => {
        over = true
      },
      () => {},
    )
  await condition(() => over || happened())
  if (!over) timer.cancel()
  return !over
}

/**
 * Does some work, unless something comes up that makes it pointless: then it is cancelled and waited for.
 *
 * @returns what it came to; undefined when it was left, or failed
 */
export async function unless<T>(pointless: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
  const scope = new CancellationScope()
  let running = true
  const outcome = scope.run(work).then(
    (value) => {
      running = false
      return value
    },
    () => {
      running = false
      return undefined
    },
  )
  await condition(() => !running || pointless())
  if (running) scope.cancel()
  return await outcome
}

/** Does some work until it succeeds. Its activity repeats itself; what still comes back as a failure is tried again. */
export async function insist<T>(pointless: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
  while (!pointless()) {
    const outcome = await unless(pointless, work)
    if (outcome !== undefined || pointless()) return outcome
    await condition(pointless, '10s', { summary: 'try again after an unexpected failure' })
  }
  return undefined
}
