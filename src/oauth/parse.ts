import { Buffer } from 'node:buffer'
import { namesSecret } from './harmless.ts'
import type { TokenSet } from './verdict.ts'

/** What could be read of a token endpoint's answer. */
export interface ParsedAnswer {
  /** whether the body is a JSON object or a form with OAuth members */
  readable: boolean
  tokens: TokenSet
  /** refresh tokens found elsewhere than in their place: in broken or nested JSON; only where `tokens` holds none */
  strayRefreshTokens: string[]
  /** whether there is an `error` member that says something */
  refused: boolean
  /** that member, where it is a string */
  error?: string
  /** what the server says to people about it */
  errorText?: string
  /** every value of the answer that must not be repeated */
  secrets: string[]
}

type Members = Record<string, unknown>

/** Beyond this a lifetime is taken for a mistake (milliseconds for seconds, a date) and ignored. */
const longestLifetimeMs = 10 * 365 * 24 * 60 * 60 * 1000

/**
 * Reads the answer of a token endpoint, whatever its content type: JSON with a BOM, wrapped in a JSON string, with text
 * before or after it, cut off; or a form (GitHub's default).
 *
 * A lifetime of zero or less counts as unknown: servers say 0 and -1 for "never", no server hands out a dead token on
 * purpose, and a refresh that is always due at once would spend refresh tokens as fast as the network allows. Where the
 * access token is a JWT, its own `exp` wins when it is earlier (a replay inside a grace window names a full lifetime).
 *
 * @param nowMs epoch time that a JWT's `exp` is compared with
 * @param complete whether the body ended as the server meant it to
 */
export function parseTokenAnswer(body: string, nowMs: number, complete = true): ParsedAnswer {
  const text = body.replace(/^\uFEFF/, '').trim()
  const members = jsonMembers(text) ?? formMembers(text, complete)
  const tokens = members === undefined ? {} : tokensOf(members, nowMs)
  const tokenless = tokens.accessToken === undefined && tokens.refreshToken === undefined
  const strayRefreshTokens = tokenless ? strayRefreshTokensIn(text) : []
  const error = members?.error
  const errorText = members === undefined ? htmlTitle(text) : errorTextOf(members)
  return {
    readable: members !== undefined,
    tokens,
    strayRefreshTokens,
    refused: Boolean(error),
    ...(typeof error === 'string' && error !== '' && { error }),
    ...(errorText !== undefined && { errorText }),
    secrets: [...strayRefreshTokens, ...secretsIn(members, 0)],
  }
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
export function parseTokenResponse(body: unknown, nowMs: number): TokenSet | string {
  const members = membersOf(body)
  if (members === undefined) return 'the token response must be a JSON object'
  if (members.error) return 'the token response is an error (it has an "error" member), not tokens'
  const wrong = Object.entries(fieldRules).find(([name, rule]) => isPresent(members[name]) && !rule.fits(members[name]))
  if (wrong !== undefined) return `${wrong[0]} in the token response must be ${wrong[1].must}`
  const tokens = tokensOf(members, nowMs)
  if (tokens.refreshToken === undefined && tokens.accessToken === undefined)
    return 'the token response has neither refresh_token nor access_token'
  const expiresAtMs = epochMs(members.expires_at)
  if (expiresAtMs === undefined || tokens.accessToken === undefined) return tokens
  return { ...tokens, ...lifetime(tokens.expiresInMs, Math.max(0, expiresAtMs - nowMs)) }
}

const isPresent = (value: unknown) => value !== undefined && value !== null
const isText = (value: unknown) => typeof value === 'string' && value.trim() !== ''
const isDuration = (value: unknown) => secondsOf(value) !== undefined

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

function tokensOf(members: Members, nowMs: number): TokenSet {
  const accessToken = textOf(members.access_token)
  const refreshToken = textOf(members.refresh_token)
  const tokenType = textOf(members.token_type)
  const scope = scopeOf(members.scope)
  const refreshExpiresInMs =
    lifetimeMs(members.refresh_token_expires_in) ??
    lifetimeMs(members.refresh_expires_in) ??
    lifetimeMs(members.x_refresh_token_expires_in)
  return {
    ...(accessToken !== undefined && {
      accessToken,
      ...lifetime(lifetimeMs(members.expires_in), jwtLifetimeMs(accessToken, nowMs)),
      ...(tokenType !== undefined && { tokenType }),
    }),
    ...(scope !== undefined && { scope }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(refreshExpiresInMs !== undefined && { refreshExpiresInMs }),
  }
}

/** The earliest of what is known. */
function lifetime(...candidatesMs: (number | undefined)[]): { expiresInMs?: number } {
  const known = candidatesMs.filter((candidate) => candidate !== undefined && candidate <= longestLifetimeMs)
  return known.length === 0 ? {} : { expiresInMs: Math.min(...known.map(Number)) }
}

const textOf = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value : undefined)

/** Twitch sends a list. */
function scopeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value.join(' ') : undefined
}

