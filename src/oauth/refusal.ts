/** What an answer complains of. RFC 6749 section 5.2 says `error`; half of the vendors say it elsewhere. */

import { isGiven, type Members, membersOf, textOf } from './members.ts'

export interface Refusal {
  /** whether there is an `error` that says something */
  refused: boolean
  /** whether something else says that this is an error, which beside tokens means little */
  complains: boolean
  /** its code, as it was sent */
  error?: string
  /** what the server says to people about it */
  errorText?: string
}

/** Codes of RFC 6749 section 5.2, and those that token endpoints borrow from section 4.1.2.1 and RFC 8628. */
export const oauthCodes = [
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'invalid_request',
  'unsupported_grant_type',
  'temporarily_unavailable',
  'server_error',
  'slow_down',
] as const

const codeNames = ['code', 'error', 'errorType', 'error_code', 'errorCode', 'status', 'type', 'reason', 'name']
const textNames = [
  'error_description',
  'message',
  'error_message',
  'errorMessage',
  'msg',
  'errmsg',
  'description',
  'detail',
  'title',
  'errorSummary',
  'developerMessage',
]
/** Beside `error`, these say of themselves that something is wrong. */
const faultNames = ['errcode', 'error_code', 'errorCode', 'errors']

/**
 * Finds the code and the text of an error: in `error`, in an object under it (Google, Meta), in the first of `errors`
 * (Fitbit, Strava), or beside it (HubSpot, Supabase).
 */
export function refusalOf(members: Members): Refusal {
  const nested = [members.error, first(members.errors)].map(membersOf).filter((inner) => inner !== undefined)
  const error =
    codeOf(members.error) ?? nested.map((inner) => named(inner, codeNames, codeOf)).find(isGiven) ?? codeBeside(members)
  const errorText = [members, ...nested].map((inner) => named(inner, textNames, textOf)).find(isGiven)
  return {
    refused: says(members.error),
    complains: faultNames.some((name) => says(members[name])) || isDenied(members),
    ...(error !== undefined && { error }),
    ...(errorText !== undefined && { errorText }),
  }
}

/**
 * The code of the standard that this one is, whatever its case and what follows it: EVE Online answers
 * `invalid_grant: Token is expired or invalid.`
 */
export function oauthCode(error: string | undefined): string {
  const code = error?.trim().toLowerCase() ?? ''
  return oauthCodes.find((known) => code === known || code.startsWith(`${known}:`)) ?? code
}

const codeBeside = (members: Members) => named(members, ['errcode', ...codeNames], codeOf)

/** `ok: false` (Slack), `success: false` (Fitbit) */
const isDenied = (members: Members) => members.ok === false || members.success === false

/** `error: {}`, `error: 0` and `error: { code: 'ok' }` say that there is none. */
function says(value: unknown): boolean {
  const inner = membersOf(Array.isArray(value) ? value[0] : value)
  if (inner !== undefined) return Object.keys(inner).length > 0 && !isFine(inner.code)
  return Array.isArray(value) ? value.length > 0 : Boolean(value) && !isFine(value)
}

const isFine = (code: unknown) => code === 0 || code === '0' || code === 'ok' || code === 'OK'

function named<T>(members: Members, names: string[], read: (value: unknown) => T | undefined): T | undefined {
  return names.map((name) => read(members[name])).find(isGiven)
}

/** Words and numbers; a status of 400 beside it is none. */
function codeOf(value: unknown): string | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && (value < 0 || value > 599) ? `${value}` : undefined
  return textOf(value)
}

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined)
