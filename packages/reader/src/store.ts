/**
 * The reader's connection to Redis: there or not within a bounded time, and back by itself.
 */
import { createClient, type RedisClientOptions } from 'redis'
import { InvalidArgument, ReaderError, StoreUnavailable } from './errors.ts'

/** The commands that a reader uses; every client, cluster and sentinel of the `redis` package has them. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  pTTL(key: string): Promise<number>
}

export type RedisOptions = Pick<
  RedisClientOptions,
  'url' | 'username' | 'password' | 'credentialsProvider' | 'database' | 'name' | 'socket'
>

export interface Store {
  /** Runs commands; StoreUnavailable when Redis did not answer in time. Errors of this package pass through. */
  run<T>(commands: (redis: RedisCommands) => Promise<T>, signal?: AbortSignal): Promise<T>
  close(): void
}

const patienceMs = 2_000

/** A store on a connection of its own, opened with the first call. */
export function connectingStore(options: RedisOptions): Store {
  const redis = newClient(options)
  let failure: { sinceMs: number; why: string } | undefined
  let nextReady: Promise<void> | undefined
  redis.on('ready', () => {
    failure = undefined
  })
  redis.on('error', (error: unknown) => {
    failure = { sinceMs: failure?.sinceMs ?? performance.now(), why: explain(error) }
  })

  function ready(): Promise<void> {
    nextReady ??= new Promise((resolve) => {
      redis.once('ready', () => {
        nextReady = undefined
        resolve()
      })
    })
    return nextReady
  }

  function open() {
    // rejects only when close() comes first; every other failure is an 'error' event and another try
    if (!redis.isOpen) redis.connect().catch(() => undefined)
  }

  let closed = false
  return {
    async run(commands, signal) {
      signal?.throwIfAborted()
      if (closed) throw new StoreUnavailable('this reader was closed')
      open()
      // an outage that has lasted longer than anyone would wait is reported at once
      const leftMs = failure === undefined ? patienceMs : Math.max(0, failure.sinceMs + patienceMs - performance.now())
      const work = redis.isReady ? commands(redis) : ready().then(() => commands(redis))
      return within(work, leftMs, () => failure?.why, signal)
    },
    close() {
      closed = true
      if (redis.isOpen) redis.destroy()
    },
  }
}

/** A store on a connection that the caller owns, connects and closes. */
export function borrowedStore(redis: RedisCommands): Store {
  let closed = false
  return {
    async run(commands, signal) {
      signal?.throwIfAborted()
      if (closed) throw new StoreUnavailable('this reader was closed')
      return within(commands(redis), patienceMs, () => undefined, signal)
    },
    close() {
      closed = true
    },
  }
}

function newClient(options: RedisOptions) {
  try {
    return createClient({
      name: 'perennial-reader',
      ...options,
      // a timer for each command halves the throughput, and never fires for one that was written
      commandOptions: { timeout: 0 },
      disableOfflineQueue: true,
      // these send commands that the ACL of a reader does not name
      disableClientInfo: true,
      maintNotifications: 'disabled',
      pingInterval: 1_000,
      socket: {
        connectTimeout: 1_000,
        // above pingInterval: an idle connection stays up, one that hangs is given up
        socketTimeout: 3_000,
        // the strategy that the package comes with gives up for ever after a socket timeout
        reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 1_000) + Math.random() * 100,
        ...options.socket,
      },
    })
  } catch {
    // what was thrown may quote the address, and with it the password
    throw new InvalidArgument('the address of Redis cannot be used; it looks like redis://user:password@host:6379')
  }
}

async function within<T>(
  work: Promise<T>,
  limitMs: number,
  why: () => string | undefined,
  signal: AbortSignal | undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let abort: (() => void) | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(why() ?? 'no answer in time')), limitMs)
    abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([work, limit])
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    if (error instanceof ReaderError) throw error
    throw unavailable(explain(error))
  } finally {
    clearTimeout(timer)
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
  }
}

const refusals = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS'])

const unavailable = (why: string) => new StoreUnavailable(`Redis cannot be read: ${why}`)

/** An error reply is cut to its code: servers quote arguments in the rest, those of AUTH among them. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  const reply = /^([A-Z]{2,}) /.exec(error.message)?.[1]
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (reply !== undefined) return refusals.has(reply) ? `${reply}, the server refuses this reader` : reply
  return error.message === '' ? (code ?? error.name) : error.message
}
