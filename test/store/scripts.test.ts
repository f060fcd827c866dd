import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Owner, TokenSetWrite } from '../../src/store/store.ts'
import { grantKey, here, newCredential, setOf, startTestRedis, type TestRedis } from './redis.ts'

let it: TestRedis

beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it.stop())

const elsewhere = { namespace: 'other', run: 'run-1' }
const write = (set: TokenSetWrite, owner: Owner = here) => it.store.write(owner, set)

/** Runs what has to be refused, and shows that nothing of the credential has changed. */
async function refused(credential: string, work: () => Promise<{ verdict: string }>): Promise<string> {
  const before = await it.everything(credential)
  const { verdict } = await work()
  expect(await it.everything(credential)).toEqual(before)
  return verdict
}

describe('begin: may this run send the refresh token of generation n?', () => {
  const begin = (credential: string, of: Partial<Parameters<typeof it.store.begin>[1]> = {}) =>
    it.store.begin(credential, { owner: here, family: 'f1', generation: 4, ...of })

  test('yes where nothing stands, and the run stands there from then on, for ever', async () => {
    const credential = newCredential()
    expect(await begin(credential)).toMatchObject({ verdict: 'clear', hash: undefined })
    const { hash, hashEndsAtMs } = await it.everything(credential)
    expect(hash).toEqual({ family: 'f1', gen: '4', namespace: 'default', run: 'run-1' })
    expect(hashEndsAtMs).toBe(-1)
  })

  test('yes for the run that stands there, and for the run that continues it', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 4 }))
    expect(await begin(credential)).toMatchObject({ verdict: 'clear', hash: { generation: 4, run: 'run-1' } })
    const next = { owner: { ...here, run: 'run-2' }, previousRun: 'run-1' }
    expect(await begin(credential, next)).toMatchObject({ verdict: 'clear' })
    expect((await it.everything(credential)).hash.run).toBe('run-2')
  })

  test('not for another run, which a reset made, until it takes over what was waited out', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 4 }))
    const reset = { owner: { ...here, run: 'run-9' }, previousRun: 'run-0' }
    expect(await refused(credential, () => begin(credential, reset))).toBe('foreign_run')
    expect(await begin(credential, { ...reset, take: true })).toMatchObject({ verdict: 'clear' })
    expect(await begin(credential, reset)).toMatchObject({ verdict: 'clear' })
    expect(await refused(credential, () => begin(credential))).toBe('foreign_run')
  })

  test('not where a newer generation stands, of whatever family, and the run takes it over', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 5, family: 'f2' }))
    const begun = await begin(credential, { owner: { ...here, run: 'run-9' } })
    expect(begun).toMatchObject({ verdict: 'newer', hash: { generation: 5, family: 'f2', grant: 'grant-f2-5' } })
    expect((await it.everything(credential)).hash.run).toBe('run-9')
  })

  test.each([
    ['of its own family, older', 'f1', 3, 'tombstone'],
    ['of its own family, newer', 'f1', 9, 'tombstone'],
    ['of another family, newer', 'f2', 5, 'tombstone'],
    ['of another family, the same generation', 'f2', 4, 'tombstone'],
    ['of another family, older', 'f2', 3, 'clear'],
  ])('a tombstone %s: %s %i → %s', async (_name, family, generation, verdict) => {
    const credential = newCredential()
    await fenced(credential, family, generation)
    if (verdict === 'clear') expect(await begin(credential)).toMatchObject({ verdict })
    else expect(await refused(credential, () => begin(credential))).toBe(verdict)
  })

  test('not for another namespace, whatever it takes', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 3 }), elsewhere)
    for (const take of [false, true])
      expect(await refused(credential, () => begin(credential, { take }))).toBe('foreign_namespace')
  })

  test('the time it tells is that of Redis', async () => {
    const { nowMs } = await begin(newCredential())
    expect(Math.abs(nowMs - (await it.store.nowMs()))).toBeLessThan(1_000)
    expect(Number.isInteger(nowMs)).toBe(true)
  })
})

