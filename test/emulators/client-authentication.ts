import { Buffer } from 'node:buffer'
import { createHash, X509Certificate } from 'node:crypto'
import { type Jwt, verifyJwt } from './jwt.ts'
import type { Assertion, Carried, ClientAuthentication, Parameters } from './profile.ts'
import type { Registration } from './registration.ts'

/** What a vendor has before it when it asks who calls. */
export interface Call {
  registration: Registration
  parameters: Parameters
  headers: Readonly<Record<string, string>>
  /** the address that was called, and the vendor's own name for it: both are audiences */
  addresses: readonly string[]
  account: Readonly<Record<string, string>>
  nowMs: number
  /** ids of assertions that were seen before */
  seenIds: Set<string>
}

/** Why the client is not believed; undefined where it is. */
export function doubtOf(client: ClientAuthentication, call: Call): string | undefined {
  if (client.by === 'anyone') return undefined
  const given = secretsGiven(call)
  const expected = placesOf(client)
  const stray = given.find((place) => !expected.includes(place))
  if (stray !== undefined) return `the client must not authenticate with ${stray}`
  return doubts[client.by](client as never, call)
}

/** The parameters that an authentication travels in. */
export function parametersOf(client: ClientAuthentication): readonly string[] {
  switch (client.by) {
    case 'post':
      return [client.id, client.secret]
    case 'signed secret':
      return ['client_id', 'client_secret']
    case 'hash':
      return [client.id, client.hash]
    case 'none':
      return client.id === undefined ? [] : [client.id]
    case 'certificate':
      return ['client_id']
    case 'anyone':
      return ['client_id', 'client_secret']
    case 'signed assertion':
      return ['client_id', 'client_assertion_type', 'client_assertion']
    default:
      return []
  }
}

/** RFC 6749 section 2.3: one way of authentication a request. */
function secretsGiven({ headers, parameters }: Call): string[] {
  const names = Object.keys(parameters).filter((name) => /^client_?secret$|^client_assertion$|^hash$/i.test(name))
  return headers.authorization?.startsWith('Basic ') ? ['Basic', ...names] : names
}

function placesOf(client: ClientAuthentication): readonly string[] {
  return client.by === 'basic' || client.by === 'secret as user name' ? ['Basic'] : parametersOf(client)
}

const doubts: {
  [By in ClientAuthentication['by']]: (
    client: Extract<ClientAuthentication, { by: By }>,
    call: Call,
  ) => string | undefined
} = {
  basic: ({ encoding }, call) => {
    const [user, password] = basicOf(call)
    if (user === undefined || password === undefined) return 'there is no Basic header'
    const { clientId, clientSecret } = call.registration
    const readings = { form: [formDecoded], raw: [asItIs], either: [formDecoded, asItIs] }[encoding]
    const fits = readings.some((read) => read(user) === clientId && read(password) === clientSecret)
    return fits ? undefined : `the Basic header does not hold this client's id and secret (${encoding} encoding)`
  },
  'secret as user name': (_, call) => {
    const [user, password] = basicOf(call)
    return user === call.registration.clientSecret && password === ''
      ? undefined
      : 'the Basic header must hold the secret as user name, and no password'
  },
  post: ({ id, secret }, { parameters, registration: { clientId, clientSecret } }) =>
    differs(parameters, { [id]: clientId, [secret]: clientSecret }),
  none: ({ id }, { parameters, registration: { clientId } }) =>
    id === undefined ? undefined : differs(parameters, { [id]: clientId }),
  certificate: (_, { parameters, registration: { clientId } }) => differs(parameters, { client_id: clientId }),
  'signed assertion': (
    { algorithms, audience, maximumSeconds, header = [], needs = ['jti'], subject = true, claims: more = {} },
    call,
  ) => {
    const { clientId, keys, keyId, certificate } = call.registration
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const wrong = differs(call.parameters, { client_assertion_type: type })
    if (wrong !== undefined) return wrong
    const jwt = verifyJwt(call.parameters.client_assertion ?? '', algorithms, keys.publicKey)
    if (typeof jwt === 'string') return `client_assertion: ${jwt}`
    const missing = header.find((name) => jwt.header[name] === undefined)
    if (missing !== undefined) return `client_assertion: its header has no ${missing}`
    if (header.includes('x5t#S256') && jwt.header['x5t#S256'] !== thumbprintOf(certificate))
      return 'client_assertion: x5t#S256 is not the thumbprint of the certificate'
    if (jwt.header.kid !== undefined && jwt.header.kid !== keyId)
      return `client_assertion: no key ${jwt.header.kid} is known`
    const claims = { iss: clientId, ...(subject && { sub: clientId }), ...more }
    return lifeDoubt('client_assertion', jwt, { audience, maximumSeconds, claims, needs }, call)
  },
  'signed secret': ({ algorithm, audience, maximumSeconds, issuer }, call) => {
    const { clientId, keys, keyId } = call.registration
    const wrong = differs(call.parameters, { client_id: clientId })
    if (wrong !== undefined) return wrong
    const jwt = verifyJwt(call.parameters.client_secret ?? '', [algorithm], keys.publicKey)
    if (typeof jwt === 'string') return `client_secret: ${jwt}`
    if (jwt.header.kid !== keyId) return `client_secret: its header must name key ${keyId}`
    return lifeDoubt(
      'client_secret',
      jwt,
      { audience, maximumSeconds, claims: { iss: issuer, sub: clientId }, needs: [] },
      call,
    )
  },
  hash: ({ id, hash }, { parameters, registration: { clientId, clientSecret } }) => {
    const expected = createHash('sha256').update(`${clientSecret}|${parameters.refresh_token}`).digest('hex')
    return differs(parameters, { [id]: clientId, [hash]: expected })
  },
  header: ({ name, value }, { headers, registration: { clientId, clientSecret } }) =>
    headers[name.toLowerCase()] === value.replace('{client_id}', clientId).replace('{client_secret}', clientSecret)
      ? undefined
      : `the header ${name} must be "${value}"`,
  anyone: () => undefined,
  'access token': (_, { headers }) =>
    /^(?:Bearer|OAuth) ./.test(headers.authorization ?? '')
      ? undefined
      : 'the access token must come as a bearer header',
}

