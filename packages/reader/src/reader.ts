import { type AccessToken, BoundedMap, type Entry } from './cache.ts'
import { openCluster } from './cluster.ts'
import { explain, type Open, openServer, type RedisLocation, unavailable } from './connection.ts'
import type { Change, GetOptions, Reader, ReaderOptions, RejectOptions } from './contract.ts'
import {
  CredentialNotFound,
  InvalidArgument,
  ReaderError,
  StoreUnavailable,
  TokenExpired,
  TokenPending,
  UnreadableValue,
} from './errors.ts'
import { Feeds } from './feeds.ts'
import { notice, rejectedChannel, split, tenantOf } from './format.ts'
import { Link } from './link.ts'
import { counted, type ReaderMetrics } from './metrics.ts'
import { Reads } from './reads.ts'
import { expired, rejected, tooShort } from './refusal.ts'
import { type SealingKey, sealingKey } from './sealed.ts'
import { openSentinel } from './sentinel.ts'
import { soon, unlessAborted } from './signals.ts'

/**
 * Reads the tokens that Perennial keeps fresh. Needs no Redis to return: it connects with the first `get`.
 *
 * @throws InvalidArgument when a key is not a key or the address is not one
 * @example
 * const tokens = createReader({ redis: 'redis://localhost:6379', keys: [process.env.PERENNIAL_READER_KEY] })
 * const { accessToken } = await tokens.get('acme/google-main/alice', { minRemainingMs: 60_000 })
 */
export function createReader(options: ReaderOptions): Reader {
  const { redis, keys, maxEntries = 10_000, maxStaleMs = 300_000, metrics = {} } = options
  if (keys?.length === 0) throw new InvalidArgument('keys is empty: leave it out where tokens are stored plain')
  for (const [name, value] of Object.entries({ maxEntries, maxStaleMs }))
    if (!(value >= 0)) throw new InvalidArgument(`${name} is ${String(value)}: it is a number that is not negative`)
  if (redis === undefined) throw new InvalidArgument('redis is missing: it looks like redis://user:password@host:6379')
  return new TokenReader(opening(typeof redis === 'string' ? { url: redis } : redis), {
    keys: keys?.map((text, index) => sealingKey(text, `keys[${index}]`)),
    maxEntries,
    maxStaleMs,
    metrics: counted(metrics),
    isTimed: metrics.read !== undefined,
  })
}

function opening(redis: RedisLocation): Open {
  if (redis.url !== undefined && !/^rediss?:$/.test(URL.canParse(redis.url) ? new URL(redis.url).protocol : ''))
    throw new InvalidArgument('the address of Redis cannot be used; it looks like redis://user:password@host:6379')
  if ('cluster' in redis) {
    const { cluster, ...options } = redis
    if (cluster.length === 0) throw new InvalidArgument('cluster is empty: name at least one of its servers')
    return openCluster(options, cluster)
  }
  if ('sentinel' in redis) {
    const { sentinel, ...options } = redis
    if (sentinel.nodes.length === 0) throw new InvalidArgument('sentinel.nodes is empty: name at least one sentinel')
    return openSentinel(options, sentinel)
  }
  return openServer(redis)
}

interface Settings {
  keys: readonly SealingKey[] | undefined
  maxEntries: number
  maxStaleMs: number
  metrics: Required<ReaderMetrics>
  isTimed: boolean
}

/** What a token must be to be handed out. */
interface Need {
  minRemainingMs: number
  /** a generation that was rejected, and all before it; -1 where none was */
  newerThan: number
}

interface Rejection {
  generation: number
  publishedMs: number
  over: boolean
  outcome: Promise<AccessToken | undefined>
}

/** with a valid token in memory, a get does not wait longer than this for Redis */
const hesitationMs = 250
/** notices are sent at most once: who waits for one looks by himself as often as this */
const lookAgainMs = 1_000
const lookAgainUnheardMs = 200
/** a rejection is a notice too, and is repeated while calls are still refused */
const rejectAgainMs = 30_000
class TokenReader implements Reader {
  readonly #settings: Settings
  readonly #link: Link
  readonly #feeds: Feeds
  readonly #entries: BoundedMap<Entry>
  readonly #reads: Reads
  readonly #rejections: BoundedMap<Rejection>
  #closed = false

