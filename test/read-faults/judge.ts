/** What must be true of every call, by a record of its own of what was issued and written. Pure: time comes with each call. */
import type { Call } from './protocol.ts'

export interface Issued {
  credential: string
  generation: number
  expiresAtMs: number
}

/** What must never happen. */
export type Wrong =
  /** handed out after its expiry */
  | 'expired'
  /** handed out with less left than was asked for, and nothing said */
  | 'short'
  /** not a token of this credential */
  | 'foreign'
  /** older than one that the same process was given before */
  | 'older'
  /** said to be the newest, when a newer one had been written long before and Redis had been well all the time */
  | 'outdated'
  /** an error, when there was a token in memory that would have done */
  | 'refused'
  /** an error that the package does not promise */
  | 'untyped'

export interface Violation {
  wrong: Wrong
  call: Call
  why: string
}

interface HandOut {
  endMs: number
  generation: number
  expiresAtMs: number
}

/** between the reader's decision and the clock of the one who judges it lies a turn of a process that may be preempted */
const glanceMs = 10
/** what a notice may take, on a machine that does other things too */
const noticeMs = 2_000
/** a waiting call that has a good token at first is answered long before this */
const answerMs = 1_000
/** a call ends within: what it would wait, the patience for Redis, and much for the machine */
const keptMs = 60_000

export class Judge {
  readonly violations: Violation[] = []
  /** calls without a token, by what was wrong with Redis and by the code of the error */
  readonly errors: Record<string, Record<string, number>> = {}
  handedOut = 0
  handedOutStale = 0
  errorsInAll = 0
  /** the least that a token had left when it was handed out */
  leastRemainingMs = Number.POSITIVE_INFINITY
  readonly #issued = new Map<string, Issued>()
  readonly #handOuts = new Map<string, HandOut[]>()
  readonly #written = new Map<string, { generation: number; atMs: number }>()
  #fault: string | undefined
  #calmSinceMs = 0
  readonly #faults: { name: string; fromMs: number; toMs: number }[] = []

  issued(accessToken: string, token: Issued): void {
    this.#issued.set(accessToken, token)
  }

  get generations(): number {
    return this.#issued.size
  }

  /** Redis has said that it holds this generation. What it said before a fault may be lost with it. */
  written(credential: string, generation: number, at: { sentMs: number; nowMs: number }): void {
    if (this.#fault === undefined && at.sentMs > this.#calmSinceMs)
      this.#written.set(credential, { generation, atMs: at.nowMs })
  }

  faultBegins(name: string, nowMs: number): void {
    this.#fault = name
    this.#faults.push({ name, fromMs: nowMs, toMs: Number.POSITIVE_INFINITY })
    this.#written.clear()
  }

  faultEnds(nowMs: number): void {
    this.#fault = undefined
    this.#calmSinceMs = nowMs
    const last = this.#faults.at(-1)
    if (last !== undefined) last.toMs = nowMs
  }

  /** Calls come in the order in which they ended. */
  called(call: Call): void {
    const wrong = call.token === undefined ? this.#failed(call) : this.#served(call, call.token)
    if (wrong !== undefined) this.violations.push({ ...wrong, call })
  }

  #served(
    call: Call,
    { accessToken, generation, stale }: NonNullable<Call['token']>,
  ): Omit<Violation, 'call'> | undefined {
    const { credential, startMs, endMs, asked } = call
    const token = this.#issued.get(accessToken)
    if (token === undefined || token.credential !== credential || token.generation !== generation)
      return { wrong: 'foreign', why: `is ${token === undefined ? 'no token' : `of ${token.credential}`}` }
    const earlier = this.#before(call)
    const newest = Math.max(0, ...earlier.map((handOut) => handOut.generation))
    this.#note(credential, { endMs, generation, expiresAtMs: token.expiresAtMs })
    this.handedOut++
    if (stale) this.handedOutStale++
    const remainingMs = token.expiresAtMs - endMs
    this.leastRemainingMs = Math.min(this.leastRemainingMs, remainingMs)
    if (remainingMs < -glanceMs) return { wrong: 'expired', why: `${-remainingMs} ms ago` }
    if (remainingMs < (asked.minRemainingMs ?? 0) - glanceMs)
      return { wrong: 'short', why: `${remainingMs} ms are left` }
    if (generation < newest) return { wrong: 'older', why: `${newest} had been handed out` }
    const written = this.#written.get(credential)
    if (!stale && written !== undefined && written.generation > generation && written.atMs + noticeMs < startMs)
      return { wrong: 'outdated', why: `${written.generation} was written ${startMs - written.atMs} ms before` }
    return undefined
  }

  #failed(call: Call): Omit<Violation, 'call'> | undefined {
    const { startMs, endMs, asked, error = '', typed } = call
    const during = this.#faultAt(startMs, endMs)
    const counted = this.errors[during] ?? {}
    this.errors[during] = counted
    counted[error] = (counted[error] ?? 0) + 1
    this.errorsInAll++
    if (typed !== true) return { wrong: 'untyped', why: error }
    // who asks for what stands in Redis now wants no other
    if (asked.fresh === true) return undefined
    const untilMs = asked.waitMs === undefined ? endMs + glanceMs : Math.min(startMs + answerMs, endMs)
    const good = this.#before(call).find(({ expiresAtMs }) => expiresAtMs - untilMs >= (asked.minRemainingMs ?? 0))
    if (good === undefined) return undefined
    return {
      wrong: 'refused',
      why: `${error}, and generation ${good.generation} had ${good.expiresAtMs - endMs} ms left`,
    }
  }

  #before({ credential, startMs }: Call): HandOut[] {
    return (this.#handOuts.get(credential) ?? []).filter(({ endMs }) => endMs < startMs)
  }

  #note(credential: string, handOut: HandOut): void {
    const all = this.#handOuts.get(credential) ?? []
    this.#handOuts.set(credential, [...all.filter(({ expiresAtMs }) => expiresAtMs + keptMs > handOut.endMs), handOut])
  }

  #faultAt(startMs: number, endMs: number): string {
    return this.#faults.findLast(({ fromMs, toMs }) => fromMs <= endMs && toMs >= startMs)?.name ?? 'none'
  }
}
