import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dueAfterMs } from '../../src/workflows/schedule.ts'
import {
  another,
  failureOf,
  granted,
  openGrant,
  readAccess,
  refreshOf,
  type Setting,
  sealRefreshToken,
  startSetting,
  storedSet,
  tokens,
} from './setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})
beforeEach(() => {
  setting.caller = { ...setting.caller, run: 'run-1', attempt: 1, scheduledAtMs: Date.now() }
  for (const list of [setting.answers, setting.requests, setting.told, setting.woken, setting.logged]) list.length = 0
})
afterAll(() => setting.stop())

const refresh = (credential: string, changes = {}) => setting.activities.refresh(refreshOf(credential, changes))

describe('a refresh that succeeds', () => {
  test('stores the new generation and tells the workflow of it, sealed', async () => {
    const credential = setting.credential()
    setting.answers.push(granted(tokens(2, { refreshExpiresInMs: 86_400_000, scope: 'mail' })))
    const beganMs = Date.now()
    const refreshed = await refresh(credential)
    expect(setting.requests).toEqual([
      expect.objectContaining({ refreshToken: 'rt-secret-1', clientSecret: 'cs-secret-1', grant: 'refresh_token' }),
    ])
    const { grant, obtainedAtMs, ...rest } = refreshed
    expect(rest).toEqual({
      family: 'f1',
      generation: 2,
      accessLivesMs: 3600_000,
      refreshLivesMs: 86_400_000,
      dueInMs: Math.round(dueAfterMs(3600_000, 'refresh_token', credential)),
    })
    expect(obtainedAtMs).toBeGreaterThanOrEqual(beganMs)
    expect(openGrant(grant, credential)).toEqual({ refresh_token: 'rt-secret-2', family: 'f1', gen: 2 })
    const stored = await setting.it.store.read(credential)
    expect(stored.hash).toMatchObject({
      family: 'f1',
      generation: 2,
      grant,
      seeds: ['s1'],
      run: 'run-1',
      tombstone: false,
    })
    expect((stored.hash?.accessExpiresAtMs ?? 0) - stored.nowMs).toBeGreaterThan(3590_000)
    expect(await readAccess(setting, credential)).toMatchObject({
      document: {
        credential,
        family: 'f1',
        generation: 2,
        access_token: 'at-secret-2',
        token_type: 'Bearer',
        scope: 'mail',
      },
      sealedFor: { family: 'f1', gen: 2 },
    })
    expect((await setting.it.everything(credential)).status).toMatchObject({ status: 'active', generation: 2 })
    expect(JSON.stringify([refreshed, await setting.it.everything(credential)])).not.toMatch(/-secret/)
  })

  test('keeps the grant as it was where the provider did not rotate', async () => {
    const credential = setting.credential({}, { rotation: 'none' })
    const { refreshToken: _, ...kept } = tokens(2)
    setting.answers.push(granted(kept))
    const input = refreshOf(credential)
    const refreshed = await setting.activities.refresh(input)
    expect(refreshed.grant).toBeUndefined()
    expect((await setting.it.store.read(credential)).hash?.grant).toBe(input.grant)
  })

  test('with client credentials needs no grant and leaves none', async () => {
    const credential = setting.credential({ grant: 'client_credentials', request: { audience: 'orders' } })
    setting.answers.push(granted({ accessToken: 'at-secret-1', expiresInMs: 60_000 }))
    const refreshed = await refresh(credential, { kind: 'client_credentials', generation: 0, seeds: [] })
    expect(setting.requests).toEqual([
      expect.objectContaining({ grant: 'client_credentials', parameters: { audience: 'orders' } }),
    ])
    expect(setting.requests[0]).not.toHaveProperty('refreshToken')
    expect(refreshed).toMatchObject({ generation: 1, accessLivesMs: 60_000 })
    expect(refreshed).not.toHaveProperty('grant')
    expect((await setting.it.store.read(credential)).hash).not.toHaveProperty('grant')
  })

  test('fills the endpoint with the parameters of the client, then of the credential', async () => {
    const template = { tokenEndpoint: 'https://{domain}.orchard.example/{realm}/token' }
    const credential = setting.credential({ parameters: { domain: 'one', realm: 'main' } }, template)
    setting.answers.push(granted(tokens(2)))
    await refresh(credential, { parameters: { domain: 'two' } })
    expect(setting.requests[0]?.endpoint).toBe('https://two.orchard.example/main/token')
    expect((await setting.it.store.read(credential)).hash?.parameters).toEqual({ domain: 'two' })
  })

  test('without expires_in counts half an hour', async () => {
    const credential = setting.credential()
    const { expiresInMs: _, ...unknown } = tokens(2)
    setting.answers.push(granted(unknown))
    expect(await refresh(credential)).toMatchObject({ accessLivesMs: 1800_000 })
  })

  test.each([0, -5, 0.4])(
    'with an access token that has %d ms left counts as one without: no tight loop',
    async (expiresInMs) => {
      const credential = setting.credential()
      setting.answers.push(granted(tokens(2, { expiresInMs })))
      const refreshed = await refresh(credential, { activeSinceMs: 0 })
      // the workflow's transition backs off where there is no lifetime
      expect(refreshed).not.toHaveProperty('accessLivesMs')
      expect(openGrant(refreshed.grant, credential)).toMatchObject({ refresh_token: 'rt-secret-2' })
      const { access, status, hash } = await setting.it.everything(credential)
      expect([access, status?.status, hash.gen]).toEqual([null, 'pending', '2'])
      expect(Date.parse(String(status?.since))).toBeGreaterThan(0)
    },
  )

  test('of a refresh token alone is a generation too', async () => {
    const credential = setting.credential()
    setting.answers.push(granted({ refreshToken: 'rt-secret-2' }))
    expect(await refresh(credential)).toMatchObject({ generation: 2, dueInMs: 0 })
    expect(await readAccess(setting, credential)).toBeUndefined()
  })

  test('is plain JSON for readers where the operator chose so', async () => {
    const credential = setting.credential()
    setting.answers.push(granted(tokens(2)))
    const plain = another(setting, { config: { ...setting.deps.config, readers: { sealed: false } } })
    await plain.refresh(refreshOf(credential))
    const { access } = await setting.it.everything(credential)
    expect(JSON.parse(access ?? '')).toMatchObject({ access_token: 'at-secret-2', generation: 2 })
  })
})

