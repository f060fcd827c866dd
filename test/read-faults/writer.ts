import { randomBytes } from 'node:crypto'
import type { AccessDocument } from '../../packages/reader/src/format.ts'
import type { SealingKey } from '../../packages/reader/src/sealed.ts'
import { type Connection, connect } from '../../src/store/connection.ts'
import { seal } from '../../src/store/sealing.ts'
import { Store, type TokenSetWrite } from '../../src/store/store.ts'
import type { Judge } from './judge.ts'

const lifetimeMs = 20_000
const leadMs = 5_000
const jitterMs = 2_000
const everyMs = 20
/** twice what 500 credentials need, and no more than a worker that catches up would send */
const atOncePerTick = 4
const againMs = 250

interface Kept {
  credential: string
  set: TokenSetWrite | undefined
  dueMs: number
  isStored: boolean
  /** not to be touched before */
  restsUntilMs: number
}

/**
 * Keeps credentials fresh by the scripts that workers use, each a quarter of its lifetime before it ends. What it issues
 * is in the judge's record before Redis hears of it.
 */
export class Writer {
  readonly troubles: string[] = []
  written = 0
  readonly #kept: Kept[]
  readonly #key: SealingKey
  readonly #judge: Judge
  #redis: Connection | undefined
  #timer: NodeJS.Timeout | undefined
  #next = 0

  constructor(credentials: readonly string[], key: SealingKey, judge: Judge) {
    this.#kept = credentials.map((credential) => ({
      credential,
      set: undefined,
      dueMs: 0,
      isStored: false,
      restsUntilMs: 0,
    }))
    this.#key = key
    this.#judge = judge
  }

  /** From now on it writes there. */
  follow(url: string): void {
    this.#redis?.destroy()
    this.#redis = connect(url, 'perennial-writer', () => {})
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), everyMs)
  }

  /** Redis was emptied, or is another one: what it should hold is written again, as workers do. */
  resync(): void {
    for (const kept of this.#kept) kept.isStored = false
  }

  /** How many credentials have no valid token in Redis, as far as it was heard. */
  get missing(): number {
    const nowMs = Date.now()
    return this.#kept.filter(({ isStored, dueMs }) => !isStored || dueMs < nowMs).length
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#redis?.destroy()
  }

  #tick(): void {
    const nowMs = Date.now()
    const isToDo = ({ isStored, dueMs, restsUntilMs }: Kept) => restsUntilMs <= nowMs && (!isStored || dueMs <= nowMs)
    for (let looked = 0, sent = 0; looked < this.#kept.length && sent < atOncePerTick; looked++) {
      const kept = this.#kept[this.#next++ % this.#kept.length]
      if (kept === undefined || !isToDo(kept)) continue
      sent++
      this.#write(kept, nowMs).catch((error: unknown) => this.troubles.push(String(error)))
    }
  }

  async #write(kept: Kept, sentMs: number): Promise<void> {
    if (kept.set === undefined || kept.dueMs <= sentMs) this.#issue(kept, sentMs)
    const { set } = kept
    if (set === undefined || this.#redis === undefined) return
    // until the answer is there
    kept.restsUntilMs = Number.POSITIVE_INFINITY
    const verdict = await new Store(this.#redis).write({ namespace: 'default', run: 'run-1' }, set).then(
      (answer) => answer.verdict,
      () => undefined,
    )
    const nowMs = Date.now()
    kept.restsUntilMs = verdict === undefined ? nowMs + againMs : 0
    if (verdict === undefined) return
    if (verdict !== 'written' && verdict !== 'same') throw new Error(`${set.credential} ${set.generation}: ${verdict}`)
    kept.isStored = true
    if (verdict === 'written') this.written++
    this.#judge.written(set.credential, set.generation, { sentMs, nowMs })
  }

  /** As a provider would: at this moment, whatever becomes of the write. */
  #issue(kept: Kept, nowMs: number): void {
    const { credential } = kept
    const generation = (kept.set?.generation ?? 0) + 1
    const expiresAtMs = nowMs + lifetimeMs
    const accessToken = `${generation}.${randomBytes(16).toString('base64url')}`
    const expires_at = new Date(expiresAtMs).toISOString()
    const family = 'f1'
    const document: AccessDocument = {
      credential,
      family,
      generation,
      access_token: accessToken,
      token_type: 'Bearer',
      expires_at,
    }
    this.#judge.issued(accessToken, { credential, generation, expiresAtMs })
    const value = seal(JSON.stringify(document), this.#key, { cred: credential, family, gen: generation })
    kept.set = {
      credential,
      family,
      generation,
      writer: `writer-${generation}`,
      beganMs: nowMs,
      access: { value, expiresAtMs },
      seeds: [],
      parameters: {},
      status: { status: 'active', since: new Date(nowMs).toISOString(), generation, accessExpiresAt: expires_at },
    }
    kept.dueMs = expiresAtMs - leadMs - Math.random() * jitterMs
    kept.isStored = false
  }
}
