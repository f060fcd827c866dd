import { CancellationScope, condition, sleep } from '@temporalio/workflow'

/** Runs one thing after another that can be cancelled. A scope is three promises: one serves until it is cancelled. */
export class Scopes {
  #scope: CancellationScope | undefined

  run<T>(work: () => Promise<T>): Promise<T> {
    this.#scope ??= new CancellationScope()
    return this.#scope.run(work)
  }

  cancel(): void {
    this.#scope?.cancel()
    this.#scope = undefined
  }
}

/**
 * What a loop waits for while it has nothing to do. Whoever brings something rings.
 *
 * The SDK's `condition()` would do, and costs a worker a third of the refresh: it makes a dozen promises, of each of
 * which the worker takes a stack trace, and every condition that comes true is one more call into the sandbox.
 */
export class Bell {
  #ring = (_rung: boolean) => {}
  readonly #timers = new Scopes()

  ring(): void {
    this.#ring(true)
  }

  rung(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#ring = resolve
    })
  }

  /** @returns whether it rang before the time was over */
  async rungWithin(ms: number, summary: string): Promise<boolean> {
    const rung = await new Promise<boolean>((resolve, reject) => {
      this.#ring = resolve
      this.#timers.run(() => sleep(ms, { summary })).then(() => resolve(false), reject)
    })
    if (rung) this.#timers.cancel()
    return rung
  }
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
