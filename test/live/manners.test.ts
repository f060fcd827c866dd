import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { consent, type ProviderRules, TokenProvider } from '../../bench/outage/provider.ts'
import { connect, ready } from '../../src/store/connection.ts'
import { type Live, startLive, until } from './stack.ts'

/** Manners towards providers, on real servers: budgets, turns, deadlines, one request for everyone who wants a token. */

const days = (seconds: number) => seconds / 86_400

const rules = {
  slow: { tokenSeconds: 24 },
  shared: { tokenSeconds: 3600 },
  service: { tokenSeconds: 3600 },
  idle: { tokenSeconds: 600, idleSeconds: 12, namesDeadline: true },
  ending: { tokenSeconds: 600, absoluteSeconds: 24, namesDeadline: true },
  'ending-by-rule': { tokenSeconds: 600, absoluteSeconds: 24 },
} satisfies Record<string, ProviderRules>

type Name = keyof typeof rules

const entries: Partial<Record<Name, object>> = {
  slow: { rateLimit: { requests: 1, perSeconds: 1 } },
  shared: { rateLimit: { requests: 2, perSeconds: 1 } },
  'ending-by-rule': { refreshTokenAbsoluteSeconds: 24 },
}

const names = Object.keys(rules) as Name[]
const providers = new Map<Name, TokenProvider>()
let folder: string
let live: Live

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-manners-'))
  const declared: Record<string, object> = {}
  for (const name of names) {
    const provider = new TokenProvider(rules[name])
    providers.set(name, provider)
    declared[name] = { tokenEndpoint: `http://127.0.0.1:${await provider.listen()}/token`, ...entries[name] }
  }
  const clients = names.map((name) => [
    name,
    {
      provider: name,
      clientId: name,
      clientSecrets: ['secret'],
      ...(name === 'service' ? { grant: 'client_credentials' } : {}),
    },
  ])
  const configFile = join(folder, 'perennial.yaml')
  const warnings = { reconnectSoonDays: [days(14), days(6)] }
  await writeFile(configFile, stringify({ clients: Object.fromEntries(clients), providers: declared, warnings }))
  live = await startLive({ tokenSeconds: 3600, configFile })
}, 120_000)

afterAll(async () => {
  await live.stop()
  for (const provider of providers.values()) await provider.close()
  await rm(folder, { recursive: true, force: true })
})

const seen = (name: Name) => providers.get(name)?.requests ?? []
const linesSeen = (name: Name) => seen(name).map(({ line }) => line)

async function begin(name: Name, line: string, { tenant = 'demo', fresh = true } = {}): Promise<string> {
  const credential = `${tenant}/${name}/${line}`
  const { access_token, refresh_token, ...rest } = consent(rules[name], line)
  await live.perennial.connect(credential, {
    tokenResponse: fresh ? { access_token, refresh_token, ...rest } : { refresh_token },
  })
  return credential
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

test('a thousand readers of a client that has no token yet are one request', async () => {
  const credential = 'demo/service/one'
  const reading = numbers(1000).map(() =>
    until(
      'a token',
      () => live.reader.get(credential),
      ({ accessToken }) => accessToken === 'access.service',
    ),
  )
  await live.perennial.connect(credential)
  await Promise.all(reading)
  expect(seen('service')).toHaveLength(1)
  expect((await live.perennial.describe(credential))?.generation).toBe(1)
}, 60_000)

let herds = 0

test('a credential near the end of its token goes before a herd that has time left', async () => {
  // where it is tried again, with others
  const herd = ++herds
  const before = seen('slow').length
  // half a minute of work for this provider
  await Promise.all(numbers(30).map((i) => begin('slow', `herd-${herd}-${i}`, { fresh: false })))
  const credential = await begin('slow', `near-${herd}`)
  await until(
    'refreshed',
    () => live.perennial.describe(credential),
    (view) => (view?.generation ?? 0) >= 2,
    60_000,
  )
  const place = linesSeen('slow').indexOf(`near-${herd}`) - before
  // it joined when it was due, half way to its end
  expect(place).toBeLessThan(22)
  expect((await live.reader.get(credential)).generation).toBeGreaterThanOrEqual(2)
}, 90_000)

test('a tenant with few credentials does not wait for all of one that has many', async () => {
  await Promise.all(numbers(40).map((i) => begin('shared', `many-${i}`, { tenant: 'many', fresh: false })))
  await Promise.all(numbers(3).map((i) => begin('shared', `few-${i}`, { tenant: 'few', fresh: false })))
  await until(
    'all asked',
    async () => seen('shared').length,
    (count) => count === 43,
    60_000,
  )
  const order = linesSeen('shared')
  const places = numbers(3).map((i) => order.indexOf(`few-${i}`))
  expect(Math.max(...places)).toBeLessThan(34)
}, 90_000)

test('the budget holds at the server, by its own count', () => {
  for (const [name, budget] of [
    ['slow', 1],
    ['shared', 2],
  ] as const) {
    const atMs = seen(name).map((request) => request.atMs)
    const busiest = Math.max(...atMs.map((from) => atMs.filter((at) => at >= from && at < from + 10_000).length))
    expect(busiest, name).toBeLessThanOrEqual(Math.floor(1.1 * budget * 10))
  }
})

test('refresh tokens that die unused do not, and those that end are told of and come to reconnect_required', async () => {
  const idle = await Promise.all(numbers(8).map((i) => begin('idle', `idle-${i}`)))
  const ending = await Promise.all([
    ...numbers(4).map((i) => begin('ending', `ending-${i}`)),
    ...numbers(4).map((i) => begin('ending-by-rule', `rule-${i}`)),
  ])
  await until(
    'all come to their end',
    () => Promise.all(ending.map((credential) => live.perennial.describe(credential))),
    (views) => views.every((view) => view?.status === 'reconnect_required'),
    60_000,
  )
  const redis = connect(live.stack.redisUrl, 'test', () => {})
  await ready(redis)
  const events = ((await redis.xRange('perennial:events', '-', '+')) ?? []).map(({ message }) => message)
  redis.destroy()
  for (const credential of ending) {
    const told = events.filter((event) => event.credential === credential && event.event === 'reconnect_soon')
    expect(told.map(({ id = '' }) => id.split('/').at(-1))).toEqual(['14s', '6s'])
  }
  const views = await Promise.all(idle.map((credential) => live.perennial.describe(credential)))
  expect(views.map((view) => view?.status)).toEqual(Array(8).fill('active'))
  expect(new Set(seen('idle').map(({ outcome }) => outcome))).toEqual(new Set(['granted']))
  // two deadlines have passed at least, and each was met with time to spare
  for (const view of views) expect(view?.generation).toBeGreaterThanOrEqual(3)
  expect(
    events.filter(({ credential, event }) => idle.includes(credential ?? '') && event === 'reconnect_soon'),
  ).toEqual([])
}, 120_000)
