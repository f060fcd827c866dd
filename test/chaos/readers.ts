import { createReader, type Reader, ReaderError } from '../../packages/reader/src/index.ts'
import { tokenIdOf } from '../referee/index.ts'
import { type Account, isDead } from './account.ts'

/** A time in which reads of a credential brought no token, and what they brought instead. */
export interface Stretch {
  credential: string
  fromMs: number
  toMs: number
  codes: Record<string, number>
  /** when the last token that was read before ends */
  lastTokenUntilMs: number
}

export interface RevokedRead {
  credential: string
  atMs: number
  token: string
}

const everyMs = 400
const slices = 8

/** Services that read every credential from Redis, each more than twice a second. */
export class Readers {
  readonly stretches: Stretch[] = []
  readonly revokedReads: RevokedRead[] = []
  reads = 0
  readonly #reader: Reader
  readonly #accounts: readonly Account[]
  readonly #open = new Map<string, Stretch>()
  readonly #lastTokenUntilMs = new Map<string, number>()
  readonly #underWay = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #slice = 0
  #beganMs = 0
  #endedMs = 0

  constructor(redisUrl: string, key: string, accounts: readonly Account[]) {
    // nothing in memory: what is judged is what stands in Redis
    this.#reader = createReader({ redis: redisUrl, keys: [key], maxEntries: 0 })
    this.#accounts = accounts
  }

  start(): void {
    this.#beganMs = Date.now()
    this.#timer = setInterval(() => {
      this.#slice = (this.#slice + 1) % slices
      for (let i = this.#slice; i < this.#accounts.length; i += slices) {
        const account = this.#accounts[i]
        // one that hangs is a read without a token until it is over
        if (account !== undefined && !this.#underWay.has(account.credential)) void this.#read(account)
      }
    }, everyMs / slices)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#endedMs = Date.now()
    for (const credential of [...this.#open.keys()]) this.#close(credential, this.#endedMs)
    await this.#reader.close()
  }

  /** Those of the accounts whose last read brought no token. */
  get unreadable(): Account[] {
    return this.#accounts.filter(({ credential }) => this.#open.has(credential))
  }

  get readsPerSecondEach(): number {
    const seconds = ((this.#endedMs || Date.now()) - this.#beganMs) / 1_000
    return this.reads / seconds / this.#accounts.length
  }

  async #read(account: Account): Promise<void> {
    const { credential } = account
    const before = { phase: account.phase, excused: account.excused, dead: copy(account.dead) }
    const startedMs = Date.now()
    this.#underWay.add(credential)
    try {
      const { accessToken, expiresAt } = await this.#reader.get(credential)
      const token = tokenIdOf(accessToken)
      const known = account.phase === 'revoked' ? account.dead.tokens : account.seen
      known.add(token)
      this.#lastTokenUntilMs.set(credential, expiresAt.getTime())
      const stillRevoked = before.phase === 'revoked' && account.phase === 'revoked'
      if (stillRevoked || isDead(before.dead, token, account.client))
        this.revokedReads.push({ credential, atMs: startedMs, token })
      this.#close(credential, startedMs)
    } catch (error) {
      if (before.excused || account.excused) this.#close(credential, startedMs)
      else this.#missed(credential, startedMs, error instanceof ReaderError ? error.code : 'not_an_error_of_the_reader')
    } finally {
      this.reads++
      this.#underWay.delete(credential)
    }
  }

  #missed(credential: string, atMs: number, code: string): void {
    const lastTokenUntilMs = this.#lastTokenUntilMs.get(credential) ?? 0
    const stretch = this.#open.get(credential) ?? { credential, fromMs: atMs, toMs: atMs, codes: {}, lastTokenUntilMs }
    stretch.codes[code] = (stretch.codes[code] ?? 0) + 1
    this.#open.set(credential, stretch)
  }

  #close(credential: string, toMs: number): void {
    const stretch = this.#open.get(credential)
    if (stretch === undefined) return
    this.#open.delete(credential)
    this.stretches.push({ ...stretch, toMs })
  }
}

/** As it was when the read began: a revoke that returns meanwhile says nothing about this read. */
const copy = ({ families, tokens }: Account['dead']): Account['dead'] => ({
  families: families.size === 0 ? families : new Set(families),
  tokens: tokens.size === 0 ? tokens : new Set(tokens),
})
