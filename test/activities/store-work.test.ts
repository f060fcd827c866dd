import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Setting, sealRefreshToken, startSetting, storedSet } from './setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})
afterAll(() => setting.stop())

const revoked = { status: 'revoked', since: '2026-01-01T00:00:00.000Z', generation: 0 } as const
const of = (credential: string, generation = 4) =>
  ({ credential, kind: 'refresh_token', family: 'f1', generation, send: 3 }) as const

describe('settle', () => {
  test('finds nothing, says how the provider rotates, and takes the credential over from whoever had it', async () => {
    const credential = setting.credential({}, { rotation: 'grace', graceMs: 30_000 })
    await setting.it.store.write({ ...setting.caller, run: 'run-0' }, storedSet(credential, { generation: 4 }))
    expect(await setting.activities.settle(of(credential))).toEqual({
      rotation: 'grace',
      graceMs: 30_000,
      send: 3,
      foreign: true,
    })
    expect((await setting.it.store.read(credential)).hash).toMatchObject({ run: 'run-1', send: 3 })
  })

  test('bars every refresh that was handed out before, whatever number another run has reached', async () => {
    const credential = setting.credential()
    const at = { owner: setting.caller, family: 'f1', generation: 4 }
    await setting.it.store.begin(credential, { ...at, send: 11 })
    expect(await setting.activities.settle(of(credential))).toMatchObject({ send: 12 })
    expect(await setting.it.store.begin(credential, { ...at, send: 11 })).toMatchObject({ verdict: 'stale' })
    expect(await setting.it.store.begin(credential, { ...at, send: 12 })).toMatchObject({ verdict: 'clear' })
    // one who will not send is let look
    expect(await setting.it.store.begin(credential, at)).toMatchObject({ verdict: 'clear' })
  })

  test('finds what a late answer wrote', async () => {
    const credential = setting.credential()
    const late = storedSet(credential, { generation: 5 })
    await setting.it.store.write({ ...setting.caller, run: 'run-0' }, late)
    const settled = await setting.activities.settle(of(credential))
    expect(settled).toMatchObject({
      rotation: 'single_use',
      found: { family: 'f1', generation: 5, grant: late.grant },
    })
    expect(settled.found?.revoked).toBeUndefined()
  })

  test('finds that the credential was revoked', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 4 }))
    await setting.it.store.fence({ credential, status: revoked })
    expect(await setting.activities.settle(of(credential))).toMatchObject({ found: { revoked: true, generation: 4 } })
  })

  test('takes a client that left the configuration for the strictest', async () => {
    expect(await setting.activities.settle(of('acme/gone/alice'))).toEqual({ rotation: 'single_use', send: 3 })
  })

  test('waits for an operator where another namespace owns the credential', async () => {
    const credential = setting.credential()
    await setting.it.store.write({ namespace: 'other', run: 'r' }, storedSet(credential))
    await expect(setting.activities.settle(of(credential))).rejects.toThrow('another Temporal namespace')
  })
})

describe('fence', () => {
  const fence = (credential: string, generation: number) => {
    const grant = sealRefreshToken(credential, 'rt-secret-own', generation)
    return setting.activities.fence({ credential, family: 'f1', generation, grant })
  }

  test('covers what the workflow has, and readers lose it', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 4 }))
    expect(await fence(credential, 5)).toMatchObject({ family: 'f1', generation: 5 })
    const { access, status, hash } = await setting.it.everything(credential)
    expect([access, status?.status, status?.generation, hash.gen]).toEqual([null, 'revoked', 5, '5'])
  })

  test('takes a newer set over, whatever its family: revoke means the credential', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 9, family: 'f2' }))
    expect(await fence(credential, 5)).toMatchObject({ family: 'f2', generation: 9 })
    expect(await setting.it.everything(credential)).toMatchObject({
      access: null,
      status: { status: 'revoked', generation: 9 },
    })
  })

  test('waits for an operator where another namespace owns the credential', async () => {
    const credential = setting.credential()
    await setting.it.store.write({ namespace: 'other', run: 'r' }, storedSet(credential))
    await expect(fence(credential, 5)).rejects.toThrow('another Temporal namespace')
    expect((await setting.it.everything(credential)).access).not.toBeNull()
  })
})

describe('announce', () => {
  const announce = (credential: string, changes = {}) =>
    setting.activities.announce({
      ...of(credential),
      status: 'retrying',
      reason: 'http_503',
      sinceMs: 1_000,
      ...changes,
    })

  test('tells readers of a status, with times of the clock of Redis and only those that are known', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 4 }))
    const beforeMs = await setting.it.store.nowMs()
    expect(await announce(credential, { nextAttemptInMs: 5_000, accessRemainingMs: 60_000 })).toEqual({ told: true })
    const { status } = await setting.it.everything(credential)
    const { nextRefreshAt, accessExpiresAt, ...rest } = status ?? {}
    expect(rest).toEqual({ status: 'retrying', reason: 'http_503', since: '1970-01-01T00:00:01.000Z', generation: 4 })
    expect(Math.abs(Date.parse(String(nextRefreshAt)) - beforeMs - 5_000)).toBeLessThan(1_000)
    expect(Math.abs(Date.parse(String(accessExpiresAt)) - beforeMs - 60_000)).toBeLessThan(1_000)
  })

  test('does not talk over a newer generation', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 5 }))
    expect(await announce(credential)).toEqual({ told: false })
    expect((await setting.it.everything(credential)).status).toMatchObject({ status: 'active', generation: 5 })
  })
})
