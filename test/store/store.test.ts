import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readerKey, sealingKey } from '../../packages/reader/src/sealed.ts'
import { connect, ready } from '../../src/store/connection.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'
import { Store, type TokenSetWrite } from '../../src/store/store.ts'
import { grantKey, here, newCredential, setOf, startTestRedis, type TestRedis } from './redis.ts'

let it: TestRedis

beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it.stop())

const revoked = { status: 'revoked', since: '2026-01-01T00:00:00.000Z', generation: 0 } as const
const month = 30 * 24 * 3600_000
const write = (set: TokenSetWrite) => it.store.write(here, set)

describe('a fence', () => {
  test('takes the access token away, stands for 30 days with the newest grant, and tells readers', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 5 }))
    const heard = await it.notices('acme')
    expect(await it.store.fence({ credential, status: revoked })).toMatchObject({ verdict: 'fenced' })
    const { hash, access, status, hashEndsAtMs, statusEndsAtMs } = await it.everything(credential)
    expect(access).toBeNull()
    expect(hash).toMatchObject({ family: 'f1', gen: '5', grant: 'grant-f1-5', seeds: 's1', namespace: 'default' })
    for (const gone of ['writer', 'began', 'expires', 'refreshExpires']) expect(hash).not.toHaveProperty(gone)
    expect(status).toEqual({ ...revoked, generation: 5 })
    const inAMonthMs = (await it.store.nowMs()) + month
    for (const endsAtMs of [hashEndsAtMs, statusEndsAtMs]) expect(Math.abs(endsAtMs - inAMonthMs)).toBeLessThan(5_000)
    await expect.poll(() => heard).toEqual([`${credential.slice('acme/'.length)} 5`])
  })

  test.each([
    ['older than the caller, it covers what the caller knows', 4, 'f1', 'fenced', { gen: '5', grant: 'known' }],
    ['as old, it keeps its own grant', 5, 'f1', 'fenced', { gen: '5', grant: 'grant-f1-5' }],
    ['newer, it covers what stands there', 6, 'f1', 'fenced', { gen: '6', grant: 'grant-f1-6' }],
    ['newer and of another family too', 6, 'f2', 'newer', { gen: '6', family: 'f2', grant: 'grant-f2-6' }],
  ])('over a set %s', async (_name, generation, family, verdict, hash) => {
    const credential = newCredential()
    await write(setOf(credential, { generation, family }))
    const known = { family: 'f1', generation: 5, grant: 'known', owner: here }
    expect(await it.store.fence({ credential, status: revoked, known })).toMatchObject({ verdict })
    const after = await it.everything(credential)
    expect(after).toMatchObject({ access: null, hash, status: { status: 'revoked', generation: Number(hash.gen) } })
    expect(after.hash).toHaveProperty('tombstone')
  })

  test('over nothing stands on what the caller knows', async () => {
    const credential = newCredential()
    const known = { family: 'f1', generation: 5, grant: 'known', owner: here }
    expect(await it.store.fence({ credential, status: revoked, known })).toMatchObject({ verdict: 'fenced' })
    expect((await it.everything(credential)).hash).toMatchObject({ family: 'f1', gen: '5', grant: 'known' })
  })

  test('over nothing, by a caller that knows nothing, leaves nothing', async () => {
    const credential = newCredential()
    expect(await it.store.fence({ credential, status: revoked })).toMatchObject({ verdict: 'missing' })
    expect(await it.everything(credential)).toMatchObject({ hash: {}, status: undefined, access: null })
  })

  test('that is repeated stands', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 5 }))
    const known = { family: 'f1', generation: 5, grant: 'older', owner: here }
    for (const request of [{ known }, {}, { known }])
      expect(await it.store.fence({ credential, status: revoked, ...request })).toMatchObject({ verdict: 'fenced' })
    expect((await it.everything(credential)).hash).toMatchObject({ gen: '5', grant: 'grant-f1-5' })
  })

  test('by the workflow of another namespace changes nothing; an operator without one is obeyed', async () => {
    const credential = newCredential()
    await write(setOf(credential))
    const before = await it.everything(credential)
    const known = { family: 'f1', generation: 9, owner: { namespace: 'other', run: 'r' } }
    expect(await it.store.fence({ credential, status: revoked, known })).toMatchObject({ verdict: 'foreign_namespace' })
    expect(await it.everything(credential)).toEqual(before)
    expect(await it.store.fence({ credential, status: revoked })).toMatchObject({ verdict: 'fenced' })
  })
})

