/**
 * Why there is no token to hand out, as errors.
 */
import {
  CredentialNotFound,
  CredentialRevoked,
  type ErrorDetails,
  type ReaderError,
  ReconnectRequired,
  TokenExpired,
  TokenPending,
  UnreadableValue,
} from './errors.ts'
import type { StatusDocument } from './format.ts'

/** Why there is no valid access token, as the status document tells it. */
export function refusal(id: string, document: StatusDocument | undefined): ReaderError {
  if (document === undefined)
    return new CredentialNotFound(
      `nothing is stored for ${id}: begin it with "perennial start ${id}", or check the id`,
      { credential: id },
    )
  const { status, reason = status, since } = document
  const details: ErrorDetails = { credential: id, reason, since: new Date(since) }
  const because = `${reason}, since ${since}`
  if (status === 'pending') return new TokenPending(`${id} has no access token yet (${because})`, details)
  if (status === 'revoked')
    return new CredentialRevoked(`${id} was revoked (${because}): a new consent begins it again`, details)
  if (status === 'reconnect_required')
    return new ReconnectRequired(
      `${id} needs a new consent (${because}): ask the user, then "perennial reconnect ${id}"`,
      details,
    )
  return expired(id, document.accessExpiresAt ?? since, reason)
}

export const expired = (id: string, since: string, reason: string) =>
  new TokenExpired(
    `the access token of ${id} expired at ${since} and there is no newer one yet (${reason}): try again later, or see "perennial show ${id}"`,
    { credential: id, reason, since: new Date(since) },
  )

export const tooShort = (id: string, remainingMs: number, minRemainingMs: number) =>
  new TokenExpired(
    `the access token of ${id} is valid for ${Math.floor(remainingMs)} ms, less than the ${minRemainingMs} ms asked for`,
    { credential: id, reason: 'min_remaining' },
  )

export const rejected = (id: string, generation: number) =>
  new TokenExpired(`the access token of ${id}, generation ${generation}, was rejected and there is no newer one yet`, {
    credential: id,
    reason: 'rejected',
  })

export const rolledBack = (id: string, seen: number, found: number) =>
  new UnreadableValue(
    'rolled_back',
    `generation ${found} is stored for ${id}, and ${seen} has been read before: an older copy was put back; it was not used`,
    { credential: id },
  )
