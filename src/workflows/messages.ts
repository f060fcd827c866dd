import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { GrantKind, RotationClass, Status } from '../credential.ts'
import type { CredentialEvent } from '../store/events.ts'

/**
 * Everything that crosses between clients, the workflow and its activities. Recorded in histories: fields are only
 * added, and only as optional ones.
 */

/** A grant handed over by a person or a program: its first refresh token, sealed with generation 0. */
export interface Seed {
  /** made by the caller, so that a repeated call is recognised */
  family: string
  /** sealed TokenSet; absent for grants that need none */
  sealed?: string
  /** lifetime left of the access token inside, when the call was made */
  accessLivesMs?: number
  refreshLivesMs?: number
  /** of one among many that are handed over together: its turn, where the first refresh would be due at once */
  firstRefreshInMs?: number
}

/** How long things take; inputs so that tests can shorten them. */
export interface Tuning {
  exchangeTimeoutMs: number
  startToCloseMs: number
  /** after an attempt that timed out, before anything is sent again */
  settleAfterMs: number
  refreshesPerRun: number
  /** how often a refused client is tried, all of its credentials together */
  misconfiguredEveryMs: number
  /** how long a caller of refreshNow is kept waiting */
  refreshNowWaitMs: number
}

export const defaultTuning: Tuning = {
  exchangeTimeoutMs: 10_000,
  startToCloseMs: 15_000,
  settleAfterMs: 15_000,
  refreshesPerRun: 10,
  misconfiguredEveryMs: 300_000,
  refreshNowWaitMs: 30_000,
}

/** What arrives while the loop is busy or asleep. Kept in order, and part of the continue-as-new input. */
export type Message =
  /** without a time: it came with the start of the run */
  | { type: 'reconnect'; seed: Seed; receivedAtMs?: number }
  | { type: 'revoke' }
  | { type: 'retrying'; notice: RetryNotice }
  | { type: 'wake' }
  | { type: 'resync'; delayMs: number }
  /** a service was refused with the access token of this generation */
  | { type: 'rejected'; generation: number }

/** A refresh activity tells its workflow that it keeps failing. */
export interface RetryNotice {
  generation: number
  attempt: number
  reason: string
  detail: string
  nextAttemptInMs: number
}

/** An attempt, or several, whose end is unknown: the refresh token of this generation may be spent. */
export interface Risk {
  reason: string
  firstUseAtMs: number
  how: 'answer_lost' | 'timed_out'
  /** sent again since */
  replays: number
  /** nothing that was handed out before can send any more; what has sent is waited out */
  barred?: boolean
  /** when it is sent again; absent until the store was looked at and the rotation class asked */
  replayAtMs?: number
  /** and by when it must have left, where the provider takes it only for a while */
  replayUntilMs?: number
}

/** The truth about a credential. Times are of the workflow's clock. */
export interface CredentialState {
  status: Status
  reason?: string
  /** what the provider said, made harmless */
  detail?: string
  sinceMs: number
  generation: number
  family: string
  /** sealed with the grant key */
  grant?: string
  accessExpiresAtMs?: number
  dueAtMs: number
  /** when the refresh token dies, unless a refresh moves that */
  refreshExpiresAtMs?: number
  /** when it dies whatever is refreshed: the user has to reconnect before */
  refreshEndsAtMs?: number
  /** how long before that it is told, and the shortest of these that was told */
  warnBeforeMs?: number[]
  warnedMs?: number
  /** fingerprints of the last seeds, newest last */
  seeds: string[]
  /** fingerprint of the refresh token that was refused */
  refused?: string
  /** questions since `reconnect_required`, or empty answers since the last token */
  asked?: number
  risk?: Risk
  /**
   * The last generation whose access token was refused to a service, and when that service's credit with this
   * credential is whole again.
   */
  rejection?: { generation: number; wholeAtMs: number }
  /** how many refreshes were handed out, over all runs */
  sends?: number
  /** a sealed token set that the store has not taken yet */
  unstored?: string
  /** the store was not told of the status yet */
  unannounced?: boolean
  /** a change that operators were not told of yet, and the trouble that they know of */
  news?: CredentialEvent['event']
  trouble?: CredentialEvent['event']
  /** the run that last asked the store, for the next run to name */
  owner?: string
  /** sealed tokens that the provider has yet to revoke, and whether that would end a newer grant too */
  debts?: string[]
  endsConsent?: boolean
}

