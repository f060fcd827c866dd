import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findRedis } from '../../src/dev/binaries.ts'
import { freePort, type RedisServer, startRedis } from '../../src/dev/servers.ts'
import { type Connection, connect, ready } from '../../src/store/connection.ts'

let dir: string
let binary: string
const servers: RedisServer[] = []
const connections: Connection[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'perennial-connection-'))
  binary = await findRedis()
})

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

afterAll(() => rm(dir, { recursive: true, force: true }))

async function server(port: number): Promise<RedisServer> {
  const started = await startRedis({ binary, dir, port })
  servers.push(started)
  return started
}

function connected(port: number): { redis: Connection; troubles: string[] } {
  const troubles: string[] = []
  const redis = connect(`redis://127.0.0.1:${port}`, 'test', (reason) => troubles.push(reason))
  connections.push(redis)
  return { redis, troubles }
}

/** How long something took to fail. */
async function failsAfterMs(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now()
  await expect(work()).rejects.toThrow()
  return performance.now() - beganMs
}

describe('a connection', () => {
  test('is not waited for when it is made, and becomes ready when the server comes', async () => {
    const port = await freePort()
    const { redis, troubles } = connected(port)
    await expect(ready(redis)).rejects.toThrow('ECONNREFUSED')
    await server(port)
    await expect.poll(() => redis.isReady, { timeout: 5_000 }).toBe(true)
    expect(await redis.ping()).toBe('PONG')
    expect(troubles).toHaveLength(1)
    await ready(redis, 1)
  })

  test('fails a command at once while the server is away: nothing waits in a queue to be sent late', async () => {
    const port = await freePort()
    const first = await server(port)
    const { redis } = connected(port)
    await ready(redis)
    await first.stop()
    await expect.poll(() => redis.isReady).toBe(false)
    expect(await failsAfterMs(() => redis.set('late', '1'))).toBeLessThan(200)
    await server(port)
    await expect.poll(() => redis.isReady, { timeout: 5_000 }).toBe(true)
    expect(await redis.get('late')).toBeNull()
  })

  test('gives a hung server up within seconds, says so once, and comes back by itself', async () => {
    const port = await freePort()
    const { pid } = await server(port)
    const { redis, troubles } = connected(port)
    await ready(redis)
    process.kill(pid, 'SIGSTOP')
    try {
      expect(await failsAfterMs(() => redis.get('anything'))).toBeLessThan(6_000)
      await expect.poll(() => troubles.length).toBe(1)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await expect.poll(() => redis.isReady, { timeout: 10_000 }).toBe(true)
    expect(await redis.ping()).toBe('PONG')
  })

  test('that is idle stays', async () => {
    const port = await freePort()
    await server(port)
    const { redis, troubles } = connected(port)
    await ready(redis)
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    expect([redis.isReady, troubles]).toEqual([true, []])
  })

  test('waits no longer than it is told for a server that accepts and says nothing', async () => {
    const port = await freePort()
    const { pid } = await server(port)
    process.kill(pid, 'SIGSTOP')
    try {
      const { redis } = connected(port)
      expect(await failsAfterMs(() => ready(redis, 300))).toBeLessThan(2_000)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })
})
