import type { Caller } from './deps.ts'

/**
 * One attempt's view of two clocks that are not its own. Redis says the time when it is first asked; the server's
 * time is known from when it scheduled the attempt. From there on, the monotonic clock counts.
 */
export class Clocks {
  readonly #beganMs = performance.now()
  readonly #caller: Caller
  #redisAtStartMs = 0

  constructor(caller: Caller) {
    this.#caller = caller
  }

  redisSaid(nowMs: number): void {
    this.#redisAtStartMs = nowMs - this.#elapsedMs()
  }

  redisNowMs(): number {
    return Math.round(this.#redisAtStartMs + this.#elapsedMs())
  }

  /** Never earlier than it is there; later only by what this machine's clock is ahead. */
  serverNowMs(): number {
    return Math.round(Math.max(Date.now(), this.#caller.scheduledAtMs + this.#elapsedMs()))
  }

  #elapsedMs(): number {
    return performance.now() - this.#beganMs
  }
}

export const isoTime = (atMs: number) => new Date(Math.round(atMs)).toISOString()
