/**
 * The clock of Redis on the monotonic clock of this process, which nobody sets: a wall clock that is minutes off, or is
 * set meanwhile, changes nothing.
 */
export class RedisClock {
  #aheadMs = Number.NaN

  /**
   * Takes the answer to a TIME that was sent at `sentMs`. The server's clock was read after that, so that what is
   * derived from it is early by at most the round trip, and never late.
   */
  set(answer: unknown, sentMs: number): void {
    const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : []
    const redisMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000
    if (Number.isFinite(redisMs)) this.#aheadMs = redisMs - sentMs
  }

  /** When `performance.now()` will be at a time of Redis; before the first answer, NaN. */
  monotonicMs(redisMs: number): number {
    return redisMs - this.#aheadMs
  }
}
