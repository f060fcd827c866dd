import type { ErrorRules, RevocationRules, TokenResponseRules } from '../providers/schema.ts'
import { type ClientIdentity, proofOf } from './client-proof.ts'
import { harmless, harmlessCode } from './harmless.ts'
import { type Answer, type Outcome, parseRetryAfter } from './judge.ts'
import { type Message, write } from './message.ts'
import { parseTokenAnswer } from './parse.ts'
import { filledHeaders, filledParameters } from './request.ts'

/** A token that is to be good no longer. */
export interface RevocationRequest extends ClientIdentity {
  endpoint: string
  /** where it can be asked whether that worked (RFC 7662) */
  introspectionEndpoint?: string
  token: string
  hint: 'refresh_token' | 'access_token'
  /** where revoking differs from RFC 7009 */
  revocation?: RevocationRules
  /** how a success is told from an error with status 200 */
  tokenResponse?: TokenResponseRules
  errors?: ErrorRules
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
  ask: (message: Message) => Promise<Outcome>,
  nowMs: number,
): Promise<Revocation> {
  const answered = judgeRevocation(await ask(revocationMessage(request)), request, nowMs)
  if (answered.kind !== 'revoked' || request.introspectionEndpoint === undefined) return answered
  return judgeIntrospection(await ask(introspectionMessage(request, request.introspectionEndpoint)))
}

export function revocationMessage(request: RevocationRequest): Message {
  const { endpoint, token, hint, revocation = {}, clientId, clientSecret = '', values = {} } = request
  const { method = 'POST', encoding = method === 'GET' ? 'query' : 'form', auth, tokenParameter } = revocation
  const known = { ...values, client_id: clientId, client_secret: clientSecret }
  const proof = proofFor(request, endpoint)
  // a vendor's own recipe has no place for it
  const hinted = encoding === 'form' && tokenParameter === undefined && auth !== 'access_token'
  return write({
    method,
    endpoint,
    encoding,
    parameters: {
      ...proof.parameters,
      [tokenParameter ?? 'token']: token,
      ...(hinted && { token_type_hint: hint }),
      ...filledParameters(revocation.add, known),
    },
    headers: { ...proof.headers, ...filledHeaders(revocation.headers, known) },
    secrets: proof.secrets,
  })
}

/** RFC 7662 section 2.1, asked by the client. */
export function introspectionMessage(request: RevocationRequest, endpoint: string): Message {
  const { token, hint } = request
  const proof = proofFor(request, endpoint)
  return write({
    method: 'POST',
    endpoint,
    encoding: 'form',
    parameters: { ...proof.parameters, token, token_type_hint: hint },
    headers: proof.headers,
    secrets: proof.secrets,
  })
}

function proofFor(request: RevocationRequest, endpoint: string) {
  const { auth } = request.revocation ?? {}
  if (auth === undefined) return proofOf(request, endpoint)
  if (auth === 'access_token')
    return { parameters: {}, headers: { authorization: `Bearer ${request.token}` }, secrets: [] }
  if (auth === 'none') return { parameters: {}, headers: {}, secrets: [] }
  return proofOf({ ...request, clientAuth: auth }, endpoint)
}

export function judgeRevocation(outcome: Outcome, request: RevocationRequest, nowMs: number): Revocation {
  if (outcome.kind !== 'answered') return { kind: 'failed', reason: outcome.reason, detail: outcome.detail }
  const { answer } = outcome
  const { refused, code, reason, detail } = describe(answer, request)
  if (answer.status >= 200 && answer.status < 300 && !refused) return { kind: 'revoked' }
  if (code === 'unsupported_token_type') return { kind: 'unsupported', reason, detail }
  if (isGone(answer.status, code, request)) return { kind: 'revoked' }
  if (code === 'invalid_client' || code === 'unauthorized_client') return { kind: 'secret_refused', reason, detail }
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs)
  return { kind: 'failed', reason, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** What is said of a token that is gone already, by servers that do not follow RFC 7009. */
function isGone(status: number, code: string, { revocation = {} }: RevocationRequest): boolean {
  if (code === 'invalid_token' || code === 'invalid_grant') return true
  if (revocation.method === 'DELETE' && (status === 404 || status === 410)) return true
  // a token that proves itself by itself, and is not believed
  return revocation.auth === 'access_token' && (status === 401 || /invalid|revoked|expired|inactive/.test(code))
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
  const rules = {
    ...(request.tokenResponse && { tokenResponse: request.tokenResponse }),
    ...(request.errors && { errors: request.errors }),
  }
  const parsed = parseTokenAnswer(answer.body, 0, answer.complete, rules)
  const secrets = [request.token, request.clientSecret, ...parsed.secrets].filter((secret) => secret !== undefined)
  const code = parsed.error?.trim().toLowerCase() ?? ''
  const shown = parsed.error === undefined ? undefined : harmlessCode(parsed.error.trim(), secrets)
  const detail = harmless([`HTTP ${answer.status}`, parsed.errorText].filter((text) => text).join(': '), secrets)
  return { refused: parsed.refused, code, reason: shown ?? `http_${answer.status}`, detail }
}
