/**
 * Sealing what is stored or carried by a workflow; the reader's package owns the form and opens it.
 */
import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { SealedContext, SealingKey } from '../../packages/reader/src/sealed.ts'

/**
 * Seals a text for one credential, family and generation, as JWE compact (`dir`, `A256GCM`).
 *
 * The nonce is random: one key may seal 2^32 values before two nonces meet with a chance of 2^-32
 * (NIST SP 800-38D section 8.3).
 */
export function seal(plaintext: string, key: SealingKey, { cred, family, gen }: SealedContext): string {
  const header = { alg: 'dir', enc: 'A256GCM', kid: key.kid, pcx: { cred, family, gen } }
  const protectedHeader = Buffer.from(JSON.stringify(header)).toString('base64url')
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce)
  cipher.setAAD(Buffer.from(protectedHeader, 'ascii'))
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  const parts = [nonce, ciphertext, cipher.getAuthTag()].map((bytes) => bytes.toString('base64url'))
  return [protectedHeader, '', ...parts].join('.')
}

/** A new sealing key: base64url of 32 random bytes. */
export const newSealingKey = () => randomBytes(32).toString('base64url')

/**
 * Recognises a secret seen before without keeping it: the same text under the same key gives the same fingerprint,
 * and without the key it can be neither reversed nor guessed at.
 */
export function fingerprint(key: SealingKey, text: string): string {
  const derived = Buffer.from(hkdfSync('sha256', key.key, '', 'perennial fingerprint', 32))
  return createHmac('sha256', derived).update(text, 'utf8').digest().subarray(0, 16).toString('base64url')
}
