import type { Status } from '../credential.ts'
import type { AttemptFailure, Claim, CredentialState, Fenced, Refreshed, RetryNotice, Settled } from './messages.ts'
import { forgetNews, noteNews } from './news.ts'
import { decideReplay } from './rotation.ts'
import { askAgainAfterMs, backoffMs, pauseMs } from './schedule.ts'

/**
 * How the state of a credential changes, and when its next step is due. No effects: the loop shows and announces
 * what comes out. `random` is in [0, 1).
 */

const farAwayMs = 365 * 24 * 3600_000
const minuteMs = 60_000
const longestBackoffExpiredMs = minuteMs

export interface Moment {
  nowMs: number
  random: number
}

export function newState(nowMs: number, generation: number): CredentialState {
  return { status: 'pending', sinceMs: nowMs, generation, family: '', dueAtMs: nowMs + farAwayMs, seeds: [] }
}

export const accessRemainingMs = (state: CredentialState, nowMs: number) => (state.accessExpiresAtMs ?? 0) - nowMs

/** Until something is lost that a refresh would keep: the access token, or a refresh token that dies unused before. */
function untilLossMs(state: CredentialState, nowMs: number): number {
  const accessMs = accessRemainingMs(state, nowMs)
  const refreshMs = (state.refreshExpiresAtMs ?? 0) - nowMs
  return refreshMs > 0 ? Math.min(accessMs, refreshMs) : accessMs
}

/** The one place where a status changes. Readers still have to be told, unless a token set came with it. */
export function setStatus(
  state: CredentialState,
  nowMs: number,
  status: Status,
  reason?: string,
  detail?: string,
): void {
  if (state.status === status && state.reason === reason && state.detail === detail) return
  if (state.status !== status) state.sinceMs = nowMs
  state.status = status
  state.unannounced = true
  delete state.reason
  delete state.detail
  if (reason !== undefined) state.reason = reason
  if (detail !== undefined) state.detail = detail
  noteNews(state)
}

/** A new generation, of whatever origin. */
export function adopt(state: CredentialState, found: Refreshed, { nowMs, random }: Moment): void {
  // a result that lay waiting for a worker is as old as it says
  const atMs = Math.min(nowMs, found.obtainedAtMs)
  const sameFamily = state.family === found.family
  state.family = found.family
  // never back, whatever was found
  state.generation = Math.max(state.generation, found.generation)
  state.dueAtMs = atMs + found.dueInMs
  if (found.grant !== undefined) state.grant = found.grant
  if (found.seeds !== undefined) state.seeds = found.seeds
  noteDeadlines(state, found, atMs, nowMs)
  if (found.unstored !== undefined) state.unstored = found.unstored
  // a set without an access token leaves that of its family standing
  if (!sameFamily) delete state.accessExpiresAtMs
  delete state.risk
  delete state.refused
  if (found.accessLivesMs !== undefined) {
    state.accessExpiresAtMs = atMs + found.accessLivesMs
    delete state.asked
    setStatus(state, nowMs, 'active')
    // the write that brought the tokens told readers too
    delete state.unannounced
    return
  }
  // a grant without an access token is a generation too; the next refresh follows at once, but not in a tight loop
  state.asked = (state.asked ?? 0) + 1
  if (state.asked > 1) state.dueAtMs = nowMs + backoffMs(state.asked, longestBackoffExpiredMs, random)
  // readers go on with the token that they have
  const readable = accessRemainingMs(state, nowMs) > 0
  if (readable && state.asked > 1) setStatus(state, nowMs, 'retrying', 'no_access_token')
  else if (readable) state.unannounced = true
  else setStatus(state, nowMs, 'pending', state.asked > 1 ? 'no_access_token' : undefined)
}

/** What is known of the end of the refresh token is known from the last answer. */
function noteDeadlines(state: CredentialState, found: Refreshed, atMs: number, nowMs: number): void {
  const { refreshLivesMs, refreshEndsInMs, warnBeforeMs } = found
  delete state.refreshExpiresAtMs
  delete state.refreshEndsAtMs
  delete state.warnBeforeMs
  if (refreshLivesMs !== undefined) state.refreshExpiresAtMs = atMs + refreshLivesMs
  if (refreshEndsInMs !== undefined) state.refreshEndsAtMs = atMs + refreshEndsInMs
  if (warnBeforeMs !== undefined) state.warnBeforeMs = warnBeforeMs
  // an end that has moved away is told of again when it comes near
  const remainingMs = (state.refreshEndsAtMs ?? Number.POSITIVE_INFINITY) - nowMs
  if (state.warnedMs !== undefined && remainingMs > state.warnedMs + minuteMs) delete state.warnedMs
}

/** When it is to be told next that the grant comes to its end; undefined where there is no end or nothing more to tell. */
export function warningAtMs({ refreshEndsAtMs, warnBeforeMs = [], warnedMs, status }: CredentialState) {
  if (refreshEndsAtMs === undefined || status === 'reconnect_required' || status === 'revoked') return undefined
  const left = warnBeforeMs.filter((beforeMs) => beforeMs < (warnedMs ?? Number.POSITIVE_INFINITY))
  return left.length === 0 ? undefined : refreshEndsAtMs - Math.max(...left)
}

