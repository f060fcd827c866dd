import { ApplicationFailure } from '@temporalio/common'
import { UnreadableValue } from '../../packages/reader/src/errors.ts'
import type { GrantKind } from '../credential.ts'
import { parseTokenResponse, type TokenSet } from '../oauth/index.ts'
import { fingerprint } from '../store/sealing.ts'
import type { GrantHash } from '../store/store.ts'
import type {
  AnnounceInput,
  Claimed,
  ClaimInput,
  Persisted,
  PersistInput,
  Refreshed,
  Settled,
  SettleInput,
} from '../workflows/messages.ts'
import { Clocks, isoTime } from './clocks.ts'
import { type ActivityDeps, clientOf, openGrant } from './deps.ts'
import { ForeignNamespace, persist } from './keep.ts'
import { found, prepare, revokedBy, rotationOf } from './token-set.ts'

/** Two durations, taken with clocks of milliseconds on two machines, are the same. */
const clockSlackMs = 50

/** Seeds that are remembered, to recognise a call that is repeated. */
const rememberedSeeds = 8

/**
 * Takes over a grant that a person handed in: a new family, at the generation that the workflow fixed beforehand. It
 * never goes above that by itself: an attempt that was given up long ago and wakes up would write over what the
 * workflow has done since.
 */
export const claimActivity =
  (deps: ActivityDeps) =>
  async (input: ClaimInput): Promise<Claimed> => {
    const { credential, kind, seed } = input
    const caller = deps.caller()
    const clocks = new Clocks(caller)
    const opened = openSeed(deps, input)
    if (typeof opened === 'string') return { unusable: opened }
    const generation = leastGeneration(input, opened)
    const { waitedMs = 0, revokedHere = false } = input
    const beganMs = performance.now()
    // a revoke that came while the grant waited to be taken over, and did not reach the workflow
    const isYounger = ({ tombstoneAtMs = 0 }: GrantHash, nowMs: number) =>
      !revokedHere && nowMs - tombstoneAtMs + clockSlackMs < waitedMs + performance.now() - beganMs
    for (;;) {
      const { nowMs, hash } = await deps.store.read(credential)
      clocks.redisSaid(nowMs)
      if (hash?.namespace !== undefined && hash.namespace !== caller.namespace) throw new ForeignNamespace()
      // a tombstone that the workflow does not know of is a revoke
      if (hash?.tombstone && (hash.family === seed.family || hash.generation >= generation || isYounger(hash, nowMs)))
        return revokedBy(hash, clocks)
      const ahead = hash !== undefined && !hash.tombstone && hash.generation >= generation ? hash : undefined
      const known = [...input.seeds, ...(hash?.seeds ?? [])]
      const fingerprints = fingerprintsOf(deps, kind, opened)
      const repeated = fingerprints.some((one) => known.includes(one) && one !== input.retry)
      // an earlier try of this claim did it, or an earlier life of this workflow did and went on from there
      if (ahead !== undefined && (repeated || needsNobody(opened) || ahead.family === seed.family)) {
        const stands = found(deps, ahead, kind, credential, clocks)
        // that try may have ended before it told anyone
        if (ahead.family === seed.family) await recordConnected(deps, credential, { ...stands, generation })
        return stands
      }
      if (repeated || hash?.family === seed.family) return { repeated: true }
      if (ahead !== undefined && (ahead.writer !== undefined || ahead.generation > generation))
        return { above: ahead.generation }
      const seeds = [...new Set([...known, ...fingerprints.slice(0, 1)])].slice(-rememberedSeeds)
      const { write, refreshed } = prepare(deps, clocks, {
        credential,
        kind,
        family: seed.family,
        generation,
        writer: `claim/${seed.family}`,
        beganMs: nowMs,
        tokens: opened,
        seeds,
        parameters: input.parameters ?? {},
        ...(seed.firstRefreshInMs === undefined ? {} : { turnInMs: seed.firstRefreshInMs }),
      })
      const sinceHandedOverMs = waitedMs + performance.now() - beganMs - clockSlackMs
      const { verdict, hash: stands } = await deps.store.write(caller, {
        ...write,
        ...(revokedHere ? {} : { waitedMs: sinceHandedOverMs }),
      })
      if (verdict === 'written' || verdict === 'same') {
        await recordConnected(deps, credential, refreshed)
        return { ...refreshed, seeds }
      }
      // it came between the look and the write
      if (stands?.tombstone) return revokedBy(stands, clocks)
    }
  }

async function recordConnected({ store }: ActivityDeps, credential: string, taken: Refreshed): Promise<void> {
  const { family, generation, accessLivesMs } = taken
  const status = accessLivesMs === undefined ? 'pending' : 'active'
  await store.record({ event: 'connected', credential, family, generation, status })
}

/**
 * The first life of a grant that needs nobody begins at 0, its first token set being 1. A later one begins above the
 * tombstone, as every other does.
 */
function leastGeneration({ atLeastGeneration, revokedHere }: ClaimInput, opened: TokenSet): number {
  return needsNobody(opened) && atLeastGeneration === 1 && !revokedHere ? 0 : atLeastGeneration
}

const needsNobody = (opened: TokenSet) => opened.accessToken === undefined && opened.refreshToken === undefined

