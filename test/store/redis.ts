import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessKey, changedChannel, statusKey } from '../../packages/reader/src/format.ts'
import { findRedis } from '../../src/dev/binaries.ts'
import { type RedisServer, startRedis } from '../../src/dev/servers.ts'
import { type Connection, connect, ready } from '../../src/store/connection.ts'
import { Store, type TokenSetWrite } from '../../src/store/store.ts'

/** A Redis of a test's own, on a port of its own. */
export interface TestRedis {
  server: RedisServer
  redis: Connection
  store: Store
  /** everything that stands in Redis for one credential */
  everything(credential: string): Promise<Everything>
  /** what operators were told of one credential, oldest first */
  events(credential: string): Promise<Record<string, string>[]>
  /** what is told to the readers of a tenant from here on */
  notices(tenant: string): Promise<string[]>
  stop(): Promise<void>
}

export interface Everything {
  hash: Record<string, string>
  access: string | null
  status: Record<string, unknown> | undefined
  /** by the clock of Redis; -1: never, -2: there is none */
  hashEndsAtMs: number
  accessEndsAtMs: number
  statusEndsAtMs: number
}

export async function startTestRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'perennial-store-'))
  const server = await startRedis({ binary: await findRedis(), dir })
  const redis = connect(server.url, 'test', () => {})
  await ready(redis)
  const listeners: Connection[] = []
  return {
    server,
    redis,
    store: new Store(redis),
    everything: (credential) => everything(redis, credential),
    events: async (credential) => {
      const entries = (await redis.xRange('perennial:events', '-', '+')) ?? []
      return entries.map(({ message }) => ({ ...message })).filter((event) => event.credential === credential)
    },
    notices: async (tenant) => {
      const listener = connect(server.url, 'listener', () => {})
      listeners.push(listener)
      await ready(listener)
      const heard: string[] = []
      await listener.subscribe(changedChannel(tenant), (message) => heard.push(message))
      return heard
    },
    stop: async () => {
      for (const one of [redis, ...listeners]) one.destroy()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function everything(redis: Connection, credential: string): Promise<Everything> {
  const keys = [grantKey(credential), accessKey(credential), statusKey(credential)] as const
  const [hash, access, status] = await Promise.all([redis.hGetAll(keys[0]), redis.get(keys[1]), redis.get(keys[2])])
  const [hashEndsAtMs = 0, accessEndsAtMs = 0, statusEndsAtMs = 0] = await Promise.all(
    keys.map((key) => redis.pExpireTime(key)),
  )
  return {
    hash: { ...hash },
    access,
    status: status === null ? undefined : (JSON.parse(status) as Record<string, unknown>),
    hashEndsAtMs,
    accessEndsAtMs,
    statusEndsAtMs,
  }
}

export const grantKey = (credential: string) => {
  const [tenant, ...rest] = credential.split('/')
  return `perennial:grant:${tenant}:{${rest.join('/')}}`
}

export const here = { namespace: 'default', run: 'run-1' }

/** A token set of family f1 by a writer of its own. */
export function setOf(credential: string, changes: Partial<TokenSetWrite> = {}): TokenSetWrite {
  const { generation = 1, family = 'f1' } = changes
  return {
    credential,
    family,
    generation,
    writer: `writer-${family}-${generation}`,
    beganMs: 1000,
    access: { value: `access-${family}-${generation}`, expiresAtMs: Date.now() + 60_000 },
    grant: `grant-${family}-${generation}`,
    seeds: ['s1'],
    parameters: { domain: 'acme.eu' },
    status: { status: 'active', since: '2026-01-01T00:00:00.000Z', generation },
    ...changes,
  }
}

let made = 0

/** A credential that no other test uses. */
export const newCredential = () => `acme/orchard/user-${++made}`
