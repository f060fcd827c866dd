import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createReader } from '../../packages/reader/src/index.ts'
import { runChild } from '../../src/dev/child.ts'
import { embeddedEnvironment } from '../../src/dev/configuration.ts'
import { type Live, startLive, until } from './stack.ts'

/** Tokens that the provider ended before their time, and services that say so; several workers hear them. */
const workers = 4
const [processes, readersEach] = [5, 10]

let live: Live
let api: ResourceServer
const ends: (() => unknown)[] = []

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 600, users: true })
  for (let more = 1; more < workers; more++) await startWorker(more)
  await until('every worker hears', listeners, (count) => count === workers, 60_000)
  api = await ResourceServer.start(isAlive)
}, 180_000)

afterAll(async () => {
  await api?.stop()
  for (const end of ends) await end()
  await live?.stop()
})

async function startWorker(number: number): Promise<void> {
  const { dataDir, configFile, temporalProfile } = live.stack
  const worker = await runChild({
    command: process.execPath,
    args: [join(import.meta.dirname, '../../bin/perennial.js'), 'worker', '--config', configFile],
    env: embeddedEnvironment(process.env, temporalProfile),
    logFile: join(dataDir, `logs/worker-${number}.log`),
  })
  ends.push(() => worker.stop())
}

async function listeners(): Promise<number> {
  const admin = await createClient({ url: live.stack.redisUrl }).connect()
  const list = String(await admin.sendCommand(['CLIENT', 'LIST']))
  admin.destroy()
  return list.split('\n').filter((line) => line.includes('name=perennial-rejections ') && / psub=1 /.test(line)).length
}

/** Asks the authorization server, as its client does (RFC 7662). */
async function isAlive(token: string): Promise<boolean> {
  const client = live.config.clients.get('orchard')
  const login = Buffer.from(`orchard:${encodeURIComponent(client?.clientSecrets[0] ?? '')}`).toString('base64')
  const response = await fetch(new URL('/token/introspection', client?.provider.tokenEndpoint), {
    method: 'POST',
    headers: { authorization: `Basic ${login}` },
    body: new URLSearchParams({ token }),
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as { active: boolean }).active
}

const exchangesOf = async (subject: string) =>
  (await live.demo.record()).exchanges.filter((exchange) => exchange.subject === subject)

async function rejectedSignals(credential: string): Promise<number> {
  const { events } = await live.temporal.workflow.getHandle(`credential/${credential}`).fetchHistory()
  return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'rejected')
    .length
}

test('a token that the provider killed is replaced within two seconds, by one request, whoever shouts', async () => {
  const credential = await live.begin('apple')
  const { accessToken, generation } = await live.reader.get(credential)
  const services = Array.from({ length: processes }, (_, index) => startService(credential, index * readersEach))
  await until(
    'every reader calls',
    async () => api.readersWith(accessToken).length,
    (count) => count === processes * readersEach,
  )
  const before = (await exchangesOf('apple')).length

  await live.demo.endAccessTokens('apple')
  api.askAgain()
  const { accessToken: next } = await until(
    'the token is another one',
    () => live.reader.get(credential),
    (token) => token.accessToken !== accessToken,
  )
  await until(
    'every reader calls with it',
    async () => api.readersWith(next).length,
    (count) => count === processes * readersEach,
  )
  const outcomes = await Promise.all(services.map(endService))

  const firstRefusedMs = Math.min(...api.refusals.map(({ atMs }) => atMs))
  expect(api.refusals.every(({ token }) => token === accessToken)).toBe(true)
  const served = await live.reader.get(credential)
  expect(served.generation).toBe(generation + 1)
  const lastServedMs = Math.max(...api.readersWith(served.accessToken).map(({ firstMs }) => firstMs))
  expect(lastServedMs - firstRefusedMs).toBeLessThan(2_000)
  // each call was answered within the one retry
  for (const outcome of outcomes) expect(Object.keys(outcome)).toEqual(['200'])
  expect(await exchangesOf('apple')).toHaveLength(before + 1)
  expect(await rejectedSignals(credential)).toBe(1)
}, 120_000)