  constructor(open: Open, settings: Settings) {
    this.#settings = settings
    this.#entries = new BoundedMap(settings.maxEntries)
    this.#rejections = new BoundedMap(Math.max(1, settings.maxEntries))
    this.#feeds = new Feeds(Math.max(1, settings.maxEntries), (credential, generation) => {
      settings.metrics.noticed()
      this.#reads.noticed(credential, generation)
    })
    this.#link = new Link(open, {
      up: ({ node }) => {
        this.#feeds.up(node)
        settings.metrics.connection(true)
      },
      down: (why) => {
        this.#cutOff()
        settings.metrics.connection(false, why)
      },
    })
    this.#reads = new Reads({ link: this.#link, feeds: this.#feeds, entries: this.#entries, ...settings })
  }

  // not an async function: a hit is a look into a Map and the promise that lies there
  get(id: string, options: GetOptions = inNoHurry): Promise<AccessToken> {
    const entry = this.#entries.get(id)
    if (entry !== undefined && options.fresh !== true) {
      const nowMs = performance.now()
      if (entry.isCurrent(nowMs) && suits(entry, options, nowMs)) {
        entry.used = true
        this.#settings.metrics.served('memory')
        return entry.promise
      }
    } else if (options.waitMs === undefined && options.signal === undefined) {
      return this.#readOnce(id, options, entry)
    }
    return this.#get(id, options)
  }

  /** What {@link #get} does where there is nothing to wait for or to fall back on, without the frames of that. */
  #readOnce(
    id: string,
    { minRemainingMs = 0, fresh = false }: GetOptions,
    known: Entry | undefined,
  ): Promise<AccessToken> {
    const handOut = minRemainingMs === 0 ? this.#handOut : (entry: Entry) => this.#handOut(entry, minRemainingMs)
    try {
      return this.#reads.readAs(id, fresh, known, handOut, this.#refuse)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #handOut = (entry: Entry, minRemainingMs = 0): AccessToken => {
    try {
      const token = enough(entry, minRemainingMs, -1)
      this.#settings.metrics.served('redis')
      return token
    } catch (error) {
      return this.#refuse(error)
    }
  }

  async #get(id: string, options: GetOptions): Promise<AccessToken> {
    try {
      const token = await this.#obtain(id, options, -1)
      this.#settings.metrics.served(token.stale ? 'stale' : 'redis')
      return token
    } catch (error) {
      return this.#refuse(error)
    }
  }

  #refuse = (error: unknown): never => {
    if (error instanceof ReaderError) this.#settings.metrics.refused(error.code)
    throw error
  }

  onChange(id: string, listener: (change: Change) => void, { signal }: { signal?: AbortSignal } = {}): () => void {
    // what a listener throws is nothing that the connection could deal with
    const stop = this.#feeds.listen(tenantOf(id), id, (generation) =>
      queueMicrotask(() => listener({ credential: id, ...(generation === undefined ? {} : { generation }) })),
    )
    if (signal?.aborted === true) stop()
    else if (!this.#closed) this.#link.start()
    signal?.addEventListener('abort', stop, { once: true })
    return () => {
      signal?.removeEventListener('abort', stop)
      stop()
    }
  }

  async reject(
    id: string,
    generation: number,
    { waitMs = 1_000, signal }: RejectOptions = {},
  ): Promise<AccessToken | undefined> {
    signal?.throwIfAborted()
    split(id)
    const entry = this.#entries.get(id)
    // the ordinary case: the call was made with one that a refresh has replaced meanwhile
    if (entry !== undefined && entry.token.generation > generation && entry.isCurrent(performance.now()))
      return entry.token
    const known = this.#rejections.get(id)
    if (known === undefined || known.generation < generation) {
      const rejection: Rejection = { generation, publishedMs: performance.now(), over: false, outcome: never }
      this.#rejections.set(id, rejection)
      rejection.outcome = this.#replace(id, rejection, waitMs)
      return unlessAborted(rejection.outcome, signal)
    }
    if (known.generation === generation && !known.over) return unlessAborted(known.outcome, signal)
    if (known.generation === generation && known.publishedMs + rejectAgainMs < performance.now()) {
      known.publishedMs = performance.now()
      await this.#publish(id, generation)
    }
    return unlessAborted(this.#newer(id, generation, 0), signal)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#link.close()
    this.#entries.clear()
  }

  /** The token that is needed, waiting for it as long as the caller would. */
  async #obtain(id: string, options: GetOptions, newerThan: number): Promise<AccessToken> {
    const { minRemainingMs = 0, waitMs = 0, fresh = false, signal } = options
    const need = { minRemainingMs, newerThan }
    const untilMs = waitMs > 0 ? performance.now() + waitMs : 0
    for (;;) {
      signal?.throwIfAborted()
      try {
        const entry = fresh ? undefined : this.#entries.get(id)
        if (entry?.isCurrent(performance.now()) === true) return enough(entry, minRemainingMs, newerThan)
        if (entry !== undefined && this.#spare(entry, need) !== undefined)
          return await unlessAborted(this.#readUnlessAway(entry, need), signal)
        const landing = this.#reads.read(id, fresh)
        return enough(
          signal === undefined ? await landing : await unlessAborted(landing, signal),
          minRemainingMs,
          newerThan,
        )
      } catch (error) {
        const leftMs = untilMs - performance.now()
        if (leftMs <= 0 || this.#closed || !(error instanceof ReaderError) || !error.retryable) throw error
        await this.#news(id, leftMs, signal)
      }
    }
  }

  /** What Redis says, or the token in memory when it says nothing in a moment, or has lost it. */
  async #readUnlessAway(entry: Entry, need: Need): Promise<AccessToken> {
    let refused: unknown
    try {
      const read =
        this.#link.connection === undefined ? undefined : await soon(this.#reads.read(entry.id, false), hesitationMs)
      if (read !== undefined) return enough(read, need.minRemainingMs, need.newerThan)
    } catch (error) {
      if (!losesNothing(error)) throw error
      refused = error
    }
    const spare = this.#spare(entry, need)
    if (spare !== undefined) return spare
    if (refused !== undefined) throw refused
    return enough(await this.#reads.read(entry.id, false), need.minRemainingMs, need.newerThan)
  }

  #spare(entry: Entry, { minRemainingMs, newerThan }: Need): AccessToken | undefined {
    if (entry.token.generation <= newerThan) return undefined
    const { maxStaleMs } = this.#settings
    entry.used = true
    return entry.stale({ nowMs: performance.now(), heardMs: this.#link.heardMs, maxStaleMs, minRemainingMs })
  }

  /** No notice is heard any more: until Redis was read again, nothing is current. */
  #cutOff(): void {
    const { heardMs } = this.#link
    for (const entry of this.#entries.values()) if (entry.epoch === entry.feed.epoch) entry.doubt(heardMs)
    this.#feeds.down()
  }

  /** Until there is news of a credential, or it is time to look without any. */
  async #news(id: string, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const tenant = tenantOf(id)
    let stop: (() => void) | undefined
    const told = new Promise<void>((resolve) => {
      stop = this.#feeds.listen(tenant, id, () => resolve())
    })
    const againMs = this.#feeds.of(tenant).live ? lookAgainMs : lookAgainUnheardMs
    try {
      await unlessAborted(soon(told, Math.min(leftMs, againMs)), signal)
    } finally {
      stop?.()
    }
  }

  async #replace(id: string, rejection: Rejection, waitMs: number): Promise<AccessToken | undefined> {
    const { generation } = rejection
    const entry = this.#entries.get(id)
    if (entry?.token.generation === generation) {
      entry.doubt(performance.now())
      entry.dead = true
    }
    try {
      const already = await this.#newer(id, generation, 0)
      if (already !== undefined) return already
      await this.#publish(id, generation)
      return waitMs > 0 ? await this.#newer(id, generation, waitMs) : undefined
    } catch (error) {
      this.#rejections.delete(id)
      throw error
    } finally {
      rejection.over = true
    }
  }

  async #newer(id: string, generation: number, waitMs: number): Promise<AccessToken | undefined> {
    try {
      return await this.#obtain(id, { waitMs }, generation)
    } catch (error) {
      if (error instanceof TokenExpired || error instanceof TokenPending) return undefined
      throw error
    }
  }

  async #publish(id: string, generation: number): Promise<void> {
    const { node } = await this.#link.use()
    try {
      await node.publish(rejectedChannel(tenantOf(id)), notice(id, generation))
    } catch (error) {
      throw unavailable(explain(error))
    }
    this.#settings.metrics.rejected()
  }
}

