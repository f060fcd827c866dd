import { resolved } from '../../src/providers/resolve.ts'
import { type Behaviour, type ProviderEntry, providerSchema } from '../../src/providers/schema.ts'
import { type Profile, takesBack } from '../emulators/profile.ts'
import type { Entry } from './entries.ts'
import { wantsSecret } from './stand.ts'

/** One field of an entry that says something else than it should. */
export interface Mutation {
  entry: Entry
  /** what was done, for whoever reads a failing test */
  what: string
  /** the entry as it would stand in perennial.yaml, its variant applied */
  mutated: ProviderEntry
  behaviour: Behaviour
}

type Value = unknown
type Path = readonly (string | number)[]

/**
 * Fields that no vendor sees. `parameters` say what a user may give, and have a test of their own; the issuer is asked
 * for what other fields of these entries already say; a JWT may live shorter than the vendor takes.
 */
const unseen = [/^parameters\b/, /^issuer$/, /^assertion\.lifetimeSeconds$/]
/** Text for people: that it is there counts, not how it is put. */
const forPeople = ['consent']

/** Every way to change one field of an entry into something that the schema takes, and that means something else. */
export function mutationsOf(entry: Entry, profile: Profile): Mutation[] {
  const { behaviour } = entry
  return leaves(behaviour, [])
    .filter(([path, value]) => matters(path, value, behaviour, profile))
    .flatMap(([path, value]) => changesOf(path, value).map((change) => ({ path, value, change })))
    .flatMap(({ path, value, change }) => {
      const mutated = providerSchema.safeParse(changed(behaviour, path, change)).data
      if (mutated === undefined || sameMeaning(behaviour, mutated, profile)) return []
      const what = `${entry.name}: ${path.join('.')} ${shown(value)} → ${change === gone ? 'gone' : shown(change)}`
      return [{ entry, what, mutated, behaviour: mutated }]
    })
}

function matters(path: Path, value: Value, behaviour: Behaviour, profile: Profile): boolean {
  const { grant } = profile
  const name = path.join('.')
  if (!takesBack(profile) && /^(?:revocation|introspection)/.test(name)) return false
  if (unseen.some((one) => one.test(name)) || isReadAnyway(name, value, behaviour)) return false
  // where there is one kind of token, and where a GET has no body
  if (grant.kind !== 'refresh_token' && /^revocation\.tokens/.test(name)) return false
  if (name === 'tokenRequest.encoding' && hasNoBody(behaviour)) return false
  if (grant.kind === 'nothing') return /^(?:grant|accessTokenNeverExpires|revocation)/.test(name)
  return grant.kind === 'refresh_token' || !ofRefreshTokens.test(name)
}

/** A GET, or a request that is its headers alone. */
const hasNoBody = ({ tokenRequest, assertion }: Behaviour) =>
  tokenRequest?.method === 'GET' || (assertion?.sentAs === 'bearer' && tokenRequest?.add === undefined)

const ofRefreshTokens =
  /^(?:rotation|graceSeconds|refreshToken\w*|oldAccessTokenDies|tokenResponse\.(?:refresh\w*))$|^errors\.deadGrant/

/** Names that an answer is searched for whatever an entry says, and forms that are seen from the value. */
function isReadAnyway(name: string, value: Value, { tokenResponse, revocation }: Behaviour): boolean {
  const usual = [
    'refresh_token_expires_in',
    'refresh_expires_in',
    'x_refresh_token_expires_in',
    'expires_in',
    'expires_at',
  ]
  if (/^tokenResponse\.\w+$/.test(name) && /^data\./.test(String(value)))
    return usualNames.includes(String(value).slice(5))
  if (/^tokenResponse\.(?:refreshE|e)xpiresIn$/.test(name)) return usual.includes(String(value))
  if (/^errors\.code/.test(name)) return ['error', 'error.code'].includes(String(value))
  if (name === 'expiryLookup.expiresIn') return value === 'exp'
  if (name === 'tokenRequest.headers.Accept') return value === 'application/json'
  // the product has a User-Agent of its own
  if (name === 'tokenRequest.headers.User-Agent') return true
  if (name === 'errors.message') return ['message', 'error.message'].includes(String(value))
  if (/^tokenResponse\.\w+\.\d$/.test(name)) return usualNames.includes(String(value))
  // a header of the entry's own stands over any other
  if (name === 'revocation.auth') return Object.hasOwn(revocation?.headers ?? {}, 'Authorization')
  if (name === 'tokenResponse.expiresInForm') return usual.includes(String(tokenResponse?.expiresIn))
  return /ExpiresInForm$|^expiryLookup\.expiresInForm$/.test(name)
}

const usualNames = ['refresh_expires_in', 'access_token', 'refresh_token', 'scope', 'expires_in', 'error']

const gone = Symbol('gone')

