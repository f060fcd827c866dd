import { readFileSync } from 'node:fs'
import { compactDecrypt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessKey, changedChannel, rejectedChannel, statusKey } from '../../packages/reader/src/format.ts'
import { createReader, type Reader, ReaderError } from '../../packages/reader/src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { type Expected, type Stored, vectors, vectorsFile, vectorsText } from '../../scripts/make-vectors.ts'
import { startTestRedis, type TestRedis } from '../store/redis.ts'

let it: TestRedis
beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it?.stop())

test('docs/reading-vectors.json is what scripts/make-vectors.ts makes', () => {
  expect(readFileSync(vectorsFile, 'utf8')).toBe(vectorsText())
})

test.each(vectors.derivation)('the key of tenant $tenant is derived', ({ master, tenant, key, kid }) => {
  const derived = readerKey(sealingKey(master), tenant)
  expect({ key: readerKeyText(derived), kid: derived.kid }).toEqual({ key, kid })
})

test.each(vectors.names)('$credential is where its names say', ({ credential, access, status, changed, rejected }) => {
  const tenant = credential.split('/')[0] ?? ''
  expect([access, status]).toEqual([accessKey(credential), statusKey(credential)])
  expect([changed, rejected]).toEqual([changedChannel(tenant), rejectedChannel(tenant)])
})

test.each(vectors.no_credentials)('%j is no credential', async (credential) => {
  const reader = createReader({ redis: it.server.url })
  expect(await outcome(reader, credential)).toEqual({ error: 'invalid_argument' })
  await reader.close()
})

describe('the TypeScript reader', () => {
  test.each(vectors.vectors)(
    '$name',
    async ({ credential, keys, before, stored, min_remaining_ms, expect: expected }) => {
      const reader = createReader({ redis: it.server.url, ...(keys === null ? {} : { keys }) })
      try {
        if (before !== undefined) {
          await put(credential, before)
          await reader.get(credential)
        }
        await put(credential, stored)
        expect(await outcome(reader, credential, min_remaining_ms)).toMatchObject(expected)
      } finally {
        await reader.close()
      }
    },
  )
})

test('any JWE library opens what is sealed', async () => {
  const sealed = vectors.vectors.filter(({ keys, expect }) => keys !== null && 'access_token' in expect)
  expect(sealed.length).toBeGreaterThan(5)
  for (const { keys, stored } of sealed) {
    const { plaintext, protectedHeader } = await compactDecrypt(stored.access ?? '', ({ kid }) => {
      const key = keys?.map((text) => sealingKey(text)).find((candidate) => candidate.kid === kid)
      return new Uint8Array(key?.key.export() ?? [])
    })
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toMatchObject({ token_type: 'Bearer' })
    expect(protectedHeader).toMatchObject({ alg: 'dir', enc: 'A256GCM' })
  }
})

async function put(credential: string, { access, status }: Stored): Promise<void> {
  for (const [key, value] of [
    [accessKey(credential), access],
    [statusKey(credential), status],
  ] as const)
    if (value === undefined) await it.redis.del(key)
    else await it.redis.set(key, value)
}

async function outcome(reader: Reader, credential: string, minRemainingMs = 0): Promise<Expected> {
  try {
    const { accessToken, generation, family, tokenType, expiresAt } = await reader.get(credential, {
      minRemainingMs,
      fresh: true,
    })
    const expires_at = expiresAt.toISOString()
    return { access_token: accessToken, generation, family, token_type: tokenType, expires_at }
  } catch (error) {
    if (!(error instanceof ReaderError)) throw error
    const { code, reason, since } = error
    return {
      error: code,
      ...(reason === undefined ? {} : { reason }),
      ...(since === undefined ? {} : { since: since.toISOString() }),
    }
  }
}
