/**
 * The reader's way to Redis: there or not within a bounded time, and back by itself.
 */
import { RedisClock } from './clock.ts'
import { type Connection, explain, type Open, unavailable, within } from './connection.ts'
import type { StoreUnavailable } from './errors.ts'

export interface LinkListener {
  /** a connection is there; subscribes on it before anything is read */
  up(connection: Connection): void
  down(why: string): void
}

/** How long a caller waits for Redis, and an outage lasts before callers no longer wait. */
export const patienceMs = 2_000
// together less than the patience of a caller
const beatMs = 500
const silenceLimitMs = 1_250

export class Link {
  readonly clock = new RedisClock()
  /** the live connection, if there is one */
  connection: Connection | undefined
  /** when Redis answered last, on the monotonic clock */
  heardMs = Number.NEGATIVE_INFINITY
  readonly #open: Open
  readonly #listener: LinkListener
  #running = false
  #closed = false
  #outage: { sinceMs: number; why: string } | undefined
  #waiting = new Set<() => void>()
  #end: ((why: string) => void) | undefined
  #rest: { timer: NodeJS.Timeout; end: () => void } | undefined

  constructor(open: Open, listener: LinkListener) {
    this.#open = open
    this.#listener = listener
  }

  /** The live connection, after a wait for it that ends when the outage has lasted longer than anyone would wait. */
  async use(): Promise<Connection> {
    if (this.connection !== undefined) return this.connection
    if (this.#closed) throw closed()
    this.start()
    const waitMs = this.#outage === undefined ? patienceMs : this.#outage.sinceMs + patienceMs - performance.now()
    if (waitMs > 0) await this.#change(waitMs)
    if (this.connection !== undefined) return this.connection
    throw this.#closed ? closed() : unavailable(this.#outage?.why ?? 'no answer in time')
  }

  /** Gives up the connection that is there, and makes another. */
  restart(why: string): void {
    this.#end?.(why)
  }

  close(): void {
    this.#closed = true
    this.#end?.('this reader was closed')
    this.#rest?.end()
    this.#changed()
  }

  /** Begins to connect, in the background. */
  start(): void {
    if (this.#running) return
    this.#running = true
    void this.#keep()
  }

  async #keep(): Promise<void> {
    let failures = 0
    while (!this.#closed) {
      const startedMs = performance.now()
      const why = await this.#live(() => {
        failures = 0
      })
      this.#outage ??= { sinceMs: startedMs, why }
      this.#outage.why = why
      if (!this.#closed) await this.#pause(Math.min(50 * 2 ** failures++, 1_000) + Math.random() * 100)
    }
  }

  /** The life of one connection; resolves to why it is over. */
  async #live(onUp: () => void): Promise<string> {
    let connection: Connection | undefined
    let beat: NodeJS.Timeout | undefined
    let ended: string | undefined
    let end: (why: string) => void = () => undefined
    const over = new Promise<string>((resolve) => {
      end = (why) => {
        ended ??= why
        resolve(ended)
      }
    })
    this.#end = end
    try {
      connection = await this.#open(end)
      await within(this.#tellTime(connection), silenceLimitMs)
      if (ended !== undefined) return ended
      onUp()
      this.connection = connection
      this.#outage = undefined
      this.#listener.up(connection)
      this.#changed()
      beat = this.#listen(connection)
      return await over
    } catch (error) {
      return explain(error)
    } finally {
      clearInterval(beat)
      this.#end = undefined
      const wasUp = this.connection !== undefined
      this.connection = undefined
      if (wasUp) this.#outage = { sinceMs: performance.now(), why: ended ?? '' }
      if (wasUp) this.#listener.down(ended ?? '')
      connection?.destroy()
    }
  }

  /** Asks for the time again and again: it keeps the clock right, and is the sign that the server still answers. */
  #listen(connection: Connection): NodeJS.Timeout {
    let askedMs: number | undefined
    const silent = () => askedMs !== undefined && performance.now() - askedMs > silenceLimitMs
    const beat = setInterval(() => {
      // a process that was busy itself finds the answer in its socket, and reads it before it gets here
      if (silent()) setImmediate(() => silent() && this.restart('the server does not answer'))
      if (askedMs !== undefined) return
      askedMs = performance.now()
      this.#tellTime(connection).then(
        () => {
          askedMs = undefined
        },
        (error: unknown) => this.restart(explain(error)),
      )
    }, beatMs)
    return beat.unref()
  }

  async #tellTime({ node }: Connection): Promise<void> {
    const sentMs = performance.now()
    this.clock.set(await node.sendCommand(['TIME']), sentMs)
    this.heardMs = performance.now()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(this.#rest?.timer)
        this.#rest = undefined
        resolve()
      }
      this.#rest = { timer: setTimeout(end, ms).unref(), end }
    })
  }

  /** Resolves with the next connection, with close(), or after so long. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#waiting.add(done)
    })
  }

  #changed(): void {
    for (const done of [...this.#waiting]) done()
  }
}

const closed = (): StoreUnavailable => unavailable('this reader was closed')
