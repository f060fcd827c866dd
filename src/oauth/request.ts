import { Buffer } from 'node:buffer'
import packageJson from '../../package.json' with { type: 'json' }
import type { GrantKind, RotationClass } from '../credential.ts'
import type { ClientAuthMethod } from '../providers/provider.ts'
import { namesSecret } from './harmless.ts'

/** One request for tokens: a refresh (RFC 6749 section 6) or client credentials (section 4.4). */
export interface TokenRequest {
  /** https, or http on loopback */
  endpoint: string
  clientId: string
  clientAuth: ClientAuthMethod
  clientSecret?: string
  grant: GrantKind
  /** of the grant `refresh_token` */
  refreshToken?: string
  /** what the provider does with a used refresh token: decides what a 503 means */
  rotation: RotationClass
  /** scope, audience, resource; never overrides the grant or the client's credentials */
  parameters: Record<string, string>
}

/** What goes over the wire, the endpoint aside. */
export interface TokenMessage {
  headers: Record<string, string>
  body: string
}

const reserved = new Set([
  'grant_type',
  'refresh_token',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
])

/** Who asks: a client, with the secret that is tried. */
export type ClientIdentity = Pick<TokenRequest, 'clientId' | 'clientAuth' | 'clientSecret'>

/** Writes the form and the headers of a token request (RFC 6749 section 4.4.2 and 6, client per section 2.3.1). */
export function buildTokenMessage(request: TokenRequest): TokenMessage {
  const form = new URLSearchParams({ grant_type: request.grant })
  if (request.grant === 'refresh_token') form.set('refresh_token', request.refreshToken ?? '')
  for (const [name, value] of Object.entries(request.parameters)) if (!reserved.has(name)) form.set(name, value)
  return authenticated(form, request)
}

/** A form, sent by a client that proves who it is (RFC 6749 section 2.3.1). */
export function authenticated(form: URLSearchParams, client: ClientIdentity): TokenMessage {
  const headers: Record<string, string> = {
    accept: 'application/json',
    // without it a server may choose any encoding (RFC 9110 section 12.5.3), and the answer is read as it came
    'accept-encoding': 'identity',
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': `perennial/${packageJson.version}`,
  }
  if (client.clientAuth === 'client_secret_basic') {
    headers.authorization = basic(client.clientId, client.clientSecret ?? '')
  } else {
    form.set('client_id', client.clientId)
    if (client.clientAuth === 'client_secret_post') form.set('client_secret', client.clientSecret ?? '')
  }
  return { headers, body: form.toString() }
}

/** What of a request must never be repeated in a verdict. */
export function secretsOf(request: TokenRequest): string[] {
  const named = Object.entries(request.parameters).filter(([name]) => namesSecret(name))
  return [request.clientSecret, request.refreshToken, ...named.map(([, value]) => value)].filter(
    (secret) => secret !== undefined,
  )
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. */
function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString('base64')}`
}

const formEncode = (text: string) => new URLSearchParams({ v: text }).toString().slice(2)
