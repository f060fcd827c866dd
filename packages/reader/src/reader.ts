import { type AccessToken, BoundedMap, Entry } from './cache.ts'
import { openCluster } from './cluster.ts'
import { type Connection, explain, type Open, openServer, type RedisLocation, unavailable } from './connection.ts'
import {
  CredentialNotFound,
  CredentialRevoked,
  InvalidArgument,
  ReaderError,
  ReconnectRequired,
  StoreUnavailable,
  TokenExpired,
  TokenPending,
  UnreadableValue,
} from './errors.ts'
import { type Feed, Feeds } from './feeds.ts'
import {
  type AccessDocument,
  accessKey,
  notice,
  parseAccess,
  parseStatus,
  rejectedChannel,
  type StatusDocument,
  split,
  statusKey,
  tenantOf,
} from './format.ts'
import { Link } from './link.ts'
import { counted, type ReaderMetrics } from './metrics.ts'
import { expired, refusal, rejected, rolledBack, tooShort } from './refusal.ts'
import { open, type SealingKey, sealingKey } from './sealed.ts'
import { openSentinel } from './sentinel.ts'
import { soon, unlessAborted } from './signals.ts'

export interface ReaderOptions {
  /**
   * An address (`redis://…`, `rediss://…`) or the options of a connection; with `cluster` or `sentinel` among them, the
   * servers to ask first. Missing, as where an environment has no such variable, it is refused.
   */
  redis: string | RedisLocation | undefined
  /**
   * The tenants' reader keys, base64url, in any order; the one that a token is sealed with is found by its `kid`. Left
   * out where tokens are stored plain; with keys, a token that is not sealed is refused.
   */
  keys?: readonly (string | undefined)[]
  /** how many tokens are kept in memory; 10 000 unless given, and 0 for none */
  maxEntries?: number
  /** how long a valid token is served while Redis is away; 300 000 unless given */
  maxStaleMs?: number
  /** told what happens, for metrics */
  metrics?: ReaderMetrics
}

export interface GetOptions {
  /** how long the token must still be valid; 0 unless given */
  minRemainingMs?: number
  /**
   * how long to wait for a token that is due, while there is none that is valid for `minRemainingMs`, or Redis is away;
   * 0 unless given. When it ends, `get` throws what it would have thrown without it: never a shorter token.
   */
  waitMs?: number
  /** read Redis, whatever is in memory; there is no stale token then */
  fresh?: boolean
  signal?: AbortSignal
}

export interface RejectOptions {
  /** how long to wait for a newer token; 1 000 unless given */
  waitMs?: number
  signal?: AbortSignal
}

export interface Change {
  credential: string
  /** absent when notices may have been missed: the reader was cut off and is back */
  generation?: number
}

export interface Reader {
  /**
   * The access token of a credential, valid for at least `minRemainingMs`: from memory while change notices are heard,
   * else from Redis, and from memory again (`stale`) while Redis is away. What it returns is shared and frozen.
   *
   * @throws CredentialNotFound, TokenPending, ReconnectRequired, CredentialRevoked or TokenExpired when there is no such
   * token (TokenExpired with the reason `min_remaining` when there is one that does not live long enough)
   * @throws StoreUnavailable when Redis does not answer within 2 s, and at once while an outage lasts
   * @throws UnreadableValue when what is stored cannot be opened, is not this credential's or is older than what was read
   * @throws the reason of `signal` when it is aborted
   */
  get(id: string, options?: GetOptions): Promise<AccessToken>
  /**
   * Calls `listener` whenever a credential was written, fenced, or may have been; until the function that it returns is
   * called or the signal is aborted. The token itself comes from {@link get}.
   */
  onChange(id: string, listener: (change: Change) => void, options?: { signal?: AbortSignal }): () => void
  /**
   * Says that a token was refused (401) before its time, so that a worker replaces it: once for a generation, however
   * often it is called. Resolves to a newer token, at once if there is one, else as soon as it comes within `waitMs`,
   * and to undefined when none came. Only the first call for a generation waits; those beside it share its wait.
   *
   * @throws as {@link get} does when there will be none, or Redis is away
   */
  reject(id: string, generation: number, options?: RejectOptions): Promise<AccessToken | undefined>
  /** Ends the connection and forgets the tokens; what is under way and what comes after is refused. */
  close(): Promise<void>
}

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
}

