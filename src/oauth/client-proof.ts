/**
 * How a client proves who it is: RFC 6749 section 2.3.1, RFC 7523, RFC 8705, and what vendors made of them.
 */
import { Buffer } from 'node:buffer'
import { randomUUID, X509Certificate } from 'node:crypto'
import type { AssertionRules, ClientAuthMethod } from '../providers/schema.ts'
import { fill } from '../providers/template.ts'
import { signJwt } from './jwt.ts'

/** Who asks: a client, with the secret that is tried. */
export interface ClientIdentity {
  clientId: string
  clientAuth: ClientAuthMethod
  clientSecret?: string
  /** PEM: signs assertions, or belongs to the certificate */
  privateKey?: string
  keyId?: string
  /** PEM */
  certificate?: string
  /** the address may come from outside of the configuration: only public ones are connected to */
  publicOnly?: boolean
  /** what the client's JWTs hold */
  assertion?: AssertionRules
  /** fills templates of the provider's entry */
  values?: Readonly<Record<string, string>>
}

/** What a proof adds to a request. */
export interface Proof {
  parameters: Record<string, string>
  headers: Record<string, string>
  /** made for this request alone, and not to be repeated */
  secrets: string[]
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export function proofOf(client: ClientIdentity, endpoint: string): Proof {
  const { clientId, clientSecret = '' } = client
  const byHeader = (authorization: string): Proof => ({ parameters: {}, headers: { authorization }, secrets: [] })
  switch (client.clientAuth) {
    case 'client_secret_basic':
      return byHeader(basic(formEncode(clientId), formEncode(clientSecret)))
    case 'client_secret_basic_raw':
      return byHeader(basic(clientId, clientSecret))
    case 'secret_as_username':
      return byHeader(basic(clientSecret, ''))
    case 'client_secret_post':
      return { parameters: { client_id: clientId, client_secret: clientSecret }, headers: {}, secrets: [] }
    case 'none':
    case 'tls_client_auth':
      return { parameters: { client_id: clientId }, headers: {}, secrets: [] }
    case 'private_key_jwt': {
      const jwt = clientJwt(client, endpoint)
      const parameters = { client_id: clientId, client_assertion_type: assertionType, client_assertion: jwt }
      return { parameters, headers: {}, secrets: [jwt] }
    }
    case 'signed_client_secret': {
      const jwt = clientJwt(client, endpoint)
      return { parameters: { client_id: clientId, client_secret: jwt }, headers: {}, secrets: [jwt] }
    }
  }
}

/** RFC 7523 section 3: a JWT of the client about itself, so that its subject is the client unless the entry says else. */
const clientJwt = (client: ClientIdentity, endpoint: string) =>
  assertionOf(client, { subject: '{client_id}', audience: endpoint })

/** a server whose clock is a little behind takes it all the same */
const issuedBeforeSeconds = 10

/** The JWT that a client signs by the rules of the provider's entry; `defaults` for what they leave open. */
export function assertionOf(client: ClientIdentity, defaults: { subject?: string; audience?: string }): string {
  const { clientId, privateKey = '', keyId, certificate, values = {}, assertion = {} } = client
  const filled = (template: string) => fill(template, { ...values, client_id: clientId })
  const { algorithm = 'RS256', issuer = '{client_id}', lifetimeSeconds = 60, claims = {} } = assertion
  const subject = assertion.subject ?? defaults.subject
  const audience = assertion.audience === undefined ? defaults.audience : filled(assertion.audience)
  const iat = Math.floor(Date.now() / 1000) - issuedBeforeSeconds
  const header = {
    ...(keyId !== undefined && { kid: keyId }),
    ...(assertion.certificateThumbprint && { 'x5t#S256': thumbprint(certificate ?? '') }),
  }
  return signJwt(privateKey, algorithm, header, {
    iss: filled(issuer),
    ...(subject !== undefined && { sub: filled(subject) }),
    ...(audience !== undefined && { aud: audience }),
    iat,
    exp: iat + lifetimeSeconds,
    jti: randomUUID(),
    ...Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, filled(value)])),
  })
}

/** RFC 7515 section 4.1.8. */
const thumbprint = (pem: string) =>
  Buffer.from(new X509Certificate(pem).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. */
const formEncode = (text: string) => new URLSearchParams({ v: text }).toString().slice(2)
