import { Buffer } from 'node:buffer'
import { constants, createPrivateKey, type KeyObject, sign } from 'node:crypto'

export const signingAlgorithms = ['RS256', 'PS256', 'ES256'] as const

export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/**
 * Signs a JWT (RFC 7515, RFC 7518 section 3).
 *
 * @param pem a private key in PEM, RSA or P-256 as the algorithm wants it
 */
export function signJwt(
  pem: string,
  algorithm: SigningAlgorithm,
  header: Readonly<Record<string, string>>,
  claims: Readonly<Record<string, string | number>>,
): string {
  const protectedHeader = { alg: algorithm, typ: 'JWT', ...header }
  const signed = [protectedHeader, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  const input = signed.join('.')
  return `${input}.${sign('sha256', Buffer.from(input), keyFor(pem, algorithm)).toString('base64url')}`
}

function keyFor(pem: string, algorithm: SigningAlgorithm) {
  const key = keyOf(pem)
  if (algorithm === 'ES256') return { key, dsaEncoding: 'ieee-p1363' as const }
  if (algorithm === 'RS256') return { key }
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

/** Says what a private key lacks for an algorithm, if anything. */
export function keyProblem(pem: string, algorithm: SigningAlgorithm): string | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = keyOf(pem)
  if (algorithm !== 'ES256') return kind === 'rsa' ? undefined : `must be an RSA key, as ${algorithm} needs one`
  return kind === 'ec' && details?.namedCurve === 'prime256v1'
    ? undefined
    : 'must be a key on P-256, as ES256 needs one'
}

/** Parsing costs more than signing: done once for each key that is in use. */
const parsed = new Map<string, KeyObject>()
const mostKeys = 1_000

function keyOf(pem: string): KeyObject {
  const known = parsed.get(pem)
  if (known !== undefined) return known
  if (parsed.size >= mostKeys) parsed.clear()
  const key = createPrivateKey(pem)
  parsed.set(pem, key)
  return key
}
