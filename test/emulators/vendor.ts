import { jsonReply } from './answers.ts'
import type {
  Carried,
  ClientAuthentication,
  Door,
  Errors,
  Lookup,
  Method,
  Mint,
  Parameters,
  Profile,
  Reply,
  Revocation,
  Rotation,
} from './profile.ts'

/** What a vendor's page says, where it differs from RFC 6749. */
export interface Page
  extends Partial<
    Omit<Profile, 'name' | 'sources' | 'token' | 'errors' | 'lifetimes' | 'revocation' | 'lookup' | 'requires'>
  > {
  sources: readonly [string, ...string[]]
  /** the token endpoint, POST and form-encoded unless it is a door of its own */
  token: string | Door
  accessSeconds?: number
  /** of the emulated access tokens, where no page says */
  exampleSeconds?: number
  /** the same of refresh tokens */
  exampleRefreshSeconds?: number
  refreshIdleSeconds?: number
  refreshAbsoluteSeconds?: number
  refreshSeconds?: number
  /** `undefined` takes one of the standard parameters away */
  requires?: Readonly<Record<string, string | undefined>>
  errors?: Partial<Errors>
  revocation?: Partial<Omit<Revocation, 'door'>> & { url: string; method?: Method; encoding?: Door['encoding'] }
  lookup?: Partial<Omit<Lookup, 'door' | 'answer'>> & Pick<Lookup, 'answer'> & { url: string; method?: Method }
}

export const refreshParameter: Carried = { in: 'parameter', name: 'refresh_token' }
export const bearerHeader: Carried = { in: 'bearer header' }

export const basic: ClientAuthentication = { by: 'basic', encoding: 'form' }
export const post: ClientAuthentication = { by: 'post', id: 'client_id', secret: 'client_secret' }
export const publicClient: ClientAuthentication = { by: 'none', id: 'client_id' }
export const accessToken: ClientAuthentication = { by: 'access token' }

/** An access token that lives until it is revoked: nothing is ever refreshed. */
export const untilRevoked = { grant: { kind: 'nothing' }, expiry: 'never' } as const satisfies Partial<Profile>

export const neverRotates: Rotation = { kind: 'none', answers: 'absent' }
export const answersSame: Rotation = { kind: 'none', answers: 'same' }
export const singleUse: Rotation = { kind: 'single_use', reuse: 'refused' }
export const reuseRevokes: Rotation = { kind: 'single_use', reuse: 'revokes family' }
export const grace = (seconds: number, replay: 'new pair' | 'same pair' = 'new pair'): Rotation => ({
  kind: 'grace',
  seconds,
  replay,
  reuse: 'refused',
})
export const graceThenRevokes = (seconds: number, replay: 'new pair' | 'same pair' = 'new pair'): Rotation => ({
  kind: 'grace',
  seconds,
  replay,
  reuse: 'revokes family',
})

/** RFC 6749 section 5.2. */
export const rfcErrors: Errors = {
  deadGrant: [jsonReply(400, { error: 'invalid_grant', error_description: 'The refresh token is invalid or expired' })],
  throttled: [{ ...jsonReply(429, { message: 'Too many requests' }), headers: { 'retry-after': '17' } }],
  clientError: [jsonReply(401, { error: 'invalid_client', error_description: 'Client authentication failed' })],
  malformed: jsonReply(400, { error: 'invalid_request', error_description: 'A parameter is missing or malformed' }),
}

const opaque: Mint = ({ serial }) => serial

/** A vendor as its page describes it; what the page leaves out is RFC 6749, and rotation that is unknown is single use. */
export function vendor(name: string, page: Page): Profile {
  const { token, errors, revocation, lookup, requires, ...rest } = page
  const { accessSeconds, exampleSeconds, exampleRefreshSeconds, ...times } = rest
  const { refreshIdleSeconds, refreshAbsoluteSeconds, refreshSeconds, ...profile } = times
  const grant = profile.grant ?? { kind: 'refresh_token', carried: refreshParameter }
  const client = profile.client ?? basic
  const standard = grant.kind === 'refresh_token' ? { grant_type: 'refresh_token' } : {}
  const documented = [refreshIdleSeconds, refreshAbsoluteSeconds, refreshSeconds].some(
    (seconds) => seconds !== undefined,
  )
  return {
    name,
    known: true,
    account: {},
    alsoAccepts: [],
    requiresOfUser: {},
    clientAsks: {},
    optional: [],
    headers: {},
    rotation: singleUse,
    oldAccessTokenDies: false,
    expiry: 'stated',
    refreshExpiry: documented ? 'documented' : 'unknown',
    mintAccess: opaque,
    mintRefresh: opaque,
    answer: rfcAnswer,
    metadata: [],
    ...profile,
    token: typeof token === 'string' ? { url: token, method: 'POST', encoding: 'form' } : token,
    client,
    grant,
    requires: present({ ...standard, ...requires }),
    lifetimes: present({
      accessSeconds: accessSeconds ?? exampleSeconds ?? 3600,
      accessDocumented: accessSeconds !== undefined,
      refreshIdleSeconds,
      refreshAbsoluteSeconds,
      refreshSeconds: refreshSeconds ?? exampleRefreshSeconds,
      refreshDocumented: exampleRefreshSeconds === undefined,
    }),
    errors: { ...rfcErrors, ...errors },
    ...(revocation && { revocation: revocationOf(revocation, client) }),
    ...(lookup && { lookup: lookupOf(lookup) }),
  }
}

/** Another behaviour of the same vendor, that a setting or a kind of client decides. */
export function variant(of: Profile, name: string, changes: Partial<Profile>): Profile {
  const { revocation, client } = of
  // who proves itself otherwise here does so there
  const asHere = changes.client !== undefined && revocation?.client === client
  const moved = asHere && revocation ? { revocation: { ...revocation, client: changes.client ?? client } } : {}
  return { ...of, ...moved, ...changes, name: `${of.name}/${name}` }
}

/** RFC 6749 section 5.1. */
export const rfcAnswer: Profile['answer'] = ({ access, refresh, accessSeconds }) => ({
  access_token: access,
  token_type: 'Bearer',
  expires_in: accessSeconds,
  ...(refresh !== undefined && { refresh_token: refresh }),
})

/** RFC 7009: 200 for tokens that it does not know, too. */
function revocationOf(page: NonNullable<Page['revocation']>, client: ClientAuthentication): Revocation {
  const { url, method = 'POST', encoding = 'form', ...rest } = page
  const done: Reply = { status: 200, body: '' }
  return {
    client,
    takes: 'either',
    requires: {},
    ends: 'the token',
    success: done,
    unknownToken: done,
    ...(rest.client?.by === 'access token' ? {} : { parameter: 'token' }),
    ...rest,
    door: { url, method, encoding },
  }
}

function lookupOf({ url, method = 'GET', ...rest }: NonNullable<Page['lookup']>): Lookup {
  return { client: accessToken, ...rest, door: { url, method, encoding: method === 'GET' ? 'query' : 'form' } }
}

/** Leaves out what is undefined. */
function present<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}

export const form = (url: string): Door => ({ url, method: 'POST', encoding: 'form' })
export const json = (url: string): Door => ({ url, method: 'POST', encoding: 'json' })
export const query = (url: string, method: Method = 'POST'): Door => ({ url, method, encoding: 'query' })
export const postAs = (id: string, secret: string): ClientAuthentication => ({ by: 'post', id, secret })
export type { Parameters }
