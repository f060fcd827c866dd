import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { fingerprint, newSealingKey, seal } from '../../src/store/sealing.ts'
import type { Claimed, ClaimInput, Refreshed } from '../../src/workflows/messages.ts'
import { another, claimOf, openGrant, readAccess, type Setting, startSetting, storedSet } from './setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})
beforeEach(() => {
  setting.logged.length = 0
})
afterAll(() => setting.stop())

const claim = (input: ClaimInput): Promise<Claimed> => setting.activities.claim(input)
const print = (token: string) => fingerprint(setting.keyring.grant[0], token)
const response = { refresh_token: 'rt-secret-seed', access_token: 'at-secret-seed', scope: 'mail' }
const revoked = { status: 'revoked', since: '2026-01-01T00:00:00.000Z', generation: 0 } as const
const generationOf = (claimed: Claimed) => (claimed as Refreshed).generation

describe('a new grant', () => {
  test('is taken over: a new family with its own seal, its access token readable at once', async () => {
    const credential = setting.credential()
    const input = claimOf(credential, response, {
      accessLivesMs: 600_000,
      refreshLivesMs: 86_400_000,
      parameters: { a: 'b' },
    })
    const claimed = (await claim(input)) as Refreshed
    expect(claimed).toMatchObject({
      family: input.seed.family,
      generation: 1,
      accessLivesMs: 600_000,
      refreshLivesMs: 86_400_000,
      seeds: [print('rt-secret-seed')],
    })
    expect(openGrant(claimed.grant, credential)).toEqual({
      refresh_token: 'rt-secret-seed',
      family: input.seed.family,
      gen: 1,
    })
    expect(await readAccess(setting, credential)).toMatchObject({
      document: { access_token: 'at-secret-seed', scope: 'mail' },
    })
    expect((await setting.it.store.read(credential)).hash).toMatchObject({ parameters: { a: 'b' }, run: 'run-1' })
    expect(JSON.stringify(claimed)).not.toContain('-secret')
  })

  test.each([
    ['without a lifetime', {}],
    ['that has ended on the way', { accessLivesMs: 0 }],
  ])('whose access token comes %s is due at once, and nobody reads it', async (_name, lifetimes) => {
    const credential = setting.credential()
    const claimed = await claim(claimOf(credential, response, lifetimes))
    expect(claimed).toMatchObject({ generation: 1, dueInMs: 0 })
    expect(await readAccess(setting, credential)).toBeUndefined()
    expect((await setting.it.everything(credential)).status).toMatchObject({ status: 'pending' })
  })

  test('of many that are handed over together waits for its turn, unless its access token is good', async () => {
    const turnOf = async (lifetimes: object) => {
      const credential = setting.credential()
      const { seed } = claimOf(credential, response)
      const input = claimOf(credential, response, { seed: { ...seed, firstRefreshInMs: 90_000 }, ...lifetimes })
      const { dueInMs } = (await claim(input)) as Refreshed
      const { nextRefreshAt } = (await setting.it.everything(credential)).status ?? {}
      expect(Math.abs(Date.parse(String(nextRefreshAt)) - Date.now() - dueInMs)).toBeLessThan(1_000)
      return dueInMs
    }
    expect(await turnOf({})).toBe(90_000)
    expect(await turnOf({ accessLivesMs: 60_000 })).toBeLessThan(45_000)
  })

  test('that needs no person begins anew above the generation that was revoked', async () => {
    const credential = setting.credential({ grant: 'client_credentials' })
    const input: ClaimInput = { ...claimOf(credential, {}), kind: 'client_credentials', seed: { family: 'f1' } }
    await claim(input)
    await setting.it.store.fence({ credential, status: revoked })
    const anew = { ...input, seed: { family: 'f2' } }
    expect(await claim({ ...anew, revokedHere: true })).toMatchObject({ family: 'f2', generation: 1 })
    await setting.it.store.fence({ credential, status: revoked })
    const later = { ...input, seed: { family: 'f3' }, atLeastGeneration: 2 }
    expect(await claim(later)).toMatchObject({ family: 'f3', generation: 2 })
  })

  test('that needs no person begins below its first token set', async () => {
    const credential = setting.credential({ grant: 'client_credentials' })
    const input: ClaimInput = { ...claimOf(credential, {}), kind: 'client_credentials', seed: { family: 'f1' } }
    expect(await claim(input)).toMatchObject({ generation: 0, dueInMs: 0, family: 'f1' })
    expect((await setting.it.store.read(credential)).hash).toMatchObject({ generation: 0, family: 'f1' })
  })

  test('is told to operators, once more when the claim is carried out again', async () => {
    const credential = setting.credential()
    const input = claimOf(credential, response, { accessLivesMs: 600_000, atLeastGeneration: 4 })
    await claim(input)
    const connected = {
      id: `${input.seed.family}/4/connected`,
      event: 'connected',
      credential,
      client: '',
      generation: '4',
      status: 'active',
      reason: '',
    }
    expect(await setting.it.events(credential)).toEqual([connected])
    await claim(input)
    expect(await setting.it.events(credential)).toEqual([connected, connected])
    // a repeated call brings no new family
    await claim(claimOf(credential, response, { atLeastGeneration: 5 }))
    expect(await setting.it.events(credential)).toHaveLength(2)
  })

  test('begins at the generation that the workflow fixed, above what stands in the store', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 3 }))
    expect(generationOf(await claim(claimOf(credential, response, { atLeastGeneration: 9 })))).toBe(9)
  })

  test('never goes above what it did not know of: the workflow has to want that', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 7 }))
    const before = await setting.it.everything(credential)
    expect(await claim(claimOf(credential, response, { atLeastGeneration: 2 }))).toEqual({ above: 7 })
    expect(await setting.it.everything(credential)).toEqual(before)
  })

  test('meets a tombstone that it did not know of: the credential was revoked', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 7 }))
    await setting.it.store.fence({ credential, status: revoked })
    expect(await claim(claimOf(credential, response, { atLeastGeneration: 7 }))).toMatchObject({ revoked: true })
    expect((await setting.it.store.read(credential)).hash).toMatchObject({ generation: 7, tombstone: true })
  })

  test('does not come back over a revoke that came while it waited to be taken over', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 7 }))
    await setting.it.store.fence({ credential, status: revoked, askedAtMs: Date.now() })
    const waited = claimOf(credential, response, { atLeastGeneration: 8, waitedMs: 60_000 })
    expect(await claim(waited)).toMatchObject({ revoked: true })
    // unless the workflow has dealt with the revoke before it came to this grant
    expect(await claim({ ...waited, revokedHere: true })).toMatchObject({ generation: 8 })
  })

  test('is not ended by a fence that was asked for before it and is carried out after it', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 7, family: 'f1' }))
    const askedAtMs = await setting.it.store.nowMs()
    const known = { family: 'f1', generation: 7, owner: setting.caller }
    expect(await setting.it.store.fence({ credential, status: revoked, known })).toMatchObject({ verdict: 'fenced' })
    await new Promise((resolve) => setTimeout(resolve, 5))
    await claim(claimOf(credential, response, { atLeastGeneration: 8, accessLivesMs: 60_000 }))
    const before = await setting.it.everything(credential)
    expect(await setting.it.store.fence({ credential, status: revoked, known })).toMatchObject({ verdict: 'stale' })
    expect(await setting.it.store.fence({ credential, status: revoked, askedAtMs })).toMatchObject({ verdict: 'stale' })
    expect(await setting.it.everything(credential)).toEqual(before)
  })

  test('begins above a tombstone, whose grant and mark are gone', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 7 }))
    await setting.it.store.fence({ credential, status: revoked })
    expect(generationOf(await claim(claimOf(credential, response, { atLeastGeneration: 8 })))).toBe(8)
    expect((await setting.it.store.read(credential)).hash).toMatchObject({ generation: 8, tombstone: false })
  })

  test('remembers the last eight seeds, of the workflow and of the store', async () => {
    const credential = setting.credential()
    const known = Array.from({ length: 6 }, (_, n) => `w${n}`)
    await setting.it.store.write(setting.caller, storedSet(credential, { seeds: ['w5', 'h1', 'h2', 'h3'] }))
    const input = claimOf(credential, response, { seeds: known, atLeastGeneration: 9 })
    const { seeds } = (await claim(input)) as Refreshed
    expect(seeds).toEqual(['w2', 'w3', 'w4', 'w5', 'h1', 'h2', 'h3', print('rt-secret-seed')])
  })
})

