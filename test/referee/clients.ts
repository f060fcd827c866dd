import { timingSafeEqual } from 'node:crypto'
import { rotationClasses } from '../../src/credential.ts'
import type { ClientRules } from './grants.ts'

/** A client registration. */
export interface RefereeClient extends ClientRules {
  /** any of them is right */
  secrets: string[]
  auth: 'client_secret_basic' | 'client_secret_post'
}

/** How a request proves whose it is. */
export interface Claim {
  clientId: string
  secret: string
  auth: RefereeClient['auth']
}

/** One client for each rotation class, named after it, and `client_credentials`; both ways to authenticate. */
export function oneClientPerClass(tokenSeconds: number, graceSeconds: number): RefereeClient[] {
  return [...rotationClasses, 'client_credentials' as const].map((grant, index) => ({
    id: grant,
    secrets: [`secret of ${grant} +%:/`],
    auth: index % 2 === 0 ? 'client_secret_basic' : 'client_secret_post',
    grant,
    ...(grant === 'grace' && { graceSeconds }),
    tokenSeconds,
    revocation: 'by_token',
  }))
}

/** Reads RFC 6749 section 2.3.1: the header, or the form, but not both. */
export function readClaim(authorization: string, form: URLSearchParams): Claim | 'two_methods' | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(authorization)?.[1]
  const secret = form.get('client_secret')
  if (encoded !== undefined && secret !== null) return 'two_methods'
  if (encoded !== undefined) {
    const [, id = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
    return { clientId: formDecode(id), secret: formDecode(password), auth: 'client_secret_basic' }
  }
  const clientId = form.get('client_id')
  return clientId === null ? undefined : { clientId, secret: secret ?? '', auth: 'client_secret_post' }
}

const formDecode = (text: string): string =>
  new URLSearchParams(`v=${text.replaceAll('&', '%26').replaceAll(';', '%3B')}`).get('v') ?? ''

/** Whether the claim is right: the secret, and the method that the client is registered with. */
export function isProven(claim: Claim, client: RefereeClient): boolean {
  const same = (secret: string) => {
    const [given, wanted] = [Buffer.from(claim.secret), Buffer.from(secret)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }
  return claim.auth === client.auth && client.secrets.some(same)
}
