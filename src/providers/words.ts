/**
 * What an entry means, in words. Pure; what is unknown is told with what is done instead.
 */
import type { RotationClass } from '../credential.ts'
import { usedParameters } from './parameters.ts'
import type { Behaviour, ParameterRules, ProviderEntry } from './schema.ts'
import { spanText } from './span.ts'

export interface Section {
  title: string
  lines: string[]
}

/** The page of one entry, inheritance done; sections without lines are left out. */
export function pageOf(entry: ProviderEntry): Section[] {
  const sections: Section[] = [
    { title: 'Refreshing', lines: refreshing(entry) },
    { title: 'Deadlines', lines: deadlines(entry) },
    { title: 'Limits', lines: limits(entry) },
    { title: 'Revoking', lines: revoking(entry) },
    { title: 'Parameters', lines: parameters(entry) },
    { title: 'Before going live', lines: beforehand(entry) },
    { title: 'Variants', lines: variants(entry) },
    { title: 'Unknown', lines: unknowns(entry) },
    { title: 'Sources', lines: sources(entry) },
  ]
  return sections.filter(({ lines }) => lines.length > 0)
}

/** The rotation class as a list shows it. */
export function rotationText(entry: Behaviour): string {
  const { grant = 'refresh_token', rotation, graceSeconds } = entry
  if (grant !== 'refresh_token') return grant
  if (rotation === undefined) return 'unknown, treated as single_use'
  return graceSeconds === undefined ? rotation : `${rotation}, ${spanText(graceSeconds)}`
}

function refreshing(entry: Behaviour): string[] {
  const { tokenEndpoint, issuer, tokenRequest, clientAuth, notBeforeSeconds, refreshBeforeExpirySeconds } = entry
  const never = entry.grant === 'access_token' && entry.accessTokenNeverExpires === true
  const endpoint = never
    ? undefined
    : (tokenEndpoint ?? (issuer === undefined ? undefined : `the token endpoint that ${issuer} names`))
  const how = [clientAuth, tokenRequest?.encoding ?? (tokenRequest?.method === 'GET' ? 'query' : 'form')]
  return [
    ...(endpoint === undefined
      ? []
      : [`${tokenRequest?.method ?? 'POST'} ${endpoint} (${how.filter((word) => word !== undefined).join(', ')}).`]),
    ...meaning(entry),
    ...when(
      entry.oldAccessTokenDies,
      'A refresh ends the access token in use, so it is done late and readers drop it.',
    ),
    ...when(entry.neverAfterExpiry, 'Once the access token has ended nothing can be refreshed: the user has to help.'),
    ...when(notBeforeSeconds, (seconds) => `A refresh is refused before the token is ${spanText(seconds)} old.`),
    ...when(
      refreshBeforeExpirySeconds,
      (seconds) => `The vendor asks for a refresh ${spanText(seconds)} before expiry.`,
    ),
  ]
}

const rotationUnknown = 'Nobody knows what becomes of a used refresh token here, so the safe side is taken.'

function meaning(entry: Behaviour): string[] {
  switch (entry.grant ?? 'refresh_token') {
    case 'client_credentials':
      return ['The client itself buys each access token; a request whose answer is lost is sent again at once.']
    case 'jwt_bearer':
      return ['A JWT that the client signs buys each access token; where an answer is lost another is sent at once.']
    case 'access_token':
      return entry.accessTokenNeverExpires === true
        ? ['There is nothing to refresh: an access token lives until it is revoked.']
        : ['There is no refresh token: the access token is exchanged for the next one.']
    case 'refresh_token':
      return [...when(entry.rotation === undefined, rotationUnknown), ...rotationMeaning(entry)]
  }
}

const atRisk =
  'Where the answer to a refresh is lost the credential is at_risk, and the refresh token is tried again shortly before the access token ends.'
const atOnce = 'Where the answer to a refresh is lost it is tried again at once.'

/** A grace period as short as this is over when a request has timed out. */
const shortGraceSeconds = 35