/** How near the end is, of what is to be told when; undefined where nothing is to be told now. */
export function warningDue(state: CredentialState, nowMs: number): number | undefined {
  if (nowMs < (warningAtMs(state) ?? Number.POSITIVE_INFINITY)) return undefined
  const remainingMs = (state.refreshEndsAtMs ?? 0) - nowMs
  return Math.min(...(state.warnBeforeMs ?? []).filter((beforeMs) => remainingMs <= beforeMs))
}

/** A new family begins. A seed that was used before is a repeated call and changes nothing. */
export function claimed(state: CredentialState, claim: Claim, moment: Moment): void {
  if ('unusable' in claim || 'repeated' in claim) {
    // one that has nothing else cannot begin
    const why = 'unusable' in claim ? claim.unusable : 'this refresh token was handed over in an earlier life'
    if (state.family === '') setStatus(state, moment.nowMs, 'reconnect_required', 'unusable_grant', why)
    return
  }
  delete state.grant
  delete state.refreshExpiresAtMs
  delete state.warnedMs
  delete state.asked
  adopt(state, claim, moment)
  // the claim has told of a new family
  forgetNews(state)
}

/** The provider refuses the grant. It is asked again, rarely: a disabled user may be enabled again. */
export function refuseGrant(state: CredentialState, failure: AttemptFailure, { nowMs }: Moment): void {
  state.asked = state.status === 'reconnect_required' ? (state.asked ?? 0) + 1 : 0
  state.dueAtMs = nowMs + ((failure.forGood ? undefined : askAgainAfterMs(state.asked)) ?? farAwayMs)
  if (failure.refused !== undefined) state.refused = failure.refused
  delete state.risk
  setStatus(state, nowMs, 'reconnect_required', failure.reason, failure.detail)
}

/** The provider refuses the client: no matter of this user. */
export function refuseClient(
  state: CredentialState,
  failure: AttemptFailure,
  retryInMs: number,
  { nowMs }: Moment,
): void {
  state.dueAtMs = nowMs + retryInMs
  setStatus(state, nowMs, 'misconfigured', failure.reason, failure.detail)
}

/** A definite failure that came back instead of being retried by the server: the refresh was being cancelled. */
export function fail(state: CredentialState, failure: AttemptFailure, { nowMs, random }: Moment): void {
  state.dueAtMs = nowMs + (failure.retryInMs ?? backoffMs(3, longestBackoffExpiredMs, random))
  noteFailing(state, nowMs, failure)
}

/** An attempt whose end is unknown. Nothing is sent before the store was looked at. */
export function endUnknown(
  state: CredentialState,
  end: { how: 'answer_lost' | 'timed_out'; failure: AttemptFailure },
  attemptMs: number,
  { nowMs }: Moment,
): void {
  const earlier = state.risk
  state.risk = {
    how: end.how,
    reason: end.failure.reason,
    firstUseAtMs: earlier?.firstUseAtMs ?? firstUseAtMs(end.failure, attemptMs, nowMs),
    replays: earlier === undefined ? 0 : earlier.replays + 1,
  }
  state.dueAtMs = nowMs
}

/** What the attempt said of itself, which may have lain waiting for a worker. */
const firstUseAtMs = ({ sinceFirstUseMs, firstUseAtMs }: AttemptFailure, attemptMs: number, nowMs: number) =>
  Math.min(nowMs - (sinceFirstUseMs ?? attemptMs), firstUseAtMs ?? nowMs)

/**
 * The store was looked at after an unknown end: adopt what the attempt wrote, or decide when to send again. The look
 * has also barred whatever was handed out before; after an attempt that nothing was heard of, what has sent already
 * is waited out, and the store looked at once more. An answer that the attempt itself saw break off needs no wait.
 */
export function settle(state: CredentialState, settled: Settled, waitMs: number, { nowMs, random }: Moment): void {
  const { risk } = state
  if (settled.found !== undefined) adopt(state, settled.found, { nowMs, random })
  if (settled.send !== undefined) state.sends = settled.send - 1
  if (settled.found !== undefined || risk === undefined) return
  // another run, which a reset has left behind, may be sending: as if nothing had been heard of that
  if (settled.foreign) risk.how = 'timed_out'
  if (risk.how === 'timed_out' && !risk.barred) {
    risk.barred = true
    state.dueAtMs = nowMs + waitMs
    return
  }
  const remainingMs = untilLossMs(state, nowMs)
  const pausedMs = risk.replays === 0 ? 0 : pauseMs(risk.replays, remainingMs, random)
  const replay = decideReplay({
    rotation: settled.rotation,
    how: risk.how,
    // a window has to be open still when the pause is over
    sinceFirstUseMs: nowMs + pausedMs - risk.firstUseAtMs,
    accessRemainingMs: remainingMs,
    ...(settled.graceMs === undefined ? {} : { graceMs: settled.graceMs }),
    ...(settled.accessTokenDies === undefined ? {} : { accessTokenDies: settled.accessTokenDies }),
  })
  risk.replayAtMs = nowMs + Math.max(replay.inMs, pausedMs)
  delete risk.replayUntilMs
  if (replay.withinMs !== undefined) risk.replayUntilMs = nowMs + replay.withinMs
  state.dueAtMs = risk.replayAtMs
  if (replay.atRisk) setStatus(state, nowMs, 'at_risk', risk.reason)
  else if (risk.replays > 1) noteFailing(state, nowMs, { reason: risk.reason, detail: '' })
}

