import { type AccessDocument, accessKey } from '../../packages/reader/src/format.ts'
import { openGrant } from '../../src/activities/deps.ts'
import type { StateView } from '../../src/workflows/messages.ts'
import { parseTokenId } from '../referee/tokens.ts'
import { grantKey } from '../store/redis.ts'
import { idOf, type Send } from './provider.ts'
import type { Run } from './temporal.ts'
import { keyring, subject, type World } from './world.ts'

/** a request that has not been carried out by then never is: no exchange is longer */
const longestExchangeMs = 10_000
/** what its process has tried to keep for so long is either kept or dropped */
const keptWithinMs = 75_000
const protectedMs = 10_000

/** The grant hash as the ledger compares it. */
interface Standing {
  family: string
  generation: number
  tombstone: boolean
  refresh?: string
}

/** What must hold at every moment of every life; the first thing that does not is kept. */
export class Ledger {
  readonly #world: World
  violation: string | undefined
  /** Redis or Temporal have forgotten something since the beginning */
  redisLost = false
  temporalLost = false
  /** provider families whose revoke was finished before anything newer was handed over */
  readonly revoked = new Set<string>()
  /** refresh tokens whose access token was refused to a service: nothing is spared by not using them again */
  readonly rejected = new Set<string>()
  /** families of ours that another one has replaced */
  #replaced = new Set<string>()
  #stood: Standing | undefined
  /** refresh tokens that are written down in Temporal */
  #inTemporal = new Set<string>()
  #stateGeneration = 0
  readonly #opened = new Map<string, string | undefined>()

  constructor(world: World) {
    this.#world = world
  }

  violate(what: string): void {
    if (this.violation !== undefined) return
    this.violation = what
    this.#world.say(`VIOLATION ${what}`)
  }

  // ---- Redis

  redisForgot(): void {
    this.redisLost = true
    this.#replaced = new Set()
    this.#stood = this.standing()
  }

