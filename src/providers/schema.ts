/**
 * What can be said of a provider. An entry of the catalogue and one under `providers:` of perennial.yaml are the same:
 * data, which no provider needs code beside. JSON Schema for editors is made from this (`perennial providers --schema`).
 *
 * Paths (`data.access_token`) name members of a JSON answer, from its root. Templates hold `{name}`, filled from the
 * parameters of the credential and the client.
 */
import { z } from 'zod'
import { type GrantKind, grantKinds, rotationClasses } from '../credential.ts'
import { endpointProblem, issuerProblem } from './endpoint.ts'

/**
 * How a client proves who it is (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2.1).
 * `client_secret_basic_raw`: Basic without the form-encoding of RFC 6749. `secret_as_username`: Basic with the secret as
 * user name and no password (Stripe). `signed_client_secret`: client_secret is a JWT that the client signs (Apple).
 */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_basic_raw',
  'secret_as_username',
  'client_secret_post',
  'none',
  'private_key_jwt',
  'signed_client_secret',
  'tls_client_auth',
] as const

/** Those that send a secret of the client's. */
export const sendsSecret = (method: ClientAuthMethod) =>
  ['client_secret_basic', 'client_secret_basic_raw', 'secret_as_username', 'client_secret_post'].includes(method)

/** Whether the client signs a JWT: to prove itself, or as its grant. */
export const signsJwt = (method: ClientAuthMethod, grant: GrantKind) =>
  method === 'private_key_jwt' || method === 'signed_client_secret' || grant === 'jwt_bearer'

/** How a number or a text of an answer says when a token ends. */
export const expiryForms = ['seconds', 'milliseconds', 'epoch_seconds', 'epoch_milliseconds', 'iso8601'] as const

const text = z.string().min(1, 'is empty')
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'is no name: a letter, then letters, digits, _ and -')
const path = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
    'is no path: member names with dots between them, as in data.access_token',
  )
/** One path, or several of which the first that is there counts. */
const paths = z.union([path, z.array(path).min(1)])
const positive = z.number().positive('must be more than 0')

/** Whether a placeholder may name the site is known when the entry is resolved, its parameters being inherited. */
const anyPlace = () => true