describe('writers that race', () => {
  const anySet = fc.record({
    family: fc.constantFrom('f1', 'f2'),
    generation: fc.integer({ min: 1, max: 6 }),
    writer: fc.constantFrom('w1', 'w2', 'w3'),
    beganMs: fc.integer({ min: 1, max: 4 }),
  })

  /** A set whose every part names it, so that parts of two can be told apart. */
  const marked = (
    credential: string,
    { family, generation, writer, beganMs }: Omit<TokenSetWrite, 'credential' | 'seeds' | 'parameters' | 'status'>,
  ) => {
    const name = `${family}/${generation}/${writer}/${beganMs}`
    return setOf(credential, {
      ...{ family, generation, writer, beganMs, grant: name, seeds: [name], parameters: { name } },
      access: { value: name, expiresAtMs: Date.now() + 60_000 },
      status: { ...setOf(credential).status, generation, reason: name },
    })
  }

  test('in any order: the highest generation wins, and all that is stored is of one set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anySet, { minLength: 1, maxLength: 8 }), async (sets) => {
        const credential = newCredential()
        const results = await Promise.all(sets.map((set) => write(marked(credential, set))))
        const { hash, access, status } = await it.everything(credential)
        expect(Number(hash.gen)).toBe(Math.max(...sets.map(({ generation }) => generation)))
        expect(access).toBe(hash.grant)
        expect([hash.seeds, status?.reason, hash.parameters]).toEqual([
          access,
          access,
          JSON.stringify({ name: access }),
        ])
        expect(access).toBe(`${hash.family}/${hash.gen}/${hash.writer}/${hash.began}`)
        expect(String(status?.generation)).toBe(hash.gen)
        const winner = sets.findIndex(({ generation }) => String(generation) === hash.gen)
        expect(results[winner]?.verdict).toBe('written')
      }),
      { numRuns: 150 },
    )
  })

  test('with a fence anywhere between them: only a higher generation of another family ends a tombstone', async () => {
    const anyEvent = fc.oneof({ weight: 3, arbitrary: anySet }, fc.constant('fence' as const))
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 2, maxLength: 10 }), async (events) => {
        const credential = newCredential()
        let before = await it.everything(credential)
        for (const event of events) {
          if (event === 'fence') await it.store.fence({ credential, status: revoked })
          else await write(marked(credential, event))
          const after = await it.everything(credential)
          if (after.hash.tombstone !== undefined)
            expect([after.access, after.status?.status]).toEqual([null, 'revoked'])
          else if (before.hash.tombstone !== undefined) {
            expect(after.hash.family).not.toBe(before.hash.family)
            expect(Number(after.hash.gen)).toBeGreaterThan(Number(before.hash.gen))
          }
          before = after
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('the scripts', () => {
  test('go on after the server forgot them', async () => {
    const credential = newCredential()
    await write(setOf(credential))
    await it.redis.scriptFlush()
    expect(await write(setOf(credential, { generation: 2 }))).toMatchObject({ verdict: 'written' })
    await it.redis.scriptFlush()
    const begun = await it.store.begin(credential, { owner: here, family: 'f1', generation: 2 })
    expect(begun).toMatchObject({ verdict: 'clear' })
  })

  test('fail, and are not sent again, when they end in an error', async () => {
    const credential = newCredential()
    await it.redis.set(grantKey(credential), 'not a hash')
    await expect(write(setOf(credential))).rejects.toThrow('WRONGTYPE')
    expect(await it.redis.get(grantKey(credential))).toBe('not a hash')
  })
})

describe('a refused client', () => {
  test('is known to all of its credentials, with the reason, until it is cleared', async () => {
    expect(await it.store.clientRefused('orchard')).toBeUndefined()
    await it.store.markClientRefused('orchard', 'invalid_client', 60_000)
    expect(await it.store.clientRefused('orchard')).toBe('invalid_client')
    expect(await it.store.clientRefused('meadow')).toBeUndefined()
    await it.store.clearClientRefused('orchard', 'all')
    expect(await it.store.clientRefused('orchard')).toBeUndefined()
  })

  test('is tried by one caller at a time, once in the interval, and at once after the probe was cleared', async () => {
    const taken = () => Promise.all([1, 2, 3].map(() => it.store.takeClientProbe('hedge', 60_000)))
    expect((await taken()).filter(Boolean)).toHaveLength(1)
    expect(await taken()).toEqual([false, false, false])
    await it.store.clearClientRefused('hedge', 'probe')
    expect((await taken()).filter(Boolean)).toHaveLength(1)
    await it.store.clearClientRefused('hedge', 'probe')
    expect(await it.store.takeClientProbe('hedge', 40)).toBe(true)
    await expect.poll(() => it.store.takeClientProbe('hedge', 60_000)).toBe(true)
  })

  test('that was just refused is not tried again in the interval', async () => {
    await it.store.markClientRefused('copse', 'invalid_client', 60_000)
    expect(await it.store.takeClientProbe('copse', 60_000)).toBe(false)
  })
})

test('the status of many credentials comes in their order, with gaps', async () => {
  const [one, none, two] = [newCredential(), newCredential(), newCredential()]
  await write(setOf(one, { generation: 1 }))
  await write(setOf(two, { generation: 2 }))
  const documents = await it.store.statuses([one, none, two])
  expect(documents.map((document) => document?.generation)).toEqual([1, undefined, 2])
})

test.each(['acme/orchard', 'a/b/c/d', 'acme/orchard/al ice', 'acme/{x}/alice', ''])(
  '%o is no credential',
  async (id) => {
    await expect(it.store.read(id)).rejects.toMatchObject({ code: 'invalid_credential_id' })
  },
)

test('a key of a reader opens only what is in the access key', async () => {
  const credential = newCredential()
  const [grant, reader] = [sealingKey(newSealingKey()), readerKey(sealingKey(newSealingKey()), 'acme')]
  const context = { cred: credential, family: 'f1', gen: 1 }
  await write(
    setOf(credential, {
      grant: seal('refresh', grant, context),
      access: { value: seal('access', reader, context), expiresAtMs: Date.now() + 60_000 },
    }),
  )
  const kidOf = (sealed = '') => JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString()).kid
  const { hash, access } = await it.everything(credential)
  expect([kidOf(hash.grant), kidOf(access ?? '')]).toEqual([grant.kid, reader.kid])
})

test('the rights of a user that holds one tenant are enough for one tenant, and no more', async () => {
  const rules = ['~perennial:*:acme:*', '&perennial:changed:acme', '-@all', '+evalsha', '+eval', '+hgetall', '+hmget']
  const commands = ['+hset', '+hsetnx', '+hget', '+hdel', '+set', '+get', '+del', '+time', '+persist', '+pexpire']
  const session = ['+publish', '+hello', '+client', '+ping', '+auth']
  await it.redis.sendCommand(['ACL', 'SETUSER', 'acme', 'reset', 'on', '>pw', ...rules, ...commands, ...session])
  const url = new URL(it.server.url)
  url.username = 'acme'
  url.password = 'pw'
  const redis = connect(url.href, 'acme', () => {})
  try {
    await ready(redis)
    const own = new Store(redis)
    const credential = newCredential()
    const begun = await own.begin(credential, { owner: here, family: 'f1', generation: 0 })
    expect(begun).toMatchObject({ verdict: 'clear' })
    expect(await own.write(here, setOf(credential))).toMatchObject({ verdict: 'written' })
    expect(await own.fence({ credential, status: revoked })).toMatchObject({ verdict: 'fenced' })
    await expect(own.write(here, setOf('other/orchard/alice'))).rejects.toThrow(/NOPERM|permission|can't access/i)
  } finally {
    redis.destroy()
  }
})
