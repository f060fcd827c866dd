import { randomUUID } from 'node:crypto'
import type { AccessDocument, StatusDocument } from '../../packages/reader/src/format.ts'
import { type GrantKind, needsPerson, type RotationClass } from '../credential.ts'
import { accessLifetimeMs, longestLifetimeMs, type TokenSet } from '../oauth/index.ts'
import type { Provider } from '../providers/provider.ts'
import type { GrantHash, TokenSetWrite } from '../store/store.ts'
import type { Refreshed } from '../workflows/messages.ts'
import { dueWithinMs, type TimeRules } from '../workflows/schedule.ts'
import { type Clocks, isoTime } from './clocks.ts'
import { type Answered, type Deadlines, deadlines } from './deadlines.ts'
import { type ActivityDeps, clientOf, type GrantProblem, grantProblem, sealAccess, sealGrant } from './deps.ts'
import { type Grant, grantAfter } from './grant.ts'

/** A token set on its way into the store and back to the workflow. */
export interface Generation {
  credential: string
  kind: GrantKind
  family: string
  generation: number
  writer: string
  beganMs: number
  tokens: TokenSet
  /** the grant as it was sealed before; stays when the provider did not rotate */
  heldGrant?: string
  /** what it holds; absent where no answer came, for it stays as it is sealed whether or not a key opens it here */
  held?: Grant
  seeds: string[]
  parameters: Record<string, string>
  activeSinceMs?: number
  /** what was known of the end of the refresh token that was used; absent for a grant that was just handed over */
  before?: NonNullable<Answered['before']>
  /** where no answer came: that stays as it is known */
  ends?: Deadlines
  /** when it is refreshed, where it holds no access token that says so */
  turnInMs?: number
}

/** Makes what the store is given and what the workflow is told, from one set of tokens. */
export function prepare(
  deps: ActivityDeps,
  clocks: Clocks,
  from: Generation,
): { write: TokenSetWrite; refreshed: Refreshed } {
  const { credential, family, generation, tokens } = from
  const context = { cred: credential, family, gen: generation }
  const provider = clientOf(deps, credential)?.provider
  const { held: known } = from
  const next = grantAfter(tokens, known, { kind: from.kind, provider })
  const grant = next === undefined ? undefined : sealGrant(deps.keyring, next, context)
  const values = { ...known?.values, ...tokens.values }
  const lifetimeMs = livesMs(tokens, provider)
  const ends = from.ends ?? deadlinesAfter(deps, from, known)
  const dueInMs =
    lifetimeMs === undefined ? turnInMs(from, ends) : dueInAtLeastMs(lifetimeMs, from.kind, credential, ends, provider)
  const redisMs = clocks.redisNowMs()
  const access = lifetimeMs === undefined ? undefined : accessValue(deps, from, { redisMs, lifetimeMs, values })
  const at = (inMs: number | undefined) => (inMs === undefined ? undefined : redisMs + inMs)
  const refreshExpiresAtMs = at(ends.livesMs)
  const refreshEndsAtMs = at(ends.endsInMs)
  const sealed = grant ?? from.heldGrant
  return {
    write: {
      credential,
      family,
      generation,
      writer: from.writer,
      beganMs: from.beganMs,
      seeds: from.seeds,
      parameters: from.parameters,
      status: statusOf(from, { redisMs, dueInMs, lifetimeMs, refreshExpiresAtMs, refreshEndsAtMs }),
      ...(access === undefined ? {} : { access }),
      ...(sealed === undefined ? {} : { grant: sealed }),
      ...(refreshExpiresAtMs === undefined ? {} : { refreshExpiresAtMs }),
      ...(refreshEndsAtMs === undefined ? {} : { refreshEndsAtMs }),
    },
    refreshed: {
      family,
      generation,
      obtainedAtMs: clocks.serverNowMs(),
      dueInMs,
      ...(lifetimeMs === undefined ? {} : { accessLivesMs: lifetimeMs }),
      ...toldOf(deps, ends),
      ...(grant === undefined ? {} : { grant }),
    },
  }
}

/** A client that asks in its own name has no refresh token that could die, whatever its provider's others do. */
const deadlinesAfter = (deps: ActivityDeps, { credential, kind, tokens, before }: Generation, held?: Grant) =>
  deadlines({
    rules: kind === 'refresh_token' ? (clientOf(deps, credential)?.provider ?? {}) : {},
    saidMs: tokens.refreshExpiresInMs,
    saidEndMs: tokens.refreshEndsInMs,
    // the same one again is no new one
    rotated: tokens.refreshToken !== undefined && tokens.refreshToken !== held?.refresh_token,
    before,
  })

/** A refresh token does not die while it waits for its turn. */
const turnInMs = ({ turnInMs = 0 }: Generation, { livesMs = Number.POSITIVE_INFINITY }: Deadlines) =>
  Math.max(0, Math.min(turnInMs, livesMs / 2))

/** No lifetime is so short that a provider is asked more than once a second. */
const dueInAtLeastMs = (lifetimeMs: number, kind: GrantKind, credential: string, ends: Deadlines, rules?: TimeRules) =>
  Math.max(1_000, Math.round(dueWithinMs(lifetimeMs, kind, credential, ends, rules)))

/** What the workflow is told of the end of a refresh token. */
const toldOf = ({ config }: ActivityDeps, { livesMs, endsInMs }: Deadlines) => ({
  ...(livesMs === undefined ? {} : { refreshLivesMs: Math.round(livesMs) }),
  ...(endsInMs === undefined
    ? {}
    : { refreshEndsInMs: Math.round(endsInMs), warnBeforeMs: config.warnings.reconnectSoonMs }),
})

