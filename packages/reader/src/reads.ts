/**
 * Reading Redis: one look at a time for each credential, opened, checked and put into memory.
 *
 * Written with callbacks where `async` would read better: a promise and a frame less for each read is measurable.
 */
import { type BoundedMap, Entry } from './cache.ts'
import { type Connection, explain, unavailable } from './connection.ts'
import { CredentialRevoked, ReaderError, ReconnectRequired, UnreadableValue } from './errors.ts'
import type { Feed, Feeds } from './feeds.ts'
import {
  type AccessDocument,
  accessKey,
  parseAccess,
  parseStatus,
  type StatusDocument,
  statusKey,
  tenantOf,
} from './format.ts'
import type { Link } from './link.ts'
import type { ReaderMetrics } from './metrics.ts'
import { refusal, rolledBack } from './refusal.ts'
import { open, type SealingKey } from './sealed.ts'

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
interface Flight {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly startedMs: number
  /** over which it goes, and what was heard when it was sent */
  connection: Connection | undefined
  feed: Feed | undefined
  epoch: number
  landing: Promise<Entry>
  /** the read after this one, for those who asked while this was in the air and want what stands there now */
  next: Promise<Entry> | undefined
  /** the highest generation of a notice that came meanwhile */
  noticed: number | undefined
}

/** at a credential that is written again and again while it is read */
const looksAtMost = 2

export class Reads {
  readonly #parts: Parts
  readonly #flights = new Map<string, Flight>()

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
    const flying = this.#flights.get(id)
    if (flying === undefined) return this.#depart(id, known)
    if (!fresh) return flying.landing
    const again = () => this.read(id, false)
    flying.next ??= flying.landing.then(again, again)
    return flying.next
  }

  noticed(credential: string, generation: number): void {
    const flight = this.#flights.get(credential)
    if (flight !== undefined) flight.noticed = Math.max(flight.noticed ?? 0, generation)
    const entry = this.#parts.entries.get(credential)
    if (entry === undefined) return
    // what is in use is read at once: the next caller finds it, and an outage that begins now meets the newest. So is what
    // may only have been written again, because until then it serves nobody
    const toRead = entry.used || generation <= entry.token.generation
    entry.noticed(generation, performance.now())
    if (toRead) this.read(credential, false).catch(() => undefined)
  }

  #depart(id: string, known: Entry | undefined): Promise<Entry> {
    const flight: Flight = {
      id,
      tenant: known === undefined ? tenantOf(id) : known.feed.tenant,
      key: known === undefined ? accessKey(id) : known.key,
      startedMs: this.#parts.isTimed ? performance.now() : 0,
      connection: undefined,
      feed: undefined,
      epoch: -1,
      landing: never,
      next: undefined,
      noticed: undefined,
    }
    this.#flights.set(id, flight)
    const { connection } = this.#parts.link
    const reply = connection === undefined ? this.#wait(flight) : this.#ask(flight, connection)
    flight.landing = reply.then(
      (value) => this.#land(flight, value),
      (error: unknown) => this.#crash(flight, error),
    )
    return flight.landing
  }

  async #wait(flight: Flight): Promise<string | null> {
    return this.#ask(flight, await this.#parts.link.use())
  }

  #ask(flight: Flight, connection: Connection): Promise<string | null> {
    const feed = this.#parts.feeds.of(flight.tenant)
    flight.connection = connection
    flight.feed = feed
    return feed.opening === undefined
      ? send(flight, feed, connection)
      : feed.opening.then(() => send(flight, feed, connection))
  }

  #land(flight: Flight, value: string | null): Entry | Promise<Entry> {
    try {
      const entry = value === null ? undefined : this.#take(flight, value)
      if (entry !== undefined && !isOvertaken(flight, entry)) return this.#arrive(flight, entry)
    } catch (error) {
      return this.#crash(flight, error)
    }
    return this.#lookCloser(flight).then(
      (entry) => this.#arrive(flight, entry),
      (error: unknown) => this.#crash(flight, error),
    )
  }

  #arrive({ id, startedMs }: Flight, entry: Entry): Entry {
    this.#flights.delete(id)
    if (this.#parts.isTimed) this.#parts.metrics.read(performance.now() - startedMs, 'found')
    return entry
  }

  #crash({ id, startedMs }: Flight, reason: unknown): never {
    this.#flights.delete(id)
    const error = reason instanceof ReaderError ? reason : unavailable(explain(reason))
    const entry = this.#parts.entries.get(id)
    entry?.doubt(this.#parts.link.heardMs)
    if (entry !== undefined && (error instanceof CredentialRevoked || error instanceof ReconnectRequired))
      entry.dead = true
    this.#parts.metrics.read(performance.now() - startedMs, error.code)
    throw error
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

  #take({ id, key, feed, epoch }: Flight, value: string): Entry {
    if (feed === undefined) throw unavailable('it was not asked')
    const { entries, link, maxEntries } = this.#parts
    const known = entries.get(id)
    const document = this.#unseal(value, id, known)
    const seen = known?.token
    if (seen !== undefined && seen.generation > document.generation && seen.family === document.family)
      throw rolledBack(id, seen.generation, document.generation)
    const nowMs = performance.now()
    if (known?.feed === feed && known.holds(document)) {
      known.confirm(epoch, nowMs, link.clock)
      return known
    }
    const entry = new Entry({ id, key, feed, epoch }, document, nowMs, link.clock)
    if (maxEntries > 0) entries.set(id, entry)
    return entry
  }

  #unseal(value: string, id: string, known: Entry | undefined): AccessDocument {
    const { keys } = this.#parts
    if (keys === undefined) {
      if (value.startsWith('{')) return parseAccess(value, id, known?.expiresAt)
      const message = `the access token of ${id} is sealed: createReader needs its tenant's key`
      throw new UnreadableValue('unknown_key', message, { credential: id })
    }
    const { plaintext, family, gen } = open(value, keys, { cred: id })
    const document = parseAccess(plaintext, id, known?.expiresAt)
    if (document.generation === gen && document.family === family) return document
    const message = `the access token of ${id} was sealed as another generation or family than it says; it was not used`
    throw new UnreadableValue('malformed', message, { credential: id })
  }
}

function send(flight: Flight, feed: Feed, connection: Connection): Promise<string | null> {
  flight.epoch = feed.live ? feed.epoch : -1
  return connection.get(flight.key)
}

/** stands for a promise that is made in the next line */
const never = new Promise<never>(() => undefined)

/** Where notices come over another connection than answers, one may come before the answer that is older than it. */
const isOvertaken = ({ noticed }: Flight, entry: Entry) => noticed !== undefined && noticed >= entry.token.generation