/** What a token must be to be handed out. */
interface Need {
  minRemainingMs: number
  /** a generation that was rejected, and all before it; -1 where none was */
  newerThan: number
}

interface Flight {
  landing: Promise<Entry>
  /** the read after this one, for those who asked while this was in the air and want what stands there now */
  next?: Promise<Entry>
  /** the highest generation of a notice that came meanwhile */
  noticed?: number | undefined
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
/** at a credential that is written again and again while it is read */
const looksAtMost = 2

class TokenReader implements Reader {
  readonly #settings: Settings
  readonly #link: Link
  readonly #feeds: Feeds
  readonly #entries: BoundedMap<Entry>
  readonly #flights = new Map<string, Flight>()
  readonly #rejections: BoundedMap<Rejection>
  #closed = false

  constructor(open: Open, settings: Settings) {
    this.#settings = settings
    this.#entries = new BoundedMap(settings.maxEntries)
    this.#rejections = new BoundedMap(Math.max(1, settings.maxEntries))
    this.#feeds = new Feeds(Math.max(1, settings.maxEntries), (credential, generation) =>
      this.#noticed(credential, generation),
    )
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
      return this.#readOnce(id, options)
    }
    return this.#get(id, options)
  }

  /** What {@link #get} does where there is nothing to wait for or to fall back on, without the frames of that. */
  #readOnce(id: string, { minRemainingMs = 0, fresh = false }: GetOptions): Promise<AccessToken> {
    const { metrics } = this.#settings
    return this.#read(id, fresh)
      .then((entry) => {
        const token = enough(entry, minRemainingMs, -1)
        metrics.served('redis')
        return token
      })
      .catch((error: unknown) => this.#refuse(error))
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

  #refuse(error: unknown): never {
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
        const landing = this.#read(id, fresh)
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
        this.#link.connection === undefined ? undefined : await soon(this.#read(entry.id, false), hesitationMs)
      if (read !== undefined) return enough(read, need.minRemainingMs, need.newerThan)
    } catch (error) {
      if (!losesNothing(error)) throw error
      refused = error
    }
    const spare = this.#spare(entry, need)
    if (spare !== undefined) return spare
    if (refused !== undefined) throw refused
    return enough(await this.#read(entry.id, false), need.minRemainingMs, need.newerThan)
  }

  #spare(entry: Entry, { minRemainingMs, newerThan }: Need): AccessToken | undefined {
    if (entry.token.generation <= newerThan) return undefined
    const { maxStaleMs } = this.#settings
    entry.used = true
    return entry.stale({ nowMs: performance.now(), heardMs: this.#link.heardMs, maxStaleMs, minRemainingMs })
  }

  /** One read at a time of each credential, for all who ask for it meanwhile. */
  #read(id: string, fresh: boolean): Promise<Entry> {
    const flying = this.#flights.get(id)
    if (flying === undefined) {
      const flight: Flight = { landing: never }
      this.#flights.set(id, flight)
      flight.landing = this.#fly(id, flight)
      return flight.landing
    }
    if (!fresh) return flying.landing
    const again = () => this.#read(id, false)
    flying.next ??= flying.landing.then(again, again)
    return flying.next
  }

  async #fly(id: string, flight: Flight): Promise<Entry> {
    const startedMs = performance.now()
    try {
      const known = this.#entries.get(id)
      const at = known === undefined ? { id, ...place(id) } : { id, tenant: known.feed.tenant, key: known.key }
      const connection = this.#link.connection ?? (await this.#link.use())
      const feed = this.#feeds.of(at.tenant)
      if (feed.opening !== undefined) await feed.opening
      const epoch = feed.live ? feed.epoch : -1
      const value = await connection.get(at.key)
      let entry = value === null ? undefined : this.#take(value, at, feed, epoch)
      if (entry === undefined || isOvertaken(flight, entry))
        entry = await this.#lookCloser(connection, at, feed, flight)
      this.#settings.metrics.read(performance.now() - startedMs, 'found')
      return entry
    } catch (error) {
      const known = error instanceof ReaderError ? error : unavailable(explain(error))
      this.#entries.get(id)?.doubt(this.#link.heardMs)
      if (known instanceof CredentialRevoked || known instanceof ReconnectRequired) this.#bury(id)
      this.#settings.metrics.read(performance.now() - startedMs, known.code)
      throw known
    } finally {
      this.#flights.delete(id)
    }
  }

  /** There was no token, or a notice of a newer one came while it was read: what does the status say, what comes next? */
  async #lookCloser(connection: Connection, at: Place & { id: string }, feed: Feed, flight: Flight): Promise<Entry> {
    for (let looks = 1; ; looks++) {
      flight.noticed = undefined
      const text = await connection.get(statusKey(at.id))
      const status = text === null ? undefined : parseStatus(text)
      const epoch = feed.live ? feed.epoch : -1
      // after the status: what was written between the two is found
      const value = await connection.get(at.key)
      if (value === null) {
        if (flight.noticed === undefined) this.#vindicate(at.id, status)
        else if (looks < looksAtMost) continue
        throw refusal(at.id, status)
      }
      const entry = this.#take(value, at, feed, epoch)
      if (looks === looksAtMost || !isOvertaken(flight, entry)) return entry
    }
  }

  #take(value: string, { id, key }: Place & { id: string }, feed: Feed, epoch: number): Entry {
    const document = this.#unseal(value, id)
    const known = this.#entries.get(id)
    const seen = known?.token
    if (seen !== undefined && seen.generation > document.generation && seen.family === document.family)
      throw rolledBack(id, seen.generation, document.generation)
    if (known?.feed === feed && known.holds(document)) {
      known.confirm(epoch, performance.now(), this.#link.clock)
      return known
    }
    const entry = new Entry({ id, key, feed, epoch }, document, performance.now(), this.#link.clock)
    if (this.#settings.maxEntries > 0) this.#entries.set(id, entry)
    return entry
  }

  #unseal(value: string, id: string): AccessDocument {
    const { keys } = this.#settings
    if (keys === undefined) {
      if (value.startsWith('{')) return parseAccess(value, id)
      const message = `the access token of ${id} is sealed: createReader needs its tenant's key`
      throw new UnreadableValue('unknown_key', message, { credential: id })
    }
    const { plaintext, family, gen } = open(value, keys, { cred: id })
    const document = parseAccess(plaintext, id)
    if (document.generation === gen && document.family === family) return document
    const message = `the access token of ${id} was sealed as another generation or family than it says; it was not used`
    throw new UnreadableValue('malformed', message, { credential: id })
  }

  #noticed(credential: string, generation: number): void {
    this.#settings.metrics.noticed()
    const flight = this.#flights.get(credential)
    if (flight !== undefined) flight.noticed = Math.max(flight.noticed ?? 0, generation)
    const entry = this.#entries.get(credential)
    if (entry === undefined) return
    // what is in use is read at once: the next caller finds it, and an outage that begins now meets the newest. So is what
    // may only have been written again, because until then it serves nobody
    const toRead = entry.used || generation <= entry.token.generation
    entry.noticed(generation, performance.now())
    if (toRead) this.#read(credential, false).catch(() => undefined)
  }

  /** No notice is heard any more: until Redis was read again, nothing is current. */
  #cutOff(): void {
    const { heardMs } = this.#link
    for (const entry of this.#entries.values()) if (entry.epoch === entry.feed.epoch) entry.doubt(heardMs)
    this.#feeds.down()
  }

  /** Redis has lost the token and knows the credential, which lives: the notice that came was of no revoke. */
  #vindicate(id: string, status: StatusDocument | undefined): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || status === undefined) return
    if (status.status !== 'revoked' && status.status !== 'reconnect_required') entry.questioned = false
  }

  #bury(id: string): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.dead = true
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

interface Place {
  tenant: string
  key: string
}

const place = (id: string): Place => ({ tenant: tenantOf(id), key: accessKey(id) })

/** Where notices come over another connection than answers, one may come before the answer that is older than it. */
const isOvertaken = ({ noticed }: Flight, entry: Entry) => noticed !== undefined && noticed >= entry.token.generation

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
