import type { GrantKind, RotationClass } from '../credential.ts'
import type { ErrorRules, TokenResponseRules } from '../providers/schema.ts'
import { meaningOf } from './dictionary.ts'
import { harmless, harmlessCode } from './harmless.ts'
import { answeredAtMs, httpDateMs } from './lifetime.ts'
import { type ParsedAnswer, parseTokenAnswer } from './parse.ts'
import { oauthCode } from './refusal.ts'
import type { TokenSet, Verdict } from './verdict.ts'

/** A response as it came off the wire. */
export interface Answer {
  status: number
  body: string
  /** whether the body ended as the server meant it to */
  complete: boolean
  retryAfter?: string
  date?: string
}

/** How one exchange ended; `reason` and `detail` are our own words. */
export type Outcome =
  | { kind: 'answered'; answer: Answer }
  /** nothing left this machine */
  | { kind: 'unsent'; reason: string; detail: string }
  /** it may have left, and at most a part of an answer came */
  | { kind: 'lost'; reason: string; detail: string; partial?: Answer }

/** What an outcome is judged by. */
export interface JudgeContext {
  grant: GrantKind
  rotation: RotationClass
  sentRefreshToken?: string
  /** what the request held that no verdict may repeat */
  secrets: readonly string[]
  /** where the provider's answers differ */
  tokenResponse?: TokenResponseRules
  errors?: ErrorRules
  /** nothing can be refreshed any more, whatever the provider says of it: a refusal is final */
  pastSaving?: boolean
  /** epoch time of the answer; its own Date header wins, so that a wrong clock here shortens no token */
  nowMs: number
}

const clientRefused = new Map([
  ['invalid_client', { secretRefused: true }],
  ['unauthorized_client', { secretRefused: true }],
  ['invalid_scope', { secretRefused: false }],
  ['invalid_request', { secretRefused: false }],
  ['unsupported_grant_type', { secretRefused: false }],
])

/** Codes of RFC 6749 section 4.1.2.1 and RFC 8628 section 3.5 that token endpoints borrow to say "later". */
const laterCodes = new Set(['temporarily_unavailable', 'server_error', 'slow_down'])

/**
 * Says what one attempt means. First match wins:
 *
 * 1. nothing left → `unsent`; nothing came back → `ambiguous`
 * 2. tokens: an access token in a 2xx without `error`, or a refresh token that is new, in any answer → `granted`
 * 3. a 2xx without `error` and without them → `ambiguous`; where it repeats the refresh token that was sent → `unclear`
 * 4. what the provider's entry says of its errors; `invalid_grant` in any status → `grant_refused`
 * 5. the status, before any other code, for these say whether the server did the work: 429, 408 → `throttled`; 503 →
 *    `throttled` if it says so on purpose (Retry-After, an OAuth code) or a replay is safe; every 5xx else → `ambiguous`
 * 6. codes against the client → `client_refused`; codes that say "later" → `throttled`; anything else → `unclear`
 *
 * An answer that was cut off is judged the same way: all but rule 3 hold from what did come.
 */
export function judge(outcome: Outcome, context: JudgeContext): Verdict {
  if (outcome.kind === 'unsent') return outcome
  if (outcome.kind === 'answered') return judgeAnswer(outcome.answer, context)
  const lost = { kind: 'ambiguous', reason: outcome.reason, detail: outcome.detail } as const
  if (outcome.partial === undefined) return lost
  const verdict = judgeAnswer(outcome.partial, context)
  return verdict.kind === 'ambiguous' ? lost : verdict
}

function judgeAnswer(answer: Answer, context: JudgeContext): Verdict {
  const nowMs = answeredAtMs(answer.date, context.nowMs)
  const parsed = parseTokenAnswer(answer.body, nowMs, answer.complete, context)
  const accepted = answer.status >= 200 && answer.status < 300 && !parsed.refused
  const tokens = accepted ? grantedTokens(parsed, context) : savedTokens(parsed, context, isPlausible)
  if (tokens !== undefined) return { kind: 'granted', tokens }
  // an error that only the entry's dictionary knows for one
  const isKnown = meaningOf({ status: answer.status, ...parsed }, context.errors) !== undefined
  return accepted && !isKnown ? withoutTokens(answer, parsed) : refusal(answer, parsed, context, nowMs)
}

function grantedTokens(parsed: ParsedAnswer, context: JudgeContext): TokenSet | undefined {
  const { tokens } = parsed
  if (tokens.accessToken === undefined) return savedTokens(parsed, context, () => true)
  return tokens.refreshToken === undefined ? { ...tokens, ...savedTokens(parsed, context, () => true) } : tokens
}