const endpoint = z.string().superRefine((template, context) => {
  const problem = endpointProblem(template, anyPlace)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const issuer = z.string().superRefine((template, context) => {
  const problem = issuerProblem(template, anyPlace)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const pattern = z.string().refine((source) => compiles(source), { error: 'is no regular expression' })

function compiles(source: string): boolean {
  try {
    new RegExp(source)
    return true
  } catch {
    return false
  }
}

const parameter = z.strictObject({
  description: text.describe('what the value is, and where its owner finds it'),
  pattern: pattern.optional().describe('what the whole value has to match, beside the rule for every parameter'),
  values: z
    .array(text)
    .min(1)
    .optional()
    .describe('the only values; one with these may stand anywhere in a host, as in https://accounts.zoho.{region}/'),
  example: text.optional().describe('a value as it would be given'),
  default: text.optional().describe('the value where none is given'),
  setBy: z
    .enum(['credential', 'client'])
    .optional()
    .describe('client: only perennial.yaml may set it, never a credential; then it may make up the whole host'),
})

/** Parameters of a request, by their names on the wire; a number or true stays what it is in a JSON body. */
const additions = z.record(text, z.union([text, z.number(), z.boolean()]))

/** Headers and claims. */
const texts = z.record(text, text)

const tokenRequest = z.strictObject({
  method: z.enum(['POST', 'GET']).optional().describe('of the token request; POST unless said'),
  encoding: z
    .enum(['form', 'json', 'query'])
    .optional()
    .describe('where its parameters are: form-encoded body (the default), JSON body, or the query of the URL'),
  grantType: text.optional().describe('value of grant_type where it is not that of the grant'),
  rename: z
    .record(text, text)
    .optional()
    .describe('standard parameter to the name that this provider has for it: { client_id: client_key }'),
  add: additions
    .optional()
    .describe(
      'parameters sent with every refresh; templates of {parameters} of the credential or client, {client_id}, {refresh_token}, {access_token}',
    ),
  remove: z.array(text).optional().describe('standard parameters that are not sent: [grant_type]'),
  headers: texts.optional().describe('headers of the token request; templates as in add, {client_secret} included'),
})

const tokenResponse = z.strictObject({
  accessToken: paths.optional().describe('path of the access token; access_token unless said'),
  refreshToken: paths.optional().describe('path of the refresh token; refresh_token unless said'),
  pair: text
    .optional()
    .describe('token_type of the pair that is meant, where one answer can hold several; it may be in a member'),
  tokenType: text.optional().describe('what readers are told where the answer names no usable token_type'),
  scope: paths.optional().describe('path of the scope; scope unless said'),
  scopeSeparator: text.optional().describe('between scopes in one string; a space unless said'),
  expiresIn: paths.optional().describe('path of the access token’s expiry; expires_in unless said'),
  expiresInForm: z.enum(expiryForms).optional().describe('what that value is; seconds unless said'),
  refreshExpiresIn: path
    .optional()
    .describe('path of the refresh token’s expiry; unless said, the usual names are tried'),
  refreshExpiresInForm: z.enum(expiryForms).optional().describe('what that value is; seconds unless said'),
  refreshHardExpiresIn: path
    .optional()
    .describe('path of the seconds to a deadline that no refresh moves, where it comes beside the other'),
  refreshTokenIsJwt: z.boolean().optional().describe('the refresh token is a JWT whose exp is its deadline'),
  success: z
    .strictObject({ path, is: z.union([z.boolean(), z.number(), z.string()]) })
    .optional()
    .describe('an answer with status 200 grants only if the member at path is this'),
  keep: z
    .record(name, path)
    .optional()
    .describe('what readers get beside the token: name to path ({ instance_url: instance_url })'),
})

/** Fits when everything that it names fits. */
const matcher = z
  .strictObject({
    code: text.optional().describe('the error code, in full, case ignored'),
    status: z.number().int().min(200).max(599).optional().describe('the HTTP status'),
    message: text.optional().describe('a part of what the provider says to people, case ignored'),
  })
  .refine((fields) => Object.values(fields).some((value) => value !== undefined), {
    error: 'is empty; name a code, a status or a message',
  })

const errors = z.strictObject({
  code: paths.optional().describe('path of the error code; error unless said'),
  message: paths.optional().describe('path of the text for people; the usual names unless said'),
  deadGrant: z.array(matcher).optional().describe('the refresh token is no longer good (beside invalid_grant)'),
  throttled: z.array(matcher).optional().describe('too many requests, or the provider is in trouble: later'),
  tooEarly: z.array(matcher).optional().describe('refused because the present token is too young: later, and no fault'),
  clientRefused: z.array(matcher).optional().describe('the client, not the grant, was refused'),
})

const expiryLookup = z.strictObject({
  endpoint: endpoint.optional().describe('asked with the new access token as bearer; introspection unless said'),
  scheme: text.optional().describe('word before the token in the Authorization header; Bearer unless said'),
  expiresIn: path.optional().describe('path of the expiry in its answer; exp of introspection unless said'),
  expiresInForm: z.enum(expiryForms).optional().describe('what that value is; epoch_seconds unless said'),
})

/** A JWT that the client signs: as assertion (RFC 7523), as client assertion, or as client secret. */
const assertion = z.strictObject({
  algorithm: z.enum(['RS256', 'PS256', 'ES256']).optional().describe('RS256 unless said'),
  issuer: text.optional().describe('iss; template, {client_id} unless said'),
  subject: text
    .optional()
    .describe('sub; template; unless said, {client_id} where the client proves itself, and none in a grant'),
  audience: text
    .optional()
    .describe('aud; template; unless said, the token endpoint, and none in an Authorization header'),
  claims: texts.optional().describe('more claims; templates'),
  lifetimeSeconds: positive.optional().describe('from iat to exp; 60 unless said'),
  sentAs: z
    .enum(['assertion', 'bearer'])
    .optional()
    .describe('of the grant jwt_bearer: parameter assertion (the default), or the Authorization header'),
  certificateThumbprint: z.boolean().optional().describe('the header names the certificate by x5t#S256 (Microsoft)'),
})

const revocation = z.strictObject({
  method: z.enum(['POST', 'DELETE', 'GET']).optional().describe('POST unless said'),
  encoding: z
    .enum(['form', 'json', 'query', 'none'])
    .optional()
    .describe('form unless said; none: nothing but headers'),
  auth: z
    .enum([...clientAuthMethods, 'access_token'])
    .optional()
    .describe('who asks: the client as at the token endpoint unless said; access_token: the token itself as bearer'),
  tokens: z
    .array(z.enum(['refresh_token', 'access_token']))
    .min(1)
    .optional()
    .describe('the kinds that it accepts; both unless said'),
  tokenParameter: text.optional().describe('name of the parameter with the token; token unless said'),
  add: additions.optional().describe('more parameters; templates of {parameters}, {client_id}, {client_secret}'),
  headers: texts.optional().describe('more headers; templates as in add'),
  endsConsent: z
    .boolean()
    .optional()
    .describe('revoking one token ends the whole consent, a newer grant of the same user included'),
})

/** Everything that describes how a provider behaves; `variants` and clients change parts of it. */
const behaviour = z.strictObject({
  issuer: issuer.optional().describe('its identifier: endpoints that are not given are discovered there (RFC 8414)'),
  tokenEndpoint: endpoint.optional().describe('where a refresh is sent; https, {placeholders} are per credential'),
  revocationEndpoint: endpoint.optional().describe('RFC 7009; without it a revoke ends at our own fence'),
  introspectionEndpoint: endpoint.optional().describe('RFC 7662; asked for expiry, and whether a revocation revoked'),
  parameters: z.record(name, parameter).optional().describe('the placeholders of endpoints and requests'),
  grant: z.enum(grantKinds).optional().describe('what buys access tokens, where a client does not say; refresh_token'),
  clientAuth: z.enum(clientAuthMethods).optional().describe('how the client proves who it is at the token endpoint'),
  tokenRequest: tokenRequest.optional().describe('where the request differs from RFC 6749 section 6'),
  tokenResponse: tokenResponse.optional().describe('where the answer differs from RFC 6749 section 5.1'),
  errors: errors.optional().describe('its words for what went wrong, beside RFC 6749 section 5.2'),
  assertion: assertion.optional().describe('the JWT that the client signs, where grant or clientAuth needs one'),
  accessTokenSeconds: positive.optional().describe('lifetime of an access token where the answer does not say'),
  accessTokenNeverExpires: z.boolean().optional().describe('an access token without an expiry lives until revoked'),
  expiryLookup: expiryLookup.optional().describe('asked for the expiry where the answer does not say'),
  rotation: z.enum(rotationClasses).optional().describe('what becomes of a used refresh token; single_use if unknown'),
  graceSeconds: positive
    .optional()
    .describe('how long a used one is accepted; with grace, and outer bound of until_new_used'),
  oldAccessTokenDies: z.boolean().optional().describe('a refresh ends the access token in use'),
  neverAfterExpiry: z.boolean().optional().describe('once the access token has ended nothing can be refreshed'),
  notBeforeSeconds: positive.optional().describe('a refresh is refused before the token is this old'),
  minRefreshIntervalSeconds: positive
    .optional()
    .describe('a refresh sooner brings nothing new, or counts against a limit'),
  refreshBeforeExpirySeconds: positive.optional().describe('how long before expiry the vendor asks for a refresh'),
  refreshTokenIdleSeconds: positive.optional().describe('a refresh token dies when unused for so long'),
  refreshTokenAbsoluteSeconds: positive.optional().describe('it dies so long after consent, whatever is refreshed'),
  refreshTokenLifetimeSeconds: positive
    .optional()
    .describe('stated for each refresh token; a deadline unless the next one comes with a later one'),
  refreshTokensPerUser: positive
    .optional()
    .describe('how many live for one user and client; one more and the oldest dies without a word'),
  rateLimit: z
    .strictObject({ requests: positive, perSeconds: positive })
    .optional()
    .describe('requests that the provider allows, all workers together'),
  neverAskAgain: z.boolean().optional().describe('a refused grant is not asked for again: callers are banned for it'),
  revocation: revocation.optional().describe('where revoking differs from RFC 7009'),
  consent: text
    .optional()
    .describe(
      'what the consent request has to hold, or no refresh token is issued; a grant without one is then refused',
    ),
})

export const providerSchema = behaviour.extend({
  displayName: text.optional().describe('for people'),
  extends: text.optional().describe('another entry, whose fields hold where this one says nothing'),
  notes: text.optional().describe('what else someone has to know'),
  variants: z
    .record(name, z.strictObject({ when: text.describe('the setting that decides'), set: behaviour }))
    .optional()
    .describe('what differs under a setting of the vendor or the app; a client names one: variant'),
  sources: z
    .array(z.strictObject({ url: text, says: text }))
    .optional()
    .describe('public pages, each with what it says'),
  checked: z.iso.date().optional().describe('the day on which the sources were read'),
  confidence: z.enum(['documented', 'third_party', 'unverified']).optional().describe('what the entry rests on'),
  unsure: z.array(name).min(1).optional().describe('fields that rest on less than the entry does'),
})

/** An entry as it is written. */
export type ProviderEntry = z.output<typeof providerSchema>
export type Behaviour = z.output<typeof behaviour>
export type TokenRequestRules = z.output<typeof tokenRequest>
export type TokenResponseRules = z.output<typeof tokenResponse>
export type ErrorRules = z.output<typeof errors>
export type ErrorMatcher = z.output<typeof matcher>
export type ExpiryLookup = z.output<typeof expiryLookup>
export type AssertionRules = z.output<typeof assertion>
export type RevocationRules = z.output<typeof revocation>
export type ClientAuthMethod = (typeof clientAuthMethods)[number]
export type ParameterRules = z.output<typeof parameter>
export type ExpiryForm = (typeof expiryForms)[number]
export { behaviour as behaviourSchema }
