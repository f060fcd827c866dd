import { answers, type Cut, type Fault } from './faults.ts'

/** What may happen by chance; each has a weight in a plan. */
export const plannedFaults = [
  'drop_before_commit',
  'drop_after_commit',
  'truncate',
  'answer_lost_behind_proxy',
  'bad_gateway',
  'server_error',
  'unavailable',
  'maintenance',
  'throttled',
  'hostile_echo',
  'no_access_token',
  'silly_expires_in',
  'trailing_html',
  'black_hole',
] as const

export type PlannedFault = (typeof plannedFaults)[number]

/** Random faults at the token endpoint: the same seed and the same order of requests give the same faults. */
export interface Plan {
  seed: number
  /** every request takes as long as this, part of it before the commit, the rest after */
  latencyMs?: [number, number]
  /** of the requests, so many go wrong; 0 to 1, default 0 */
  share?: number
  /** default: each fault as likely as any other */
  weights?: Partial<Record<PlannedFault, number>>
  /** how long a black hole takes; default 5 to 30 s */
  blackHoleMs?: [number, number]
  /** no more faults than these; latency goes on */
  limit?: number
}

export type Random = () => number

/** Mulberry32: small, and the same everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Says for each request in turn what happens to it; absent where the plan has no latency and spares it. */
export function followPlan(plan: Plan): () => { fault: Fault; planned?: PlannedFault } | undefined {
  const random = seededRandom(plan.seed)
  const weights = plan.weights ?? Object.fromEntries(plannedFaults.map((planned) => [planned, 1]))
  let left = plan.limit ?? Number.POSITIVE_INFINITY
  return () => {
    const latency = plan.latencyMs === undefined ? {} : splitLatency(between(random, plan.latencyMs), random)
    const planned = left > 0 && random() < (plan.share ?? 0) ? pick(weights, random) : undefined
    if (planned === undefined) return plan.latencyMs === undefined ? undefined : { fault: { kind: 'slow', ...latency } }
    left--
    return { fault: { ...draw(planned, random, plan), ...latency }, planned }
  }
}

function splitLatency(latencyMs: number, random: Random): { delayBeforeCommitMs: number; holdAnswerMs: number } {
  const delayBeforeCommitMs = Math.round(latencyMs * random())
  return { delayBeforeCommitMs, holdAnswerMs: Math.round(latencyMs) - delayBeforeCommitMs }
}

function pick(weights: Partial<Record<PlannedFault, number>>, random: Random): PlannedFault | undefined {
  const total = plannedFaults.reduce((sum, planned) => sum + (weights[planned] ?? 0), 0)
  let at = random() * total
  return plannedFaults.find((planned) => {
    at -= weights[planned] ?? 0
    return at < 0
  })
}

const cuts: Cut[] = ['before_refresh_token', 'inside_refresh_token', 'after_refresh_token', 1]

const sillyLifetimes = [0, -1, '3600 seconds', 1e15, null, {}]

function draw(planned: PlannedFault, random: Random, plan: Plan): Fault {
  switch (planned) {
    case 'drop_before_commit':
    case 'drop_after_commit':
      return { kind: planned }
    case 'truncate':
      return { kind: 'truncate', at: oneOf(cuts, random), announced: random() < 0.5 }
    case 'answer_lost_behind_proxy':
      return { kind: 'answer', answer: answers.badGateway, commit: true }
    case 'bad_gateway':
      return { kind: 'answer', answer: answers.badGateway, commit: false }
    case 'server_error':
      return { kind: 'answer', answer: answers.serverError, commit: false }
    case 'unavailable':
      return { kind: 'answer', answer: answers.unavailable, commit: false }
    case 'maintenance':
      return { kind: 'answer', answer: answers.maintenance(1 + Math.floor(random() * 3)), commit: false }
    case 'throttled': {
      const seconds = 1 + Math.floor(random() * 3)
      const asDate = random() < 0.5
      const answer = asDate
        ? answers.throttledUntil(new Date(Date.now() + seconds * 1_000))
        : answers.throttled(seconds)
      return { kind: 'answer', answer, commit: false }
    }
    case 'hostile_echo':
      return { kind: 'answer', answer: answers.hostileEcho, commit: false }
    case 'no_access_token':
      return { kind: 'alter', omit: ['access_token'] }
    case 'silly_expires_in':
      return { kind: 'alter', set: { expires_in: oneOf(sillyLifetimes, random) } }
    case 'trailing_html':
      return { kind: 'alter', append: '\n<html><body>cached by proxy</body></html>' }
    case 'black_hole':
      return {
        kind: 'black_hole',
        forMs: Math.round(between(random, plan.blackHoleMs ?? [5_000, 30_000])),
        commit: random() < 0.5,
      }
  }
}

const between = (random: Random, [low, high]: [number, number]): number => low + random() * (high - low)

function oneOf<T>(choices: readonly T[], random: Random): T {
  const chosen = choices[Math.floor(random() * choices.length)]
  if (chosen === undefined) throw new Error('nothing to choose from')
  return chosen
}
