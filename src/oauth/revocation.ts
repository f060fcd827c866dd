import { harmless, harmlessCode } from './harmless.ts'
import { type Answer, type Outcome, parseRetryAfter } from './judge.ts'
import { parseTokenAnswer } from './parse.ts'
import { authenticated, type ClientIdentity, type TokenMessage } from './request.ts'

/** A token that is to be good no longer. */
export interface RevocationRequest extends ClientIdentity {
  endpoint: string
  /** where it can be asked whether that worked (RFC 7662) */
  introspectionEndpoint?: string
  token: string
  hint: 'refresh_token' | 'access_token'
}

/** What came of asking. Everything but `revoked` and `unsupported` is asked again. */
export type Revocation =
  | { kind: 'revoked' }
  /** the provider does not revoke tokens of this kind (RFC 7009 section 2.2.1) */
  | { kind: 'unsupported'; reason: string; detail: string }
  /** another secret of the client may be accepted */
  | { kind: 'secret_refused'; reason: string; detail: string }
  | { kind: 'failed'; reason: string; detail: string; retryAfterMs?: number }

/**
 * Revokes one token. A token that is not known there is answered with 200 (RFC 7009 section 2.2), and so is one that
 * a server could not look up because its database was away: where introspection exists, it has the last word.
 */
export async function revoke(
  request: RevocationRequest,
  ask: (endpoint: string, message: TokenMessage) => Promise<Outcome>,
  nowMs: number,
): Promise<Revocation> {
  const form = () => new URLSearchParams({ token: request.token, token_type_hint: request.hint })
  const answered = judgeRevocation(await ask(request.endpoint, authenticated(form(), request)), request, nowMs)
  if (answered.kind !== 'revoked' || request.introspectionEndpoint === undefined) return answered
  return judgeIntrospection(await ask(request.introspectionEndpoint, authenticated(form(), request)))
}

export function judgeRevocation(outcome: Outcome, request: RevocationRequest, nowMs: number): Revocation {
  if (outcome.kind !== 'answered') return { kind: 'failed', reason: outcome.reason, detail: outcome.detail }
  const { answer } = outcome
  if (answer.status >= 200 && answer.status < 300) return { kind: 'revoked' }
  const { code, reason, detail } = describe(answer, request)
  if (code === 'unsupported_token_type') return { kind: 'unsupported', reason, detail }
  // said of a token that is gone already by servers that do not follow RFC 7009
  if (code === 'invalid_token' || code === 'invalid_grant') return { kind: 'revoked' }
  if (code === 'invalid_client' || code === 'unauthorized_client') return { kind: 'secret_refused', reason, detail }
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs)
  return { kind: 'failed', reason, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** Only a clear yes counts: a provider that does not answer this question has answered the other one. */
export function judgeIntrospection(outcome: Outcome): Revocation {
  const active = outcome.kind === 'answered' && outcome.answer.status === 200 && isActive(outcome.answer.body)
  if (!active) return { kind: 'revoked' }
  return { kind: 'failed', reason: 'still_active', detail: 'the provider says revoked, and that the token is active' }
}

function isActive(body: string): boolean {
  try {
    const answer: unknown = JSON.parse(body)
    return typeof answer === 'object' && answer !== null && 'active' in answer && answer.active === true
  } catch {
    return false
  }
}

function describe(answer: Answer, request: RevocationRequest) {
  const parsed = parseTokenAnswer(answer.body, 0, answer.complete)
  const secrets = [request.token, request.clientSecret, ...parsed.secrets].filter((secret) => secret !== undefined)
  const code = parsed.error?.trim().toLowerCase() ?? ''
  const shown = parsed.error === undefined ? undefined : harmlessCode(parsed.error.trim(), secrets)
  const detail = harmless([`HTTP ${answer.status}`, parsed.errorText].filter((text) => text).join(': '), secrets)
  return { code, reason: shown ?? `http_${answer.status}`, detail }
}
