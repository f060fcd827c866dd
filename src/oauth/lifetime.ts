/**
 * How long a token lives, by what is known of it. Servers leave the answer out, send zero, send text, milliseconds,
 * or a point in time under the name of a duration; what cannot be true counts as not said, so that a token is neither
 * refreshed in a tight loop nor trusted for years.
 */
import { Buffer } from 'node:buffer'
import type { ExpiryForm } from '../providers/schema.ts'

/** What is known of one access token's life, in milliseconds from the moment of its answer, best first. */
export interface LifetimeSources {
  /** what the answer says, as `lifetimeMs` reads it */
  answerMs?: number | undefined
  /** the token's own `exp`, as `jwtLifetimeMs` reads it */
  jwtMs?: number | undefined
  /** what introspection or another look-up said */
  lookedUpMs?: number | undefined
  /** what the provider's entry says of all its tokens */
  catalogueMs?: number | undefined
}

/** Beyond this a lifetime is taken for a mistake and ignored: ten years, which some servers do hand out. */
export const longestLifetimeMs = 10 * 365 * 24 * 60 * 60 * 1000

/**
 * RFC 6749 section 5.1 lets a provider leave expires_in out. Half an hour is what most that do so exceed; too short
 * costs a refresh, too long a reader's call.
 */
export const assumedLifetimeMs = 30 * 60_000

const day = 24 * 60 * 60

/** A point in time further back than this is none: the number is a duration in milliseconds (14 days is 1209600000). */
const longestPastMs = 365 * day * 1000

/** `3600000` and the like begin here: five minutes in milliseconds. */
const fewestMilliseconds = 300_000

const unitMs: Partial<Record<ExpiryForm, number>> = { seconds: 1_000, milliseconds: 1 }

/**
 * The lifetime to go by: what the answer says; the token's own `exp` where that is earlier (a replay inside a grace
 * window names a full lifetime for a token that has less left) or alone; then a look-up, the catalogue, half an hour.
 *
 * @example accessLifetimeMs({ catalogueMs: 3_600_000 }) // 3600000
 */
export const accessLifetimeMs = (sources: LifetimeSources): number => knownLifetimeMs(sources) ?? assumedLifetimeMs

/** The same, without the assumption. */
export function knownLifetimeMs({ answerMs, jwtMs, lookedUpMs, catalogueMs }: LifetimeSources): number | undefined {
  const told = [answerMs, jwtMs].filter((ms) => ms !== undefined)
  return told.length > 0 ? Math.min(...told) : (lookedUpMs ?? catalogueMs)
}

/**
 * Reads a value that states an expiry: `3600`, `"3600"`, `"3600s"`, a point in time as seconds or milliseconds since
 * 1970, an ISO 8601 text or an HTTP date.
 *
 * Without a form from the provider's entry the number itself decides, whatever its name: up to ten years it is
 * seconds, unless nobody would write it so and it is whole minutes in milliseconds (3600000 is an hour, not 41 2/3
 * days); beyond that a point in time where it is near now, else milliseconds. Zero and less are unknown (servers say 0 and -1 for
 * "never", and none hands out a dead token on purpose), and so is a point in time that has passed: a clock or a time
 * zone that is off would else make every token dead on arrival and have it refreshed without end.
 *
 * @param nowMs when the answer was given, by the server's clock: see `answeredAtMs`
 * @returns absent when it says nothing that can be true
 */
export function lifetimeMs(value: unknown, nowMs: number, form?: ExpiryForm): number | undefined {
  const number = numberOf(value)
  const ms = number === undefined ? timeOf(value) - nowMs : numberMs(number, nowMs, form)
  return isPlausible(ms) ? Math.round(ms) : undefined
}

function numberMs(number: number, nowMs: number, form: ExpiryForm | undefined): number {
  const unit = form === undefined ? undefined : unitMs[form]
  if (unit !== undefined) return number * unit
  if (number * 1000 <= longestLifetimeMs) return form === undefined && isInMilliseconds(number) ? number : number * 1000
  const left = [number * 1000 - nowMs, number - nowMs].find((ms) => ms >= -longestPastMs && ms <= longestLifetimeMs)
  return left ?? (form === undefined ? number : Number.NaN)
}

/**
 * Long lifetimes in seconds are whole days or years, give or take a moment; 86399984 is a day of Adobe in milliseconds.
 * A wrong guess here costs a refresh, the other one a reader's call.
 */
function isInMilliseconds(number: number): boolean {
  const isWholeDays = number % day === 0 && number <= 400 * day
  const isWholeYears = (number + 60) % (365 * day) <= 60
  if (number < fewestMilliseconds || isWholeDays || isWholeYears) return false
  return number % 60_000 === 0 || number > 400 * day
}

const isPlausible = (ms: number) => Math.round(ms) > 0 && ms <= longestLifetimeMs

/**
 * What is left of a JWT by its own `exp` (RFC 7519 section 4.1.4), never more than it was made for (`exp` - `iat`),
 * which holds whatever a clock says. The signature is for those who accept the token.
 *
 * @returns absent when it is no JWT or says nothing that can be true; 0 when it has ended
 */
export function jwtLifetimeMs(token: string, nowMs: number): number | undefined {
  const [, payload, signature, ...rest] = token.split('.')
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined
  const { exp, iat } = claimsOf(payload)
  if (typeof exp !== 'number' || exp <= 0) return undefined
  const madeForMs = typeof iat === 'number' && iat < exp ? (exp - iat) * 1000 : Number.POSITIVE_INFINITY
  const leftMs = Math.min(exp * 1000 - nowMs, madeForMs)
  return leftMs <= longestLifetimeMs ? Math.max(0, Math.round(leftMs)) : undefined
}

function claimsOf(payload: string): { exp?: unknown; iat?: unknown } {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}

/**
 * When an answer was given, by the clock of who gave it: its Date header, so that a wrong clock here changes no
 * lifetime that is read from a point in time.
 */
export function answeredAtMs(date: string | undefined, nowMs: number): number {
  const answeredMs = httpDateMs(date?.trim() ?? '')
  return Number.isNaN(answeredMs) ? nowMs : answeredMs
}

/** A date of HTTP (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. NaN where it is none. */
export const httpDateMs = (text: string) => (/^[A-Z][a-z]{2,8}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN)

/** A number, or a text that is one: `"3600"`, `"3600s"`. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const digits = typeof value === 'string' ? value.match(/^\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*s?\s*$/i)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

/** Epoch time of a text; without a zone it is UTC, a day without a time is its beginning. NaN where it is none. */
export function timeOf(value: unknown): number {
  if (typeof value !== 'string') return Number.NaN
  const text = value.trim()
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i.exec(text) ?? []
  if (day === undefined) return httpDateMs(text)
  return Date.parse(`${day}T${time?.replace(',', '.') ?? '00:00'}${zoneOf(zone)}`)
}

/** `+0100` and `+01` as the only spelling that every engine must read (ECMA-262 section 21.4.1.32). */
function zoneOf(zone = 'Z'): string {
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? []
  return hours === undefined ? 'Z' : `${hours}:${minutes}`
}