describe('write: the fenced write', () => {
  test('puts down the whole set: hash, access until it ends, status for ever, and tells readers', async () => {
    const credential = newCredential()
    const heard = await it.notices('acme')
    const expiresAtMs = Date.now() + 90_500
    const set = setOf(credential, {
      generation: 7,
      refreshExpiresAtMs: 5_000.4,
      refreshEndsAtMs: 9_000,
      access: { value: 'sealed', expiresAtMs },
    })
    expect(await write(set)).toMatchObject({ verdict: 'written' })
    const { hash, access, accessEndsAtMs, status, statusEndsAtMs, hashEndsAtMs } = await it.everything(credential)
    expect(hash).toEqual({
      family: 'f1',
      born: expect.any(String),
      gen: '7',
      writer: 'writer-f1-7',
      began: '1000',
      expires: String(expiresAtMs),
      refreshExpires: '5000',
      refreshEnds: '9000',
      grant: 'grant-f1-7',
      seeds: 's1',
      namespace: 'default',
      run: 'run-1',
      parameters: '{"domain":"acme.eu"}',
    })
    expect([access, statusEndsAtMs, hashEndsAtMs]).toEqual(['sealed', -1, -1])
    expect(accessEndsAtMs).toBe(expiresAtMs)
    expect(status).toEqual(set.status)
    await expect.poll(() => heard).toEqual([`${credential.slice('acme/'.length)} 7`])
  })

  test('reads back as it was written', async () => {
    const credential = newCredential()
    const set = setOf(credential, {
      generation: 7,
      refreshExpiresAtMs: 5_000,
      refreshEndsAtMs: 9_000,
      seeds: ['s1', 's2'],
    })
    await write(set)
    const { writer, family, generation, grant, seeds, parameters, beganMs } = set
    const { refreshExpiresAtMs, refreshEndsAtMs } = set
    expect((await it.store.read(credential)).hash).toEqual({
      ...{
        writer,
        family,
        generation,
        grant,
        seeds,
        parameters,
        beganMs,
        refreshExpiresAtMs,
        refreshEndsAtMs,
        ...here,
      },
      accessExpiresAtMs: set.access?.expiresAtMs,
      tombstone: false,
    })
  })

  test('the same writer once more changes nothing and is told so', async () => {
    const credential = newCredential()
    await write(setOf(credential))
    const again = setOf(credential, { grant: 'another', access: { value: 'another', expiresAtMs: Date.now() + 1e6 } })
    expect(await refused(credential, () => write(again))).toBe('same')
  })

  test.each([
    ['an older generation', { generation: 4 }, 'newer'],
    ['an older generation by the writer of the newer one', { generation: 4, writer: 'writer-f1-5' }, 'newer'],
    ['the same, sent earlier', { generation: 5, writer: 'late', beganMs: 999 }, 'newer'],
    ['the same, sent in the same moment', { generation: 5, writer: 'twin', beganMs: 1000 }, 'newer'],
    ['the same, sent later', { generation: 5, writer: 'later', beganMs: 1001 }, 'tie'],
    ['the same of another family, sent later', { generation: 5, family: 'f2', beganMs: 1001 }, 'newer'],
    ['an older one of another family', { generation: 4, family: 'f2', beganMs: 1001 }, 'newer'],
  ])('%s than what stands there is refused: %o → %s', async (_name, changes, verdict) => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 5 }))
    expect(await refused(credential, () => write(setOf(credential, changes)))).toBe(verdict)
  })

  test('a refusal shows what stands there', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 5 }))
    const { hash } = await write(setOf(credential, { generation: 4 }))
    expect(hash).toMatchObject({ generation: 5, family: 'f1', grant: 'grant-f1-5', writer: 'writer-f1-5' })
  })

  test('a set whose generation was only asked for is written: its run had begun, and Redis forgot the rest', async () => {
    const credential = newCredential()
    await it.store.begin(credential, { owner: here, family: 'f1', generation: 4 })
    expect(await write(setOf(credential, { generation: 4 }))).toMatchObject({ verdict: 'written' })
  })

  test('a set without access token leaves that of its family standing, and takes that of another away', async () => {
    const credential = newCredential()
    const first = setOf(credential)
    await write(first)
    const { access: _, ...without } = setOf(credential, { generation: 2 })
    await write(without)
    expect(await it.everything(credential)).toMatchObject({
      access: first.access?.value,
      hash: { gen: '2', expires: String(first.access?.expiresAtMs) },
    })
    await write({ ...without, family: 'f2', generation: 3 })
    expect(await it.everything(credential)).toMatchObject({ access: null, hash: { gen: '3', expires: '' } })
  })

  test('an access token that has ended is never readable', async () => {
    const credential = newCredential()
    const ended = { value: 'ended', expiresAtMs: Date.now() - 1_000 }
    expect(await write(setOf(credential, { access: ended }))).toMatchObject({ verdict: 'written' })
    expect(await it.everything(credential)).toMatchObject({ access: null })
  })

  test('a new family without a grant does not inherit that of the old one', async () => {
    const credential = newCredential()
    await write(setOf(credential))
    const { grant: _, ...without } = setOf(credential, { generation: 2, family: 'f2' })
    await write(without)
    expect((await it.store.read(credential)).hash?.grant).toBeUndefined()
  })

  test.each([
    ['own family, lower', 'f1', 5, 'tombstone_own'],
    ['own family, far higher', 'f1', 50, 'tombstone_own'],
    ['other family, lower', 'f2', 4, 'tombstone'],
    ['other family, the same generation', 'f2', 5, 'tombstone'],
  ])('a tombstone stops a write: %s', async (_name, family, generation, verdict) => {
    const credential = newCredential()
    await fenced(credential, 'f1', 5)
    expect(await refused(credential, () => write(setOf(credential, { family, generation })))).toBe(verdict)
  })

  test('a new family above a tombstone begins anew, with nothing left of the old', async () => {
    const credential = newCredential()
    await fenced(credential, 'f1', 5)
    const { grant: _, ...set } = setOf(credential, { family: 'f2', generation: 6 })
    expect(await write(set)).toMatchObject({ verdict: 'written' })
    const { hash, hashEndsAtMs, statusEndsAtMs, status } = await it.everything(credential)
    expect(hash).not.toHaveProperty('tombstone')
    expect(hash).not.toHaveProperty('grant')
    expect([hashEndsAtMs, statusEndsAtMs, status?.status]).toEqual([-1, -1, 'active'])
  })

  test('what another namespace owns stays as it is, tombstones included', async () => {
    const credential = newCredential()
    await write(setOf(credential), elsewhere)
    const higher = () => write(setOf(credential, { family: 'f2', generation: 9 }))
    expect(await refused(credential, higher)).toBe('foreign_namespace')
    const known = { family: 'f1', generation: 1, owner: elsewhere }
    await it.store.fence({ credential, status: setOf(credential).status, known })
    expect(await refused(credential, higher)).toBe('foreign_namespace')
  })
})