export interface CredentialInput {
  credential: string
  provider: string
  kind: GrantKind
  parameters?: Record<string, string>
  tuning?: Partial<Tuning>
  /** generations up to this one were used by earlier lives of the credential */
  aboveGeneration?: number
  state?: CredentialState
  inbox?: Message[]
}

/** What the workflow says of itself; no sealed grant in it. */
export interface StateView {
  credential: string
  provider: string
  status: Status
  reason?: string
  detail?: string
  sinceMs: number
  generation: number
  family: string
  accessExpiresAtMs?: number
  dueAtMs: number
  refreshExpiresAtMs?: number
  refreshEndsAtMs?: number
}

/** How a credential's life ended, for the next one. */
export interface Closed {
  status: 'revoked'
  generation: number
  family?: string
}

// ---- activities

export interface RefreshInput {
  credential: string
  kind: GrantKind
  family: string
  generation: number
  grant?: string
  parameters?: Record<string, string>
  seeds: string[]
  /** since when the status is active, for the status document; absent when it is not */
  activeSinceMs?: number
  previousOwner?: string
  /** the number of this refresh; higher than all before */
  send?: number
  exchangeTimeoutMs: number
  misconfiguredEveryMs: number
  /** a replay inside a window: not sent after this time of the server's clock */
  sendUntilMs?: number
  /** a service was refused with the access token in use: whatever it says of its end, there is no time to lose */
  rejected?: boolean
  /** asked for by a person: a client known to be refused is tried all the same */
  forced?: boolean
  /** when the refresh token dies, by the server's clock, as far as that is known */
  refreshExpiresAtMs?: number
  refreshEndsAtMs?: number
}

/** A new generation, obtained or found in the store. Durations from `obtainedAtMs`, which is of the server's clock. */
export interface Refreshed {
  family: string
  generation: number
  obtainedAtMs: number
  accessLivesMs?: number
  dueInMs: number
  refreshLivesMs?: number
  /** to the end of the grant, which no refresh moves, and how long before it that is told */
  refreshEndsInMs?: number
  warnBeforeMs?: number[]
  grant?: string
  seeds?: string[]
  /** the whole sealed write, when the store did not answer in time */
  unstored?: string
  /** the credential was revoked by someone else */
  revoked?: true
  /** sealed: what the attempt still got from the provider under the tombstone, to be revoked */
  minted?: string
}

export interface ClaimInput {
  credential: string
  kind: GrantKind
  seed: Seed
  /** lifetimes in the seed, less what passed since */
  accessLivesMs?: number
  refreshLivesMs?: number
  atLeastGeneration: number
  parameters?: Record<string, string>
  seeds: string[]
  /** a refused token that may be tried once more */
  retry?: string
  /** how long the grant has waited to be taken over */
  waitedMs?: number
  /** the workflow has revoked its former life itself */
  revokedHere?: boolean
}

export type Claimed =
  | Refreshed
  /** this refresh token has seeded a family already: a repeated call */
  | { repeated: true }
  /** something newer stands there: claim again above it, if the grant is still wanted */
  | { above: number }
  | { unusable: string }

export interface SettleInput {
  credential: string
  kind: GrantKind
  family: string
  generation: number
  /** the number that the next refresh will have */
  send: number
  previousOwner?: string
  grant?: string
}