/** Seconds as `3600`, `"3600"` or `"3600s"`. */
function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const digits = typeof value === 'string' ? value.match(/^\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*s?\s*$/i)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

function lifetimeMs(value: unknown): number | undefined {
  const ms = Math.round((secondsOf(value) ?? 0) * 1000)
  return ms > 0 && ms <= longestLifetimeMs ? ms : undefined
}

/** What is left of a JWT by its own `exp` (RFC 7519 section 4.1.4); the signature is for those who accept it. */
function jwtLifetimeMs(token: string, nowMs: number): number | undefined {
  const [, payload, signature, ...rest] = token.split('.')
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined
  const exp = membersOf(parseJson(Buffer.from(payload, 'base64url').toString('utf8')))?.exp
  return typeof exp === 'number' && Number.isFinite(exp) ? Math.max(0, Math.round(exp * 1000 - nowMs)) : undefined
}

/** Numbers below 1973 are durations by mistake; above the year 5138 they are milliseconds. */
function epochMs(value: unknown): number | undefined {
  const number = secondsOf(value)
  if (number !== undefined) return number < 1e8 ? undefined : number < 1e11 ? number * 1000 : number
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return undefined
  const parsed = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`)
  return Number.isNaN(parsed) ? undefined : parsed
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The JSON object that the text is, or the first one inside it. */
function jsonMembers(text: string): Members | undefined {
  const whole = parseJson(text)
  if (typeof whole === 'string') return jsonMembers(whole)
  if (whole !== undefined) return membersOf(whole)
  let start = text.indexOf('{')
  for (let tries = 0; start >= 0 && tries < 16; tries++) {
    const members = membersOf(parseJson(text.slice(start, closingBrace(text, start) + 1)))
    if (members !== undefined) return members
    start = text.indexOf('{', start + 1)
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
function strayRefreshTokensIn(text: string): string[] {
  return [...text.matchAll(/[{,]\s*"refresh_token"\s*:\s*("(?:[^"\\]|\\.)*")/g)]
    .map(([, literal]) => textOf(parseJson(literal ?? '')))
    .filter((token) => token !== undefined)
}

/** Of a proxy's HTML page only the title is worth showing, and safe: the rest may hold anything. */
const htmlTitle = (text: string) => text.match(/<title[^<>]*>([^<]{1,500})</i)?.[1]

function errorTextOf(members: Members): string | undefined {
  const nested = membersOf(members.error)
  return [members.error_description, nested?.message, members.message].map(textOf).find((text) => text !== undefined)
}

function secretsIn(value: unknown, depth: number): string[] {
  if (typeof value !== 'object' || value === null || depth > 4) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (typeof member !== 'string') return secretsIn(member, depth + 1)
    return namesSecret(name) ? [member] : []
  })
}