/** What the caller sealed, with the lifetimes that are left; a sentence when it can never be read. */
function openSeed(deps: ActivityDeps, input: ClaimInput): TokenSet | string {
  if (input.seed.sealed === undefined) return {}
  try {
    const response = openGrant<unknown>(deps.keyring, input.seed.sealed, input.credential)
    const tokens = parseTokenResponse(response, Date.now())
    if (typeof tokens === 'string') return tokens
    const { accessToken, refreshToken, tokenType, scope } = tokens
    const { accessLivesMs = 0, refreshLivesMs } = input
    // one that is exchanged for its successor may have ended: the provider says so
    const goesOn = input.kind === 'access_token' ? accessToken : refreshToken
    if (goesOn === undefined && accessLivesMs <= 0)
      return 'there is no refresh token, and the access token has ended or does not say when it will'
    const values = valuesIn(response)
    return {
      ...(refreshToken === undefined ? {} : { refreshToken }),
      // one that has ended, or does not say when it will, is of no use to readers: the first refresh is due at once
      ...(accessToken === undefined || (accessLivesMs <= 0 && goesOn !== accessToken)
        ? {}
        : { accessToken, expiresInMs: Math.max(0, accessLivesMs) }),
      ...(values === undefined ? {} : { values }),
      ...(tokenType === undefined ? {} : { tokenType }),
      ...(scope === undefined ? {} : { scope }),
      ...(refreshLivesMs === undefined ? {} : { refreshExpiresInMs: refreshLivesMs }),
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : 'the grant cannot be opened'
    // a key that is missing here can be configured; what was tampered with stays so
    if (error instanceof UnreadableValue && error.code === 'unknown_key')
      throw ApplicationFailure.retryable(message, 'GrantUnreadable')
    return message
  }
}

/** What readers get beside the token, as the caller sealed it. */
function valuesIn(response: unknown): Record<string, string> | undefined {
  const { values } = response as { values?: Record<string, string> }
  return values
}

/** Of what the grant lives on: the same one, handed over twice, is a repeated call. */
function fingerprintsOf({ keyring }: ActivityDeps, kind: GrantKind, { refreshToken, accessToken }: TokenSet) {
  const token = refreshToken ?? (kind === 'access_token' ? accessToken : undefined)
  return token === undefined ? [] : keyring.grant.map((key) => fingerprint(key, token))
}

/** After an attempt whose end is unknown has been waited out: what did it leave, and may its token be sent again? */
export const settleActivity =
  (deps: ActivityDeps) =>
  async (input: SettleInput): Promise<Settled> => {
    const { credential, kind, family, generation, send, previousOwner, grant } = input
    const owner = deps.caller()
    const clocks = new Clocks(owner)
    const begun = { owner, family, generation, send, take: true }
    const { verdict, nowMs, hash } = await deps.store.begin(credential, begun)
    clocks.redisSaid(nowMs)
    if (verdict === 'foreign_namespace') throw new ForeignNamespace()
    const provider = clientOf(deps, credential)?.provider
    const { rotation = 'single_use', graceMs, oldAccessTokenDies } = provider ?? {}
    const rule = {
      rotation: rotationOf(kind, { rotation }),
      send: Math.max(send, (hash?.send ?? 0) + 1),
      ...(hash?.run === undefined || hash.run === owner.run || hash.run === previousOwner ? {} : { foreign: true }),
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(oldAccessTokenDies ? { accessTokenDies: true } : {}),
    }
    if (hash !== undefined && verdict === 'newer')
      return { ...rule, found: found(deps, hash, kind, credential, clocks, grant) }
    if (hash !== undefined && verdict === 'tombstone') return { ...rule, found: revokedBy(hash, clocks) }
    return rule
  }

/** Writes what Redis did not take when it was obtained. */
export const persistActivity =
  (deps: ActivityDeps) =>
  async (input: PersistInput): Promise<Persisted> => {
    const owner = deps.caller()
    const instead = await persist(deps, owner, new Clocks(owner), input)
    return instead === undefined ? {} : { found: instead }
  }

/** Tells readers of a status that no token set comes with. */
export const announceActivity =
  (deps: ActivityDeps) =>
  async (input: AnnounceInput): Promise<{ told: boolean }> => {
    const { credential, family, generation, status, reason, sinceMs } = input
    const { namespace } = deps.caller()
    const nowMs = await deps.store.nowMs()
    const at = (inMs: number | undefined) => (inMs === undefined ? undefined : isoTime(nowMs + inMs))
    const times = {
      accessExpiresAt: at(input.accessRemainingMs),
      nextRefreshAt: at(input.nextAttemptInMs),
      refreshExpiresAt: at(input.refreshRemainingMs),
      reconnectBy: at(input.refreshEndsInMs),
    }
    const verdict = await deps.store.announce(credential, {
      namespace,
      family,
      generation,
      // JSON leaves out what is undefined
      status: JSON.parse(JSON.stringify({ status, reason, since: isoTime(sinceMs), generation, ...times })),
    })
    const news = verdict === 'written' ? newsIn(input) : undefined
    if (news !== undefined) await deps.store.record({ credential, family, generation, status, ...news })
    return { told: verdict === 'written' }
  }

/** What operators are told: a change, or that the grant comes to its end, with the time before that as the mark. */
function newsIn({ event, reason, reconnectSoonMs, refreshEndsInMs = 0 }: AnnounceInput) {
  if (reconnectSoonMs === undefined)
    return event === undefined ? undefined : { event, ...(reason === undefined ? {} : { reason }) }
  const left = `the grant ends in ${spanText(refreshEndsInMs)}`
  return { event: 'reconnect_soon' as const, reason: left, mark: markOf(reconnectSoonMs) }
}

const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
] as const

/** A threshold, exactly, for it tells warnings apart: `14d`, `36h`, `90s`. */
export function markOf(ms: number): string {
  const seconds = Math.round(ms) / 1000
  const [unit, name] = units.find(([one]) => seconds % one === 0) ?? [1, 's']
  return `${seconds / unit}${name}`
}

/** In the largest unit that leaves something, as `14d`. */
function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const [unit, name] = units.find(([one]) => seconds >= one) ?? [1, 's']
  return `${Math.round(seconds / unit)}${name}`
}
