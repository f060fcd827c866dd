import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Profile } from './profile.ts'

/** What a vendor knows of a client, and the client of itself. */
export interface Registration {
  clientId: string
  clientSecret: string
  redirectUri: string
  /** the key that assertions are signed with, and its id */
  keys: KeyPair
  privateKeyPem: string
  keyId: string
  /** PEM, where the vendor was given one */
  certificate?: string
  /** whom an assertion speaks for */
  subject: string
}

export interface KeyPair {
  publicKey: KeyObject
  privateKey: KeyObject
}

let ec: KeyPair | undefined
let rsa: KeyPair | undefined

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')

/** One pair of each kind serves all: making them is slow. The RSA key is the one of the certificate. */
function keyPair(algorithm: string): KeyPair {
  if (algorithm.startsWith('ES')) {
    ec ??= generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return ec
  }
  const pem = fixture('rsa-key.pem')
  rsa ??= { privateKey: createPrivateKey(pem), publicKey: createPublicKey(pem) }
  return rsa
}

/** The secret has what encodings differ in: a plus, a per cent sign, a space, an ampersand, an equals sign. */
export function register(serial: number, profile: Profile): Registration {
  const { client } = profile
  const keys = keyPair(algorithmOf(profile))
  const showsCertificate =
    client.by === 'certificate' || (client.by === 'signed assertion' && client.header?.includes('x5t#S256'))
  return {
    clientId: `app-${serial}.client`,
    clientSecret: `cs-secret-${serial}+%2F&= x/y`,
    redirectUri: 'https://app.example/oauth/callback',
    keys,
    privateKeyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    keyId: `key-${serial}`,
    ...(showsCertificate && { certificate: fixture('rsa-cert.pem') }),
    subject: `subject-${serial}`,
  }
}

function algorithmOf({ client, grant }: Profile): string {
  if (grant.kind === 'assertion') return grant.assertion.algorithm
  if (client.by === 'signed secret') return client.algorithm
  return client.by === 'signed assertion' ? (client.algorithms[0] ?? 'RS256') : 'RS256'
}
