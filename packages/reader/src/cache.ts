/**
 * The tokens in memory: what each is worth at this moment, and no more of them than the bound.
 */
import type { RedisClock } from './clock.ts'
import type { Feed } from './feeds.ts'
import type { AccessDocument } from './format.ts'
import type { Flight } from './reads.ts'
import type { Header } from './sealed.ts'

export interface AccessToken {
  accessToken: string
  tokenType: string
  scope?: string
  /** by the clock of Redis */
  expiresAt: Date
  generation: number
  family: string
  /** what the provider says beside the token, by the names of its entry; empty where it says nothing */
  values: Readonly<Record<string, string>>
  /** Redis is away: this is the newest that the reader has seen, and may not be the newest that there is */
  stale: boolean
  /** how long ago Redis last vouched for it: 0 unless it is stale */
  ageMs: number
}

/**
 * How long an entry is believed without being read again, though no notice came: notices are sent at most once, and a
 * server that was cut off from the others is silent.
 */
const trustMs = 60_000

/** What was read of one credential. Times are of the monotonic clock. */
export class Entry {
  readonly id: string
  readonly key: string
  readonly feed: Feed
  readonly token: AccessToken
  /** what `get` hands out; one promise for all of them, so that a hit makes no garbage */
  readonly promise: Promise<AccessToken>
  expiresMs: number
  /** as it was written */
  readonly expiresAt: string
  readonly #expiresAtMs: number
  readonly diesAtRefresh: boolean
  /** of what it was opened from, where it was sealed */
  readonly header: Header | undefined
  /** the feed's at the time of reading; -1 when it was not heard, or a notice came since */
  epoch: number
  /** until when it is believed without a look into Redis, if no notice comes */
  trustedUntilMs: number
  /** when Redis last vouched for it, while the notices are not heard */
  vouchedMs: number
  /** not to be used until Redis has been read again, not even while Redis is away */
  dead = false
  /** a notice came that is no refresh, and maybe a revoke: not to be used until Redis has said what it was */
  questioned = false
  /** asked for since it was read */
  used = false
  /** while it is read again */
  flight: Flight | undefined

  constructor(
    at: { id: string; key: string; feed: Feed; epoch: number; header: Header | undefined },
    document: AccessDocument,
    nowMs: number,
    clock: RedisClock,
  ) {
    this.id = at.id
    this.key = at.key
    this.feed = at.feed
    this.epoch = at.epoch
    // as it comes, it is a piece of the whole value and would keep that in memory
    this.header = at.header && { ...at.header, text: Buffer.from(at.header.text).toString() }
    this.token = toToken(document)
    this.promise = Promise.resolve(this.token)
    this.expiresAt = document.expires_at
    this.#expiresAtMs = this.token.expiresAt.getTime()
    this.expiresMs = clock.monotonicMs(this.#expiresAtMs)
    this.vouchedMs = nowMs
    this.trustedUntilMs = Math.min(this.expiresMs, nowMs + trustMs)
    this.diesAtRefresh = document.dies_at_refresh === true
  }

  holds({ generation, family, access_token, expires_at }: AccessDocument): boolean {
    const { token } = this
    return (
      token.generation === generation &&
      token.family === family &&
      token.accessToken === access_token &&
      this.expiresAt === expires_at
    )
  }

  /**
   * It was read again, and is what it was. It stays as it is in memory: to build it anew, and to drop what has become
   * old there, would cost the collector as much as the rest of the read.
   */
  confirm(epoch: number, nowMs: number, clock: RedisClock): void {
    this.epoch = epoch
    this.expiresMs = clock.monotonicMs(this.#expiresAtMs)
    this.vouchedMs = nowMs
    this.trustedUntilMs = Math.min(this.expiresMs, nowMs + trustMs)
    this.dead = false
    this.questioned = false
    this.used = false
  }

  /** It is what stands in Redis, as far as notices can tell. */
  isCurrent(nowMs: number): boolean {
    return this.epoch === this.feed.epoch && this.feed.live && nowMs < this.trustedUntilMs
  }

  /** How long ago Redis vouched for it. While notices are heard, each sign of life vouches for what they do not name. */
  ageMs(nowMs: number, heardMs: number): number {
    const heard = this.epoch === this.feed.epoch && this.feed.live
    return Math.max(0, nowMs - (heard ? Math.max(this.vouchedMs, heardMs) : this.vouchedMs))
  }

  /** The token for when Redis cannot be asked, with its age; undefined when it is not to be used. */
  stale(at: { nowMs: number; heardMs: number; maxStaleMs: number; minRemainingMs: number }): AccessToken | undefined {
    if (this.dead || this.questioned || at.nowMs + at.minRemainingMs >= this.expiresMs) return undefined
    const ageMs = this.ageMs(at.nowMs, at.heardMs)
    return ageMs > at.maxStaleMs ? undefined : Object.freeze({ ...this.token, stale: true, ageMs: Math.round(ageMs) })
  }

  /** From here on Redis has to be read before it is current again. */
  doubt(vouchedMs: number): void {
    if (this.epoch !== -1) this.vouchedMs = Math.max(this.vouchedMs, vouchedMs)
    this.epoch = -1
  }

  /**
   * A notice came. A newer generation leaves this one good for an outage, unless its provider ends it at a refresh;
   * any other notice is no refresh: a revoke, or a Redis that was emptied and is being filled again.
   */
  noticed(generation: number, nowMs: number): void {
    this.doubt(nowMs)
    if (generation <= this.token.generation) this.questioned = true
    else if (this.diesAtRefresh) this.dead = true
  }
}

const nothing: Readonly<Record<string, string>> = Object.freeze({})

const toToken = (document: AccessDocument): AccessToken =>
  Object.freeze({
    accessToken: document.access_token,
    tokenType: document.token_type,
    ...(document.scope === undefined ? {} : { scope: document.scope }),
    expiresAt: new Date(document.expires_at),
    generation: document.generation,
    family: document.family,
    values: document.values === undefined ? nothing : Object.freeze(document.values),
    stale: false,
    ageMs: 0,
  })

/** A Map that holds so many, and drops what was set longest ago. */
export class BoundedMap<V> extends Map<string, V> {
  readonly #bound: number

  constructor(bound: number) {
    super()
    this.#bound = bound
  }

  override set(key: string, value: V): this {
    this.delete(key)
    super.set(key, value)
    if (this.size <= this.#bound) return this
    for (const oldest of this.keys()) {
      this.delete(oldest)
      break
    }
    return this
  }
}
