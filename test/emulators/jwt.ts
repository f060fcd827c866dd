import { Buffer } from 'node:buffer'
import { createHmac, type KeyObject, sign, verify } from 'node:crypto'

export interface Jwt {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>

/** Opens a compact JWT and checks its signature; a sentence says what is wrong with it. */
export function verifyJwt(token: string, algorithms: readonly string[], key: KeyObject): Jwt | string {
  const parts = token.split('.')
  if (parts.length !== 3) return 'it is no compact JWT'
  const [first, second, signature] = parts as [string, string, string]
  try {
    const jwt = { header: decode(first), claims: decode(second) }
    const algorithm = String(jwt.header.alg)
    if (!algorithms.includes(algorithm))
      return `it is signed with ${algorithm}, and ${algorithms.join(' or ')} is asked for`
    const kind = algorithm.startsWith('ES') ? 'ec' : 'rsa'
    if (key.asymmetricKeyType !== kind) return `${algorithm} is not for the key that is registered`
    const options = { key, ...signingOptions(algorithm) }
    const data = Buffer.from(`${first}.${second}`)
    return verify('sha256', data, options, Buffer.from(signature, 'base64url'))
      ? jwt
      : 'its signature does not fit the key'
  } catch {
    return 'it cannot be decoded'
  }
}

export function signJwt({ header, claims }: Jwt, key: KeyObject): string {
  const data = `${encode(header)}.${encode(claims)}`
  const options = { key, ...signingOptions(String(header.alg)) }
  return `${data}.${sign('sha256', Buffer.from(data), options).toString('base64url')}`
}

/** RFC 7518 section 3: ES signatures are two numbers side by side, PS ones are salted. */
function signingOptions(algorithm: string) {
  if (algorithm.startsWith('ES')) return { dsaEncoding: 'ieee-p1363' as const }
  return algorithm.startsWith('PS') ? { padding: 6, saltLength: 32 } : {}
}

/** A token of a vendor's own, which a client can read the claims of and cannot verify. */
export function vendorJwt(claims: Record<string, unknown>): string {
  const data = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${data}.${createHmac('sha256', 'only the vendor knows').update(data).digest('base64url')}`
}
