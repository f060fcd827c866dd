import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findRedis } from '../../../src/dev/binaries.ts'
import { freePort, type RedisServer, startRedis } from '../../../src/dev/servers.ts'
import { newSealingKey, seal } from '../../../src/store/sealing.ts'
import { type AccessDocument, accessKey, type Status, statusKey } from '../src/format.ts'
import { createReader, type Reader, type ReaderOptions } from '../src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../src/sealed.ts'
import { openLine } from './line.ts'
import { readerAcl } from './setting.ts'

const id = 'acme/google-main/alice'
const master = sealingKey(newSealingKey())
const acme = readerKey(master, 'acme')
const acmeText = readerKeyText(acme)

let dir: string
let binary: string
let redis: RedisServer
let admin: ReturnType<typeof createClient>
let readerUrl: string
const opened: Reader[] = []

function reader(options: Partial<ReaderOptions> = {}): Reader {
  return openedReader({ redis: readerUrl, keys: [acmeText], ...options })
}

function openedReader(options: ReaderOptions): Reader {
  const made = createReader(options)
  opened.push(made)
  return made
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()

const access = (lifetimeMs: number, changes: Partial<AccessDocument> = {}): AccessDocument => ({
  credential: id,
  family: 'f1',
  generation: 3,
  access_token: 'token-3',
  token_type: 'Bearer',
  scope: 'mail',
  expires_at: inMs(lifetimeMs),
  ...changes,
})

const sealAccess = (document: AccessDocument, key = acme, cred = document.credential) =>
  seal(JSON.stringify(document), key, { cred, family: document.family, gen: document.generation })

const store = (value: string, lifetimeMs: number, credential = id) =>
  admin.set(accessKey(credential), value, { expiration: { type: 'PX', value: lifetimeMs } })

const setStatus = (status: Status, more: object = {}) =>
  admin.set(statusKey(id), JSON.stringify({ status, since: '2026-11-24T10:00:00.000Z', generation: 3, ...more }))

const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'perennial-reader-'))
  binary = await findRedis()
  redis = await startRedis({ binary, dir })
  admin = createClient({ url: redis.url })
  admin.on('error', () => undefined)
  await admin.connect()
  await admin.sendCommand(['ACL', 'SETUSER', 'reader-acme', 'reset', 'on', '>pw', ...readerAcl('acme')])
  const url = new URL(redis.url)
  url.username = 'reader-acme'
  url.password = 'pw'
  readerUrl = url.href
})

afterAll(async () => {
  admin.destroy()
  await redis.stop()
  await rm(dir, { recursive: true })
})

beforeEach(() => admin.flushAll())

afterEach(async () => {
  await Promise.all(opened.splice(0).map((made) => made.close()))
})

describe('a token that is there', () => {
  test('is read and opened, with no more rights in Redis than a tenant has', async () => {
    const document = access(60_000)
    await store(sealAccess(document), 60_000)
    expect(await reader().get(id)).toEqual({
      accessToken: 'token-3',
      tokenType: 'Bearer',
      scope: 'mail',
      expiresAt: new Date(document.expires_at),
      generation: 3,
      family: 'f1',
      values: {},
      stale: false,
      ageMs: 0,
    })
    expect(await admin.aclLog()).toEqual([])
  })

  test('is read where tokens are stored plain', async () => {
    const { scope: _, ...document } = access(60_000)
    await store(JSON.stringify(document), 60_000)
    const token = await openedReader({ redis: readerUrl }).get(id)
    expect(token).toMatchObject({ accessToken: 'token-3', generation: 3 })
    expect(token).not.toHaveProperty('scope')
  })

  test('is read with the options of a connection', async () => {
    await store(sealAccess(access(60_000)), 60_000)
    const { hostname, port } = new URL(readerUrl)
    const own = { username: 'reader-acme', password: 'pw', socket: { host: hostname, port: Number(port) } }
    expect(await reader({ redis: own }).get(id)).toMatchObject({ generation: 3 })
  })

  test('is refused when it lives for less than was asked for', async () => {
    await store(sealAccess(access(60_000)), 60_000)
    await expect(reader().get(id, { minRemainingMs: 61_000 })).rejects.toEqual(
      refused('token_expired', { reason: 'min_remaining', retryable: true }),
    )
  })

  test('is refused once it has expired, if its key did not', async () => {
    const document = access(-1_000)
    await admin.set(accessKey(id), sealAccess(document))
    await expect(reader().get(id)).rejects.toEqual(
      refused('token_expired', { reason: 'expired', since: new Date(document.expires_at) }),
    )
  })

  test('is refused when it is sealed and the reader has no keys', async () => {
    await store(sealAccess(access(60_000)), 60_000)
    await expect(openedReader({ redis: readerUrl }).get(id)).rejects.toEqual(refused('unknown_key'))
  })
})