export interface Settled {
  found?: Refreshed
  /** the number that the next refresh has to have */
  send?: number
  /** another run stood there, and may be sending */
  foreign?: boolean
  rotation: RotationClass
  graceMs?: number
  /** a refresh has ended the access token too: there is nothing to wait for */
  accessTokenDies?: boolean
}

export interface ResyncInput {
  credential: string
  kind: GrantKind
  family: string
  generation: number
  grant?: string
  seeds: string[]
  parameters?: Record<string, string>
  refreshRemainingMs?: number
  refreshEndsInMs?: number
  previousOwner?: string
}

export interface Resynced {
  /** the store knows more than the workflow */
  found?: Refreshed
  /** readers have lost the token */
  lost: boolean
}

export interface AnnounceInput {
  credential: string
  kind: GrantKind
  family: string
  generation: number
  status: Status
  reason?: string
  sinceMs: number
  nextAttemptInMs?: number
  accessRemainingMs?: number
  refreshRemainingMs?: number
  refreshEndsInMs?: number
  /** what operators are told with it */
  event?: CredentialEvent['event']
  /** not a status: the end of the grant is nearer than this, and the user has to reconnect before */
  reconnectSoonMs?: number
}

export interface FenceInput {
  credential: string
  family: string
  generation: number
  grant?: string
  unstored?: string
  /** the last fence: the provider has confirmed, or never will, and the tombstone need not hold tokens any more */
  settled?: { reason?: string }
}

export interface Fenced {
  family: string
  generation: number
  reason?: string
  /** sealed: what the provider has to revoke; empty where it has no way to */
  debts?: string[]
  /** revoking one token there ends newer grants of the same user too */
  endsConsent?: boolean
}

export interface RevokeTokensInput {
  credential: string
  debt: string
  parameters?: Record<string, string>
}

/** The life of tokens that nobody may use any more, until the provider has revoked them. */
export interface RevocationInput {
  credential: string
  provider: string
  debts: string[]
  parameters?: Record<string, string>
}

export interface PersistInput {
  credential: string
  kind: GrantKind
  sealed: string
}

/** A claim that has come to an end. */
export type Claim = Exclude<Claimed, { above: number }>

export interface Persisted {
  /** something newer was there, or it had to be written one generation higher */
  found?: Refreshed
}

/** Failure types of the refresh activity; `details[0]` is an AttemptFailure. */
export type FailureType =
  | 'Unsent'
  | 'Throttled'
  | 'Unclear'
  | 'Ambiguous'
  | 'GrantRefused'
  | 'ClientRefused'
  | 'ForeignRun'

export interface AttemptFailure {
  reason: string
  detail: string
  /** GrantRefused: fingerprint of the refused token */
  refused?: string
  /** GrantRefused: the provider bans callers who ask again */
  forGood?: boolean
  /** Ambiguous: since the attempt began */
  sinceFirstUseMs?: number
  /** the same, by the server's clock */
  firstUseAtMs?: number
  /** when the server repeats it, were it not being cancelled */
  retryInMs?: number
}

// ---- names

export const workflowQueue = 'perennial'
export const refreshQueue = (provider: string) => `refresh.${provider}`

export const revoke = defineSignal('revoke')
export const reconnect = defineSignal<[Seed]>('reconnect')
export const retrying = defineSignal<[RetryNotice]>('retrying')
export const wake = defineSignal('wake')
/** the store was emptied or replaced: compare, and refresh after so many milliseconds where the token is lost */
export const resync = defineSignal<[number]>('resync')
/** the generation with whose access token a service was refused */
export const rejected = defineSignal<[number]>('rejected')
export const refreshNow = defineUpdate<StateView, []>('refreshNow')
export const state = defineQuery<StateView>('state')

export const searchAttributes = {
  status: 'CredentialStatus',
  provider: 'CredentialProvider',
  client: 'CredentialClient',
  tenant: 'CredentialTenant',
} as const