/** What is wrong with a grant that is an assertion (RFC 7523 section 3). */
export function assertionDoubt(token: string, rule: Assertion, call: Call): string | undefined {
  const jwt = verifyJwt(token, [rule.algorithm], call.registration.keys.publicKey)
  return typeof jwt === 'string' ? `assertion: ${jwt}` : lifeDoubt('assertion', jwt, rule, call)
}

function lifeDoubt(what: string, { claims }: Jwt, rule: Omit<Assertion, 'algorithm'>, call: Call): string | undefined {
  const { registration, account, nowMs, addresses, seenIds } = call
  for (const [name, value] of Object.entries(rule.claims)) {
    const expected = filled(value, { ...account, ...registration })
    if (claims[name] !== expected) return `${what}: ${name} must be "${expected}", not "${claims[name]}"`
  }
  const missing = rule.needs.find((name) => claims[name] === undefined)
  if (missing !== undefined) return `${what}: there is no ${missing}`
  const refused = rule.refuses?.find((name) => claims[name] !== undefined)
  if (refused !== undefined) return `${what}: ${refused} must not be there`
  const audiences = rule.audience === 'the token endpoint' ? addresses : [filled(rule.audience, account)]
  if (rule.audience !== '' && !audiences.includes(String(claims.aud)))
    return `${what}: aud must be ${audiences.join(' or ')}, not ${claims.aud}`
  const nowSeconds = nowMs / 1000
  if (typeof claims.exp !== 'number' || claims.exp <= nowSeconds) return `${what}: it has expired, or has no exp`
  if (claims.exp > nowSeconds + rule.maximumSeconds + 1) return `${what}: it lives longer than ${rule.maximumSeconds} s`
  if (typeof claims.iat === 'number' && claims.iat > nowSeconds + 1) return `${what}: it was issued in the future`
  if (typeof claims.jti !== 'string') return undefined
  if (seenIds.has(claims.jti)) return `${what}: jti was seen before`
  seenIds.add(claims.jti)
  return undefined
}

/** RFC 7515 section 4.1.8. */
function thumbprintOf(pem: string | undefined): string | undefined {
  if (pem === undefined) return undefined
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url')
}

function basicOf({ headers }: Call): [string?, string?] {
  const encoded = headers.authorization?.match(/^Basic ([A-Za-z0-9+/=]+)$/)?.[1]
  if (encoded === undefined) return []
  const pair = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon < 0 ? [pair] : [pair.slice(0, colon), pair.slice(colon + 1)]
}

const asItIs = (text: string) => text

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** The first parameter that is not what it must be; values stay out, for they are secrets. */
export function differs(parameters: Parameters, expected: Parameters): string | undefined {
  for (const [name, value] of Object.entries(expected)) {
    if (parameters[name] === undefined) return `${name} is missing`
    if (value !== any && parameters[name] !== value) return `${name} has a wrong value`
  }
  return undefined
}

export const any = '*'

export const filled = (template: string, values: object) =>
  template.replaceAll(/\{([a-zA-Z_]+)\}/g, (whole, name: string) => String(Reflect.get(values, name) ?? whole))

/** The token that a call is about; Twitch calls the scheme OAuth in its validation. */
export function carriedIn(carried: Carried, { parameters, headers }: Call): string {
  if (carried.in === 'parameter') return parameters[carried.name] ?? ''
  return headers.authorization?.match(/^(?:Bearer|OAuth) (.+)$/)?.[1] ?? ''
}