/** Undefined where there is no access token, or only one that has ended: its refresh follows, but not in a tight loop. */
function livesMs(
  { accessToken, expiresInMs }: TokenSet,
  provider: Pick<Provider, 'accessTokenSeconds' | 'accessTokenNeverExpires'> | undefined,
): number | undefined {
  const { accessTokenSeconds, accessTokenNeverExpires } = provider ?? {}
  const stated = accessTokenSeconds === undefined ? undefined : accessTokenSeconds * 1000
  const ms = accessLifetimeMs({
    answerMs: expiresInMs,
    catalogueMs: accessTokenNeverExpires ? longestLifetimeMs : stated,
  })
  return accessToken === undefined || ms < 1 ? undefined : ms
}

function accessValue(
  deps: ActivityDeps,
  from: Generation,
  { redisMs, lifetimeMs, values }: { redisMs: number; lifetimeMs: number; values: Record<string, string> },
) {
  const { credential, family, generation, tokens } = from
  const expiresAtMs = redisMs + Math.round(lifetimeMs)
  const document: AccessDocument = {
    credential,
    family,
    generation,
    access_token: tokens.accessToken ?? '',
    token_type: tokens.tokenType ?? 'Bearer',
    ...(tokens.scope === undefined ? {} : { scope: tokens.scope }),
    expires_at: isoTime(expiresAtMs),
    obtained_at: isoTime(redisMs),
    ...(Object.keys(values).length === 0 ? {} : { values }),
    ...(clientOf(deps, credential)?.provider.oldAccessTokenDies ? { dies_at_refresh: true } : {}),
  }
  const context = { cred: credential, family, gen: generation }
  const value = deps.config.readers.sealed ? sealAccess(deps.keyring, document, context) : JSON.stringify(document)
  return { value, expiresAtMs }
}

function statusOf(
  from: Generation,
  at: {
    redisMs: number
    dueInMs: number
    lifetimeMs: number | undefined
    refreshExpiresAtMs: number | undefined
    refreshEndsAtMs: number | undefined
  },
): StatusDocument {
  const { redisMs, dueInMs, lifetimeMs, refreshExpiresAtMs, refreshEndsAtMs } = at
  return {
    status: lifetimeMs === undefined ? 'pending' : 'active',
    since: isoTime((lifetimeMs === undefined ? undefined : from.activeSinceMs) ?? redisMs),
    generation: from.generation,
    nextRefreshAt: isoTime(redisMs + dueInMs),
    ...(lifetimeMs === undefined ? {} : { accessExpiresAt: isoTime(redisMs + lifetimeMs) }),
    ...(refreshExpiresAtMs === undefined ? {} : { refreshExpiresAt: isoTime(refreshExpiresAtMs) }),
    ...(refreshEndsAtMs === undefined ? {} : { reconnectBy: isoTime(refreshEndsAtMs) }),
  }
}

/**
 * What the workflow is told of a generation that it finds in the store.
 *
 * @param held the grant that the workflow goes on with otherwise
 * @throws UnusableHash when the grant there is not what a worker wrote for this credential, family and generation
 */
export function found(
  deps: ActivityDeps,
  hash: GrantHash,
  kind: GrantKind,
  credential: string,
  clocks: Clocks,
  held?: string,
): Refreshed {
  const { family, generation } = hash
  const place = { family, generation, ...(held === undefined ? {} : { held }) }
  const wrong = hash.grant === undefined ? undefined : grantProblem(deps.keyring, hash.grant, credential, place)
  if (wrong !== undefined) throw new UnusableHash(credential, wrong)
  const left = (atMs: number | undefined) => (atMs === undefined ? undefined : atMs - clocks.redisNowMs())
  const accessLivesMs = left(hash.accessExpiresAtMs)
  const livesMs = left(hash.refreshExpiresAtMs)
  const endsInMs = left(hash.refreshEndsAtMs)
  const ends = { ...(livesMs === undefined ? {} : { livesMs }), ...(endsInMs === undefined ? {} : { endsInMs }) }
  const lives = accessLivesMs !== undefined && accessLivesMs > 0
  const rules = clientOf(deps, credential)?.provider
  return {
    family,
    generation,
    obtainedAtMs: clocks.serverNowMs(),
    dueInMs: lives ? Math.round(dueWithinMs(accessLivesMs, kind, credential, ends, rules)) : 0,
    ...(lives ? { accessLivesMs } : {}),
    ...toldOf(deps, ends),
    ...(hash.grant === undefined ? {} : { grant: hash.grant }),
    seeds: hash.seeds,
    ...(hash.tombstone ? { revoked: true as const } : {}),
  }
}

/** The grant in the store cannot be gone on with, and what stands there is newer than what the workflow has. */
export class UnusableHash extends Error {
  readonly reason: GrantProblem['reason']

  constructor(credential: string, { reason, detail }: GrantProblem) {
    super(`the grant of ${credential} in Redis is not used and not overwritten: ${detail}`)
    this.name = 'UnusableHash'
    this.reason = reason
  }
}

/** The credential was revoked by another hand; nothing of it is to be used. */
export const revokedBy = (hash: GrantHash, clocks: Clocks): Refreshed => ({
  family: hash.family,
  generation: hash.generation,
  obtainedAtMs: clocks.serverNowMs(),
  dueInMs: 0,
  revoked: true,
})

/**
 * How an unanswered request may be repeated. Where nothing is sent that a person consented to, there is nothing that it
 * could have spent.
 */
export const rotationOf = (kind: GrantKind, { rotation }: { rotation: RotationClass }): RotationClass =>
  needsPerson(kind) ? rotation : 'none'

export const newWriter = () => randomUUID()
