import fc from 'fast-check'
import { CompactEncrypt, calculateJwkThumbprint, compactDecrypt } from 'jose'
import { describe, expect, test } from 'vitest'
import { open, readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { fingerprint, newSealingKey, seal } from '../../src/store/sealing.ts'

const key = sealingKey(newSealingKey())
const other = sealingKey(newSealingKey())
const pcx = { cred: 'acme/google-main/alice', family: 'f1', gen: 7 }
const context = { cred: pcx.cred }
const sealed = seal('a secret', key, pcx)

const header = (value: string) => JSON.parse(Buffer.from(value.split('.')[0] ?? '', 'base64url').toString())
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const withHeader = (value: string, changes: object) =>
  [encode({ ...header(value), ...changes }), ...value.split('.').slice(1)].join('.')

describe('sealing', () => {
  test('what was sealed opens, with the family and generation it was sealed for', () => {
    const [text] = sealed.split('.')
    const opened = { plaintext: 'a secret', family: 'f1', gen: 7, header: { text, key, pcx } }
    expect(open(sealed, [key], context)).toEqual(opened)
  })

  test('any text, credential, family and generation survive the round trip', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(text, text, text, fc.maxSafeNat(), (plaintext, cred, family, gen) => {
        const { header: read, ...opened } = open(seal(plaintext, key, { cred, family, gen }), [other, key], { cred })
        expect(opened).toEqual({ plaintext, family, gen })
        expect(read).toMatchObject({ key, pcx: { cred, family, gen } })
      }),
    )
  })

  test('no text and no credential are visible in what is sealed, and the same text seals differently each time', () => {
    expect(sealed).not.toContain(Buffer.from('a secret').toString('base64url'))
    expect(seal('a secret', key, pcx)).not.toBe(sealed)
  })

  test('jose opens what is sealed here', async () => {
    const opened = await compactDecrypt(sealed, key.key)
    expect(new TextDecoder().decode(opened.plaintext)).toBe('a secret')
    expect(opened.protectedHeader).toEqual({ alg: 'dir', enc: 'A256GCM', kid: key.kid, pcx })
  })

  test('what jose seals opens here', async () => {
    const bytes = new TextEncoder().encode('from jose')
    const jwe = await new CompactEncrypt(bytes)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: key.kid, pcx })
      .encrypt(key.key)
    expect(open(jwe, [key], context).plaintext).toBe('from jose')
  })

  test('the key id is the thumbprint of the key as a JWK', async () => {
    const text = newSealingKey()
    expect(sealingKey(text).kid).toBe(await calculateJwkThumbprint({ kty: 'oct', k: text }))
  })
})

