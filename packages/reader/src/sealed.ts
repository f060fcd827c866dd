/**
 * Opening what is sealed at rest: JWE compact (RFC 7516), `dir` + `A256GCM`, with the credential, family and
 * generation it was made for in the protected header, so that one value cannot stand in for another.
 */
import { createDecipheriv, createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { InvalidArgument, UnreadableValue } from './errors.ts'

/** A key that seals and opens. `kid` is the RFC 7638 thumbprint of the key as a JWK. */
export interface SealingKey {
  kid: string
  key: KeyObject
}

/** What a sealed value is bound to; `pcx` in the protected header. */
export interface SealedContext {
  cred: string
  family: string
  gen: number
}

/** A protected header that was read, and the key that it names. */
export interface Header {
  /** as it is encoded */
  text: string
  key: SealingKey
  pcx: SealedContext
}

export interface Opened {
  plaintext: string
  family: string
  gen: number
  header: Header
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * Reads a sealing key.
 *
 * @param text base64url of 32 bytes, as `perennial keys new` prints it
 * @param name how messages call the key
 * @throws InvalidArgument when it is not, without repeating it
 */
export function sealingKey(text: string | undefined, name = 'sealing key'): SealingKey {
  const bytes = text === undefined ? undefined : decode(text)
  if (bytes?.length !== keyBytes)
    throw new InvalidArgument(
      `${name} ${text === undefined ? 'is missing' : 'is no key'}: a key is 32 bytes as base64url, 43 characters without padding; make one with: perennial keys new`,
    )
  return fromBytes(bytes)
}

function fromBytes(bytes: Uint8Array): SealingKey {
  const k = Buffer.from(bytes).toString('base64url')
  const kid = createHash('sha256').update(`{"k":"${k}","kty":"oct"}`).digest('base64url')
  return { kid, key: createSecretKey(bytes) }
}

/**
 * The reader key of one tenant: HKDF-SHA256 of the master reader key, so that a tenant's services can open that
 * tenant's access tokens and no others.
 */
export function readerKey(master: SealingKey, tenant: string): SealingKey {
  return fromBytes(new Uint8Array(hkdfSync('sha256', master.key, '', `perennial reader ${tenant}`, keyBytes)))
}

/** A key as text, to hand to a service; {@link sealingKey} reads it. */
export const readerKeyText = (key: SealingKey) => key.key.export().toString('base64url')

/**
 * Opens a sealed value and checks that it was made for this credential.
 *
 * @param known the header of an earlier one of this credential: to read the same again is a tenth of all
 * @throws UnreadableValue `unknown_key`, `tampered`, `other_credential` or `malformed`
 * @example open(sealed, [sealingKey(text)], { cred: 'acme/google-main/alice' }).plaintext
 */
export function open(
  sealed: string,
  keys: readonly SealingKey[],
  { cred, known }: { cred: string; known?: Header | undefined },
): Opened {
  const [protectedHeader, encryptedKey, nonce, ciphertext, tag, ...rest] = sealed.split('.')
  if (protectedHeader === undefined || encryptedKey !== '' || rest.length > 0) throw malformed('is not a compact JWE')
  const header = known?.text === protectedHeader ? known : readHeader(protectedHeader, keys, cred)
  const { key, pcx } = header
  const plaintext = decipher(key, protectedHeader, part(nonce), part(ciphertext), part(tag))
  if (pcx.cred !== cred)
    throw new UnreadableValue(
      'other_credential',
      `the value stored for ${cred} was sealed for another credential; it was not used`,
      { credential: cred },
    )
  return { plaintext, family: pcx.family, gen: pcx.gen, header }
}

function decipher(key: SealingKey, aad: string, nonce: Buffer, ciphertext: Buffer, tag: Buffer): string {
  if (nonce.length !== nonceBytes || tag.length !== tagBytes) throw malformed('has a nonce or tag of the wrong length')
  const cipher = createDecipheriv('aes-256-gcm', key.key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(aad, 'latin1')).setAuthTag(tag)
  const plaintext = cipher.update(ciphertext)
  try {
    // of this mode it brings no bytes; it is what compares the tag
    cipher.final()
  } catch {
    throw new UnreadableValue('tampered', 'a sealed value was changed after it was sealed; it was not used')
  }
  return plaintext.toString('utf8')
}

function readHeader(text: string, keys: readonly SealingKey[], cred: string): Header {
  const { alg, enc, kid, pcx, crit, zip } = parseHeader(text)
  if (alg !== 'dir' || enc !== 'A256GCM') throw malformed('uses another algorithm than dir with A256GCM')
  // RFC 7516 section 4.1.13: an extension that is not understood must be refused
  if (crit !== undefined || zip !== undefined) throw malformed('uses extensions that are not known here')
  if (typeof kid !== 'string') throw malformed('names no key')
  if (!isContext(pcx)) throw malformed('does not say what it was sealed for')
  const key = keys.find((candidate) => candidate.kid === kid)
  if (key === undefined)
    throw new UnreadableValue(
      'unknown_key',
      `the value stored for ${cred} is sealed with key ${JSON.stringify(kid.slice(0, 43))}, which is not among the ${keys.length} given`,
      { credential: cred },
    )
  return { text, key, pcx }
}

function parseHeader(encoded: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(part(encoded).toString('utf8'))
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>
  } catch {
    // said below, once, for every way in which it is no header
  }
  throw malformed('has no readable header')
}

function isContext(value: unknown): value is SealedContext {
  if (typeof value !== 'object' || value === null) return false
  const { cred, family, gen } = value as Record<string, unknown>
  return typeof cred === 'string' && typeof family === 'string' && Number.isSafeInteger(gen)
}

function part(encoded: string | undefined): Buffer {
  const bytes = encoded === undefined ? undefined : decode(encoded)
  if (bytes === undefined) throw malformed('is not a compact JWE')
  return bytes
}

/** The last characters that leave no bits over which mean nothing, by how many characters there are beyond whole groups. */
const lastCharacters = ['', undefined, 'AQgw', 'AEIMQUYcgkosw048'] as const

/** Node skips what is no base64url, and takes the other alphabet too; here only the one canonical spelling counts. */
function decode(text: string): Buffer | undefined {
  const last = lastCharacters[text.length % 4]
  const bytes = Buffer.from(text, 'base64url')
  if (last === undefined || bytes.length !== Math.floor((text.length * 3) / 4)) return undefined
  if (last !== '' && !last.includes(text.slice(-1))) return undefined
  return text.includes('+') || text.includes('/') ? undefined : bytes
}

const malformed = (why: string) => new UnreadableValue('malformed', `a sealed value ${why}; it was not used`)