describe('a repeated call', () => {
  test('whose first try reached the store finds what that one wrote', async () => {
    const credential = setting.credential()
    const input = claimOf(credential, response, { accessLivesMs: 600_000 })
    const first = (await claim(input)) as Refreshed
    const before = await setting.it.everything(credential)
    expect(await claim(input)).toMatchObject({
      family: first.family,
      generation: 1,
      grant: first.grant,
      seeds: first.seeds,
    })
    expect(await setting.it.everything(credential)).toEqual(before)
  })

  test('with a refresh token that the store knows is no new grant: spending it again would kill the family', async () => {
    const credential = setting.credential()
    await claim(claimOf(credential, response))
    const before = await setting.it.everything(credential)
    expect(await claim(claimOf(credential, response, { atLeastGeneration: 2 }))).toEqual({ repeated: true })
    expect(await setting.it.everything(credential)).toEqual(before)
  })

  test('of a workflow that was reset, or restored from a backup, goes on with what stands in the store', async () => {
    const credential = setting.credential()
    const first = claimOf(credential, response)
    await claim(first)
    const later = storedSet(credential, { generation: 5, family: first.seed.family, seeds: [print('rt-secret-seed')] })
    await setting.it.store.write(setting.caller, later)
    expect(await claim(first)).toMatchObject({ family: first.seed.family, generation: 5 })
    const reconnected = storedSet(credential, { generation: 6, family: 'f2', seeds: later.seeds })
    await setting.it.store.write(setting.caller, reconnected)
    expect(await claim(first)).toMatchObject({ family: 'f2', generation: 6 })
  })

  test('with a refresh token that the workflow knows is none either, though Redis was emptied', async () => {
    const credential = setting.credential()
    const known = claimOf(credential, response, { seeds: [print('rt-secret-seed'), 'x'] })
    expect(await claim(known)).toEqual({ repeated: true })
    expect((await setting.it.everything(credential)).hash).toEqual({})
  })

  test('is recognised after the grant key was changed', async () => {
    const credential = setting.credential()
    await claim(claimOf(credential, response))
    const [old] = setting.keyring.grant
    const rotated = another(setting, { keyring: { ...setting.keyring, grant: [sealingKey(newSealingKey()), old] } })
    expect(await rotated.claim(claimOf(credential, response, { atLeastGeneration: 2 }))).toEqual({ repeated: true })
  })

  test('with the refused token may be tried once more', async () => {
    const credential = setting.credential()
    await claim(claimOf(credential, response))
    const again = claimOf(credential, response, { retry: print('rt-secret-seed'), atLeastGeneration: 2 })
    expect(await claim(again)).toMatchObject({ generation: 2, family: again.seed.family })
  })

  test('of a message that the workflow has dealt with does not end what it has been through since', async () => {
    const credential = setting.credential()
    const input = claimOf(credential, response)
    await claim(input)
    expect(await claim({ ...input, atLeastGeneration: 2, seeds: [print('rt-secret-seed')] })).toEqual({
      repeated: true,
    })
  })

  test('after a revoke by another hand is a revoked credential, not one that begins again', async () => {
    const credential = setting.credential({ grant: 'client_credentials' })
    const input: ClaimInput = { ...claimOf(credential, {}), kind: 'client_credentials', seed: { family: 'f1' } }
    await claim(input)
    await setting.it.store.fence({ credential, status: revoked })
    expect(await claim(input)).toMatchObject({ revoked: true, family: 'f1' })
    expect(await setting.it.redis.hExists(`perennial:grant:acme:{${credential.slice(5)}}`, 'tombstone')).toBe(1)
  })
})