  redisChanged(by: string): void {
    const before = this.#stood
    const now = this.standing()
    this.#stood = now
    const access = this.access()
    const provided = this.familyOf(now?.refresh)
    if (now === undefined) return
    if (before !== undefined && now.generation < before.generation)
      this.violate(`${by} took the generation back from ${before.generation} to ${now.generation}`)
    if (before !== undefined && before.family !== now.family) {
      this.#replaced.add(before.family)
      if (this.#replaced.has(now.family))
        this.violate(`${by} brought back the family ${now.family}, which was replaced`)
    }
    if (access !== undefined && now.tombstone) this.violate(`${by} left an access token beside a tombstone`)
    if (access !== undefined && access.family !== now.family)
      this.violate(`${by} left an access token of family ${access.family} beside family ${now.family}`)
    if (access !== undefined && access.generation > now.generation)
      this.violate(`${by} left an access token of a generation above ${now.generation}`)
    if (access !== undefined) this.#world.provider.grants.deliver(idOf(access.access_token))
    const wanted = !now.tombstone && (access !== undefined || by === 'write')
    if (wanted && provided !== undefined && this.revoked.has(provided) && !this.#forgetful)
      this.violate(`${by} wrote of ${provided} after its revoke was finished`)
  }

  standing(): Standing | undefined {
    const fields = this.#world.redis.look().fields(grantKey(subject))
    if (fields.size === 0) return undefined
    const refresh = this.refreshIn(fields.get('grant'))
    return {
      family: fields.get('family') ?? '',
      generation: Number(fields.get('gen')),
      tombstone: fields.has('tombstone'),
      ...(refresh === undefined ? {} : { refresh }),
    }
  }

  access(): AccessDocument | undefined {
    const value = this.#world.redis.look().get(accessKey(subject))
    return value === undefined ? undefined : (JSON.parse(value) as AccessDocument)
  }

  /** The id of the refresh token in something sealed. */
  refreshIn(sealed: string | undefined): string | undefined {
    if (sealed === undefined) return undefined
    if (!this.#opened.has(sealed)) this.#opened.set(sealed, this.#open(sealed))
    return this.#opened.get(sealed)
  }

  #open(sealed: string): string | undefined {
    const opened = openGrant<{ refresh_token?: string; grant?: string }>(keyring, sealed, subject)
    if (opened.grant !== undefined) return this.refreshIn(opened.grant)
    return opened.refresh_token === undefined ? undefined : idOf(opened.refresh_token)
  }

  familyOf(refresh: string | undefined): string | undefined {
    return refresh === undefined ? undefined : parseTokenId(refresh)?.family
  }

  /** Two copies that forget together may bring back what was: no promise covers that. */
  get #forgetful(): boolean {
    return this.redisLost
  }

  // ---- Temporal

  temporalForgot(): void {
    this.temporalLost = true
    this.#inTemporal = new Set()
    this.#stateGeneration = 0
  }

  /** An activity's result is in a history. */
  recorded(_name: string, value: unknown): void {
    const result = (value ?? {}) as Record<string, unknown>
    const found = (result.found ?? {}) as Record<string, unknown>
    for (const sealed of [result.grant, result.unstored, result.minted, found.grant]) {
      const refresh = typeof sealed === 'string' ? this.refreshIn(sealed) : undefined
      if (refresh !== undefined) this.#inTemporal.add(refresh)
    }
  }

  moved(run: Run): void {
    if (run.type !== 'credential' || run.status === 'TERMINATED') return
    const state = run.runtime.queries.get('state')?.() as StateView | undefined
    // a life that has taken nothing over yet has no generation either
    if (state === undefined || state.family === '') return
    if (state.generation < this.#stateGeneration)
      this.violate(`the workflow went back from generation ${this.#stateGeneration} to ${state.generation}`)
    this.#stateGeneration = state.generation
  }

  // ---- the provider

  left(send: Send): void {
    const { sends } = this.#world.provider
    this.#world.say(`${send.task} sends ${send.presented || 'for its client'}`)
    const { nowMs } = this.#world.time
    const under = sends.find(
      (other) =>
        other !== send &&
        other.family === send.family &&
        other.endedMs === undefined &&
        nowMs - other.leftMs <= longestExchangeMs,
    )
    if (under !== undefined && send.presented !== '')
      this.violate(`${send.task} sends while a request of ${under.task} is under way`)
  }

  carriedOut(send: Send): void {
    const { decision, presented, task } = send
    const bought = decision?.kind === 'granted' ? (decision.minted.refresh ?? 'an access token') : ''
    this.#world.say(`the provider: ${presented} ${decision?.kind} ${bought}`)
    if (decision?.kind !== 'second_use') return
    // when both copies have forgotten, so is how long that token lives
    const isSpared = decision.accessRemainingMs > protectedMs && !this.rejected.has(presented)
    if (isSpared && !(this.redisLost && this.temporalLost))
      this.violate(
        `${task} used ${presented} again while its access token had ${decision.accessRemainingMs} ms to live`,
      )
    this.#judgeLoss(send)
  }

  /** A family has died of a second use: was what it needed written down, or thrown away? */
  #judgeLoss({ family, task, presented }: Send): void {
    const { sends } = this.#world.provider
    const granted = sends.filter((one) => one.family === family && one.decision?.kind === 'granted')
    const last = granted.at(-1)
    if (last?.decision?.kind !== 'granted') return
    const living = last.decision.minted.refresh ?? ''
    if (this.#inTemporal.has(living) && !this.temporalLost)
      this.violate(`${task} used ${presented} again though ${living} is in Temporal`)
    if (this.#stood?.refresh === living) this.violate(`${task} used ${presented} again though ${living} is in Redis`)
    const { arrivedMs } = last
    const keptLong = arrivedMs !== undefined && this.#world.time.nowMs - arrivedMs > keptWithinMs
    if (keptLong && !last.disturbed?.() && !this.redisLost && !this.temporalLost)
      this.violate(`${living} had arrived, and was thrown away`)
  }
}