function rotationMeaning({ rotation = 'single_use', graceSeconds = 0, oldAccessTokenDies }: Behaviour): string[] {
  const lost = oldAccessTokenDies === true ? `${atOnce} The access token may have ended with it.` : atRisk
  const window = spanText(graceSeconds)
  const meanings: Record<RotationClass, string[]> = {
    none: ['The refresh token serves on: a refresh does not replace it.', atOnce],
    rotates_old_valid: ['A refresh brings a new refresh token and leaves the old one valid.', atOnce],
    grace: [
      `A refresh brings a new refresh token; the used one is accepted for ${window} more.`,
      `Where the answer to a refresh is lost it is tried again inside that window. ${
        graceSeconds <= shortGraceSeconds ? 'After a time-out the window may be over: ' : 'Later '
      }the credential is at_risk.`,
    ],
    until_new_used: [
      `A refresh brings a new refresh token; the old one is accepted until the new one is used${
        graceSeconds === 0 ? '' : `, for ${window} at most`
      }.`,
      `${atOnce} The latest answer is the living one.`,
    ],
    single_use: [
      'A refresh brings a new refresh token; a second use of the old one is refused and can end the whole grant.',
      lost,
    ],
  }
  return meanings[rotation]
}

function deadlines(entry: Behaviour): string[] {
  const { accessTokenSeconds, expiryLookup, accessTokenNeverExpires, introspectionEndpoint } = entry
  const lookup = expiryLookup?.endpoint ?? introspectionEndpoint
  return [
    ...when(accessTokenSeconds, (seconds) => `Access token: ${spanText(seconds)} where the answer does not say.`),
    ...when(expiryLookup, () => `Access token: its expiry is asked for at ${lookup ?? 'the introspection endpoint'}.`),
    ...when(accessTokenNeverExpires, 'Access token: no expiry, unless the answer names one.'),
    ...when(entry.refreshTokenIdleSeconds, (seconds) => `Refresh token: dies when unused for ${spanText(seconds)}.`),
    ...when(
      entry.refreshTokenAbsoluteSeconds,
      (seconds) =>
        `Refresh token: ends ${spanText(seconds)} after consent, whatever is refreshed; then the user has to reconnect.`,
    ),
    ...when(
      entry.refreshTokenLifetimeSeconds,
      (seconds) => `Refresh token: ${spanText(seconds)}, unless a refresh brings one that lives longer.`,
    ),
    ...when(entry.tokenResponse?.refreshExpiresIn, (path) => `Refresh token: the answer tells its deadline (${path}).`),
    ...when(entry.tokenResponse?.refreshTokenIsJwt, 'Refresh token: a JWT, whose own exp is its deadline.'),
  ]
}

function limits(entry: Behaviour): string[] {
  const { rateLimit, minRefreshIntervalSeconds, refreshTokensPerUser, neverAskAgain } = entry
  return [
    ...when(
      rateLimit,
      ({ requests, perSeconds }) => `${requests} requests in ${spanText(perSeconds)}, all workers together.`,
    ),
    ...when(
      minRefreshIntervalSeconds,
      (seconds) => `A credential is refreshed no sooner than ${spanText(seconds)} after the last time.`,
    ),
    ...when(
      refreshTokensPerUser,
      (count) => `${count} refresh tokens live for one user and client; one more ends the oldest without a word.`,
    ),
    ...when(neverAskAgain, 'Callers are banned for failed calls: a refused grant is not asked for again.'),
  ]
}

function revoking({ revocationEndpoint, revocation = {} }: Behaviour): string[] {
  if (revocationEndpoint === undefined) return []
  const { method = 'POST', tokens = ['refresh_token', 'access_token'], endsConsent } = revocation
  const kinds = tokens.map((kind) => kind.replace('_', ' ')).join(' and ')
  return [
    `${method} ${revocationEndpoint} with the ${kinds}.`,
    ...when(endsConsent, 'Revoking one token ends the whole consent, a newer grant of the same user included.'),
  ]
}