test('a service that is refused with every token causes three requests, and then one in five minutes', async () => {
  const credential = await live.begin('pear')
  const before = (await exchangesOf('pear')).length
  const reader = createReader({ redis: live.readerUrl, keys: [live.readerKey], maxEntries: 0 })
  let generation = 1
  for (let tries = 0; tries < 12; tries++) {
    const newer = await reader.reject(credential, generation, { waitMs: 1_500 })
    if (newer === undefined) break
    generation = newer.generation
  }
  await reader.close()
  expect(generation).toBe(4)
  expect(await exchangesOf('pear')).toHaveLength(before + 3)
  // what is left to do is done in time, and the token serves those who are not refused
  const view = await until(
    'the next refresh is due before its time',
    () => live.perennial.describe(credential),
    (now) => Date.parse(now?.nextRefreshAt ?? '') - Date.now() <= 300_000,
  )
  expect(view).toMatchObject({ status: 'active', generation: 4 })
  expect(Date.parse(view?.nextRefreshAt ?? '') - Date.now()).toBeGreaterThan(240_000)
}, 60_000)

test('what is said of another generation, of no credential, or in no form, is not listened to', async () => {
  const credential = await live.begin('plum')
  await live.perennial.refreshNow(credential)
  const before = (await exchangesOf('plum')).length
  const service = await createClient({ url: live.readerUrl, disableClientInfo: true }).connect()
  for (const message of ['orchard/plum 1', 'orchard/plum 3', 'orchard/plum', 'orchard/nobody 1', 'x', '{"a":1}', ''])
    await service.publish('perennial:rejected:demo', message)
  // whoever hears these has heard those
  await service.publish('perennial:rejected:demo', 'orchard/plum 2')
  service.destroy()
  await until(
    'replaced',
    () => live.reader.get(credential),
    ({ generation }) => generation === 3,
  )
  expect(await exchangesOf('plum')).toHaveLength(before + 1)
  expect(await rejectedSignals(credential)).toBe(1)
}, 60_000)

test('nothing that services do here is refused by Redis', async () => {
  const admin = await createClient({ url: live.stack.redisUrl }).connect()
  expect(await admin.sendCommand(['ACL', 'LOG'])).toEqual([])
  admin.destroy()
})

function startService(credential: string, first: number): ChildProcess {
  const script = join(import.meta.dirname, 'refused-service.ts')
  const args = [script, credential, api.url, String(first), String(readersEach)]
  const env = { ...process.env, REDIS_URL: live.readerUrl, READER_KEY: live.readerKey }
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  ends.push(() => child.kill('SIGKILL'))
  return child
}

async function endService({ stdin, stdout }: ChildProcess): Promise<Record<string, number>> {
  stdin?.end()
  return JSON.parse(stdout === null ? '' : await text(stdout)) as Record<string, number>
}

/** Takes a token that the authorization server says is alive, and nothing else. It asks once for each token. */
class ResourceServer {
  readonly url: string
  readonly refusals: { token: string; atMs: number }[] = []
  readonly #server: Server
  readonly #known = new Map<string, Promise<boolean>>()
  readonly #served = new Map<string, Map<string, number>>()

  private constructor(server: Server, isAlive: (token: string) => Promise<boolean>) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    server.on('request', (request, response) => {
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
      const known = this.#known.get(token) ?? isAlive(token)
      this.#known.set(token, known)
      known.then(
        (alive) => {
          if (alive) this.#note(token, String(request.headers['x-reader']))
          else this.refusals.push({ token, atMs: performance.now() })
          response.writeHead(alive ? 200 : 401).end()
        },
        () => response.writeHead(500).end(),
      )
    })
  }

  static async start(isAlive: (token: string) => Promise<boolean>): Promise<ResourceServer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new ResourceServer(server, isAlive)
  }

  askAgain(): void {
    this.#known.clear()
  }

  /** Who was served with a token, and when first. */
  readersWith(token: string): { reader: string; firstMs: number }[] {
    return [...(this.#served.get(token) ?? [])].map(([reader, firstMs]) => ({ reader, firstMs }))
  }

  #note(token: string, reader: string): void {
    const served = this.#served.get(token) ?? new Map<string, number>()
    this.#served.set(token, served)
    if (!served.has(reader)) served.set(reader, performance.now())
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
