/**
 * What readers find in Redis: the names of keys and channels, and the documents in them.
 */
import { InvalidArgument, UnreadableValue } from './errors.ts'

/** What state a credential is in. */
export const statuses = [
  'pending',
  'active',
  'retrying',
  'expired',
  'at_risk',
  'misconfigured',
  'reconnect_required',
  'revoked',
] as const

export type Status = (typeof statuses)[number]

/** The JSON in the access key, or what is sealed in it. Expires with the token. */
export interface AccessDocument {
  credential: string
  family: string
  generation: number
  access_token: string
  token_type: string
  scope?: string
  /** ISO 8601 UTC, by the clock of Redis */
  expires_at: string
  /** ISO 8601 UTC, by the clock of Redis */
  obtained_at?: string
  /** what the provider says beside the token, by the names of its entry: the address of an API, an account */
  values?: Record<string, string>
  /** a refresh ends this token, whatever it says of its expiry: it is not used after a change notice */
  dies_at_refresh?: boolean
}

/** The JSON in the status key; never holds a secret. Times are ISO 8601 UTC, absent when unknown. */
export interface StatusDocument {
  status: Status
  reason?: string
  since: string
  generation: number
  accessExpiresAt?: string
  nextRefreshAt?: string
  refreshExpiresAt?: string
  /** the grant ends then, whatever is refreshed: the user has to reconnect before */
  reconnectBy?: string
}

const idPattern = /^([A-Za-z0-9._~@|+=%-]{1,255})\/([A-Za-z0-9._~@|+=%-]{1,255}\/[A-Za-z0-9._~@|+=%-]{1,255})$/

/** The parts that its keys are made of; throws {@link InvalidArgument} for what is no credential id. */
export function split(credential: string): { tenant: string; rest: string } {
  const [, tenant, rest] = idPattern.exec(credential) ?? []
  if (tenant === undefined || rest === undefined)
    throw new InvalidArgument(
      `${JSON.stringify(credential)} is not a credential id: it has three parts, tenant/client/subject, each 1 to 255 of A-Z a-z 0-9 . _ ~ @ | + = % -`,
    )
  return { tenant, rest }
}

/** The tenant of a credential id; throws {@link InvalidArgument} for what is no id. */
export const tenantOf = (credential: string) => split(credential).tenant

/** Where the access token is: {@link AccessDocument}, sealed or plain. The braces are the hash tag of a cluster. */
export function accessKey(credential: string): string {
  const { tenant, rest } = split(credential)
  return `perennial:access:${tenant}:{${rest}}`
}

/** Where the {@link StatusDocument} is. */
export function statusKey(credential: string): string {
  const { tenant, rest } = split(credential)
  return `perennial:status:${tenant}:{${rest}}`
}

/** Told `<client>/<subject> <generation>` on every write. */
export const changedChannel = (tenant: string) => `perennial:changed:${tenant}`

/** Told `<client>/<subject> <generation>` by a reader whose token was refused before its time. */
export const rejectedChannel = (tenant: string) => `perennial:rejected:${tenant}`

/** A notice as it is sent on both channels. */
export const notice = (credential: string, generation: number) => `${split(credential).rest} ${generation}`

/** What a notice on a tenant's channel says; undefined for what is none. */
export function parseNotice(tenant: string, message: string): { credential: string; generation: number } | undefined {
  const space = message.lastIndexOf(' ')
  const generation = Number(message.slice(space + 1))
  return space < 1 || !isGeneration(generation)
    ? undefined
    : { credential: `${tenant}/${message.slice(0, space)}`, generation }
}

/**
 * Reads an access document and checks that it is the credential's; throws {@link UnreadableValue}.
 *
 * @param knownTime a time that is known to be one: to see that costs as much as all other checks together
 */
export function parseAccess(text: string, credential: string, knownTime?: string): AccessDocument {
  const document = parseObject(text, 'access token')
  // written out, because this is on the path of every read
  const wrong =
    (!isText(document.credential) && 'credential') ||
    (!isText(document.family) && 'family') ||
    (!isGeneration(document.generation) && 'generation') ||
    (!isText(document.access_token) && 'access_token') ||
    (!isText(document.token_type) && 'token_type') ||
    (!isOptional(isText, document.scope) && 'scope') ||
    ((knownTime === undefined || document.expires_at !== knownTime) && !isTime(document.expires_at) && 'expires_at') ||
    (!isOptional(isText, document.obtained_at) && 'obtained_at') ||
    (!isOptional(isTexts, document.values) && 'values') ||
    (!isOptional(isFlag, document.dies_at_refresh) && 'dies_at_refresh')
  if (wrong !== false) throw malformed('access token', wrong)
  if (document.credential !== credential)
    throw new UnreadableValue(
      'other_credential',
      `the access token stored for ${credential} belongs to another credential; it was not used`,
      { credential },
    )
  return document as unknown as AccessDocument
}

/** Reads a status document; throws {@link UnreadableValue}. */
export function parseStatus(text: string): StatusDocument {
  const document = parseObject(text, 'status')
  const wrong =
    (!isStatus(document.status) && 'status') ||
    (!isOptional(isText, document.reason) && 'reason') ||
    (!isTime(document.since) && 'since') ||
    (!isGeneration(document.generation) && 'generation') ||
    optionalTimes.find((name) => !isOptional(isTime, document[name])) ||
    false
  if (wrong !== false) throw malformed('status', wrong)
  return document as unknown as StatusDocument
}

const optionalTimes = ['accessExpiresAt', 'nextRefreshAt', 'refreshExpiresAt', 'reconnectBy'] as const

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
const isTexts: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText)
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value))
const isGeneration: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const isStatus: Check = (value) => statuses.some((known) => known === value)
const isOptional = (check: Check, value: unknown) => value === undefined || check(value)

function parseObject(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // the parser's own message quotes the text, which may be a token
  }
  throw new UnreadableValue('malformed', `the stored ${what} is not a JSON object; was it written by something else?`)
}

const malformed = (what: string, field: string) =>
  new UnreadableValue('malformed', `the stored ${what} has no valid ${field}; is this reader older than the writer?`)
