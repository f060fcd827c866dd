/**
 * Virtual time: what happens does so at the moment when it was asked for, one thing after another, and nothing waits.
 * The same seed brings the same run.
 */
export class VirtualTime {
  nowMs = Date.UTC(2026, 0, 1)
  readonly startMs = this.nowMs
  /** in [0, 1) */
  readonly random: () => number
  #events: { atMs: number; nth: number; happen: () => unknown }[] = []
  #nth = 0

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  /** @returns what calls it off */
  after(ms: number, happen: () => unknown): () => void {
    const event = { atMs: this.nowMs + Math.max(0, Math.ceil(ms)), nth: this.#nth++, happen }
    let at = this.#events.length
    while (at > 0 && isLater(this.#events[at - 1], event)) at--
    this.#events.splice(at, 0, event)
    return () => {
      const found = this.#events.indexOf(event)
      if (found >= 0) this.#events.splice(found, 1)
    }
  }

  /** Lets the next thing happen, and everything that follows from it at once. False when there is nothing until then. */
  async step(untilMs: number): Promise<boolean> {
    const [event] = this.#events
    if (event === undefined || event.atMs > untilMs) return false
    this.#events.shift()
    this.nowMs = event.atMs
    await event.happen()
    await settled()
    return true
  }

  /** A number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1))
  }
}

const isLater = (one: { atMs: number; nth: number } | undefined, other: { atMs: number; nth: number }) =>
  one !== undefined && (one.atMs > other.atMs || (one.atMs === other.atMs && one.nth > other.nth))

const realImmediate = setImmediate

/** Every promise that can be settled without time passing has been. */
export const settled = () => new Promise<void>((resolve) => realImmediate(resolve))

/** mulberry32 */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const real = { now: Date.now, monotonic: performance.now, random: Math.random }

/** Until the end of `work`, everyone who asks for the time or for chance in this process is told that of the model. */
export async function under<T>(time: VirtualTime, random: () => number, work: () => Promise<T>): Promise<T> {
  Date.now = () => time.nowMs
  performance.now = () => time.nowMs - time.startMs
  Math.random = random
  try {
    return await work()
  } finally {
    Date.now = real.now
    performance.now = real.monotonic
    Math.random = real.random
  }
}