describe('the store is asked first', () => {
  test('a newer generation is adopted, without a call', async () => {
    const credential = setting.credential()
    const expiresAtMs = Date.now() + 600_000
    const access = { value: 'x', expiresAtMs }
    const set = storedSet(credential, { generation: 2, access, refreshExpiresAtMs: expiresAtMs })
    await setting.it.store.write(setting.caller, set)
    const found = await refresh(credential)
    expect(setting.requests).toEqual([])
    expect(found).toMatchObject({ family: 'f1', generation: 2, grant: set.grant, seeds: ['s1'] })
    for (const leftMs of [found.accessLivesMs, found.refreshLivesMs]) {
      expect(leftMs).toBeGreaterThan(590_000)
      expect(leftMs).toBeLessThanOrEqual(600_500)
    }
    expect(found.dueInMs).toBe(Math.round(dueAfterMs(found.accessLivesMs ?? 0, 'refresh_token', credential)))
  })

  test('one whose access token has ended is adopted too, and is due at once', async () => {
    const credential = setting.credential()
    const access = { value: 'x', expiresAtMs: Date.now() - 1_000 }
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 5, family: 'f2', access }))
    const found = await refresh(credential)
    expect(found).toMatchObject({ family: 'f2', generation: 5, dueInMs: 0 })
    expect(found).not.toHaveProperty('accessLivesMs')
  })

  test.each([
    ['another family', 'f0', 2],
    ['a later generation', 'f1', 3],
  ])('a newer one whose grant was sealed for %s is neither used nor overwritten', async (_name, family, gen) => {
    const credential = setting.credential()
    const grant = sealRefreshToken(credential, 'rt-secret-x', gen, family)
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 2, grant }))
    const { failure } = await failureOf(setting, refresh(credential), 'Unsent')
    expect(failure.reason).toBe('stored_grant_misplaced')
    expect(setting.requests).toEqual([])
    expect((await setting.it.store.read(credential)).hash?.grant).toBe(grant)
  })

  test('a tombstone says that the credential was revoked, without a call', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential))
    const status = { status: 'revoked', since: new Date().toISOString(), generation: 0 } as const
    await setting.it.store.fence({ credential, status })
    expect(await refresh(credential)).toMatchObject({ revoked: true, family: 'f1', generation: 1 })
    expect(setting.requests).toEqual([])
  })

  test('another run may have sent: nothing is', async () => {
    const credential = setting.credential()
    await setting.it.store.write({ ...setting.caller, run: 'run-0' }, storedSet(credential))
    const { failure, nonRetryable } = await failureOf(setting, refresh(credential), 'ForeignRun')
    expect(nonRetryable).toBe(true)
    expect(failure).toMatchObject({ reason: 'other_run' })
    expect(setting.requests).toEqual([])
  })

  test('the run that this one continues may stand there', async () => {
    const credential = setting.credential()
    await setting.it.store.write({ ...setting.caller, run: 'run-0' }, storedSet(credential))
    setting.answers.push(granted(tokens(2)))
    expect(await refresh(credential, { previousOwner: 'run-0' })).toMatchObject({ generation: 2 })
  })

  test('what another namespace owns is not sent, and asked for again later', async () => {
    const credential = setting.credential()
    await setting.it.store.write({ ...setting.caller, namespace: 'other' }, storedSet(credential))
    const { failure, nonRetryable } = await failureOf(setting, refresh(credential), 'Unsent')
    expect([failure.reason, nonRetryable]).toEqual(['foreign_namespace', false])
    expect(setting.requests).toEqual([])
  })
})

