import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { newSealingKey, seal } from '../../../src/store/sealing.ts'
import { newCredential } from '../../../test/store/redis.ts'
import { accessKey } from '../src/format.ts'
import { readerKey, readerKeyText, type SealingKey, sealingKey } from '../src/sealed.ts'
import { type Setting, startSetting } from './setting.ts'

const [master, otherMaster] = [sealingKey(newSealingKey()), sealingKey(newSealingKey())]
const [acme, other] = [readerKey(master, 'acme'), readerKey(master, 'other')]
const token = 'canary-access-token'
const secrets = [token, ...[acme, other, master, otherMaster].map(readerKeyText)]

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})

afterAll(() => setting.stop())

afterEach(async () => {
  vi.restoreAllMocks()
  await setting.closeReaders()
})

/** A value as a worker writes it, or one that is wrong in a way. */
function sealedValue(
  credential: string,
  { key = acme, generation = 2, lifetimeMs = 60_000, inside = {}, cred = credential } = {},
) {
  const document = {
    credential,
    family: 'f1',
    generation,
    access_token: token,
    token_type: 'Bearer',
    expires_at: new Date(Date.now() + lifetimeMs).toISOString(),
    ...inside,
  }
  return seal(JSON.stringify(document), key, { cred, family: 'f1', gen: generation })
}

const withHeader = (sealed: string, changes: object) => {
  const [header = '', ...rest] = sealed.split('.')
  const known = JSON.parse(Buffer.from(header, 'base64url').toString()) as object
  return [Buffer.from(JSON.stringify({ ...known, ...changes })).toString('base64url'), ...rest].join('.')
}

const truncated = (sealed: string) => sealed.slice(0, sealed.length * 0.9)

async function refusalOf(credential: string, value: string, keys: SealingKey[] = [acme]): Promise<Error> {
  await setting.redis.set(accessKey(credential), value)
  const error: unknown = await setting
    .reader({ keys: keys.map(readerKeyText) })
    .get(credential)
    .catch((reason: unknown) => reason)
  if (!(error instanceof Error)) throw new Error(`a token was handed out: ${inspect(error)}`)
  return error
}

