import type { ErrorRules, ExpiryForm, TokenResponseRules } from '../providers/schema.ts'
import { namesSecret } from './harmless.ts'
import { jwtLifetimeMs, knownLifetimeMs, lifetimeMs, numberOf, timeOf } from './lifetime.ts'
import {
  given,
  isGiven,
  isScalar,
  listed,
  type Members,
  memberAt,
  membersOf,
  textOf,
  valueAt,
  valueIn,
} from './members.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import type { TokenSet } from './verdict.ts'

/** What could be read of a token endpoint's answer. */
export interface ParsedAnswer {
  /** whether the body is a JSON object or a form with OAuth members */
  readable: boolean
  tokens: TokenSet
  /** refresh tokens found elsewhere than in their place: in broken or nested JSON, or beside it */
  strayRefreshTokens: string[]
  /** whether the answer says that it is an error */
  refused: boolean
  /** its code, as it was sent */
  error?: string
  /** what the server says to people about it */
  errorText?: string
  /** every value of the answer that must not be repeated */
  secrets: string[]
}

/** Where a provider's answers differ from RFC 6749. */
export interface AnswerRules {
  tokenResponse?: TokenResponseRules
  errors?: ErrorRules
}

/**
 * Reads the answer of a token endpoint, whatever its content type: JSON with a BOM, wrapped in a JSON string, with text
 * before or after it, cut off; or a form (GitHub's default). Tokens are looked for at the top, then in the only object
 * there that holds an access token (`data` of Douyin, Lark and others).
 *
 * @param nowMs epoch time of the answer, which points in time are compared with
 * @param complete whether the body ended as the server meant it to
 */
export function parseTokenAnswer(body: string, nowMs: number, complete = true, rules: AnswerRules = {}): ParsedAnswer {
  const { tokenResponse = {} } = rules
  const text = body.replace(/^\uFEFF/, '').trim()
  const json = jsonMembers(text)
  const members = json?.members ?? formMembers(text, complete)
  const tokens = members === undefined ? {} : tokensOf(members, nowMs, tokenResponse)
  const { accessToken, refreshToken } = tokens
  // inside an answer that has an access token they belong to something else (Slack's authed_user)
  const searched = accessToken === undefined ? text : (json?.around ?? '')
  const strayRefreshTokens = strayRefreshTokensIn(searched, refreshToken, tokenResponse)
  const refusal = members === undefined ? undefined : refusalBy(members, rules)
  const errorText = refusal === undefined ? (htmlTitle(text) ?? shortLine(text)) : refusal.errorText
  return {
    readable: members !== undefined,
    tokens,
    strayRefreshTokens,
    refused: refusal !== undefined && (refusal.refused || (accessToken === undefined && refusal.complains)),
    ...given({ error: refusal?.error, errorText }),
    secrets: [...new Set([accessToken, refreshToken, ...strayRefreshTokens, ...secretsIn(members, 0)].filter(isGiven))],
  }
}

/** What the answer complains of, where the provider's entry says that it does. */
function refusalBy(members: Members, { tokenResponse = {}, errors = {} }: AnswerRules): Refusal {
  const found = refusalOf(members)
  const { success } = tokenResponse
  // where the entry knows how a success is told, nothing else says so
  const told = success === undefined ? found : { refused: !isSuccess(members, success), complains: false }
  const error = valueAt(members, errors.code, codeText) ?? found.error
  const errorText = valueAt(members, errors.message, textOf) ?? found.errorText
  return { refused: told.refused, complains: told.complains, ...given({ error, errorText }) }
}

const codeText = (value: unknown) => (typeof value === 'number' ? String(value) : textOf(value))

function isSuccess(members: Members, { path, is }: NonNullable<TokenResponseRules['success']>): boolean {
  const value = memberAt(members, path)
  return isScalar(value) && String(value) === String(is)
}

/**
 * Reads a token response that a person or program hands over to begin a credential, strictly: a wrong field is named
 * rather than ignored. `expires_at` (seconds or milliseconds since 1970, or ISO 8601) is accepted too, as such
 * responses are often kept for a while; the earliest expiry wins.
 *
 * @param body parsed JSON
 * @param nowMs epoch time of the call
 * @returns the tokens, or a sentence for the operator that holds no part of the response
 */
export function parseTokenResponse(body: unknown, nowMs: number, rules: TokenResponseRules = {}): TokenSet | string {
  const members = membersOf(body)
  if (members === undefined) return 'the token response must be a JSON object'
  const { success } = rules
  const denied = success !== undefined && isScalar(memberAt(members, success.path)) && !isSuccess(members, success)
  if (members.error || denied) return 'the token response is an error, not tokens'
  const wrong = Object.entries(fieldRules).find(([name, { fits }]) => isPresent(members[name]) && !fits(members[name]))
  if (wrong !== undefined) return `${wrong[0]} in the token response must be ${wrong[1].must}`
  if (rules.pair !== undefined && isOfOthers(members, rules.pair))
    return `the token response holds no pair whose token_type is ${rules.pair}`
  const tokens = tokensOf(members, nowMs, rules)
  if (tokens.refreshToken === undefined && tokens.accessToken === undefined)
    return 'the token response has neither refresh_token nor access_token'
  const expiresAtMs = epochMs(members.expires_at)
  if (expiresAtMs === undefined || tokens.accessToken === undefined) return tokens
  const leftMs = Math.max(0, expiresAtMs - nowMs)
  return { ...tokens, expiresInMs: Math.min(tokens.expiresInMs ?? leftMs, leftMs) }
}

