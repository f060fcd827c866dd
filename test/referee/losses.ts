import type { FamilyView } from './grants.ts'
import type { RequestRecord } from './request-log.ts'
import { parseTokenId } from './tokens.ts'

/** A process of the system under test that was killed. */
export interface Kill {
  atMs: number
  process: 'worker' | 'temporal' | 'redis'
}

/** What the system under test holds, and what the referee saw. Tokens by id. */
export interface Evidence {
  /** the refresh token held for each user; absent where there is none any more */
  held: Record<string, string | undefined>
  /** of those users at least */
  families: readonly FamilyView[]
  requests: readonly RequestRecord[]
  kills?: readonly Kill[]
  /** how long after a complete answer the first durable write may take; default 1000 */
  windowMs?: number
}

/** `in_window`: the process that had the answer was killed before it can have written it down. */
export type LossVerdict = 'avoidable' | 'in_window' | 'unavoidable'

export interface Loss {
  user: string
  verdict: LossVerdict
  because: string
  /** the requests that it is judged by */
  requests: number[]
}

/**
 * Judges every user whose held refresh token the provider no longer accepts. A loss is `unavoidable` only if the
 * provider rotated, kills on reuse, and no answer that holds the new token reached a living process; `in_window` if one
 * did and a worker was killed right after; everything else is `avoidable`. An answer that was cut behind the new token
 * counts as one that holds it. A user who withdrew the consent is no loss.
 */
export function classifyLosses(evidence: Evidence): Loss[] {
  return Object.entries(evidence.held).flatMap(([user, held]) => {
    const judged = judge(user, held, evidence)
    return judged === undefined ? [] : [{ user, ...judged }]
  })
}

type Judgement = Omit<Loss, 'user'> | undefined

function judge(user: string, held: string | undefined, evidence: Evidence): Judgement {
  const families = evidence.families.filter((family) => family.user === user)
  const family = families.find(({ id }) => id === parseTokenId(held ?? '')?.family)
  if (held === undefined || family === undefined) {
    const withdrawn = families.length > 0 && families.every(({ ended }) => ended?.because === 'consent_ended')
    return withdrawn ? undefined : avoidable(held === undefined ? 'nothing is held' : 'no token of this user is held')
  }
  if (family.accepted.includes(held) || family.ended?.because === 'consent_ended') return undefined
  if (family.ended?.because === 'revoked') return avoidable('it was revoked at the provider')
  const uses = evidence.requests.filter(({ presented, endpoint }) => presented === held && endpoint === 'token')
  const spent = uses.filter(({ rotated }) => rotated)
  if (spent.length === 0) return avoidable('it was never exchanged, an older or newer token of its family was')
  const arrived = spent.filter(hasArrived)
  if (arrived.length > 0) return whoLostIt(arrived, evidence)
  const ids = spent.map(({ id }) => id)
  if (family.rotation === 'single_use')
    return { verdict: 'unavoidable', because: 'rotated, and no answer with the new token arrived', requests: ids }
  if (family.rotation === 'grace') return outsideGrace(family, uses, spent, evidence)
  return avoidable('the provider would have accepted a replay', ids)
}

const avoidable = (because: string, requests: number[] = []): Judgement => ({
  verdict: 'avoidable',
  because,
  requests,
})

/** In doubt it has: an answer that is written and whose connection is still open lies in the client's kernel. */
const hasArrived = ({ carried, delivery }: RequestRecord): boolean =>
  carried.refresh && (delivery === 'complete' || delivery === 'cut' || delivery === 'pending')

function whoLostIt(arrived: RequestRecord[], { kills = [], windowMs = 1_000 }: Evidence): Judgement {
  const workers = kills.filter(({ process }) => process === 'worker')
  const requests = arrived.map(({ id }) => id)
  const isInWindow = ({ answeredMs = 0 }: RequestRecord) =>
    workers.some(({ atMs }) => atMs >= answeredMs && atMs <= answeredMs + windowMs)
  if (!arrived.every(isInWindow)) return avoidable('an answer with the new token arrived', requests)
  return { verdict: 'in_window', because: 'a worker was killed right after the answer arrived', requests }
}

/** Up to here a window may be over before an attempt that was not heard of again is given up. */
const shortWindowMs = 35_000

/**
 * Reuse kills only when the window is over. Within it a replay is safe, so who did not try has lost it himself; unless
 * the attempt ended without a word (killed, or timed out) and the window is too short to wait for that.
 */
function outsideGrace(
  family: FamilyView,
  uses: RequestRecord[],
  spent: RequestRecord[],
  { kills = [] }: Evidence,
): Judgement {
  const [first] = spent
  const closesMs = (first?.committedMs ?? 0) + family.graceMs
  const replays = uses.filter(({ id, atMs }) => first !== undefined && id > first.id && atMs < closesMs)
  const requests = spent.map(({ id }) => id)
  if (replays.length > 0)
    return { verdict: 'unavoidable', because: 'no replay within the window was answered either', requests }
  const wasKilled = kills.some(({ atMs }) => first !== undefined && atMs >= first.atMs && atMs < closesMs)
  if (family.graceMs <= shortWindowMs && (wasKilled || first?.clientLeft === true))
    return { verdict: 'unavoidable', because: 'the window was over before the attempt was given up', requests }
  return avoidable('nobody tried again within the window', requests)
}
