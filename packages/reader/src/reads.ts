/**
 * Reading Redis: one look at a time for each credential, opened, checked and put into memory.
 *
 * Written with callbacks where `async` would read better: a promise and a frame less for each read is measurable.
 */
import { type BoundedMap, Entry } from './cache.ts'
import { type Connection, explain, unavailable } from './connection.ts'
import { CredentialRevoked, ReaderError, ReconnectRequired, UnreadableValue } from './errors.ts'
import type { Feed, Feeds } from './feeds.ts'
import { accessKey, parseAccess, parseStatus, type StatusDocument, statusKey, tenantOf } from './format.ts'
import type { Link } from './link.ts'
import type { ReaderMetrics } from './metrics.ts'
import { refusal, rolledBack } from './refusal.ts'
import { type Opened, open, type SealingKey } from './sealed.ts'

interface Parts {
  link: Link
  feeds: Feeds
  entries: BoundedMap<Entry>
  keys: readonly SealingKey[] | undefined
  maxEntries: number
  metrics: Required<ReaderMetrics>
  /** somebody counts how long reads take; to look at the clock for nobody is measurable too */
  isTimed: boolean
}

/** A read under way. */
export interface Flight {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly startedMs: number
  /** over which it goes, and what was heard when it was sent */
  connection: Connection | undefined
  feed: Feed | undefined
  epoch: number
  /** nothing was in memory of it when it began */
  readonly isFirst: boolean
  /** what is in memory of it: nothing else puts anything there meanwhile */
  known: Entry | undefined
  /** for those who ask for the same while it is in the air; made when the first of them does */
  landing: Landing | undefined
  /** the read after this one, for those who asked while this was in the air and want what stands there now */
  next: Promise<Entry> | undefined
  /** the highest generation of a notice that came meanwhile */
  noticed: number | undefined
}

interface Landing {
  entry: Promise<Entry>
  resolve(entry: Entry): void
  reject(error: unknown): void
}

/** at a credential that is written again and again while it is read */
const looksAtMost = 2

export class Reads {
  readonly #parts: Parts
  /** of what is not in memory; every other is found at its entry */
  readonly #first = new Map<string, Flight>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * What stands in Redis of a credential, now in memory; all who ask while it is read get the same.
   *
   * @param fresh not from a read that began before
   * @param known what is in memory of it, where the caller has just looked
   * @throws InvalidArgument at once; everything else by the promise
   */
  read(id: string, fresh: boolean, known = this.#parts.entries.get(id)): Promise<Entry> {
    return this.readAs(id, fresh, known, itself, rethrow)
  }

  /** The same, made into what the caller wants of it in the promise that is made anyway. */
  readAs<T>(
    id: string,
    fresh: boolean,
    known: Entry | undefined,
    use: (entry: Entry) => T,
    fail: (error: unknown) => never,
  ): Promise<T> {
    const flying = this.#flying(id, known)
    if (flying === undefined) return this.#depart(id, known, use, fail)
    flying.landing ??= newLanding()
    if (!fresh) return flying.landing.entry.then(use, fail)
    const again = () => this.read(id, false)
    flying.next ??= flying.landing.entry.then(again, again)
    return flying.next.then(use, fail)
  }

  noticed(credential: string, generation: number): void {
    const entry = this.#parts.entries.get(credential)
    const flight = this.#flying(credential, entry)
    if (flight !== undefined) flight.noticed = Math.max(flight.noticed ?? 0, generation)
    if (entry === undefined) return
    // what is in use is read at once: the next caller finds it, and an outage that begins now meets the newest. So is what
    // may only have been written again, because until then it serves nobody
    const toRead = entry.used || generation <= entry.token.generation
    entry.noticed(generation, performance.now())
    if (toRead) this.read(credential, false).catch(() => undefined)
  }

