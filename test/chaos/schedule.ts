import { type Random, seededRandom } from '../referee/index.ts'

/** The clients of the referee, one per rotation class, that faults are spread over. */
export const classes = [
  'none',
  'rotates_old_valid',
  'grace',
  'until_new_used',
  'single_use',
  'client_credentials',
] as const

export type ClassName = (typeof classes)[number]

/** Answers of which the provider has done everything and the client hears nothing that it can use. */
export const lostAnswers = [
  'dropped',
  'gateway_error',
  'cut_before_refresh_token',
  'never_answered',
  'cut_inside_refresh_token',
] as const

/** Answers that hold what is needed, and something that is wrong. */
export const hostileAnswers = [
  'cut_after_refresh_token',
  'dropped_before_commit',
  'html_that_echoes_secrets',
  'no_access_token',
  'no_lifetime_left',
  'html_behind_the_tokens',
] as const

export const stormAnswers = ['badGateway', 'serverError', 'unavailable'] as const

export type Killed = 'worker' | 'temporal' | 'redis'

/** One fault. `pick`, 0 to 1, says which of the class's credentials it meets among those that live then. */
export type Strike = { atMs: number } & (
  | { kind: 'kill'; process: Killed }
  | { kind: 'flushall' }
  /** no request of the client is answered */
  | { kind: 'black_hole'; client: ClassName; forMs: number }
  | { kind: 'storm'; client: ClassName; forMs: number; answer: (typeof stormAnswers)[number] }
  | { kind: 'answer_lost'; client: ClassName; pick: number; how: (typeof lostAnswers)[number] }
  | { kind: 'hostile_answer'; client: ClassName; pick: number; how: (typeof hostileAnswers)[number] }
  | { kind: 'throttled'; client: ClassName; pick: number; asDate: boolean }
  /** `outage`: the revocation endpoint fails at first */
  | { kind: 'revoke'; client: ClassName; pick: number; outage: boolean; heldMs: number }
  | { kind: 'reconnect'; client: ClassName; pick: number }
)

export type StrikeKind = Strike['kind']

const killsApartMs = 15_000
const slotMs = 16_500
const perStrikeMs = 1_700

/** How many of `faults` are of each kind. */
export function shares(faults: number): Record<StrikeKind, number> {
  const share = (of: number, least = 1) => Math.max(least, Math.round(faults * of))
  const fixed = {
    kill: share(0.1, 3),
    flushall: share(0.02),
    black_hole: share(0.05),
    answer_lost: share(0.3),
    revoke: share(0.04),
    reconnect: share(0.04),
    storm: share(0.06),
    throttled: share(0.08),
  }
  const given = Object.values(fixed).reduce((sum, one) => sum + one, 0)
  return { ...fixed, hostile_answer: Math.max(0, faults - given) }
}

/** How long it takes to strike so often. */
export const spanMs = (faults: number): number => Math.max(shares(faults).kill * slotMs, faults * perStrikeMs)

/**
 * All faults of a run in order: the same for the same number and seed. Kills take turns and are at least 15 s apart;
 * a FLUSHALL comes in the middle between two kills.
 */
export function schedule(faults: number, seed: number): Strike[] {
  const counts = shares(faults)
  const draw = new Draw(faults, seed)
  const kinds = Object.keys(makers) as StrikeKind[]
  const strikes = kinds.flatMap((kind) => Array.from({ length: counts[kind] }, (_, index) => makers[kind](draw, index)))
  return strikes.sort((a, b) => a.atMs - b.atMs)
}

/** What is left to chance. */
class Draw {
  readonly spanMs: number
  /** one for each kill */
  readonly slotMs: number
  readonly slotsPerFlush: number
  readonly random: Random

  constructor(faults: number, seed: number) {
    const { kill, flushall } = shares(faults)
    this.random = seededRandom(seed)
    this.spanMs = spanMs(faults)
    this.slotMs = this.spanMs / kill
    this.slotsPerFlush = kill / flushall
  }

  between(low: number, high: number): number {
    return Math.round(low + this.random() * (high - low))
  }

  anywhere(): { atMs: number } {
    return { atMs: this.between(0, this.spanMs) }
  }

  /** the next request of one credential, whichever comes up */
  one(): { atMs: number; pick: number } {
    return { ...this.anywhere(), pick: this.random() }
  }
}

const turns: Killed[] = ['worker', 'temporal', 'redis']
/** there is nobody who could consent for client_credentials */
const ofUsers = classes.slice(0, 5)

/** Who is met goes round, so that a few faults reach every class too. */
const makers: Record<StrikeKind, (draw: Draw, index: number) => Strike> = {
  kill: ({ slotMs, random }, i) => ({
    kind: 'kill',
    process: at(turns, i),
    atMs: Math.round((i + 0.2) * slotMs + random() * (slotMs - killsApartMs)),
  }),
  flushall: ({ slotMs, slotsPerFlush }, i) => ({
    kind: 'flushall',
    atMs: Math.round((Math.floor(i * slotsPerFlush) + 0.75) * slotMs),
  }),
  // begins with single_use, where it matters most
  black_hole: (draw, i) => ({
    kind: 'black_hole',
    client: at(classes, i + 4),
    // every third outlives the tokens of this run
    forMs: draw.between(i % 3 === 2 ? 21_000 : 5_000, 30_000),
    ...draw.anywhere(),
  }),
  storm: (draw, i) => ({
    kind: 'storm',
    client: at(classes, i),
    answer: at(stormAnswers, i),
    forMs: draw.between(2_000, 6_000),
    ...draw.anywhere(),
  }),
  // six classes, five ways: every pair comes up in turn
  answer_lost: (draw, i) => ({ kind: 'answer_lost', client: at(classes, i), how: at(lostAnswers, i), ...draw.one() }),
  hostile_answer: (draw, i) => ({
    kind: 'hostile_answer',
    client: at(classes, i + Math.floor(i / classes.length)),
    how: at(hostileAnswers, i),
    ...draw.one(),
  }),
  throttled: (draw, i) => ({ kind: 'throttled', client: at(classes, i), asDate: i % 2 === 1, ...draw.one() }),
  revoke: (draw, i) => ({
    kind: 'revoke',
    client: at(classes, i),
    outage: i % 2 === 0,
    heldMs: draw.between(2_000, 8_000),
    ...draw.one(),
  }),
  reconnect: (draw, i) => ({ kind: 'reconnect', client: at(ofUsers, i + 2), ...draw.one() }),
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length]
  if (found === undefined) throw new Error('an empty list')
  return found
}