/** stands for a promise that is made in the next line */
const never = new Promise<never>(() => undefined)

const inNoHurry: GetOptions = {}

const suits = (entry: Entry, { minRemainingMs = 0, signal }: GetOptions, nowMs: number) =>
  nowMs + minRemainingMs < entry.expiresMs && signal?.aborted !== true

/** The token of an entry, if it lives for long enough and nobody has rejected it. */
function enough(entry: Entry, minRemainingMs: number, newerThan: number): AccessToken {
  const { id, token, expiresMs } = entry
  const remainingMs = expiresMs - performance.now()
  if (remainingMs <= 0) throw expired(id, token.expiresAt.toISOString(), 'expired')
  if (token.generation <= newerThan) throw rejected(id, token.generation)
  if (remainingMs < minRemainingMs) throw tooShort(id, remainingMs, minRemainingMs)
  entry.used = true
  return token
}

/** Redis was emptied or rolled back, or cannot be reached: that ends no token. */
const losesNothing = (error: unknown) =>
  error instanceof StoreUnavailable ||
  error instanceof CredentialNotFound ||
  error instanceof TokenPending ||
  (error instanceof TokenExpired && error.reason !== 'min_remaining' && error.reason !== 'rejected') ||
  (error instanceof UnreadableValue && error.code === 'rolled_back')