const parameters = (entry: Behaviour): string[] =>
  usedParameters(entry).flatMap((name) => {
    const rules = entry.parameters?.[name]
    return rules === undefined ? [] : [parameterText(name, rules)]
  })

function parameterText(
  name: string,
  { description, values, example, default: standard, setBy }: ParameterRules,
): string {
  const parts = [
    description,
    values === undefined ? undefined : `one of ${values.join(', ')}`,
    values === undefined && example !== undefined ? `as in ${example}` : undefined,
    standard === undefined ? undefined : `${standard} unless given`,
    setBy === 'client' ? 'set for the whole client' : undefined,
  ]
  return `${name}: ${parts.filter((part) => part !== undefined).join('; ')}.`
}

function beforehand({ consent, notes, assertion, tokenResponse }: ProviderEntry): string[] {
  return [
    ...when(consent, (what) => `Ask for ${what} at consent, or no refresh token is issued.`),
    ...when(assertion, () => 'The client signs with a private key: privateKey of the client.'),
    ...when(tokenResponse?.keep, (kept) => `Readers get ${Object.keys(kept).join(', ')} beside the token.`),
    ...when(notes, (text) => text),
  ]
}

const variants = ({ variants: named = {} }: ProviderEntry): string[] =>
  Object.entries(named).map(([name, { when: setting, set }]) => {
    const changes = Object.entries(set).map(([field, value]) =>
      typeof value === 'object' ? field : `${field} ${field.endsWith('Seconds') ? spanText(Number(value)) : value}`,
    )
    return `${name}: when ${setting}. Then ${changes.join(', ')}.`
  })

function unknowns(entry: ProviderEntry): string[] {
  const { grant = 'refresh_token', unsure = [], rotation, clientAuth, accessTokenNeverExpires } = entry
  const refreshes = grant === 'refresh_token'
  const lasts = [entry.refreshTokenIdleSeconds, entry.refreshTokenAbsoluteSeconds, entry.refreshTokenLifetimeSeconds]
  const isTold = entry.tokenResponse?.refreshExpiresIn ?? entry.tokenResponse?.refreshTokenIsJwt
  const noLifetime =
    entry.accessTokenSeconds === undefined && entry.expiryLookup === undefined && accessTokenNeverExpires !== true
  return [
    ...when(refreshes && rotation === undefined, 'What becomes of a used refresh token: treated as single_use.'),
    ...when(clientAuth === undefined, 'How the client authenticates: client_secret_basic; without a secret, none.'),
    ...when(noLifetime, 'How long an access token lives: half an hour is assumed where the answer does not say.'),
    ...when(
      refreshes && isTold === undefined && lasts.every((seconds) => seconds === undefined),
      'Whether a refresh token has a deadline: none is kept unless an answer names one.',
    ),
    ...when(
      entry.revocationEndpoint === undefined && entry.issuer === undefined,
      'Where tokens are revoked: a revoke takes them from readers and forgets them.',
    ),
    ...when(unsure.length > 0, `On weaker evidence than the rest: ${unsure.join(', ')}.`),
  ]
}

function sources({ sources: pages = [], checked, confidence }: ProviderEntry): string[] {
  const how: Record<NonNullable<ProviderEntry['confidence']>, string> = {
    documented: 'the vendor’s own pages or code',
    third_party: 'third parties',
    unverified: 'lists of endpoints alone',
  }
  const rests = confidence === undefined ? [] : [`Rests on ${how[confidence]}.`]
  return [
    ...(checked === undefined ? rests : [`Read on ${checked}. ${rests.join('')}`.trim()]),
    ...pages.map(({ url, says }) => `${url}: ${says}`),
  ]
}

/** The text, or what is made of the value, if there is one. */
function when<T>(value: T | undefined | false, text: string | ((value: T) => string)): string[] {
  if (value === undefined || value === false) return []
  return [typeof text === 'string' ? text : text(value)]
}
