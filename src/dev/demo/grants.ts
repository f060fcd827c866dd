import { AsyncLocalStorage } from 'node:async_hooks'
import type { Adapter } from 'oidc-provider'
import { Journal } from './journal.ts'

/** One answer of the token endpoint. Tokens are plain: this is the provider's own record, in its own folder. */
export interface Exchange {
  id: number
  /** ISO 8601 */
  at: string
  client: string
  /** absent for client_credentials and where the presented token was unknown */
  subject?: string
  status: number
  error?: string
  /** the refresh token that was used */
  presented?: string
  accessToken?: string
  refreshToken?: string
  /** the answer was handed to the network whole; false when the client had gone: an answer cut after rotation */
  delivered: boolean
}

interface Stored {
  payload: Record<string, unknown>
  /** epoch ms */
  expiresAt?: number
}

type Entry = { put: string; stored: Stored } | { drop: string } | { exchange: Exchange } | { delivered: number }

/** Of each grant the last of these remember that they were used: reusing one revokes it. Older ones are just unknown. */
const consumedPerGrant = 100

const exchangesKept = 10_000

/** Everything that the authorization server knows, in memory and in a journal. */
export class GrantStore {
  readonly #stored = new Map<string, Stored>()
  readonly #keysOfGrant = new Map<string, Set<string>>()
  readonly #exchanges = new Map<number, Exchange>()
  readonly #transaction = new AsyncLocalStorage<Entry[]>()
  readonly #journal: Journal<Entry>
  #lastExchange = 0

  constructor(file: string) {
    const apply = (entry: Entry) => this.#apply(entry)
    this.#journal = new Journal(file, apply, () => this.#snapshot())
  }

  /** Writes what `work` changed as one piece when it ends, so that a kill never leaves half an exchange behind. */
  async transaction(work: () => Promise<void>): Promise<void> {
    const entries: Entry[] = []
    await this.#transaction.run(entries, work)
    this.#journal.append(entries)
  }

  /** Adds to the record; returns what to call when the answer has been delivered. */
  recordExchange(exchange: Omit<Exchange, 'id' | 'delivered'>): () => void {
    const id = this.#lastExchange + 1
    this.#write({ exchange: { ...exchange, id, delivered: false } })
    return () => this.#journal.append(this.#applied({ delivered: id }))
  }

  /** Every answer kept, oldest first. */
  exchanges(): Exchange[] {
    return [...this.#exchanges.values()]
  }

  /** The refresh tokens that can still be used, by subject. */
  alive(): Record<string, string[]> {
    const alive: Record<string, string[]> = {}
    for (const [key, { payload, expiresAt }] of this.#stored) {
      if (!key.startsWith('RefreshToken:') || payload.consumed !== undefined || isPast(expiresAt)) continue
      const subject = String(payload.accountId)
      alive[subject] = [...(alive[subject] ?? []), key.slice('RefreshToken:'.length)]
    }
    return alive
  }

  /** Whose token this is. */
  subjectOf(refreshToken: string): string | undefined {
    const subject = this.#stored.get(`RefreshToken:${refreshToken}`)?.payload.accountId
    return typeof subject === 'string' ? subject : undefined
  }

  /** Ends every grant of a subject; returns how many tokens died. */
  revokeSubject(subject: string): number {
    const keys = [...this.#stored].filter(([, { payload }]) => payload.accountId === subject).map(([key]) => key)
    for (const key of keys) this.#write({ drop: key })
    return keys.length
  }

  /** Ends the access tokens of a subject before their time, and leaves the grants; returns how many died. */
  endAccessTokens(subject: string): number {
    const keys = [...this.#stored]
      .filter(([key, { payload }]) => key.startsWith('AccessToken:') && payload.accountId === subject)
      .map(([key]) => key)
    for (const key of keys) this.#write({ drop: key })
    return keys.length
  }

  /** What oidc-provider stores one kind of thing with. */
  adapter(model: string): Adapter {
    const key = (id: string) => `${model}:${id}`
    return {
      upsert: async (id, payload, expiresInSeconds) => this.#put(key(id), payload, expiresInSeconds),
      find: async (id) => {
        const stored = this.#stored.get(key(id))
        return stored === undefined || isPast(stored.expiresAt) ? undefined : stored.payload
      },
      findByUserCode: async () => undefined,
      findByUid: async () => undefined,
      destroy: async (id) => this.#write({ drop: key(id) }),
      revokeByGrantId: async (grantId) => {
        for (const owned of this.#keysOfGrant.get(grantId) ?? []) this.#write({ drop: owned })
      },
      consume: async (id) => this.#consume(key(id)),
    }
  }

  #put(key: string, payload: Record<string, unknown>, expiresInSeconds: number | undefined): void {
    const expiry = expiresInSeconds === undefined ? {} : { expiresAt: Date.now() + expiresInSeconds * 1_000 }
    this.#write({ put: key, stored: { payload, ...expiry } })
  }

  #consume(key: string): void {
    const stored = this.#stored.get(key)
    if (stored === undefined) return
    const { grantId } = stored.payload
    this.#write({ put: key, stored: { ...stored, payload: { ...stored.payload, consumed: Date.now() } } })
    if (typeof grantId === 'string') this.#forgetOldest(grantId)
  }

  #forgetOldest(grantId: string): void {
    const keys = [...(this.#keysOfGrant.get(grantId) ?? [])]
    for (const key of keys) if (isPast(this.#stored.get(key)?.expiresAt)) this.#write({ drop: key })
    const consumed = keys.filter((key) => this.#stored.get(key)?.payload.consumed !== undefined)
    for (const key of consumed.slice(0, -consumedPerGrant)) this.#write({ drop: key })
  }

  #write(entry: Entry): void {
    const transaction = this.#transaction.getStore()
    if (transaction === undefined) this.#journal.append(this.#applied(entry))
    else transaction.push(...this.#applied(entry))
  }

  #applied(entry: Entry): Entry[] {
    this.#apply(entry)
    return [entry]
  }

  #apply(entry: Entry): void {
    if ('put' in entry) {
      this.#stored.set(entry.put, entry.stored)
      const { grantId } = entry.stored.payload
      if (typeof grantId === 'string') this.#keysOf(grantId).add(entry.put)
    } else if ('drop' in entry) {
      const grantId = this.#stored.get(entry.drop)?.payload.grantId
      this.#stored.delete(entry.drop)
      if (typeof grantId === 'string') this.#keysOf(grantId).delete(entry.drop)
    } else if ('exchange' in entry) {
      this.#lastExchange = entry.exchange.id
      this.#exchanges.set(entry.exchange.id, entry.exchange)
      this.#exchanges.delete(entry.exchange.id - exchangesKept)
    } else {
      const exchange = this.#exchanges.get(entry.delivered)
      if (exchange !== undefined) exchange.delivered = true
    }
  }

  #keysOf(grantId: string): Set<string> {
    const keys = this.#keysOfGrant.get(grantId) ?? new Set()
    this.#keysOfGrant.set(grantId, keys)
    return keys
  }

  #snapshot(): Entry[] {
    const live = [...this.#stored].filter(([, stored]) => !isPast(stored.expiresAt))
    return [
      ...live.map(([put, stored]) => ({ put, stored })),
      ...[...this.#exchanges.values()].map((exchange) => ({ exchange })),
    ]
  }
}

const isPast = (expiresAt: number | undefined): boolean => expiresAt !== undefined && expiresAt <= Date.now()