const isPresent = (value: unknown) => value !== undefined && value !== null
const isText = (value: unknown) => typeof value === 'string' && value.trim() !== ''
const isDuration = (value: unknown) => numberOf(value) !== undefined

const fieldRules: Record<string, { fits: (value: unknown) => boolean; must: string }> = {
  access_token: { fits: isText, must: 'a non-empty string' },
  refresh_token: { fits: isText, must: 'a non-empty string' },
  token_type: { fits: (value) => typeof value === 'string', must: 'a string' },
  scope: { fits: (value) => scopeOf(value) !== undefined, must: 'a string or a list of strings' },
  expires_in: { fits: isDuration, must: 'a number of seconds' },
  refresh_token_expires_in: { fits: isDuration, must: 'a number of seconds' },
  refresh_expires_in: { fits: isDuration, must: 'a number of seconds' },
  x_refresh_token_expires_in: { fits: isDuration, must: 'a number of seconds' },
  expires_at: {
    fits: (value) => epochMs(value) !== undefined,
    must: 'seconds or milliseconds since 1970, or an ISO 8601 time',
  },
}

function unwrapped(members: Members): Members {
  if (textOf(members.access_token) !== undefined || textOf(members.refresh_token) !== undefined) return members
  const [only, ...others] = Object.values(members)
    .map(membersOf)
    .filter((inner) => inner !== undefined && textOf(inner.access_token) !== undefined)
  return only !== undefined && others.length === 0 ? only : members
}

const isPair = (members: Members) => (textOf(members.access_token) ?? textOf(members.refresh_token)) !== undefined

/** Of several pairs in one answer the one that is meant: at the top, or in a member (Slack's authed_user). */
const pairIn = (members: Members, pair: string): Members | undefined =>
  [members, ...Object.values(members).map(membersOf).filter(isGiven)].find(
    (inner) => isPair(inner) && textOf(inner.token_type)?.toLowerCase() === pair.toLowerCase(),
  )

/**
 * Whether all that was handed over belongs to someone else: two credentials that hold one refresh token would end each
 * other. What was kept without its kind, or with the scheme alone, is taken for the pair that is meant.
 */
function isOfOthers(members: Members, pair: string): boolean {
  if (pairIn(members, pair) !== undefined) return false
  const kind = textOf(members.token_type)?.toLowerCase() ?? 'bearer'
  return !isPair(members) || kind !== 'bearer'
}

/** Where answers say how long a token lives; the first that says something counts. */
const expiryMembers = ['expires_in', 'expires_at', 'expires_on', 'expires', '.expires']
const refreshExpiryMembers = ['refresh_token_expires_in', 'refresh_expires_in', 'x_refresh_token_expires_in']

/** What the entry's paths name, from the root or the pair that is meant; what is not there has its usual name. */
function tokensOf(answer: Members, nowMs: number, rules: TokenResponseRules): TokenSet {
  // the answer to a refresh is of the pair that was refreshed, whatever it says
  const members = rules.pair === undefined ? answer : (pairIn(answer, rules.pair) ?? answer)
  const usual = rules.pair === undefined ? unwrapped(members) : members
  const accessToken = valueAt(members, rules.accessToken, sendable) ?? sendable(usual.access_token)
  const refreshToken = valueAt(members, rules.refreshToken, textOf) ?? textOf(usual.refresh_token)
  const scope = scopeOf(valueAt(members, rules.scope, scopeOf) ?? usual.scope, rules.scopeSeparator)
  const read = (form?: ExpiryForm) => (value: unknown) => lifetimeMs(value, nowMs, form)
  const refreshExpiresInMs =
    valueAt(members, rules.refreshExpiresIn, read(rules.refreshExpiresInForm ?? 'seconds')) ??
    valueIn(usual, refreshExpiryMembers, read('seconds')) ??
    (rules.refreshTokenIsJwt && refreshToken !== undefined ? jwtLifetimeMs(refreshToken, nowMs) : undefined)
  const refreshEndsInMs = valueAt(members, rules.refreshHardExpiresIn, read('seconds'))
  const values = keptValues(answer, rules.keep)
  return {
    ...(accessToken !== undefined && {
      accessToken,
      ...given({
        expiresInMs: knownLifetimeMs({
          answerMs:
            valueAt(members, rules.expiresIn ?? 'expires_in', read(rules.expiresInForm)) ??
            valueIn(usual, expiryMembers, read()),
          jwtMs: jwtLifetimeMs(accessToken, nowMs),
        }),
        tokenType: tokenTypeOf(usual.token_type, rules.tokenType),
      }),
    }),
    ...given({ scope, refreshToken, refreshExpiresInMs, refreshEndsInMs, values }),
  }
}