describe('what does not open', () => {
  const twelveBytes = Buffer.alloc(12).toString('base64url')
  const parts = sealed.split('.')
  const [first = '', , nonce = '', body = '', tag = ''] = parts
  const flipped = body.startsWith('A') ? `B${body.slice(1)}` : `A${body.slice(1)}`
  test.each([
    ['sealed with a key that is not given', seal('x', other, pcx), 'unknown_key'],
    ['another key under the same key id', withHeader(seal('x', other, pcx), { kid: key.kid }), 'tampered'],
    ['sealed for another credential', seal('x', key, { ...pcx, cred: 'acme/google-main/bob' }), 'other_credential'],
    ['renamed to this credential', withHeader(seal('x', key, { ...pcx, cred: 'acme/a/b' }), { pcx }), 'tampered'],
    ['with a higher generation written in', withHeader(sealed, { pcx: { ...pcx, gen: 8 } }), 'tampered'],
    ['with a changed ciphertext', [first, '', nonce, flipped, tag].join('.'), 'tampered'],
    ['with another nonce', [first, '', twelveBytes, body, tag].join('.'), 'tampered'],
    ['with a shortened tag', [first, '', nonce, body, twelveBytes].join('.'), 'malformed'],
    ['of another algorithm', withHeader(sealed, { alg: 'A256KW' }), 'malformed'],
    ['of another cipher', withHeader(sealed, { enc: 'A128GCM' }), 'malformed'],
    ['with an extension it must understand', withHeader(sealed, { crit: ['pcx'] }), 'malformed'],
    ['compressed', withHeader(sealed, { zip: 'DEF' }), 'malformed'],
    ['naming no key', withHeader(sealed, { kid: undefined }), 'malformed'],
    ['not saying what it is for', withHeader(sealed, { pcx: undefined }), 'malformed'],
    ['with a header that is no object', [encode(null), ...parts.slice(1)].join('.'), 'malformed'],
    ['with an encrypted key', [first, 'AAAA', nonce, body, tag].join('.'), 'malformed'],
    ['with a sixth part', `${sealed}.AAAA`, 'malformed'],
    ['with padding', `${sealed}=`, 'malformed'],
    ['cut short', sealed.slice(0, sealed.lastIndexOf('.')), 'malformed'],
    ['plain JSON', '{"access_token":"x"}', 'malformed'],
    ['nothing', '', 'malformed'],
  ])('a value %s', (_, value, code) => {
    expect(() => open(value, [key], context)).toThrow(expect.objectContaining({ name: 'UnreadableValue', code }))
  })

  test('a value with any one character changed', () => {
    const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.']
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...alphabet), (index, character) => {
        fc.pre(sealed[index] !== character)
        const changed = sealed.slice(0, index) + character + sealed.slice(index + 1)
        expect(() => open(changed, [key], context)).toThrow(expect.objectContaining({ name: 'UnreadableValue' }))
      }),
    )
  })
})

describe('keys', () => {
  test.each([
    ['too short', Buffer.alloc(31, 7).toString('base64url')],
    ['too long', Buffer.alloc(33, 7).toString('base64url')],
    ['base64 rather than base64url', Buffer.alloc(32, 0xff).toString('base64')],
    ['hexadecimal', Buffer.alloc(32, 7).toString('hex')],
    ['with a line end', `${newSealingKey()}\n`],
    ['empty', ''],
  ])('a key that is %s is refused by name, without being repeated', (_, text) => {
    expect(() => sealingKey(text, 'PERENNIAL_GRANT_KEY')).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message:
          'PERENNIAL_GRANT_KEY is no key: a key is 32 bytes as base64url, 43 characters without padding; make one with: perennial keys new',
      }),
    )
  })

  test('a key that was not given at all is said to be missing', () => {
    expect(() => sealingKey(undefined, 'keys[0]')).toThrow('keys[0] is missing')
  })

  test("a tenant's reader key opens that tenant's values and no others, and travels as text", () => {
    const acme = readerKey(key, 'acme')
    const value = seal('x', acme, pcx)
    expect(open(value, [sealingKey(readerKeyText(acme))], context).plaintext).toBe('x')
    for (const wrong of [readerKey(key, 'acme2'), readerKey(other, 'acme'), key])
      expect(() => open(value, [wrong], context)).toThrow(expect.objectContaining({ code: 'unknown_key' }))
  })

  test('a reader key is HKDF-SHA256 of the master with the tenant as info, as other languages derive it', () => {
    // computed with Python's hmac: RFC 5869 of bytes(range(32)), an empty salt and the info 'perennial reader acme'
    const master = sealingKey(Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64url'))
    expect(readerKeyText(readerKey(master, 'acme'))).toBe('sDJZnpX0RaDlL705gSyVQoyAiyqBrBLppkLlSGUZ_Aw')
  })
})

describe('fingerprints', () => {
  test('recognise the same text under the same key, and nothing else', () => {
    const mark = fingerprint(key, 'refresh-1')
    expect(fingerprint(key, 'refresh-1')).toBe(mark)
    expect(fingerprint(key, 'refresh-2')).not.toBe(mark)
    expect(fingerprint(other, 'refresh-1')).not.toBe(mark)
    expect(Buffer.from(mark, 'base64url')).toHaveLength(16)
  })
})