  #flying(id: string, known: Entry | undefined): Flight | undefined {
    return known === undefined ? this.#first.get(id) : known.flight
  }

  #depart<T>(
    id: string,
    known: Entry | undefined,
    use: (entry: Entry) => T,
    fail: (error: unknown) => never,
  ): Promise<T> {
    const flight: Flight = {
      id,
      tenant: known === undefined ? tenantOf(id) : known.feed.tenant,
      key: known === undefined ? accessKey(id) : known.key,
      startedMs: this.#parts.isTimed ? performance.now() : 0,
      connection: undefined,
      feed: undefined,
      epoch: -1,
      isFirst: known === undefined,
      known,
      landing: undefined,
      next: undefined,
      noticed: undefined,
    }
    if (known === undefined) this.#first.set(id, flight)
    else known.flight = flight
    const { connection } = this.#parts.link
    const reply = connection === undefined ? this.#wait(flight) : this.#ask(flight, connection)
    return reply.then(
      (value) => this.#land(flight, value, use, fail),
      (error: unknown) => fail(this.#crash(flight, error)),
    )
  }

  async #wait(flight: Flight): Promise<string | null> {
    return this.#ask(flight, await this.#parts.link.use())
  }

  #ask(flight: Flight, connection: Connection): Promise<string | null> {
    const held = flight.known?.feed
    const feed = held?.live ? held : this.#parts.feeds.of(flight.tenant)
    flight.connection = connection
    flight.feed = feed
    return feed.opening === undefined
      ? send(flight, feed, connection)
      : feed.opening.then(() => send(flight, feed, connection))
  }

  #land<T>(
    flight: Flight,
    value: string | null,
    use: (entry: Entry) => T,
    fail: (error: unknown) => never,
  ): T | Promise<T> {
    let entry: Entry | undefined
    try {
      if (value !== null) entry = this.#take(flight, value)
    } catch (error) {
      return fail(this.#crash(flight, error))
    }
    if (entry !== undefined && !isOvertaken(flight, entry)) return use(this.#arrive(flight, entry))
    return this.#lookCloser(flight).then(
      (found) => use(this.#arrive(flight, found)),
      (error: unknown) => fail(this.#crash(flight, error)),
    )
  }

  #over({ id, isFirst, known }: Flight): void {
    if (isFirst) this.#first.delete(id)
    if (known !== undefined) known.flight = undefined
  }

  #arrive(flight: Flight, entry: Entry): Entry {
    const { startedMs, landing } = flight
    this.#over(flight)
    landing?.resolve(entry)
    if (this.#parts.isTimed) this.#parts.metrics.read(performance.now() - startedMs, 'found')
    return entry
  }

  /** @returns what is to be thrown */
  #crash(flight: Flight, reason: unknown): ReaderError {
    const { id, startedMs, landing } = flight
    this.#over(flight)
    const error = reason instanceof ReaderError ? reason : unavailable(explain(reason))
    const entry = this.#parts.entries.get(id)
    entry?.doubt(this.#parts.link.heardMs)
    if (entry !== undefined && (error instanceof CredentialRevoked || error instanceof ReconnectRequired))
      entry.dead = true
    landing?.reject(error)
    this.#parts.metrics.read(performance.now() - startedMs, error.code)
    return error
  }

  /** There was no token, or a notice of a newer one came while it was read: what does the status say, what comes next? */
  async #lookCloser(flight: Flight): Promise<Entry> {
    const { connection, feed } = flight
    if (connection === undefined || feed === undefined) throw unavailable('it was not asked')
    for (let looks = 1; ; looks++) {
      flight.noticed = undefined
      const text = await connection.get(statusKey(flight.id))
      const status = text === null ? undefined : parseStatus(text)
      // after the status: what was written between the two is found
      const value = await send(flight, feed, connection)
      if (value === null) {
        if (flight.noticed === undefined) this.#vindicate(flight.id, status)
        else if (looks < looksAtMost) continue
        throw refusal(flight.id, status)
      }
      const entry = this.#take(flight, value)
      if (looks === looksAtMost || !isOvertaken(flight, entry)) return entry
    }
  }

  /** Redis has lost the token and knows the credential, which lives: the notice that came was of no revoke. */
  #vindicate(id: string, status: StatusDocument | undefined): void {
    const entry = this.#parts.entries.get(id)
    if (entry === undefined || status === undefined) return
    if (status.status !== 'revoked' && status.status !== 'reconnect_required') entry.questioned = false
  }

  #take(flight: Flight, value: string): Entry {
    const { id, key, feed, epoch, known } = flight
    if (feed === undefined) throw unavailable('it was not asked')
    const { entries, link, maxEntries } = this.#parts
    const opened = this.#open(value, id, known)
    const document = parseAccess(opened?.plaintext ?? value, id, known?.expiresAt)
    if (opened !== undefined && (document.generation !== opened.gen || document.family !== opened.family))
      throw new UnreadableValue(
        'malformed',
        `the access token of ${id} was sealed as another generation or family than it says; it was not used`,
        { credential: id },
      )
    const seen = known?.token
    if (seen !== undefined && seen.generation > document.generation && seen.family === document.family)
      throw rolledBack(id, seen.generation, document.generation)
    const nowMs = performance.now()
    if (known?.feed === feed && known.holds(document)) {
      known.confirm(epoch, nowMs, link.clock)
      return known
    }
    const entry = new Entry({ id, key, feed, epoch, header: opened?.header }, document, nowMs, link.clock)
    if (maxEntries > 0) entries.set(id, entry)
    if (known !== undefined) known.flight = undefined
    entry.flight = flight
    flight.known = entry
    return entry
  }

  /** Undefined for a plain value. */
  #open(value: string, id: string, known: Entry | undefined): Opened | undefined {
    const { keys } = this.#parts
    if (keys !== undefined) return open(value, keys, { cred: id, known: known?.header })
    if (value.startsWith('{')) return undefined
    const message = `the access token of ${id} is sealed: createReader needs its tenant's key`
    throw new UnreadableValue('unknown_key', message, { credential: id })
  }
}

function send(flight: Flight, feed: Feed, connection: Connection): Promise<string | null> {
  flight.epoch = feed.live ? feed.epoch : -1
  return connection.get(flight.key)
}

function newLanding(): Landing {
  const landing: Partial<Landing> = {}
  landing.entry = new Promise((resolve, reject) => {
    landing.resolve = resolve
    landing.reject = reject
  })
  return landing as Landing
}

const itself = (entry: Entry) => entry

const rethrow = (error: unknown): never => {
  throw error
}

/** Where notices come over another connection than answers, one may come before the answer that is older than it. */
const isOvertaken = ({ noticed }: Flight, entry: Entry) => noticed !== undefined && noticed >= entry.token.generation
