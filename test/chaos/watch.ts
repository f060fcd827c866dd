import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusDocument } from '../../packages/reader/src/index.ts'
import type { Loss } from '../referee/index.ts'
import type { Account } from './account.ts'
import type { Stage } from './stage.ts'
import type { Users } from './users.ts'

/** A change of status, from the stream that operators follow. */
export interface StatusEvent {
  atMs: number
  credential: string
  generation: string
  status: string
  reason: string
}

/** A loss as it was found, before anything was done about it. */
export interface FoundLoss extends Loss {
  credential: string
  client: string
  foundAtMs: number
  /** since when the credential has asked for its user */
  sinceMs: number
  /** absent where it was found at the end */
  reconnectedAtMs?: number
  /** the statuses before, in the workflow's histories: where readers and operators could not be told of one, it is here */
  shown?: readonly ShownStatus[]
}

/** A status as the search attribute had it. */
export interface ShownStatus {
  atMs: number
  status: string
}

const lookEveryMs = 500

/** Looks at every credential's status, keeps the events, and has users consent again where their grant is lost. */
export class Watch {
  readonly events: StatusEvent[] = []
  readonly losses: FoundLoss[] = []
  readonly troubles: string[] = []
  statuses = new Map<string, StatusDocument>()
  readonly #stage: Stage
  readonly #users: Users
  readonly #accounts: readonly Account[]
  readonly #handled = new Map<string, string>()
  readonly #mending = new Set<Promise<void>>()
  #lastEvent = '-'

  constructor(stage: Stage, users: Users, accounts: readonly Account[]) {
    this.#stage = stage
    this.#users = users
    this.#accounts = accounts
  }

  /** Until told to stop; then waits for what is being mended. */
  async run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await this.look()
      await sleep(lookEveryMs, undefined, { signal: end }).catch(() => {})
    }
    await Promise.all(this.#mending)
  }

  async look(): Promise<void> {
    await this.#readEvents().catch(() => {})
    const statuses = await this.#stage.fleet.read()
    if (statuses === undefined) return
    this.statuses = statuses
    for (const account of this.#accounts) {
      const document = statuses.get(account.credential)
      if (document?.status !== 'reconnect_required' || account.busy || account.phase !== 'living') continue
      // what was dealt with may still stand there for a moment
      if (this.#handled.get(account.credential) === document.since) continue
      this.#handled.set(account.credential, document.since)
      const mending = this.#mend(account, document)
        .catch((error: unknown) => void this.troubles.push(`${account.credential} was not mended: ${textOf(error)}`))
        .finally(() => this.#mending.delete(mending))
      this.#mending.add(mending)
    }
  }

  async #readEvents(): Promise<void> {
    for (;;) {
      const from = this.#lastEvent === '-' ? '-' : `(${this.#lastEvent}`
      const entries = (await this.#stage.redis.xRange('perennial:events', from, '+', { COUNT: 1_000 })) ?? []
      for (const { id, message } of entries) {
        const { credential = '', generation = '', status = '', reason = '' } = message
        this.events.push({ atMs: Number(id.split('-')[0]), credential, generation, status, reason })
        this.#lastEvent = id
      }
      if (entries.length < 1_000) return
    }
  }

  async #mend(account: Account, { since, reason = '' }: StatusDocument): Promise<void> {
    account.busy = true
    try {
      const found: FoundLoss = {
        ...(await this.#judge(account, reason)),
        credential: account.credential,
        client: account.client,
        foundAtMs: Date.now(),
        sinceMs: Date.parse(since),
      }
      this.losses.push(found)
      await this.#users.connect(account)
      found.reconnectedAtMs = Date.now()
      found.shown = await this.#stage.shown(account.credential).catch(() => [])
    } finally {
      account.busy = false
    }
  }

  async #judge({ credential, user }: Account, reason: string): Promise<Loss> {
    const [loss] = await this.judgeHeld(user, credential)
    const accepted: Loss = {
      user,
      verdict: 'avoidable',
      because: `the provider accepts what is held, and the user was asked to reconnect: ${reason}`,
      requests: [],
    }
    return loss ?? accepted
  }

  /** What the workflow holds while a FLUSHALL has taken the second copy, by id: it presents no other. */
  async #lastPresented(user: string): Promise<string | undefined> {
    const requests = await this.#stage.referee.requests({ user })
    return requests.findLast(({ endpoint, presented }) => endpoint === 'token' && presented !== undefined)?.presented
  }

  /** What the referee says of the refresh token that stands in the store; asked again while Redis is away. */
  async judgeHeld(user: string, credential: string): Promise<Loss[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const held = (await this.#stage.held(credential)) ?? (await this.#lastPresented(user))
        return await this.#stage.referee.losses({ [user]: held }, this.#stage.kills)
      } catch (error) {
        if (attempt > 150) throw error
        await sleep(200)
      }
    }
  }
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