/** `bot` is no scheme of the Authorization header; where an entry says what is, that holds. */
function tokenTypeOf(value: unknown, unless: string | undefined): string | undefined {
  const told = sendable(value)
  return unless === undefined || told?.toLowerCase() === 'bearer' ? (told ?? unless) : unless
}

const longestValue = 2_000

/** What readers need beside the token, under the names that the entry gives it. */
function keptValues(members: Members, keep: Readonly<Record<string, string>> = {}): Record<string, string> | undefined {
  const found = Object.entries(keep).flatMap(([name, path]) => {
    const value = memberAt(members, path)
    const fits = isScalar(value) && String(value).length <= longestValue && !/\p{C}/u.test(String(value))
    return fits ? [[name, String(value)]] : []
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** Twitch sends a list, others join them by commas. */
function scopeOf(value: unknown, separator = ' '): string | undefined {
  const listed = Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value.join(' ') : value
  if (typeof listed !== 'string' || /\p{C}/u.test(listed)) return undefined
  return separator === ' ' ? listed : listed.split(separator).join(' ')
}

/**
 * What readers put into a header, and commands onto a terminal: visible ASCII and spaces (RFC 6749 appendices A.12 and
 * A.13). A token with a line break in it could not be used, and may be meant to do harm.
 */
function sendable(value: unknown): string | undefined {
  const text = textOf(value)
  return text !== undefined && /^[\x20-\x7e]+$/.test(text) ? text : undefined
}

/** Numbers below 1973 are durations by mistake; above the year 5138 they are milliseconds. */
function epochMs(value: unknown): number | undefined {
  const number = numberOf(value)
  if (number !== undefined) return number < 1e8 ? undefined : number < 1e11 ? number * 1000 : number
  const time = timeOf(value)
  return Number.isNaN(time) ? undefined : time
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The JSON object that the text is, or the first one inside it, between a warning and a footer. What stands inside an
 * object that is broken or cut off is none: Slack's `authed_user` holds another pair than the answer.
 */
function jsonMembers(text: string): { members: Members; around: string } | undefined {
  const whole = parseJson(text)
  if (typeof whole === 'string') return jsonMembers(whole)
  if (whole !== undefined) {
    const members = membersOf(Array.isArray(whole) && whole.length === 1 ? whole[0] : whole)
    return members && { members, around: '' }
  }
  let start = text.indexOf('{')
  for (let tries = 0; start >= 0 && tries < 16; tries++) {
    const end = closingBrace(text, start)
    if (end < start) return undefined
    const members = membersOf(parseJson(text.slice(start, end + 1)))
    if (members !== undefined) return { members, around: `${text.slice(0, start)} ${text.slice(end + 1)}` }
    start = text.indexOf('{', end + 1)
  }
  return undefined
}

/** Where the object that opens at `start` closes, braces in strings aside; before `start` if it never does. */
function closingBrace(text: string, start: number): number {
  let depth = 0
  let inString = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{') depth++
    else if (character === '}' && --depth === 0) return at
  }
  return start - 1
}

function formMembers(text: string, complete: boolean): Members | undefined {
  // of a form that was cut off the last value may be a part of itself
  const whole = complete ? text : text.slice(0, Math.max(0, text.lastIndexOf('&')))
  if (!/^[A-Za-z_]+=/.test(whole)) return undefined
  const members = Object.fromEntries(new URLSearchParams(whole))
  return ['access_token', 'refresh_token', 'error'].some((name) => name in members) ? members : undefined
}

/** Whole `"refresh_token": "…"` members, wherever they are: the closing quote proves that the value is complete. */
function strayRefreshTokensIn(text: string, found: string | undefined, rules: TokenResponseRules): string[] {
  // member names of a path are letters, digits, _ and - alone
  const names = ['refresh_token', ...listed(rules.refreshToken).map((path) => path.split('.').at(-1) ?? '')]
  const member = new RegExp(`[{,]\\s*"(?:${names.join('|')})"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`, 'g')
  return [...text.matchAll(member)]
    .map(([, literal]) => textOf(parseJson(literal ?? '')))
    .filter((token) => token !== undefined)
    .filter((token) => token !== found)
}

/** Of a proxy's HTML page only the title is worth showing, and safe: the rest may hold anything. */
const htmlTitle = (text: string) => text.match(/<title[^<>]*>([^<]{1,500})</i)?.[1]

/** `RBAC: access denied`, `error code: 1015`: a line of words and numbers, none of which can be a piece of a token. */
function shortLine(text: string): string | undefined {
  const isPlain = (word: string) => /^[a-z_'.,:;()/!-]{1,20}$/i.test(word) || /^[\d.,:%-]{1,12}$/.test(word)
  return text.length <= 160 && text.split(/\s+/).every(isPlain) ? text : undefined
}

function secretsIn(value: unknown, depth: number): string[] {
  if (typeof value !== 'object' || value === null || depth > 4) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (typeof member !== 'string') return secretsIn(member, depth + 1)
    // here `code` is that of an error
    return namesSecret(name) && name !== 'code' ? [member] : []
  })
}