describe('a token that is not there', () => {
  test('is not found when nothing is stored', async () => {
    await expect(reader().get(id)).rejects.toEqual(refused('credential_not_found', { retryable: false }))
  })

  test('is explained by the status document', async () => {
    await setStatus('reconnect_required', { reason: 'invalid_grant' })
    const since = new Date('2026-11-24T10:00:00.000Z')
    await expect(reader().get(id)).rejects.toEqual(
      refused('reconnect_required', { name: 'ReconnectRequired', reason: 'invalid_grant', since, retryable: false }),
    )
  })

  test('and is written between the two reads is returned', async () => {
    await setStatus('active')
    const line = await openLine(new URL(redis.url))
    line.onceSent('perennial:status:', () => store(sealAccess(access(60_000)), 60_000))
    try {
      expect(await reader({ redis: line.url }).get(id)).toMatchObject({ generation: 3 })
      expect(line.sent('perennial:status:')).toBe(1)
    } finally {
      line.close()
    }
  })
})

describe('wrong use', () => {
  test.each([
    ['no key where the environment has none', { keys: [undefined] }, 'keys[0] is missing'],
    ['a key that is none', { keys: [acmeText, 'secret'] }, 'keys[1] is no key'],
    ['an empty list of keys', { keys: [] }, 'keys is empty'],
    ['an address that is none', { redis: 'redis://user:secret@[host' }, 'address of Redis'],
    ['no address where the environment has none', { redis: undefined }, 'redis is missing'],
    ['a cluster of no servers', { redis: { cluster: [] } }, 'cluster is empty'],
    ['no sentinels', { redis: { sentinel: { name: 'main', nodes: [] } } }, 'sentinel.nodes is empty'],
    ['a bound that is none', { maxEntries: -1 }, 'maxEntries is -1'],
    ['an age that is none', { maxStaleMs: Number.NaN }, 'maxStaleMs is NaN'],
    ['an address of something else', { redis: 'https://user:secret@host' }, 'address of Redis'],
  ])('%s is refused at once, and not repeated', (_, options, message) => {
    const make = () => createReader({ redis: readerUrl, keys: [acmeText], ...options })
    expect(make).toThrow(message)
    expect(make).toThrow(refused('invalid_argument', { message: expect.not.stringContaining('secret') }))
  })

  test('an id that is none is refused', async () => {
    await expect(reader().get('acme:*')).rejects.toEqual(refused('invalid_argument'))
  })

  test('an aborted call ends with the reason of its signal', async () => {
    const reason = new Error('enough')
    await expect(reader().get(id, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const call = reader({ redis: `redis://127.0.0.1:${await freePort()}` }).get(id, { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })
})

describe('Redis out of reach', () => {
  let silent: Server

  beforeAll(async () => {
    silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  })

  afterAll(() => {
    silent.close()
  })

  const silentUrl = () => {
    const address = silent.address()
    return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }

  async function timed(call: Promise<unknown>) {
    const startMs = performance.now()
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return { error, tookMs: performance.now() - startMs }
  }

  test('is said within three seconds, then at once, and is over when Redis comes', async () => {
    const port = await freePort()
    const tokens = reader({ redis: `redis://127.0.0.1:${port}` })
    const first = await timed(tokens.get(id))
    expect(first.error).toEqual(refused('store_unavailable', { retryable: true }))
    expect(first.error).toHaveProperty('message', expect.stringContaining('ECONNREFUSED'))
    expect(first.tookMs).toBeLessThan(3_000)
    const second = await timed(tokens.get(id))
    expect(second.error).toEqual(refused('store_unavailable'))
    expect(second.tookMs).toBeLessThan(500)

    const home = await mkdtemp(join(tmpdir(), 'perennial-reader-late-'))
    const late = await startRedis({ binary, dir: home, port })
    try {
      await expect
        .poll(() => tokens.get(id).catch((error: unknown) => error), { timeout: 5_000 })
        .toEqual(refused('credential_not_found'))
    } finally {
      await tokens.close()
      await late.stop()
      await rm(home, { recursive: true })
    }
  })

  test('is said of a server that accepts and never answers', async () => {
    const { error, tookMs } = await timed(reader({ redis: silentUrl() }).get(id))
    expect(error).toEqual(refused('store_unavailable'))
    expect(tookMs).toBeLessThan(3_000)
  })

  test('is said of a Redis that refuses the password, which is not repeated', async () => {
    const { error } = await timed(reader({ redis: readerUrl.replace(':pw@', ':wrong-secret@') }).get(id))
    expect(error).toEqual(
      refused('store_unavailable', { message: 'Redis cannot be read: WRONGPASS, the server refuses this reader' }),
    )
  })

  test("is said of another tenant's keys, with the code of Redis", async () => {
    await expect(reader().get('other/google-main/alice')).rejects.toEqual(
      refused('store_unavailable', { message: 'Redis cannot be read: NOPERM, the server refuses this reader' }),
    )
  })
})