describe('a grant that cannot be taken over', () => {
  const sealedAs = (credential: string, plaintext: string, cred = credential): ClaimInput => {
    const input = claimOf(credential, {})
    const sealed = seal(plaintext, setting.keyring.grant[0], { cred, family: input.seed.family, gen: 0 })
    return { ...input, seed: { ...input.seed, sealed } }
  }

  test.each([
    ['no JSON', 'rt-secret-raw'],
    ['an error', '{"error":"invalid_grant"}'],
    ['without any token', '{"scope":"mail"}'],
    ['an access token that has ended, alone', '{"access_token":"at-secret-1"}'],
  ])('%s is unusable, and none of it is repeated', async (_name, plaintext) => {
    const credential = setting.credential()
    const claimed = await claim(sealedAs(credential, plaintext))
    expect(claimed).toEqual({ unusable: expect.any(String) })
    expect(JSON.stringify(claimed)).not.toContain('secret')
    expect(await setting.it.everything(credential)).toMatchObject({ hash: {}, status: undefined })
  })

  test('made for another credential is unusable', async () => {
    const credential = setting.credential()
    expect(await claim(sealedAs(credential, JSON.stringify(response), 'acme/other/bob'))).toHaveProperty('unusable')
  })

  test('sealed with a key that is not here waits for it', async () => {
    const credential = setting.credential()
    const elsewhere = another(setting, { keyring: { ...setting.keyring, grant: [sealingKey(newSealingKey())] } })
    const waiting = elsewhere.claim(claimOf(credential, response))
    await expect(waiting).rejects.toMatchObject({ type: 'GrantUnreadable', nonRetryable: false })
  })

  test('over what another namespace owns waits for an operator', async () => {
    const credential = setting.credential()
    await setting.it.store.write({ namespace: 'other', run: 'r' }, storedSet(credential))
    const before = await setting.it.everything(credential)
    await expect(claim(claimOf(credential, response))).rejects.toThrow('another Temporal namespace')
    expect(await setting.it.everything(credential)).toEqual(before)
  })
})

test('a revoke between the look of a claim and its write ends the grant', async () => {
  const credential = setting.credential()
  await setting.it.store.write(setting.caller, storedSet(credential, { generation: 7 }))
  await setting.it.store.fence({ credential, status: revoked, askedAtMs: await setting.it.store.nowMs() })
  const set = storedSet(credential, { generation: 8, family: 'f2' })
  const over = (waitedMs: number) => setting.it.store.write(setting.caller, { ...set, waitedMs })
  expect(await over(60_000)).toMatchObject({ verdict: 'tombstone' })
  expect(await over(0)).toMatchObject({ verdict: 'written' })
})
