import type { Profile, Reuse, Rotation } from './profile.ts'

/** One pair of tokens that was handed out. */
export interface Pair {
  access: string
  /** the refresh token that goes on from here; without rotation each pair has the same */
  refresh: string
  mintedAtMs: number
  accessDiesAtMs: number
  /** when its refresh token was first used */
  refreshUsedAtMs?: number
  /** when its access or refresh token was first used */
  usedAtMs?: number
  /** why its access token is dead */
  accessDead?: string
  refreshDead?: string
  child?: Pair
}

export type Refreshed = { pair: Pair; again: boolean } | { because: string; tooEarly?: true }

/** What one user granted to one client, and all the tokens that came of it. */
export class Consent {
  readonly pairs: Pair[] = []
  readonly consentedAtMs: number
  revoked?: string
  readonly #profile: Profile
  readonly #now: () => number
  readonly #serial: () => string

  constructor(profile: Profile, now: () => number, serial: () => string) {
    this.#profile = profile
    this.#now = now
    this.#serial = serial
    this.consentedAtMs = now()
    this.#mint(undefined)
  }

  /** The pair that was handed out last. */
  get newest(): Pair {
    const pair = this.pairs.at(-1)
    if (pair === undefined) throw new Error('a consent begins with a pair')
    return pair
  }

  /** Somebody calls the vendor's API with this access token. */
  use(access: string): string | undefined {
    const pair = this.pairs.findLast((one) => one.access === access)
    if (pair === undefined) return 'the access token is unknown'
    const dead = this.accessDoubt(pair)
    if (dead === undefined) pair.usedAtMs ??= this.#now()
    return dead
  }

