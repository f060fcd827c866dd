import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../../src/dev/servers.ts'
import { connect } from '../../src/store/connection.ts'
import { Store, type TokenSetWrite } from '../../src/store/store.ts'
import { grantKey } from '../store/redis.ts'
import {
  another,
  claimOf,
  failureOf,
  granted,
  openGrant,
  readAccess,
  refreshOf,
  type Setting,
  startSetting,
  tokens,
} from './setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})
beforeEach(() => {
  for (const list of [setting.answers, setting.requests, setting.told, setting.logged]) list.length = 0
})
afterAll(() => setting.stop())

/** A store that does not take the first `times` writes. */
class Refusing extends Store {
  times: number

  constructor(times: number) {
    super(setting.it.redis)
    this.times = times
  }

  override async write(...request: Parameters<Store['write']>) {
    if (this.times-- > 0) throw new Error('Redis is away')
    return await super.write(...request)
  }
}

/** A store that goes away after the first look. */
class AnsweringOnce extends Store {
  #looks = 0

  override async begin(...request: Parameters<Store['begin']>) {
    if (this.#looks++ > 0) throw new Error('Redis is away')
    return await super.begin(...request)
  }
}

const without = (times: number) => another(setting, { store: new Refusing(times) })
const pause = (ms: number) => setting.it.redis.sendCommand(['CLIENT', 'PAUSE', String(ms), 'ALL'])
const generationIn = async (credential: string) => (await setting.it.store.read(credential)).hash?.generation

/** An exchange that is held back until the test lets it go. */
function held(n: number) {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const answer = async () => {
    await gate
    return granted(tokens(n))
  }
  return { answer, release }
}

describe('a store that is away', () => {
  test('leaves the refresh token unspent', async () => {
    const credential = setting.credential()
    const nowhere = connect(`redis://127.0.0.1:${await freePort()}`, 'nowhere', () => {})
    try {
      const away = another(setting, { store: new Store(nowhere) })
      const { failure, delayMs, nonRetryable } = await failureOf(setting, away.refresh(refreshOf(credential)), 'Unsent')
      expect([failure.reason, nonRetryable]).toEqual(['store_unavailable', false])
      expect(delayMs).toBeGreaterThanOrEqual(1_000)
      expect(setting.requests).toEqual([])
    } finally {
      nowhere.destroy()
    }
  })

  test('after a refusal leaves open whether another attempt was faster: asked again, nobody has to reconnect', async () => {
    const credential = setting.credential()
    const store = new AnsweringOnce(setting.it.redis)
    setting.answers.push({ kind: 'grant_refused', reason: 'invalid_grant', detail: 'HTTP 400' })
    const { failure } = await failureOf(setting, another(setting, { store }).refresh(refreshOf(credential)), 'Unclear')
    expect(failure.reason).toBe('invalid_grant')
  })

  test('when the tokens are there gets them later: at once they go back sealed, and are persisted', async () => {
    const credential = setting.credential()
    setting.answers.push(granted(tokens(2)))
    const refreshed = await without(Number.POSITIVE_INFINITY).refresh(refreshOf(credential))
    expect(refreshed).toMatchObject({ generation: 2, accessLivesMs: 3600_000 })
    expect(JSON.stringify([refreshed, setting.logged])).not.toContain('-secret')
    expect(await generationIn(credential)).toBe(1)
    const persist = { credential, kind: 'refresh_token', sealed: refreshed.unstored ?? '' } as const
    await expect(without(1).persist(persist)).rejects.toThrow('Redis is away')
    expect(await setting.activities.persist(persist)).toEqual({})
    expect(await readAccess(setting, credential)).toMatchObject({
      document: { access_token: 'at-secret-2', generation: 2 },
    })
    expect((await setting.it.store.read(credential)).hash?.grant).toBe(refreshed.grant)
    expect(await setting.activities.persist(persist)).toEqual({})
  })

  test('that hangs is waited for a quarter of a second, and takes the same write once it answers', async () => {
    const credential = setting.credential()
    let askedMs = 0
    setting.answers.push(async () => {
      await pause(1_200)
      askedMs = performance.now()
      return granted(tokens(2))
    })
    const refreshed = await setting.activities.refresh(refreshOf(credential))
    expect(performance.now() - askedMs).toBeLessThan(900)
    expect(refreshed.unstored).toBeDefined()
    await expect.poll(() => generationIn(credential), { timeout: 5_000 }).toBe(2)
    const persist = { credential, kind: 'refresh_token', sealed: refreshed.unstored ?? '' } as const
    expect(await setting.activities.persist(persist)).toEqual({})
    expect(await generationIn(credential)).toBe(2)
  })

  test('while a client is found to work again does not hold the tokens up', async () => {
    const credential = setting.credential()
    const { name } = setting.deps.config.clients.get(credential.split('/')[1] ?? '') ?? { name: '' }
    await setting.it.store.markClientRefused(name, 'invalid_client', 60_000)
    let askedMs = 0
    setting.answers.push(async () => {
      await pause(1_200)
      askedMs = performance.now()
      return granted(tokens(2))
    })
    const refreshed = await setting.activities.refresh(refreshOf(credential, { forced: true }))
    expect(performance.now() - askedMs).toBeLessThan(900)
    expect(refreshed.unstored).toBeDefined()
    await expect.poll(() => setting.woken, { timeout: 5_000 }).toContain(name)
  })

  test('gets the tokens from this process too, should Temporal be what cannot be reached', async () => {
    const credential = setting.credential()
    setting.answers.push(granted(tokens(2)))
    await without(2).refresh(refreshOf(credential))
    await expect.poll(() => generationIn(credential), { timeout: 8_000 }).toBe(2)
    expect(await readAccess(setting, credential)).toMatchObject({ document: { access_token: 'at-secret-2' } })
  })
})

describe('two attempts at one generation', () => {
  test('the one that was sent later lives, when its answer is the second', async () => {
    const credential = setting.credential()
    const early = held(2)
    setting.answers.push(early.answer)
    const first = setting.activities.refresh(refreshOf(credential))
    await expect.poll(() => setting.requests.length).toBe(1)
    await sleep(5)
    const late = held(3)
    setting.answers.push(late.answer)
    const second = setting.activities.refresh(refreshOf(credential))
    await expect.poll(() => setting.requests.length).toBe(2)
    early.release()
    expect(await first).toMatchObject({ generation: 2 })
    late.release()
    const refreshed = await second
    expect(refreshed).toMatchObject({ generation: 3 })
    expect(openGrant(refreshed.grant, credential)).toEqual({ refresh_token: 'rt-secret-3', family: 'f1', gen: 3 })
    expect(await readAccess(setting, credential)).toMatchObject({
      document: { access_token: 'at-secret-3', generation: 3 },
      sealedFor: { gen: 3 },
    })
  })

  test('and also when its answer is the first: the late one adopts it', async () => {
    const credential = setting.credential()
    const early = held(2)
    setting.answers.push(early.answer)
    const first = setting.activities.refresh(refreshOf(credential))
    await expect.poll(() => setting.requests.length).toBe(1)
    await sleep(5)
    setting.answers.push(granted(tokens(3)))
    const { grant } = await setting.activities.refresh(refreshOf(credential))
    early.release()
    expect(await first).toMatchObject({ generation: 2, grant })
    expect(await readAccess(setting, credential)).toMatchObject({
      document: { access_token: 'at-secret-3', generation: 2 },
    })
  })

  /** The later answer waits sealed in the workflow, while the earlier one is written. */
  async function overtaken(credential: string, actor = without(Number.POSITIVE_INFINITY)): Promise<string> {
    const early = held(2)
    setting.answers.push(early.answer)
    const first = setting.activities.refresh(refreshOf(credential))
    await expect.poll(() => setting.requests.length).toBe(1)
    await sleep(5)
    setting.answers.push(granted(tokens(3)))
    const { unstored } = await actor.refresh(refreshOf(credential))
    early.release()
    await first
    return unstored ?? ''
  }

  async function expectRaised(credential: string): Promise<void> {
    expect(await readAccess(setting, credential)).toMatchObject({
      document: { access_token: 'at-secret-3', generation: 3 },
      sealedFor: { family: 'f1', gen: 3 },
    })
    const { hash } = await setting.it.store.read(credential)
    expect(openGrant(hash?.grant, credential)).toEqual({ refresh_token: 'rt-secret-3', family: 'f1', gen: 3 })
    expect((await setting.it.everything(credential)).status).toMatchObject({ status: 'active', generation: 3 })
  }

  test('one that had to wait for the store is written one generation higher, all of it', async () => {
    const credential = setting.credential()
    const sealed = await overtaken(credential)
    const persist = { credential, kind: 'refresh_token', sealed } as const
    const { found } = await setting.activities.persist(persist)
    expect(found).toMatchObject({ family: 'f1', generation: 3 })
    expect(openGrant(found?.grant, credential)).toEqual({ refresh_token: 'rt-secret-3', family: 'f1', gen: 3 })
    await expectRaised(credential)
    expect((await setting.activities.persist(persist)).found).toMatchObject({ generation: 3 })
    await expectRaised(credential)
  })

  test('and so it is where tokens are stored plain', async () => {
    const credential = setting.credential()
    const config = { ...setting.deps.config, readers: { sealed: false } }
    const sealed = await overtaken(
      credential,
      another(setting, { config, store: new Refusing(Number.POSITIVE_INFINITY) }),
    )
    await another(setting, { config }).persist({ credential, kind: 'refresh_token', sealed })
    const { access } = await setting.it.everything(credential)
    expect(JSON.parse(access ?? '')).toMatchObject({ access_token: 'at-secret-3', generation: 3 })
  })

  test('and so does the process that obtained it, by itself', async () => {
    const credential = setting.credential()
    await overtaken(credential, without(1))
    await expect.poll(() => generationIn(credential), { timeout: 8_000 }).toBe(3)
    await expectRaised(credential)
  })
})

describe('an answer that comes when the credential has gone on', () => {
  /** A refresh whose answer is held back while something else happens. */
  async function meanwhile(credential: string, happens: () => Promise<unknown>) {
    const exchange = held(2)
    setting.answers.push(exchange.answer)
    const refreshing = setting.activities.refresh(refreshOf(credential))
    await expect.poll(() => setting.requests.length).toBe(1)
    await happens()
    exchange.release()
    return await refreshing
  }

  test('adopts a newer family, which stays as it is', async () => {
    const credential = setting.credential()
    const claim = claimOf(
      credential,
      { refresh_token: 'rt-secret-new', access_token: 'at-secret-new' },
      { accessLivesMs: 60_000, atLeastGeneration: 3 },
    )
    const refreshed = await meanwhile(credential, () => setting.activities.claim(claim))
    expect(refreshed).toMatchObject({ family: claim.seed.family, generation: 3 })
    expect(await readAccess(setting, credential)).toMatchObject({ document: { access_token: 'at-secret-new' } })
  })

  test('is not written over a tombstone of its family, and says so', async () => {
    const credential = setting.credential()
    const status = { status: 'revoked', since: new Date().toISOString(), generation: 0 } as const
    const refreshed = await meanwhile(credential, () => setting.it.store.fence({ credential, status }))
    expect(refreshed).toMatchObject({ revoked: true })
    expect(JSON.stringify(refreshed)).not.toContain('-secret')
    expect(await setting.it.everything(credential)).toMatchObject({ access: null, status: { status: 'revoked' } })
  })

  test('is kept for the workflow where another namespace took the credential', async () => {
    const credential = setting.credential()
    const take = () => setting.it.redis.hSet(grantKey(credential), 'namespace', 'other')
    const refreshed = await meanwhile(credential, take)
    const write = openGrant(refreshed.unstored, credential) as unknown as TokenSetWrite
    expect(write).toMatchObject({ credential, generation: 2 })
    const persist = { credential, kind: 'refresh_token', sealed: refreshed.unstored ?? '' } as const
    await expect(setting.activities.persist(persist)).rejects.toThrow('another Temporal namespace')
    expect(await readAccess(setting, credential)).toBeUndefined()
  })
})
