import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import type { Keyring } from '../../src/activities/index.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'
import {
  another,
  failureOf,
  granted,
  refreshOf,
  type Setting,
  sealRefreshToken,
  startSetting,
  storedSet,
  tokens,
} from './setting.ts'

let setting: Setting
let credential: string

beforeAll(async () => {
  setting = await startSetting()
})
afterAll(() => setting.stop())
beforeEach(() => {
  setting.answers.length = 0
  setting.requests.length = 0
  setting.logged.length = 0
  credential = setting.credential()
})

/** generation of the workflow; what stands in Redis is one further, unless a test says otherwise */
const generation = 4

/** Every way in which the grant in the hash is not what a worker wrote there. */
const bad: [string, string, () => string][] = [
  ['with a changed byte', 'stored_grant_tampered', () => changed(sealRefreshToken(credential, 'rt-secret-5', 5))],
  ['that is not sealed at all', 'stored_grant_tampered', () => JSON.stringify({ refresh_token: 'rt-secret-5' })],
  ['sealed with a key that is not ours', 'stored_grant_unknown_key', () => sealedWith(newSealingKey())],
  ['of another credential', 'stored_grant_swapped', () => sealRefreshToken('acme/orchard-0/bob', 'rt-secret-5', 5)],
  ['of another family', 'stored_grant_misplaced', () => sealRefreshToken(credential, 'rt-secret-5', 5, 'f0')],
  ['of a later generation', 'stored_grant_misplaced', () => sealRefreshToken(credential, 'rt-secret-9', 9)],
  [
    'of a generation that was used already',
    'stored_grant_misplaced',
    () => sealRefreshToken(credential, 'rt-secret-3', 3),
  ],
]

const sealedWith = (key: string) =>
  seal(JSON.stringify({ refresh_token: 'rt-secret-5' }), sealingKey(key), { cred: credential, family: 'f1', gen: 5 })

function changed(sealed: string): string {
  const parts = sealed.split('.')
  const body = Buffer.from(parts[3] ?? '', 'base64url')
  body[0] = (body[0] ?? 0) ^ 1
  return parts.with(3, body.toString('base64url')).join('.')
}

/** Puts the grant into a hash of this generation, as someone does who can write to Redis. */
async function plant(grant: string, at = generation + 1): Promise<void> {
  await setting.it.store.write(setting.caller, storedSet(credential, { generation: at, grant }))
}

const stored = async () => (await setting.it.store.read(credential)).hash

describe('a newer grant in Redis', () => {
  test.each(bad)('%s is refused as %s: not used, not overwritten', async (_what, reason, make) => {
    const grant = make()
    await plant(grant)
    const refresh = setting.activities.refresh(refreshOf(credential, { generation }))
    const { failure, nonRetryable } = await failureOf(setting, refresh, 'Unsent')
    expect(failure.reason).toBe(reason)
    expect(failure.detail).toContain('is not used and not overwritten')
    // it is asked again: a key or a value can be put back
    expect(nonRetryable).toBe(false)
    expect(setting.requests).toEqual([])
    expect(await stored()).toMatchObject({ grant, generation: generation + 1 })
  })

  test.each(bad)('%s is refused after an unknown end, and at a resync', async (_what, reason, make) => {
    const grant = make()
    await plant(grant)
    const { seeds, kind, family, grant: held = '' } = refreshOf(credential, { generation })
    const known = { credential, kind, family, generation, grant: held }
    await expect(setting.activities.settle({ ...known, send: 2 })).rejects.toMatchObject({ reason })
    await expect(setting.activities.resync({ ...known, seeds })).rejects.toMatchObject({ reason })
    expect(await stored()).toMatchObject({ grant, generation: generation + 1 })
  })

  test('is adopted again when the key is put back', async () => {
    const key = newSealingKey()
    const grant = sealedWith(key)
    await plant(grant)
    const keyring: Keyring = { ...setting.keyring, grant: [setting.keyring.grant[0], sealingKey(key)] }
    const found = await another(setting, { keyring }).refresh(refreshOf(credential, { generation }))
    expect(found).toMatchObject({ generation: 5, grant })
  })
})

describe('a grant in Redis of the generation that the workflow has, or an older one', () => {
  test.each(bad)('%s is not used; it is replaced with the next set, and that is said', async (_what, _reason, make) => {
    await plant(make(), generation)
    setting.answers.push(granted(tokens(5)))
    await setting.activities.refresh(refreshOf(credential, { generation }))
    expect(setting.requests.map(({ refreshToken }) => refreshToken)).toEqual(['rt-secret-4'])
    expect(setting.logged).toEqual([
      [{ credential, generation, stored: generation }, expect.stringContaining('holds another grant')],
    ])
  })

  test('that was rolled back as a whole is not used; the workflow has the newer one', async () => {
    await plant(sealRefreshToken(credential, 'rt-secret-2', 2), 2)
    setting.answers.push(granted(tokens(5)))
    await setting.activities.refresh(refreshOf(credential, { generation }))
    expect(setting.requests.map(({ refreshToken }) => refreshToken)).toEqual(['rt-secret-4'])
    expect(setting.logged).toEqual([[{ credential, generation, stored: 2 }, expect.stringContaining('rolled back')]])
    expect(await stored()).toMatchObject({ generation: 5 })
  })
})
