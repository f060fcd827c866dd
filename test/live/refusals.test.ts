import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Live, startLive, until } from './stack.ts'

let live: Live
const users = ['apple', 'pear', 'plum']

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 30, users: true })
  for (const user of users) await live.begin(user)
}, 120_000)

afterAll(() => live.stop())

const describe = (user: string) => live.perennial.describe(`demo/orchard/${user}`)

test('a refused grant asks that one user to reconnect, and a new grant heals it', async () => {
  await live.demo.revokeSubject('apple')
  const refused = await live.cli('refresh', 'demo/orchard/apple')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('reconnect_required')
  expect(await describe('apple')).toMatchObject({ status: 'reconnect_required', reason: 'invalid_grant' })
  const refusals = (await live.demo.record()).exchanges.filter(({ error }) => error === 'invalid_grant')
  expect(refusals).toHaveLength(1)
  expect(await describe('pear')).toMatchObject({ status: 'active' })
  const before = await describe('apple')

  const tokenResponse = await live.demo.mintGrant('apple', 'orchard')
  const healed = await live.perennial.reconnect('demo/orchard/apple', { tokenResponse })
  expect(healed).toMatchObject({ status: 'active' })
  expect(healed.generation).toBeGreaterThan(before?.generation ?? 0)
  expect(healed.family).not.toBe(before?.family)
  expect((await live.reader.get('demo/orchard/apple')).accessToken).toBe(tokenResponse.access_token)
  const refreshed = await live.perennial.refreshNow('demo/orchard/apple')
  expect(refreshed.generation).toBe((healed.generation ?? 0) + 1)
  const told = (await live.events('demo/orchard/apple')).map(({ event }) => event)
  expect(told).toEqual(['connected', 'reconnect_required', 'connected'])
})

test('a grant that is handed over twice is taken once', async () => {
  const tokenResponse = await live.demo.mintGrant('pear', 'orchard')
  const first = await live.perennial.reconnect('demo/orchard/pear', { tokenResponse })
  await live.perennial.refreshNow('demo/orchard/pear')
  const again = await live.perennial.connect('demo/orchard/pear', { tokenResponse })
  expect(again.family).toBe(first.family)
  // spending it a second time would have ended the family
  expect((await live.perennial.refreshNow('demo/orchard/pear')).status).toBe('active')
})

test('a refused client is misconfigured: nobody has to reconnect, and it heals when the configuration is right', async () => {
  const secretFile = join(dirname(live.stack.configFile), 'secrets', 'demo-orchard')
  const secret = await readFile(secretFile, 'utf8')
  await writeFile(secretFile, 'not-the-secret-of-this-client')
  await restartWorker()
  await live.cli('refresh', 'demo/orchard/plum')
  expect(await describe('plum')).toMatchObject({ status: 'misconfigured', reason: 'invalid_client' })
  await until(
    'all of them misconfigured, none told to reconnect',
    () => Promise.all(users.map(describe)),
    (views) => views.every((view) => view?.status === 'misconfigured'),
    60_000,
  )
  const asked = (await live.demo.record()).exchanges.filter(({ error }) => error === 'invalid_client')
  // one by hand, and at most one for all of them together
  expect(asked.length).toBeLessThanOrEqual(2)

  await writeFile(secretFile, secret)
  await restartWorker()
  await until(
    'all of them healed',
    () => Promise.all(users.map(describe)),
    (views) => views.every((view) => view?.status === 'active'),
    60_000,
  )
  // operators hear of the client, not of each of its users
  const ofClient = async () => (await live.events()).filter(({ client }) => client === 'orchard')
  const told = await until('told that it works again', ofClient, (events) => events.length > 1)
  expect(told.map(({ event, reason }) => [event, reason])).toEqual([
    ['misconfigured', 'invalid_client'],
    ['recovered', ''],
  ])
  expect((await live.events()).filter(({ event }) => event === 'misconfigured')).toHaveLength(1)
}, 240_000)

async function restartWorker(): Promise<void> {
  const before = await live.pid('worker')
  process.kill(before, 'SIGTERM')
  await until(
    'a new worker',
    () => live.pid('worker'),
    (pid) => Number.isInteger(pid) && pid !== before,
    60_000,
  )
}
