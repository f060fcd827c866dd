import { setTimeout as sleep } from 'node:timers/promises'
import { answers, type Fault, type Random, seededRandom } from '../referee/index.ts'
import type { Account } from './account.ts'
import type { hostileAnswers, lostAnswers, Strike } from './schedule.ts'
import type { Stage } from './stage.ts'
import type { Users } from './users.ts'
import { textOf } from './watch.ts'

/** A fault as it was made. */
export interface Made {
  atMs: number
  kind: Strike['kind']
  /** which of its kind, and whom it met */
  what: string
}

export interface Revoked {
  credential: string
  /** when the fence was known to stand */
  atMs: number
  families: string[]
}

/** Makes the faults of a schedule, each at its time. */
export class Strikes {
  readonly made: Made[] = []
  readonly revoked: Revoked[] = []
  readonly flushedAtMs: number[] = []
  readonly troubles: string[] = []
  readonly #stage: Stage
  readonly #users: Users
  readonly #accounts: readonly Account[]
  readonly #random: Random
  readonly #running = new Set<Promise<void>>()

  constructor(stage: Stage, users: Users, accounts: readonly Account[], seed: number) {
    this.#stage = stage
    this.#users = users
    this.#accounts = accounts
    this.#random = seededRandom(seed)
  }

  async follow(schedule: readonly Strike[], end: AbortSignal): Promise<void> {
    const beganMs = performance.now()
    for (const strike of schedule) {
      await sleep(Math.max(0, beganMs + strike.atMs - performance.now()), undefined, { signal: end }).catch(() => {})
      if (end.aborted) break
      const running = this.#strike(strike)
        .catch((error: unknown) => void this.troubles.push(`${strike.kind} failed: ${textOf(error)}`))
        .finally(() => this.#running.delete(running))
      this.#running.add(running)
    }
    await Promise.all(this.#running)
  }

  async #strike(strike: Strike): Promise<void> {
    switch (strike.kind) {
      case 'kill':
        await this.#stage.kill(strike.process)
        return this.#note(strike, strike.process)
      case 'flushall':
        return await this.#flush(strike)
      case 'black_hole': {
        const fault: Fault = { kind: 'black_hole', forMs: strike.forMs, commit: false }
        return await this.#onAll(strike, fault, `${strike.client} for ${strike.forMs} ms`)
      }
      case 'storm': {
        const fault: Fault = { kind: 'answer', answer: answers[strike.answer], commit: false, ...this.#latency() }
        return await this.#onAll(strike, fault, `${strike.answer} at ${strike.client} for ${strike.forMs} ms`)
      }
      case 'answer_lost':
        return await this.#onOne(strike, lostAnswer(strike.how), strike.how)
      case 'hostile_answer':
        return await this.#onOne(strike, hostileAnswer(strike.how), strike.how)
      case 'throttled':
        return await this.#onOne(strike, throttled(strike.asDate), strike.asDate ? 'until a date' : 'for seconds')
      case 'revoke':
        return await this.#revoke(strike)
      case 'reconnect':
        return await this.#reconnect(strike)
    }
  }

  async #flush(strike: Strike): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#stage.redis.flushAll()
        this.flushedAtMs.push(Date.now())
        return this.#note(strike, 'Redis')
      } catch (error) {
        if (attempt > 50) throw error
        await sleep(200)
      }
    }
  }

  async #onAll(strike: Strike & { client: string; forMs: number }, fault: Fault, what: string): Promise<void> {
    await this.#stage.referee.addFaults({ client: strike.client, forMs: strike.forMs, fault })
    this.#note(strike, what)
  }

  /** The next request of one credential; of any, where all of a client are one to the provider. */
  async #onOne(strike: Strike & { client: string; pick: number }, fault: Fault, how: string): Promise<void> {
    const account = await this.#choose(strike)
    await this.#stage.referee.addFaults({
      client: strike.client,
      user: account.user,
      fault: { ...fault, ...this.#latency() },
    })
    this.#note(strike, `${how} at ${account.credential}`)
  }

  async #revoke(strike: Strike & { kind: 'revoke' }): Promise<void> {
    const account = await this.#choose(strike)
    account.busy = true
    try {
      const { credential, client, user } = account
      const families = account.consents.slice(-1).map(({ family }) => family)
      const outage: Fault = { kind: 'answer', answer: answers.badGateway, commit: false }
      if (strike.outage)
        await this.#stage.referee.addFaults({ endpoint: 'revoke', client, user, count: 2, fault: outage })
      await this.#users.revoke(account)
      this.revoked.push({ credential, atMs: Date.now(), families })
      this.#note(strike, `${credential}${strike.outage ? ', the endpoint fails twice' : ''}`)
      await sleep(strike.heldMs)
      await this.#users.connect(account)
    } finally {
      account.busy = false
    }
  }

  async #reconnect(strike: Strike & { kind: 'reconnect' }): Promise<void> {
    const account = await this.#choose(strike)
    account.busy = true
    try {
      await this.#users.connect(account)
      this.#note(strike, account.credential)
    } finally {
      account.busy = false
    }
  }

  async #choose({ client, pick }: { client: string; pick: number }): Promise<Account> {
    for (let attempt = 1; attempt <= 100; attempt++) {
      const idle = this.#accounts.filter((account) => account.client === client && !account.busy && !account.excused)
      const chosen = idle[Math.floor(pick * idle.length)]
      if (chosen !== undefined) return chosen
      await sleep(200)
    }
    throw new Error(`no credential of ${client} lived`)
  }

  #latency(): { delayBeforeCommitMs: number; holdAnswerMs: number } {
    const part = () => Math.round(10 + this.#random() * 140)
    return { delayBeforeCommitMs: part(), holdAnswerMs: part() }
  }

  #note({ kind }: Strike, what: string): void {
    this.made.push({ atMs: Date.now(), kind, what })
  }
}

function lostAnswer(how: (typeof lostAnswers)[number]): Fault {
  switch (how) {
    case 'dropped':
      return { kind: 'drop_after_commit' }
    case 'gateway_error':
      return { kind: 'answer', answer: answers.badGateway, commit: true }
    case 'cut_before_refresh_token':
      return { kind: 'truncate', at: 'before_refresh_token', announced: true }
    case 'never_answered':
      return { kind: 'black_hole', forMs: 25_000, commit: true }
    case 'cut_inside_refresh_token':
      return { kind: 'truncate', at: 'inside_refresh_token', announced: false }
  }
}

function hostileAnswer(how: (typeof hostileAnswers)[number]): Fault {
  switch (how) {
    case 'cut_after_refresh_token':
      return { kind: 'truncate', at: 'after_refresh_token', announced: true }
    case 'dropped_before_commit':
      return { kind: 'drop_before_commit' }
    case 'html_that_echoes_secrets':
      return { kind: 'answer', answer: answers.hostileEcho, commit: false }
    case 'no_access_token':
      return { kind: 'alter', omit: ['access_token'] }
    case 'no_lifetime_left':
      return { kind: 'alter', set: { expires_in: 0 } }
    case 'html_behind_the_tokens':
      return { kind: 'alter', append: '\n<html><body>cached by proxy</body></html>' }
  }
}

const throttled = (asDate: boolean): Fault => ({
  kind: 'answer',
  answer: asDate ? answers.throttledUntil(new Date(Date.now() + 3_000)) : answers.throttled(2),
  commit: false,
})
