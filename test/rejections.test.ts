import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Temporal } from '../src/client/temporal.ts'
import { findRedis } from '../src/dev/binaries.ts'
import { freePort, startRedis } from '../src/dev/servers.ts'
import { parseRejection, type Rejection, Rejections, watchRejections } from '../src/rejections.ts'
import { connect, ready } from '../src/store/connection.ts'
import { Store } from '../src/store/store.ts'
import { here, setOf } from './store/redis.ts'

const acme = 'perennial:rejected:acme'

test.each([
  [acme, 'google-main/alice 42', { credential: 'acme/google-main/alice', generation: 42 }],
  [acme, 'c/a%2Fb@x.example 0', { credential: 'acme/c/a%2Fb@x.example', generation: 0 }],
])('%s %s is a rejection', (channel, message, rejection) => {
  expect(parseRejection(channel, message)).toEqual(rejection)
})

test.each([
  ...['', 'google-main/alice', 'google-main/alice x', 'google-main/alice -1', 'google-main/alice 1.5', ' 1', 'alice 1'],
  ...['globex/google-main/alice 1', '../globex/google-main/alice 1', 'google-main/alice 1 2', 'google-main/al ice 1'],
  ...['google-main/alice 1e9', 'google-main/alice 9999999999999999', 'google-main/{alice} 1', 'google-main/ 1'],
  ...['google-main/alice 1\n', `google-main/${'a'.repeat(600)} 1`],
])('%j is none: a service may write there what it likes', (message) => {
  expect(parseRejection(acme, message)).toBeUndefined()
})

test.each(['perennial:changed:acme', 'perennial:rejected:', 'perennial:rejected:a/b', 'perennial:rejected:a b'])(
  'nothing is taken from channel %s',
  (channel) => {
    expect(parseRejection(channel, 'google-main/alice 1')).toBeUndefined()
  },
)

describe('however many readers shout', () => {
  const alice = (generation: number): Rejection => ({ credential: 'acme/app/alice', generation })
  const bob = (generation: number): Rejection => ({ credential: 'acme/app/bob', generation })

  async function taken(shouts: Rejection[], act: (rejection: Rejection) => Promise<boolean> = async () => true) {
    const acted: Rejection[] = []
    const rejections = new Rejections((rejection) => {
      acted.push(rejection)
      return act(rejection)
    })
    for (const shout of shouts) {
      rejections.take(shout)
      await sleep(0)
    }
    return acted
  }

  test('each generation is taken once', async () => {
    const shouts = [alice(1), bob(1), alice(1), alice(1), alice(2), alice(1), alice(2), bob(2)]
    expect(await taken(shouts)).toEqual([alice(1), bob(1), alice(2), bob(2)])
  })

  test('one that came to nothing is taken again, and keeps no true one from being taken', async () => {
    const isCurrent = async ({ generation }: Rejection) => generation === 3
    expect(await taken([alice(99), alice(3), alice(3), alice(99)], isCurrent)).toEqual([alice(99), alice(3), alice(99)])
    const fails = () => Promise.reject(new Error('Temporal is away'))
    expect(await taken([alice(1), alice(1)], fails)).toEqual([alice(1), alice(1)])
  })

  test('sixteen are worked on at a time, and none is forgotten meanwhile', async () => {
    let acting = 0
    let most = 0
    let done = 0
    const rejections = new Rejections(async () => {
      most = Math.max(most, ++acting)
      await sleep(1)
      acting--
      done++
      return true
    })
    for (let user = 0; user < 500; user++) rejections.take({ credential: `acme/app/${user}`, generation: 1 })
    await expect.poll(() => done).toBe(500)
    expect(most).toBe(16)
  })
})

test('a worker hears again when Redis is back, and tells again when Temporal is', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'perennial-rejections-'))
  const binary = await findRedis()
  const port = await freePort()
  let server = await startRedis({ binary, dir, port })
  const redis = connect(server.url, 'test', () => {})
  await ready(redis)
  const store = new Store(redis)
  let away = true
  const told: unknown[] = []
  const service = {
    signalWorkflowExecution: async ({ requestId }: { requestId: string }) => {
      if (away) throw Object.assign(new Error('unavailable'), { code: 14, details: '', metadata: {} })
      told.push(requestId)
    },
  }
  const client = { withDeadline: (_: number, call: () => unknown) => call(), workflowService: service }
  const temporal = { client, namespace: 'default', address: '' } as unknown as Temporal
  const end = new AbortController()
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const watching = watchRejections({ redisUrl: server.url, temporal, store, log }, end.signal)
  try {
    const heard = async () => String(await redis.sendCommand(['PUBSUB', 'NUMPAT'])) === '1'
    await expect.poll(heard, { timeout: 10_000 }).toBe(true)
    await store.write(here, setOf('acme/app/alice'))
    await redis.publish(acme, 'app/alice 1')
    await sleep(100)
    expect(told).toEqual([])
    away = false
    await expect.poll(() => told, { timeout: 5_000 }).toEqual(['rejected f1 1'])

    await server.stop()
    server = await startRedis({ binary, dir, port })
    await expect.poll(() => heard().catch(() => false), { timeout: 10_000 }).toBe(true)
    await store.write(here, setOf('acme/app/bob', { family: 'f2', generation: 7 }))
    await redis.publish(acme, 'app/bob 7')
    await expect.poll(() => told, { timeout: 5_000 }).toEqual(['rejected f1 1', 'rejected f2 7'])
  } finally {
    end.abort()
    await watching
    redis.destroy()
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
}, 60_000)
