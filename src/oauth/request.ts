import type { GrantKind, RotationClass } from '../credential.ts'
import type { ErrorRules, TokenRequestRules, TokenResponseRules } from '../providers/schema.ts'
import { fill } from '../providers/template.ts'
import { assertionOf, type ClientIdentity, type Proof, proofOf } from './client-proof.ts'
import { namesSecret } from './harmless.ts'
import { type Message, type Parameters, write } from './message.ts'

/** One request for tokens, of any grant. */
export interface TokenRequest extends ClientIdentity {
  /** https, or http on loopback */
  endpoint: string
  grant: GrantKind
  /** of the grant `refresh_token` */
  refreshToken?: string
  /** the one in use: of the grant `access_token`, and where it has to come along with a refresh token */
  accessToken?: string
  /** what the provider does with a used refresh token: decides what a 503 means */
  rotation: RotationClass
  /** scope, audience, resource; never overrides the grant or the client's credentials */
  parameters: Record<string, string>
  /** where the request differs from RFC 6749 */
  tokenRequest?: TokenRequestRules
  /** where the answer does */
  tokenResponse?: TokenResponseRules
  errors?: ErrorRules
  /** nothing can be refreshed any more: a refusal is final */
  pastSaving?: boolean
}

const reserved = new Set([
  'grant_type',
  'refresh_token',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
])

const grantTypes: Record<GrantKind, string | undefined> = {
  refresh_token: 'refresh_token',
  client_credentials: 'client_credentials',
  jwt_bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  access_token: undefined,
}

/** Writes a token request: RFC 6749 sections 4.4.2 and 6, RFC 7523 section 2.1, and where the provider's entry differs. */
export function buildTokenMessage(request: TokenRequest): Message {
  const { tokenRequest = {}, endpoint } = request
  const { method = 'POST', encoding = method === 'GET' ? 'query' : 'form', rename = {}, remove = [] } = tokenRequest
  const grant = grantOf(request)
  const proof = proofOf(request, endpoint)
  const standard = { ...grant.parameters, ...proof.parameters }
  const kept = Object.entries(standard)
    .filter(([name]) => !remove.includes(name))
    .map(([name, value]) => [rename[name] ?? name, value])
  const own = Object.entries(request.parameters).filter(([name]) => !reserved.has(name))
  const values = templateValues(request)
  return write({
    method,
    endpoint,
    encoding,
    parameters: { ...filledParameters(tokenRequest.add, values), ...Object.fromEntries([...own, ...kept]) },
    headers: { ...proof.headers, ...grant.headers, ...filledHeaders(tokenRequest.headers, values) },
    secrets: [...proof.secrets, ...grant.secrets],
  })
}

/** What a request says of its grant. */
function grantOf(request: TokenRequest): Proof {
  const { grant, tokenRequest = {}, endpoint, assertion } = request
  const grantType = tokenRequest.grantType ?? grantTypes[grant]
  const parameters: Record<string, string> = grantType === undefined ? {} : { grant_type: grantType }
  if (grant === 'refresh_token') parameters.refresh_token = request.refreshToken ?? ''
  if (grant !== 'jwt_bearer') return { parameters, headers: {}, secrets: [] }
  const inHeader = assertion?.sentAs === 'bearer'
  const jwt = assertionOf(request, inHeader ? {} : { audience: endpoint })
  if (inHeader) return { parameters, headers: { authorization: `Bearer ${jwt}` }, secrets: [jwt] }
  return { parameters: { ...parameters, assertion: jwt }, headers: {}, secrets: [jwt] }
}

/** What the templates of a provider's entry may name. */
const templateValues = (request: TokenRequest): Record<string, string> => ({
  ...request.values,
  client_id: request.clientId,
  client_secret: request.clientSecret ?? '',
  refresh_token: request.refreshToken ?? '',
  access_token: request.accessToken ?? '',
})

export const filledParameters = (add: Parameters = {}, values: Readonly<Record<string, string>>): Parameters =>
  Object.fromEntries(
    Object.entries(add).map(([name, value]) => [name, typeof value === 'string' ? fill(value, values) : value]),
  )

export const filledHeaders = (
  headers: Readonly<Record<string, string>> = {},
  values: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), fill(value, values)]))

/** What of a request must never be repeated in a verdict. */
export function secretsOf(request: TokenRequest): string[] {
  const named = Object.entries(request.parameters).filter(([name]) => namesSecret(name))
  const { clientSecret, refreshToken, accessToken } = request
  return [clientSecret, refreshToken, accessToken, ...named.map(([, value]) => value)].filter(
    (secret) => secret !== undefined,
  )
}