/** What else a field may say; `gone` where it may be left out. */
function changesOf(path: Path, value: Value): Value[] {
  const name = String(path.findLast((part) => typeof part === 'string'))
  if (isMatcher(value)) return [gone]
  const inMatcher = path[0] === 'errors' && typeof path[2] === 'number'
  const others = (choices[name] ?? []).filter((choice) => choice !== value)
  if (typeof value === 'number') return inMatcher ? [value + 17] : [gone, value * 2, Math.max(1, Math.floor(value / 2))]
  if (typeof value === 'boolean') return [gone, !value]
  if (others.length > 0) return [gone, ...others]
  if (forPeople.includes(name)) return [gone]
  if (typeof value === 'string') return inMatcher ? [otherText(name, value)] : [gone, otherText(name, value)]
  return [gone]
}

const choices: Record<string, readonly string[]> = {
  clientAuth: ['client_secret_basic', 'client_secret_post', 'none'],
  auth: ['client_secret_basic', 'client_secret_post', 'none', 'access_token'],
  encoding: ['form', 'json', 'query'],
  method: ['POST', 'GET', 'DELETE'],
  rotation: ['none', 'rotates_old_valid', 'until_new_used', 'single_use'],
  grant: ['refresh_token', 'client_credentials', 'access_token'],
  expiresInForm: ['seconds', 'milliseconds', 'epoch_seconds', 'epoch_milliseconds', 'iso8601'],
  refreshExpiresInForm: ['seconds', 'milliseconds', 'epoch_seconds', 'iso8601'],
  algorithm: ['RS256', 'ES256'],
  sentAs: ['assertion', 'bearer'],
  tokens: ['refresh_token', 'access_token'],
}

/** Addresses go astray by one letter of the path, everything else by its last. */
const otherText = (name: string, value: string) =>
  /endpoint$/i.test(name) ? value.replace(/\/([^/]*)$/, '/x$1') : `${value}x`

/** What an error has to be like: less of it still fits, so it goes as a whole. */
const isMatcher = (value: Value): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** All that can be changed by itself: single values, and lists as a whole. */
function leaves(value: Value, path: Path): [Path, Value][] {
  if (Array.isArray(value))
    return value.flatMap((inner, at) => [
      ...(isMatcher(inner) ? [[[...path, at], inner] as [Path, Value]] : []),
      ...leaves(inner, [...path, at]),
    ])
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]))
}

function changed(value: Value, [first, ...rest]: Path, to: Value): Value {
  if (first === undefined) return to
  if (Array.isArray(value)) {
    const copy = value.map((inner, at) => (at === first ? changed(inner, rest, to) : inner))
    return without(copy)
  }
  const members = Object.entries(value as object).map(([name, inner]) => [
    name,
    name === first ? changed(inner, rest, to) : inner,
  ])
  const kept = members.filter(([, inner]) => inner !== gone && !isEmpty(inner))
  return kept.length === 0 ? gone : Object.fromEntries(kept)
}

function without(list: Value[]): Value {
  const kept = list.filter((inner) => inner !== gone && !isEmpty(inner))
  return kept.length === 0 ? gone : kept
}

const isEmpty = (value: Value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** A field that says what holds anyway may be left out. */
function sameMeaning(one: Behaviour, other: Behaviour, profile: Profile): boolean {
  const meaning = (behaviour: Behaviour) => {
    const { grant = 'refresh_token', clientAuth = wantsSecret(profile) ? 'client_secret_basic' : 'none' } = behaviour
    return JSON.stringify(sorted({ ...defaults(resolved('one', behaviour, clientAuth)), grant }))
  }
  return meaning(one) === meaning(other)
}

/** What is said of requests and answers, with what holds where nothing is said. */
function defaults(provider: ReturnType<typeof resolved>) {
  const { tokenRequest, tokenResponse, revocation, errors, assertion } = provider
  return {
    accessTokenNeverExpires: false,
    ...provider,
    tokenRequest: { method: 'POST', encoding: 'form', ...tokenRequest },
    tokenResponse: {
      accessToken: 'access_token',
      refreshToken: 'refresh_token',
      scope: 'scope',
      expiresIn: 'expires_in',
      expiresInForm: 'seconds',
      refreshExpiresInForm: 'seconds',
      scopeSeparator: ' ',
      ...tokenResponse,
    },
    revocation: {
      method: 'POST',
      encoding: 'form',
      tokens: ['refresh_token', 'access_token'],
      tokenParameter: 'token',
      endsConsent: false,
      ...revocation,
    },
    errors: { code: 'error', ...errors },
    assertion: {
      algorithm: 'RS256',
      sentAs: 'assertion',
      issuer: '{client_id}',
      subject: '{client_id}',
      lifetimeSeconds: 60,
      ...assertion,
    },
  }
}

function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).toSorted(([one], [other]) => one.localeCompare(other))
  return Object.fromEntries(members.map(([name, inner]) => [name, sorted(inner)]))
}

const shown = (value: Value) => JSON.stringify(value)
