import { generateKeyPairSync, type KeyObject } from 'node:crypto'

/** What a vendor knows of a client, and the client of itself. */
export interface Registration {
  clientId: string
  clientSecret: string
  redirectUri: string
  /** the key that assertions are signed with, and its id */
  keys: KeyPair
  keyId: string
  /** who issues assertions where that is not the client itself: a service account, a team */
  issuer: string
  subject: string
}

export interface KeyPair {
  publicKey: KeyObject
  privateKey: KeyObject
}

let rsa: KeyPair | undefined
let ec: KeyPair | undefined

/** One pair of each kind serves all: making them is slow. */
export function keyPair(algorithm: string): KeyPair {
  if (algorithm.startsWith('ES')) {
    ec ??= generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return ec
  }
  rsa ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return rsa
}

/** The secret has what encodings differ in: a plus, a per cent sign, a space, an ampersand, an equals sign. */
export function register(serial: number, algorithm = 'RS256'): Registration {
  return {
    clientId: `app-${serial}.client`,
    clientSecret: `cs-secret-${serial}+%2F&= x/y`,
    redirectUri: 'https://app.example/oauth/callback',
    keys: keyPair(algorithm),
    keyId: `key-${serial}`,
    issuer: `issuer-${serial}`,
    subject: `subject-${serial}`,
  }
}
