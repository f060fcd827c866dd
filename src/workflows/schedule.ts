import { type GrantKind, needsPerson } from '../credential.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** What a provider's entry says of the time for a refresh; a provider of the configuration has these fields. */
export interface TimeRules {
  /** refused before the token is this old */
  notBeforeMs?: number
  /** sooner, it brings nothing new or counts against a limit */
  minRefreshIntervalMs?: number
  /** how long before the token's end the vendor asks for it */
  refreshBeforeExpiryMs?: number
  /** it ends the access token in use */
  oldAccessTokenDies?: boolean | undefined
  /** once the token has ended, nothing can be refreshed */
  neverAfterExpiry?: boolean | undefined
}

/**
 * How long after a token was obtained its refresh is due. Pure, and stable for a credential: tokens that were issued
 * in the same second do not come due in the same second.
 *
 * A grant that needs a person is refreshed early, for an outage may be long, and at half of its life where it could
 * not be refreshed afterwards; one that needs none is refreshed late, for its requests may be counted against a quota,
 * and so is one whose refresh takes the token from readers that still use it. What a provider refuses as too early is
 * not asked for.
 *
 * @param lifetimeMs of the access token
 * @returns milliseconds after the token was obtained, never negative, always before the token's end
 */
export function dueAfterMs(lifetimeMs: number, kind: GrantKind, credential: string, rules: TimeRules = {}): number {
  const { notBeforeMs = 0, minRefreshIntervalMs = 0, refreshBeforeExpiryMs = 0 } = rules
  const share = stableShare(credential)
  const late = !needsPerson(kind) || rules.oldAccessTokenDies
  const lead = Math.max(usualLeadMs(lifetimeMs, kind, rules), Math.min(refreshBeforeExpiryMs, lifetimeMs * 0.9))
  const jitter = late ? -Math.min(lifetimeMs / 10, lead / 2) : lifetimeMs / 10
  const dueMs = Math.max(0, lifetimeMs - lead - share * jitter)
  const earliestMs = Math.min(Math.max(notBeforeMs, minRefreshIntervalMs), lifetimeMs - lastMomentMs(lifetimeMs))
  return Math.max(dueMs, earliestMs)
}

function usualLeadMs(lifetimeMs: number, kind: GrantKind, rules: TimeRules): number {
  if (!needsPerson(kind)) return Math.min(lifetimeMs / 2, clamp(lifetimeMs / 20, 30 * second, 10 * minute))
  if (rules.neverAfterExpiry) return lifetimeMs / 2
  if (rules.oldAccessTokenDies) return Math.min(lifetimeMs / 2, clamp(lifetimeMs / 20, 30 * second, 2 * minute))
  return leadMs(lifetimeMs, day)
}

/** What an exchange and its way into the store need, however early a provider would refuse. */
const lastMomentMs = (lifetimeMs: number) => Math.min(10 * second, lifetimeMs / 10)

/**
 * The same, for a refresh token that has deadlines of its own: one that dies when it is unused is used in time, however
 * long its access token lives; and when a grant has come to the end that no refresh moves, the provider is asked
 * whether it really has, so that nobody learns it only when the access token has ended too.
 *
 * @param livesMs until the refresh token dies, unless a refresh moves that
 * @param endsInMs until it dies whatever is refreshed
 */
export function dueWithinMs(
  lifetimeMs: number,
  kind: GrantKind,
  credential: string,
  { livesMs, endsInMs }: { livesMs?: number; endsInMs?: number },
  rules: TimeRules = {},
): number {
  const dueMs = dueAfterMs(lifetimeMs, kind, credential, rules)
  const share = stableShare(credential)
  const moves = livesMs !== undefined && (endsInMs === undefined || livesMs < endsInMs)
  const usedMs = moves ? livesMs - leadMs(livesMs, longestIdleLeadMs) - share * (livesMs / 10) : dueMs
  const askedMs =
    endsInMs === undefined || endsInMs <= 0 ? dueMs : endsInMs + second + share * Math.min(spreadAtEndMs, endsInMs / 10)
  return Math.max(0, Math.min(dueMs, usedMs, askedMs))
}

/** a person would have to help: a week of outages costs nobody a grant that lives for a month or more */
const longestIdleLeadMs = 7 * day
/** grants of one day end in one second */
const spreadAtEndMs = minute

const leadMs = (lifeMs: number, longestMs: number) => Math.min(lifeMs / 2, clamp(lifeMs / 4, 20 * second, longestMs))

/**
 * Where a refresh stands among those that wait for the same provider: Temporal's priority key, 1 first, 5 last.
 *
 * @param urgent somebody waits for it, or it is a replay whose window closes
 * @param remainingMs until the access token ends; 0 or less when it has; undefined for one that never had any
 * @param refreshRemainingMs until the refresh token dies of old age, or unused: a person would have to help then
 */
export function priorityKey(
  remainingMs: number | undefined,
  urgent: boolean,
  refreshRemainingMs = Number.POSITIVE_INFINITY,
): number {
  if (urgent) return 1
  const limits = [minute, 10 * minute, 2 * hour]
  const within = (ms: number) => 2 + limits.filter((limit) => ms > limit).length
  // one without a token nobody reads yet, and there may be thousands of them at once
  return Math.min(remainingMs === undefined ? 3 : within(remainingMs), within(refreshRemainingMs))
}

/**
 * A refused grant can come back (a user or a client disabled and enabled again), so it is asked again, rarely.
 *
 * @param asked how often it was asked since it was refused
 * @returns milliseconds until the next question, or undefined when a week of them is over
 */
export function askAgainAfterMs(asked: number): number | undefined {
  return [hour, 6 * hour, day, day, day, day, day, day, day][asked]
}

/** Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): 2 s doubling to `maximumMs`, never below 1 s. */
export function backoffMs(attempt: number, maximumMs: number, random: number): number {
  const ceiling = Math.min(2 * second * 2 ** Math.min(attempt - 1, 30), maximumMs)
  return Math.max(second, random * ceiling)
}

/** once readers have no valid token */
const longestExpiredMs = minute
/** a last attempt while the token still serves */
const beforeExpiryMs = 10 * second

/**
 * The backoff of a refresh token that may be sent again: never across the end of a valid access token less 10 s, and
 * at most a minute once it has ended.
 *
 * @param accessRemainingMs until the access token ends; 0 or less when it has, or when there is none
 * @returns 1000 or more
 */
export function pauseMs(attempt: number, accessRemainingMs: number, random: number): number {
  if (accessRemainingMs <= beforeExpiryMs) return backoffMs(attempt, longestExpiredMs, random)
  return Math.max(second, Math.min(backoffMs(attempt, 15 * minute, random), accessRemainingMs - beforeExpiryMs))
}

/**
 * A fraction in [0, 1) that is always the same for one id: FNV-1a, 32 bits, with the last mixing of MurmurHash3, without
 * which ids that are counted up (`user1`, `user2`) lie side by side.
 */
export function stableShare(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
