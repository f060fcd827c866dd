import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Live, startLive, until } from './stack.ts'

let live: Live
const users = ['apple', 'cherry', 'fig', 'pear', 'plum']

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 40 })
  for (const user of users) await live.begin(user)
  await live.perennial.start('demo/orchard-m2m/service')
}, 120_000)

afterAll(() => live.stop())

const all = () => [...users.map((user) => `demo/orchard/${user}`), 'demo/orchard-m2m/service']

async function emptyRedis(): Promise<void> {
  const redis = createClient({ url: live.stack.redisUrl })
  await redis.connect()
  await redis.flushAll()
  redis.destroy()
}

test('an emptied Redis is noticed and filled again, and a revoked credential stays revoked', async () => {
  await live.perennial.revoke('demo/orchard/plum')
  await until(
    'closed',
    () => live.temporal.workflow.getHandle('credential/demo/orchard/plum').describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  const living = all().filter((credential) => !credential.endsWith('plum'))
  const before = await Promise.all(living.map((credential) => live.perennial.describe(credential)))
  await emptyRedis()

  const after = await until(
    'readable again',
    () => Promise.all(living.map((credential) => live.reader.get(credential))),
    (tokens) => tokens.length === living.length,
    30_000,
  )
  for (const [index, token] of after.entries()) {
    expect(token.family).toBe(before[index]?.family)
    expect(token.generation).toBeGreaterThan(before[index]?.generation ?? 0)
  }
  // the workflow of this one is closed: its tombstone was written again
  await expect(live.reader.get('demo/orchard/plum')).rejects.toMatchObject({ code: 'credential_revoked' })
  const refused = (await live.demo.record()).exchanges.filter(({ error }) => error !== undefined)
  expect(refused).toEqual([])
}, 120_000)

test('resync by hand, twice, beside living workflows changes nothing', async () => {
  const settled = ['active', 'revoked']
  const before = await until(
    'nothing under way',
    () => Promise.all(all().map((credential) => live.perennial.describe(credential))),
    (views) => views.every((view) => settled.includes(view?.status ?? '')),
  )
  expect(await live.cli('resync', '--json')).toMatchObject({ code: 0 })
  const { stdout } = await live.cli('resync', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ asked: 5, fenced: 0 })
  const after = await Promise.all(all().map((credential) => live.perennial.describe(credential)))
  expect(after.map((view) => view?.family)).toEqual(before.map((view) => view?.family))
  expect(after.map((view) => view?.status)).toEqual(before.map((view) => view?.status))
})

test('restore brings every credential back after the data of Temporal was deleted', async () => {
  const before = await Promise.all(all().map((credential) => live.perennial.describe(credential)))
  const dataDir = dirname(live.stack.configFile)
  const pid = await live.pid('temporal')
  for (const suffix of ['', '-shm', '-wal']) await rm(join(dataDir, `temporal.db${suffix}`), { force: true })
  process.kill(pid, 'SIGKILL')
  await until(
    'Temporal is back, empty',
    () => live.perennial.describe('demo/orchard/apple'),
    (view) => view === undefined,
    60_000,
  )

  const restored = await live.cli('restore', '--json')
  expect(restored.code).toBe(0)
  const lines = restored.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ outcome }) => outcome === 'restored')).toHaveLength(5)
  expect(lines.filter(({ outcome }) => outcome === 'revoked')).toHaveLength(1)
  for (const { credential, generation } of before.flatMap((view) => view ?? []))
    expect(lines.find((line) => line.credential === credential)?.generation).toBeGreaterThanOrEqual(generation ?? 0)
  // what lives already is left alone
  const again = await live.cli('restore', '--json')
  expect(
    again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).outcome),
  ).not.toContain('restored')

  for (const [index, credential] of all().entries()) {
    const was = before[index]
    if (was?.status === 'revoked') continue
    const view = await until(
      'refreshed',
      () => live.perennial.describe(credential),
      (now) => now?.status === 'active' && (now.generation ?? 0) > (was?.generation ?? 0),
      120_000,
    )
    expect(view?.family).toBe(was?.family)
  }
  expect((await live.demo.record()).exchanges.filter(({ error }) => error !== undefined)).toEqual([])
}, 300_000)