/** The fence stands: nothing of this life is used any more, and what the provider has to revoke is a debt. */
export function revoked(state: CredentialState, fenced: Fenced | undefined, { nowMs }: Moment): void {
  state.generation = Math.max(state.generation, fenced?.generation ?? 0)
  if (fenced !== undefined) state.family = fenced.family
  state.debts = [...(state.debts ?? []), ...(fenced?.debts ?? [])]
  if (fenced?.endsConsent !== undefined) state.endsConsent = fenced.endsConsent
  for (const field of [
    'grant',
    'unstored',
    'risk',
    'refused',
    'asked',
    'accessExpiresAtMs',
    'refreshExpiresAtMs',
    'refreshEndsAtMs',
    'warnBeforeMs',
    'warnedMs',
  ] as const)
    delete state[field]
  setStatus(state, nowMs, 'revoked', fenced?.reason)
  // the fence told readers, and operators
  delete state.unannounced
  forgetNews(state)
}

/** The store was compared with what is known here. A token that readers have lost is obtained again, in its turn. */
export function resynced(
  state: CredentialState,
  { lost }: { lost: boolean },
  delayMs: number,
  { nowMs }: Moment,
): void {
  // what readers were told may be lost too
  state.unannounced = true
  if (!lost || state.risk !== undefined || state.status === 'reconnect_required' || state.status === 'misconfigured')
    return
  state.dueAtMs = Math.min(state.dueAtMs, nowMs + delayMs)
  setStatus(state, nowMs, 'pending', 'store_lost_it')
}

/** What a service may cause by refused tokens: so many refreshes of one credential at once, then one in so long. */
const rejectionsAtOnce = 3
const rejectionEveryMs = 5 * minuteMs

/**
 * A service was refused with the access token of a generation: it has ended before its time, and nothing is waited for
 * that would spare it. Once for a generation; and since a service may be wrong, and refused with every token, its credit
 * is limited: beyond it the refresh comes later, and the token counts as good until then.
 *
 * @returns whether a refresh is wanted at once
 */
export function reject(state: CredentialState, generation: number, { nowMs }: Moment): boolean {
  const { rejection, status, risk } = state
  if (generation !== state.generation || rejection?.generation === generation) return false
  // the provider has refused more than this token already
  if (status === 'reconnect_required' || status === 'misconfigured' || status === 'revoked') return false
  const wholeAtMs = Math.max(rejection?.wholeAtMs ?? 0, nowMs)
  const delayMs = Math.max(0, wholeAtMs - nowMs - (rejectionsAtOnce - 1) * rejectionEveryMs)
  state.rejection = { generation, wholeAtMs: wholeAtMs + rejectionEveryMs }
  const ends = state.accessExpiresAtMs
  if (delayMs === 0 && ends !== undefined) state.accessExpiresAtMs = Math.min(ends, nowMs)
  // what may have sent is waited out all the same
  if (risk !== undefined && risk.replayAtMs === undefined) return false
  state.dueAtMs = Math.min(state.dueAtMs, nowMs + delayMs)
  if (risk !== undefined) risk.replayAtMs = state.dueAtMs
  // when the next refresh is due, where that is not now
  if (delayMs > 0) state.unannounced = true
  return delayMs === 0
}

/** A refresh reports that it keeps failing; it goes on. */
export function noteRetry(state: CredentialState, notice: RetryNotice, { nowMs }: Moment): void {
  noteFailing(state, nowMs, notice)
  state.dueAtMs = nowMs + notice.nextAttemptInMs
}

/** Whether readers have to be told that the token of a failing refresh has ended. */
export function noteExpiry(state: CredentialState, { nowMs }: Moment): void {
  if (state.status === 'retrying' && accessRemainingMs(state, nowMs) <= 0)
    setStatus(state, nowMs, 'expired', state.reason, state.detail)
}

function noteFailing(
  state: CredentialState,
  nowMs: number,
  { reason, detail }: { reason: string; detail: string },
): void {
  // these say more than that something fails, and only a definite answer ends them
  if (state.status === 'at_risk' || state.status === 'reconnect_required' || state.status === 'revoked') return
  const failing = accessRemainingMs(state, nowMs) > 0 ? 'retrying' : 'expired'
  const never = state.status === 'pending' && state.accessExpiresAtMs === undefined
  setStatus(state, nowMs, never ? 'pending' : failing, reason, detail)
}