describe('nothing is sent', () => {
  test('for a client that the configuration does not have: no matter of the user', async () => {
    const { failure, message } = await failureOf(setting, refresh('acme/unknown/alice'), 'ClientRefused')
    expect(failure.reason).toBe('unknown_client')
    expect(message).toContain('nobody has to reconnect')
  })

  test('with a grant that no key here opens, until one does', async () => {
    const credential = setting.credential()
    const grant = refreshOf('acme/other/bob').grant ?? ''
    const { failure } = await failureOf(setting, refresh(credential, { grant }), 'Unsent')
    expect(failure.reason).toBe('grant_unreadable')
    expect(setting.requests).toEqual([])
  })

  test('with a sealed grant that is no JSON, and none of it is repeated', async () => {
    const credential = setting.credential()
    const { seal } = await import('../../src/store/sealing.ts')
    const grant = seal('rt-secret-raw', setting.keyring.grant[0], { cred: credential, family: 'f1', gen: 1 })
    const { failure } = await failureOf(setting, refresh(credential, { grant }), 'Unsent')
    expect(failure.reason).toBe('grant_unreadable')
  })

  test('where the grant came without a refresh token: only the user can help', async () => {
    const credential = setting.credential()
    const { grant: _, ...without } = refreshOf(credential)
    const { failure } = await failureOf(setting, setting.activities.refresh(without), 'GrantRefused')
    expect(failure.reason).toBe('no_refresh_token')
  })

  test('to an endpoint whose parameter is missing or wrong', async () => {
    const credential = setting.credential({}, { tokenEndpoint: 'https://{domain}.orchard.example/token' })
    const wrong = await failureOf(setting, refresh(credential, { parameters: { domain: 'a/b' } }), 'ClientRefused')
    expect(wrong.failure.reason).toBe('invalid_endpoint')
    await failureOf(setting, refresh(credential), 'ClientRefused')
    expect(setting.requests).toEqual([])
  })
})