/** A rotated refresh token is kept whatever else is wrong: this answer may hold its only copy. */
function savedTokens(
  parsed: ParsedAnswer,
  context: JudgeContext,
  fits: (token: string) => boolean,
): TokenSet | undefined {
  if (context.grant !== 'refresh_token') return undefined
  const sent = context.sentRefreshToken ?? ''
  const isNew = (token: string) => fits(token) && !sent.includes(token) && !/\*{3}|\.{3}|…/.test(token)
  const { refreshToken, refreshExpiresInMs, refreshEndsInMs, scope } = parsed.tokens
  if (refreshToken !== undefined && isNew(refreshToken))
    return {
      refreshToken,
      ...(refreshExpiresInMs !== undefined && { refreshExpiresInMs }),
      ...(refreshEndsInMs !== undefined && { refreshEndsInMs }),
      ...(scope !== undefined && { scope }),
    }
  const stray = parsed.strayRefreshTokens.find(isNew)
  return stray === undefined ? undefined : { refreshToken: stray }
}

/** In an error answer the member may be an echo, a mask or a validation message, which must not replace a good token. */
const isPlausible = (token: string) => /^[\w.~+/=|:@$!-]{16,}$/.test(token)

/** A 2xx that grants nothing new: unless it shows that the refresh token lives, it may have been spent. */
function withoutTokens(answer: Answer, parsed: ParsedAnswer): Verdict {
  if (parsed.tokens.refreshToken !== undefined) {
    const detail = `HTTP ${answer.status} with the refresh token that was sent and no access token`
    return { kind: 'unclear', reason: 'no_access_token', detail }
  }
  if (!parsed.readable)
    return {
      kind: 'ambiguous',
      reason: 'unreadable',
      detail: `HTTP ${answer.status} with a body that is no token answer`,
    }
  return {
    kind: 'ambiguous',
    reason: 'no_token',
    detail: `HTTP ${answer.status} with neither access nor refresh token`,
  }
}

function refusal(answer: Answer, parsed: ParsedAnswer, context: JudgeContext, nowMs: number): Verdict {
  const { status } = answer
  const secrets = [...context.secrets, ...parsed.secrets]
  const code = oauthCode(parsed.error)
  const shown = parsed.error === undefined ? undefined : harmlessCode(parsed.error.trim(), secrets)
  const said = [shown === undefined ? parsed.error : undefined, parsed.errorText].filter((text) => text !== undefined)
  const detail = harmless([`HTTP ${status}`, ...said].join(': '), secrets)
  const isOurs = code === 'invalid_grant' || clientRefused.has(code) || laterCodes.has(code)
  const reason = isOurs ? code : (shown ?? `http_${status}`)

  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs)
  const throttled = { kind: 'throttled', reason, detail, ...(retryAfterMs !== undefined && { retryAfterMs }) } as const
  const meaning = meaningOf({ status, error: parsed.error, errorText: parsed.errorText }, context.errors)
  if (meaning === 'throttled') return throttled
  if (meaning === 'too_early') return { kind: 'too_early', reason, detail }
  if (meaning === 'client_refused') return { kind: 'client_refused', reason, detail, secretRefused: true }
  if (meaning === 'grant_refused' || code === 'invalid_grant') return { kind: 'grant_refused', reason, detail }
  if (status === 429 || status === 408) return throttled
  if (status === 503) {
    const onPurpose = answer.retryAfter !== undefined || isOurs || shown !== undefined
    const replayIsSafe = context.rotation !== 'single_use' || context.grant !== 'refresh_token'
    return onPurpose || replayIsSafe ? throttled : { kind: 'ambiguous', reason, detail }
  }
  if (status >= 500) return { kind: 'ambiguous', reason, detail }
  const client = clientRefused.get(code)
  if (client !== undefined) return { kind: 'client_refused', reason, detail, ...client }
  if (laterCodes.has(code)) return throttled
  return context.pastSaving && status < 500
    ? { kind: 'grant_refused', reason, detail }
    : { kind: 'unclear', reason, detail }
}

const shortestRetryMs = 1_000
const longestRetryMs = 6 * 60 * 60 * 1000

/**
 * Reads Retry-After (RFC 9110 section 10.2.3), seconds or an HTTP date, within 1 s and 6 h.
 *
 * @returns absent where it is neither
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? ''
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(longestRetryMs, Math.max(shortestRetryMs, Math.round(ms)))
}