/** Not in the message, the stack, a property or whatever a logger walks through. */
function expectNoSecret(error: Error, value: string): void {
  const shown = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${error.message}`
  for (const secret of [...secrets, ...value.split('.').filter((part) => part.length > 20)])
    expect(shown).not.toContain(secret)
}

describe('a value that was opened before', () => {
  test('is checked each time that it is read, though its header is known', async () => {
    const id = newCredential()
    const tokens = setting.reader({ keys: [readerKeyText(acme)] })
    const good = sealedValue(id)
    const [header = '', , nonce = '', ciphertext = '', tag = ''] = good.split('.')
    await setting.redis.set(accessKey(id), good)
    const first = await tokens.get(id, { fresh: true })
    expect(await tokens.get(id, { fresh: true })).toBe(first)
    const changed = `${ciphertext.startsWith('A') ? 'B' : 'A'}${ciphertext.slice(1)}`
    await setting.redis.set(accessKey(id), [header, '', nonce, changed, tag].join('.'))
    await expect(tokens.get(id, { fresh: true })).rejects.toMatchObject({ code: 'tampered' })
    await setting.redis.set(accessKey(id), sealedValue(id, { key: other }))
    await expect(tokens.get(id, { fresh: true })).rejects.toMatchObject({ code: 'unknown_key' })
    await setting.redis.set(accessKey(id), sealedValue(id, { generation: 3 }))
    expect(await tokens.get(id, { fresh: true })).toMatchObject({ generation: 3 })
  })
})

describe('what must not be used is refused by its code, and nothing of it is repeated', () => {
  test.each<[string, string, (id: string) => string]>([
    ['sealed with another key', 'unknown_key', (id) => sealedValue(id, { key: other })],
    [
      'sealed with the key of another installation',
      'unknown_key',
      (id) => sealedValue(id, { key: readerKey(otherMaster, 'acme') }),
    ],
    [
      'that names a key which it is not sealed with',
      'tampered',
      (id) => withHeader(sealedValue(id, { key: other }), { kid: acme.kid }),
    ],
    ['that names no key that is here', 'unknown_key', (id) => withHeader(sealedValue(id), { kid: other.kid })],
    ['cut short', 'malformed', (id) => truncated(sealedValue(id)).split('.').slice(0, 4).join('.')],
    [
      'cut within its text, with its tag',
      'tampered',
      (id) => {
        const [a, b, c, text = '', tag] = sealedValue(id).split('.')
        return [a, b, c, text.slice(0, text.length - (text.length % 4) - 4), tag].join('.')
      },
    ],
    ['of another credential', 'other_credential', () => sealedValue('acme/orchard/somebody-else')],
    [
      'of another credential, sealed for this one',
      'other_credential',
      (id) => sealedValue('acme/orchard/somebody-else', { cred: id }),
    ],
    [
      'of another generation than it was sealed for',
      'malformed',
      (id) => sealedValue(id, { inside: { generation: 9 } }),
    ],
    ['of another family than it was sealed for', 'malformed', (id) => sealedValue(id, { inside: { family: 'f9' } })],
    ['without a token', 'malformed', (id) => sealedValue(id, { inside: { access_token: undefined } })],
    ['without an expiry that is a time', 'malformed', (id) => sealedValue(id, { inside: { expires_at: token } })],
    ['plain, where keys are given', 'malformed', (id) => JSON.stringify({ credential: id, access_token: token })],
  ])('a value %s: %s', async (_, code, make) => {
    const id = newCredential()
    const value = make(id)
    const error = await refusalOf(id, value)
    expect(error).toMatchObject({ name: 'UnreadableValue', code, retryable: false, forUser: expect.any(String) })
    expectNoSecret(error, value)
  })

  test('a value cut anywhere', async () => {
    const id = newCredential()
    const value = sealedValue(id)
    const lengths = fc.sample(fc.nat(value.length - 1), 100)
    for (const length of lengths) {
      const error = await refusalOf(id, value.slice(0, length))
      expect(error).toMatchObject({ name: 'UnreadableValue', code: expect.stringMatching(/malformed|tampered/) })
      expectNoSecret(error, value)
    }
  })

  test('an older generation that was put back', async () => {
    const id = newCredential()
    const older = sealedValue(id, { generation: 1 })
    await setting.redis.set(accessKey(id), sealedValue(id, { generation: 2 }))
    const tokens = setting.reader({ keys: [readerKeyText(acme)] })
    await tokens.get(id)
    await setting.redis.set(accessKey(id), older)
    const error = (await tokens.get(id, { fresh: true }).catch((reason: unknown) => reason)) as Error
    expect(error).toMatchObject({ code: 'rolled_back', retryable: true, credential: id })
    expectNoSecret(error, older)
  })

  test('no error of a credential without a token holds one', async () => {
    const id = newCredential()
    const value = sealedValue(id, { lifetimeMs: -1_000 })
    const error = await refusalOf(id, value)
    expect(error).toMatchObject({ code: 'token_expired' })
    expectNoSecret(error, value)
  })
})

test('of several keys the one that the value names opens it, in whatever order they are given', async () => {
  const id = newCredential()
  await setting.redis.set(accessKey(id), sealedValue(id, { key: other }))
  for (const keys of [
    [acme, other],
    [other, acme],
  ])
    expect(await setting.reader({ keys: keys.map(readerKeyText) }).get(id)).toMatchObject({ accessToken: token })
})

test.each([-300_000, 300_000])('a clock that is %d ms off changes nothing', async (offByMs) => {
  const [lives, ended] = [newCredential(), newCredential()]
  // by the clock of Redis, which is that of this machine until here
  await setting.redis.set(accessKey(lives), sealedValue(lives, { lifetimeMs: 60_000 }))
  await setting.redis.set(accessKey(ended), sealedValue(ended, { lifetimeMs: -60_000 }))
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + offByMs)
  const tokens = setting.reader({ keys: [readerKeyText(acme)] })
  expect(await tokens.get(lives, { minRemainingMs: 55_000 })).toMatchObject({ accessToken: token, stale: false })
  await expect(tokens.get(lives, { minRemainingMs: 61_000 })).rejects.toMatchObject({ reason: 'min_remaining' })
  await expect(tokens.get(ended)).rejects.toMatchObject({ code: 'token_expired', reason: 'expired' })
  expect(await tokens.get(lives)).toBe(await tokens.get(lives))
})