describe('a fence that comes late', () => {
  const status = { status: 'revoked', since: '2026-01-01T00:00:00.000Z', generation: 0 } as const
  const known = { family: 'f1', generation: 1, grant: 'grant-f1-1', owner: here }

  test('brings nothing back into a tombstone whose tokens the provider has revoked', async () => {
    const credential = newCredential()
    await fenced(credential, 'f1', 1)
    await it.store.fence({ credential, status, known, settled: true })
    expect(await refused(credential, () => it.store.fence({ credential, status, known }))).toBe('fenced')
    expect(await refused(credential, () => it.store.fence({ credential, status }))).toBe('fenced')
    expect((await it.store.read(credential)).hash).not.toHaveProperty('grant')
  })

  test('covers what is newer than such a tombstone', async () => {
    const credential = newCredential()
    await fenced(credential, 'f1', 1)
    await it.store.fence({ credential, status, known, settled: true })
    await it.store.fence({ credential, status, known: { ...known, generation: 2, grant: 'grant-f1-2' } })
    expect((await it.store.read(credential)).hash).toMatchObject({ generation: 2, grant: 'grant-f1-2' })
  })
})

describe('announce: a status that no token set comes with', () => {
  const status = { status: 'retrying', reason: 'http_503', since: '2026-01-01T00:00:00.000Z', generation: 5 } as const
  const announce = async (credential: string, changes: object = {}) => ({
    verdict: await it.store.announce(credential, {
      namespace: 'default',
      family: 'f1',
      generation: 5,
      status,
      ...changes,
    }),
  })

  test('is written where the hash is as old, older, or not there', async () => {
    for (const generation of [5, 4, undefined]) {
      const credential = newCredential()
      if (generation !== undefined) await write(setOf(credential, { generation }))
      const before = await it.everything(credential)
      expect(await announce(credential)).toEqual({ verdict: 'written' })
      expect(await it.everything(credential)).toMatchObject({ status, hash: before.hash, access: before.access })
    }
  })

  test.each([
    ['a newer generation', { generation: 6 }, 'newer'],
    ['the same generation of another family', { generation: 5, family: 'f2' }, 'newer'],
  ])('is refused over %s', async (_name, changes, verdict) => {
    const credential = newCredential()
    await write(setOf(credential, changes))
    expect(await refused(credential, () => announce(credential))).toBe(verdict)
  })

  test('is refused over a tombstone, and over what another namespace owns', async () => {
    const revoked = newCredential()
    await fenced(revoked, 'f1', 1)
    expect(await refused(revoked, () => announce(revoked))).toBe('tombstone')
    const foreign = newCredential()
    await write(setOf(foreign), elsewhere)
    expect(await refused(foreign, () => announce(foreign))).toBe('foreign_namespace')
  })

  test('compares generations as numbers', async () => {
    const credential = newCredential()
    await write(setOf(credential, { generation: 10 }))
    expect(await refused(credential, () => announce(credential, { generation: 9 }))).toBe('newer')
  })
})

async function fenced(credential: string, family: string, generation: number): Promise<void> {
  await it.store.write(here, setOf(credential, { family, generation }))
  const status = { status: 'revoked', since: '2026-01-01T00:00:00.000Z', generation: 0 } as const
  expect(await it.store.fence({ credential, status })).toMatchObject({ verdict: 'fenced' })
  expect(await it.redis.hExists(grantKey(credential), 'tombstone')).toBe(1)
}
