import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CredentialEvent } from '../../src/store/events.ts'
import { startTestRedis, type TestRedis } from '../store/redis.ts'

const file = join(import.meta.dirname, '../../examples/events-to-webhook.ts')

let it: TestRedis
let webhook: Server
const told: Record<string, string>[] = []
/** what the webhook answers next; 204 when it has nothing to say */
const answers: number[] = []
const consumers: ChildProcess[] = []

beforeAll(async () => {
  it = await startTestRedis()
  webhook = createServer(async (request, response) => {
    const status = answers.shift() ?? 204
    const body = (await json(request)) as Record<string, string>
    expect(request.headers['idempotency-key']).toBe(body.id)
    if (status === 204) told.push(body)
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(webhook, 'listening')
})
afterAll(async () => {
  for (const consumer of consumers) consumer.kill('SIGKILL')
  webhook?.close()
  await it?.stop()
})

async function consume(): Promise<ChildProcess> {
  const { port } = webhook.address() as AddressInfo
  const env = { ...process.env, REDIS_URL: it.server.url, WEBHOOK_URL: `http://127.0.0.1:${port}/hook` }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  consumers.push(child)
  await untilTrue(async () => {
    const groups = await it.redis.xInfoGroups('perennial:events').catch(() => [])
    return groups.some(({ consumers: running }) => Number(running) > 0)
  })
  return child
}

async function untilTrue(fits: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000
  while (!(await fits())) {
    if (performance.now() > endMs) throw new Error(`not in time; told: ${JSON.stringify(told)}`)
    await sleep(50)
  }
}

const event = (n: number, changes: Partial<CredentialEvent> = {}): CredentialEvent => ({
  event: 'reconnect_required',
  status: 'reconnect_required',
  credential: `acme/google-main/user${n}`,
  family: 'f1',
  generation: n,
  reason: 'invalid_grant',
  ...changes,
})

const ids = () => told.map(({ id }) => id)

test('a webhook is told of every change once, through its own outage and a kill of the consumer', async () => {
  const first = await consume()
  await it.store.record(event(1))
  // at least once: the same change may stand there twice
  await it.store.record(event(1))
  await it.store.record(event(2, { event: 'recovered', status: 'active', reason: '' }))
  await untilTrue(() => told.length === 2)
  expect(told[0]).toEqual({
    text: 'acme/google-main/user1: reconnect_required (invalid_grant)',
    id: 'f1/1/reconnect_required',
    event: 'reconnect_required',
    credential: 'acme/google-main/user1',
    client: '',
    reason: 'invalid_grant',
  })
  expect(told[1]?.text).toBe('acme/google-main/user2: recovered')

  answers.push(503, 503)
  await it.store.record(event(3))
  await untilTrue(() => told.length === 3)

  answers.push(...Array<number>(50).fill(503))
  await it.store.record(event(4))
  await untilTrue(() => answers.length < 50)
  first.kill('SIGKILL')
  await once(first, 'exit')
  await it.store.record(event(5))
  await it.store.recordClientRefused('google-main', { credential: 'acme/google-main/user1', generation: 1 }, 60_000)
  answers.length = 0
  await consume()
  await untilTrue(() => told.length === 6)
  await sleep(1_500)
  expect(ids().slice(0, 5).sort()).toEqual(
    [1, 3, 4, 5]
      .map((n) => `f1/${n}/reconnect_required`)
      .concat('f1/2/recovered')
      .sort(),
  )
  expect(told[5]?.text).toBe('google-main: misconfigured')
  expect(told).toHaveLength(6)
})

test('and is about thirty lines', () => {
  const code = readFileSync(file, 'utf8')
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
  expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(36)
})