  accessDoubt(pair: Pair): string | undefined {
    if (this.revoked !== undefined) return this.revoked
    return pair.accessDead ?? (this.#now() >= pair.accessDiesAtMs ? 'the access token has expired' : undefined)
  }

  /** What is left of the refresh token of the newest pair. */
  refreshSecondsLeft(pair: Pair): number | undefined {
    const ends = this.#deadlines(pair).map((endsAtMs) => (endsAtMs - this.#now()) / 1000)
    return ends.length === 0 ? undefined : Math.round(Math.min(...ends))
  }

  /** What is left to the end that no refresh moves. */
  get endsInSeconds(): number | undefined {
    const { refreshAbsoluteSeconds } = this.#profile.lifetimes
    if (refreshAbsoluteSeconds === undefined) return undefined
    return refreshAbsoluteSeconds - Math.round((this.#now() - this.consentedAtMs) / 1000)
  }

  refresh(token: string): Refreshed {
    const pair = this.pairs.findLast((one) => one.refresh === token)
    if (pair === undefined) return { because: 'the refresh token is unknown' }
    if (this.revoked !== undefined) return { because: this.revoked }
    if (this.#deadlines(pair).some((endsAtMs) => endsAtMs <= this.#now()))
      return { because: 'the refresh token has expired' }
    return pair.refreshDead === undefined ? this.#unlessEarly(pair) : this.#reused(pair.refreshDead)
  }

  /** The access token in the place of a refresh token. */
  exchange(token: string): Refreshed {
    const pair = this.pairs.findLast((one) => one.access === token)
    if (pair === undefined) return { because: 'the access token is unknown' }
    const dead = this.accessDoubt(pair)
    return dead === undefined ? this.#unlessEarly(pair) : { because: dead }
  }

  #unlessEarly(pair: Pair): Refreshed {
    const { notBeforeSeconds = 0, sameTokenForSeconds = 0 } = this.#profile
    const ageSeconds = (this.#now() - this.newest.mintedAtMs) / 1000
    if (ageSeconds < notBeforeSeconds)
      return { because: `it is ${ageSeconds} s old, not ${notBeforeSeconds}`, tooEarly: true }
    if (ageSeconds < sameTokenForSeconds) return { pair: this.newest, again: true }
    return this.#rotate(pair, this.#profile.rotation)
  }

  #rotate(pair: Pair, rotation: Rotation): Refreshed {
    const first = pair.refreshUsedAtMs === undefined
    const usedSecondsAgo = (this.#now() - (pair.refreshUsedAtMs ?? this.#now())) / 1000
    const isReplay = !first && rotation.kind !== 'none' && rotation.kind !== 'rotates_old_valid'
    pair.refreshUsedAtMs ??= this.#now()
    pair.usedAtMs ??= this.#now()
    if (!isReplay) return this.#next(pair)
    if (rotation.kind === 'single_use') return this.#reused('the refresh token was used before', rotation.reuse)
    if (rotation.kind === 'grace') {
      if (usedSecondsAgo >= rotation.seconds) return this.#reused('its grace is over', rotation.reuse)
      return rotation.replay === 'same pair' && pair.child ? { pair: pair.child, again: true } : this.#next(pair)
    }
    const over = this.#replacementUsed(pair, rotation, usedSecondsAgo)
    if (over !== undefined) return { because: over }
    if (rotation.replay === 'same pair' && pair.child) return { pair: pair.child, again: true }
    if (rotation.newestWins && pair.child) end(pair.child, 'a later answer took its place')
    return this.#next(pair)
  }

  #replacementUsed(pair: Pair, rotation: Extract<Rotation, { kind: 'until_new_used' }>, usedSecondsAgo: number) {
    if (usedSecondsAgo >= (rotation.seconds ?? Number.POSITIVE_INFINITY)) return 'the time to use it again is over'
    const usedAtMs = pair.child?.usedAtMs
    if (usedAtMs === undefined || this.#now() - usedAtMs < (rotation.secondsAfterUse ?? 0) * 1000) return undefined
    return 'its replacement was used'
  }

  #next(parent: Pair): Refreshed {
    const { oldAccessTokenDies } = this.#profile
    if (oldAccessTokenDies) for (const pair of this.pairs) pair.accessDead ??= 'a refresh ended it'
    const pair = this.#mint(parent)
    parent.child = pair
    return { pair, again: false }
  }

  #mint(parent: Pair | undefined): Pair {
    const { profile, nowMs } = { profile: this.#profile, nowMs: this.#now() }
    const { accessSeconds, refreshIdleSeconds, refreshAbsoluteSeconds, refreshSeconds } = profile.lifetimes
    const made = { nowMs, consentedAtMs: this.consentedAtMs }
    const keeps = profile.rotation.kind === 'none' && parent !== undefined
    const livesSeconds = refreshIdleSeconds ?? refreshSeconds ?? refreshAbsoluteSeconds
    const pair: Pair = {
      access: profile.mintAccess({ ...made, serial: `at-secret-${this.#serial()}`, livesSeconds: accessSeconds }),
      refresh: keeps
        ? parent.refresh
        : profile.mintRefresh({ ...made, serial: `rt-secret-${this.#serial()}`, livesSeconds }),
      mintedAtMs: nowMs,
      accessDiesAtMs: profile.expiry === 'never' ? Number.POSITIVE_INFINITY : nowMs + accessSeconds * 1000,
    }
    this.pairs.push(pair)
    return pair
  }

  #reused(because: string, reuse?: Reuse): Refreshed {
    if (reuse === 'revokes family') this.revoked = `${because}, which ended all of the grant`
    return { because }
  }

  #firstWith(refresh: string): Pair {
    return this.pairs.find((one) => one.refresh === refresh) ?? this.newest
  }

  #deadlines(pair: Pair): number[] {
    const { refreshIdleSeconds, refreshAbsoluteSeconds, refreshSeconds } = this.#profile.lifetimes
    return [
      ...(refreshIdleSeconds === undefined ? [] : [pair.mintedAtMs + refreshIdleSeconds * 1000]),
      ...(refreshSeconds === undefined ? [] : [this.#firstWith(pair.refresh).mintedAtMs + refreshSeconds * 1000]),
      ...(refreshAbsoluteSeconds === undefined ? [] : [this.consentedAtMs + refreshAbsoluteSeconds * 1000]),
    ]
  }
}

export function end(pair: Pair, because: string): void {
  pair.accessDead ??= because
  pair.refreshDead ??= because
}
