import type {
  AnnounceInput,
  ClaimInput,
  CredentialInput,
  CredentialState,
  FenceInput,
  RefreshInput,
  ResyncInput,
  Seed,
  SettleInput,
  StateView,
  Tuning,
} from './messages.ts'

/** What the activities are asked, and callers are told, about a credential in some state. */

export function refreshInput(
  input: CredentialInput,
  state: CredentialState,
  how: { tuning: Tuning; previousOwner: string | undefined; forced: boolean },
): RefreshInput {
  return {
    ...identity(input, state),
    seeds: state.seeds,
    exchangeTimeoutMs: how.tuning.exchangeTimeoutMs,
    misconfiguredEveryMs: how.tuning.misconfiguredEveryMs,
    ...given({
      grant: state.grant,
      parameters: input.parameters,
      activeSinceMs: state.status === 'active' ? state.sinceMs : undefined,
      previousOwner: how.previousOwner,
      forced: how.forced || undefined,
      rejected: state.rejection?.generation === state.generation || undefined,
      sendUntilMs: state.risk?.replayUntilMs,
      send: state.sends,
      refreshExpiresAtMs: state.refreshExpiresAtMs,
      refreshEndsAtMs: state.refreshEndsAtMs,
    }),
  }
}

export function claimInput(input: CredentialInput, state: CredentialState, seed: Seed, passedMs: number): ClaimInput {
  const left = (lifeMs: number | undefined) => (lifeMs === undefined ? undefined : Math.max(0, lifeMs - passedMs))
  return {
    credential: input.credential,
    kind: input.kind,
    seed,
    seeds: state.seeds,
    // an attempt whose end is unknown may have made the generation after this one
    atLeastGeneration: state.generation + (state.risk === undefined ? 1 : 2),
    ...given({
      accessLivesMs: left(seed.accessLivesMs),
      refreshLivesMs: left(seed.refreshLivesMs),
      parameters: input.parameters,
      retry: state.status === 'reconnect_required' ? state.refused : undefined,
      waitedMs: passedMs,
      revokedHere: state.status === 'revoked' || undefined,
    }),
  }
}

export const settleInput = (
  input: CredentialInput,
  state: CredentialState,
  previousOwner: string | undefined,
): SettleInput => ({
  ...identity(input, state),
  send: (state.sends ?? 0) + 1,
  ...given({ previousOwner, grant: state.grant }),
})

export function resyncInput(
  input: CredentialInput,
  state: CredentialState,
  how: { nowMs: number; previousOwner: string | undefined },
): ResyncInput {
  const { seeds, grant, refreshExpiresAtMs, refreshEndsAtMs } = state
  return {
    ...identity(input, state),
    seeds,
    ...given({
      grant,
      parameters: input.parameters,
      refreshRemainingMs: refreshExpiresAtMs === undefined ? undefined : refreshExpiresAtMs - how.nowMs,
      refreshEndsInMs: refreshEndsAtMs === undefined ? undefined : refreshEndsAtMs - how.nowMs,
      previousOwner: how.previousOwner,
    }),
  }
}

export function fenceInput({ credential }: CredentialInput, state: CredentialState): FenceInput {
  const { family, generation, grant, unstored } = state
  return { credential, family, generation, ...given({ grant, unstored }) }
}

export function announceInput(
  input: CredentialInput,
  state: CredentialState,
  nowMs: number,
  reconnectSoonMs?: number,
): AnnounceInput {
  const { status, reason, sinceMs, dueAtMs, accessExpiresAtMs, refreshExpiresAtMs, refreshEndsAtMs } = state
  const from = (atMs: number | undefined) => (atMs === undefined ? undefined : atMs - nowMs)
  return {
    ...identity(input, state),
    status,
    sinceMs,
    ...given({
      reason,
      nextAttemptInMs: from(dueAtMs),
      accessRemainingMs: from(accessExpiresAtMs),
      refreshRemainingMs: from(refreshExpiresAtMs),
      refreshEndsInMs: from(refreshEndsAtMs),
      reconnectSoonMs,
      event: reconnectSoonMs === undefined ? state.news : undefined,
    }),
  }
}

export function view(input: CredentialInput, state: CredentialState): StateView {
  const { status, reason, detail, sinceMs, generation, family, dueAtMs } = state
  const { accessExpiresAtMs, refreshExpiresAtMs, refreshEndsAtMs } = state
  const { credential, provider } = input
  const known = given({ reason, detail, accessExpiresAtMs, refreshExpiresAtMs, refreshEndsAtMs })
  return { credential, provider, status, sinceMs, generation, family, dueAtMs, ...known }
}

const identity = ({ credential, kind }: CredentialInput, { family, generation }: CredentialState) => ({
  credential,
  kind,
  family,
  generation,
})

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Only the fields that have a value. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}
