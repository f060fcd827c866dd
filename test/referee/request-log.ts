import type { Endpoint } from './faults.ts'

/**
 * What became of an answer, as well as a server can know:
 * `none`: nothing was written, or the client had gone; `cut`: a part of it, read by the client; `complete`: all of it,
 * and the client closed the connection having read it; `reset`: written, but the connection broke, so the client died
 * with it unread; `pending`: the connection is still open.
 */
export type Delivery = 'pending' | 'none' | 'cut' | 'complete' | 'reset'

export type RequestDecision = 'pending' | 'granted' | 'refused' | 'revoked' | 'nothing_revoked' | 'not_processed'

/** One request, as the referee saw it. Tokens by id: nothing in here is a secret. Times are epoch milliseconds. */
export interface RequestRecord {
  id: number
  endpoint: Endpoint
  atMs: number
  /** the client that it claimed to be, where there is one of that name */
  client?: string
  /** whose token was presented; the client itself for client_credentials */
  user?: string
  family?: string
  /** the token that was presented */
  presented?: string
  fault?: string
  decision: RequestDecision
  /** the OAuth error, and what it means where that is not the same */
  error?: string
  why?: string
  /** when the decision took effect; absent where it did not */
  committedMs?: number
  /** a new refresh token was minted, so the one presented may be spent */
  rotated: boolean
  minted?: { access: string; refresh?: string }
  /** a spent token came again and ended its family */
  secondUse?: {
    /** how long the access token that the client had would have lived on */
    accessRemainingMs: number
    /** more than 10 s: it came too early */
    tooEarly: boolean
  }
  /** other token requests of the same family that were under way at the same time */
  overlaps: number[]
  status?: number
  /** the minted tokens that were whole in what was written */
  carried: { access: boolean; refresh: boolean }
  answeredMs?: number
  delivery: Delivery
  /** the client closed the connection before there was an answer: it was killed, or gave up */
  clientLeft: boolean
  /** when the connection was over */
  closedMs?: number
}

/** Requests that a client sent within one second. */
export interface Bucket {
  /** seconds since 1970 */
  second: number
  token: number
  revoke: number
}

const tooEarlyMs = 10_000
const kept = 200_000

/** Everything that was asked, in order. */
export class RequestLog {
  readonly #requests = new Map<number, RequestRecord>()
  readonly #underWay = new Map<string, Set<RequestRecord>>()
  readonly #rates = new Map<string, Map<number, Bucket>>()
  #last = 0

  open(endpoint: Endpoint, atMs: number): RequestRecord {
    const id = ++this.#last
    const unknown = { decision: 'pending', rotated: false, delivery: 'pending', clientLeft: false } as const
    const record: RequestRecord = {
      id,
      endpoint,
      atMs,
      ...unknown,
      overlaps: [],
      carried: { access: false, refresh: false },
    }
    this.#requests.set(id, record)
    this.#requests.delete(id - kept)
    return record
  }

  /** Once it is known who asks: counts the request, and marks those of its family that are under way. */
  identify(record: RequestRecord, who: { client?: string; user?: string; family?: string; presented?: string }): void {
    Object.assign(record, who)
    this.#count(record)
    if (record.endpoint === 'revoke' || record.family === undefined || record.presented === undefined) return
    const others = this.#underWay.get(record.family) ?? new Set()
    for (const other of others) {
      other.overlaps.push(record.id)
      record.overlaps.push(other.id)
    }
    this.#underWay.set(record.family, others.add(record))
  }

  /** The provider has done with it: it was answered or dropped, so that the next of its family does not overlap. */
  settle(record: RequestRecord): void {
    const others = this.#underWay.get(record.family ?? '')
    others?.delete(record)
    if (others?.size === 0) this.#underWay.delete(record.family ?? '')
    if (record.decision === 'pending') record.decision = 'not_processed'
  }

  select(filter: RequestFilter): RequestRecord[] {
    const { afterId = 0, limit = 5_000 } = filter
    const found: RequestRecord[] = []
    for (let id = Math.max(afterId, this.#last - kept) + 1; id <= this.#last && found.length < limit; id++) {
      const record = this.#requests.get(id)
      if (record !== undefined && fits(record, filter)) found.push(record)
    }
    return found
  }

  /** Seconds without a request have no bucket. */
  rates(): Record<string, Bucket[]> {
    return Object.fromEntries([...this.#rates].map(([client, buckets]) => [client, [...buckets.values()]]))
  }

  #count({ client, atMs, endpoint }: RequestRecord): void {
    if (client === undefined) return
    const second = Math.floor(atMs / 1_000)
    const buckets = this.#rates.get(client) ?? new Map<number, Bucket>()
    const bucket = buckets.get(second) ?? { second, token: 0, revoke: 0 }
    bucket[endpoint]++
    this.#rates.set(client, buckets.set(second, bucket))
  }
}

export interface RequestFilter {
  user?: string
  client?: string
  /** only later ones */
  afterId?: number
  /** default 5000 */
  limit?: number
}

const fits = (record: RequestRecord, { user, client }: RequestFilter): boolean =>
  (user === undefined || record.user === user) && (client === undefined || record.client === client)

/** What the record says of a second use. */
export const secondUse = (accessRemainingMs: number): NonNullable<RequestRecord['secondUse']> => ({
  accessRemainingMs,
  tooEarly: accessRemainingMs > tooEarlyMs,
})

/** The most requests of a client within any so many seconds, for an assertion on a provider's budget. */
export function busiest(buckets: readonly Bucket[], perSeconds: number, endpoint: Endpoint = 'token'): number {
  const within = (start: number) =>
    buckets.filter(({ second }) => second >= start && second < start + perSeconds).map((bucket) => bucket[endpoint])
  return Math.max(0, ...buckets.map(({ second }) => within(second).reduce((sum, requests) => sum + requests, 0)))
}
