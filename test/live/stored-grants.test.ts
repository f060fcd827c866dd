import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createClient, type RedisClientType } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'
import * as messages from '../../src/workflows/messages.ts'
import { grantKey } from '../store/redis.ts'
import { type Live, startLive, until } from './stack.ts'

let live: Live
let redis: RedisClientType
/** grants that were exchanged since */
const spent = new Map<string, string>()

type Hash = Record<string, string>

/** Who has what in Redis in the place of a grant, and how it is refused. */
const bad: [string, string, (hash: Hash) => Promise<string>][] = [
  ['apple', 'stored_grant_tampered', async ({ grant = '' }) => grant.replace(/\.[^.]{4}([^.]+\.[^.]+)$/, '.AAAA$1')],
  ['cherry', 'stored_grant_unknown_key', async ({ family = '' }) => sealedElsewhere(id('cherry'), family)],
  ['pear', 'stored_grant_swapped', async () => (await hashOf('fig')).grant ?? ''],
  ['plum', 'stored_grant_misplaced', async () => spent.get('plum') ?? ''],
]

const id = (user: string) => `demo/orchard/${user}`

const sealedElsewhere = (cred: string, family: string) =>
  seal(JSON.stringify({ refresh_token: 'of nobody' }), sealingKey(newSealingKey()), { cred, family, gen: 1 })

const hashOf = async (user: string): Promise<Hash> => ({ ...(await redis.hGetAll(grantKey(id(user)))) })

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 90, users: true })
  redis = createClient({ url: live.stack.redisUrl })
  await redis.connect()
  for (const user of ['fig', ...bad.map(([user]) => user)]) {
    await live.begin(user)
    spent.set(user, (await hashOf(user)).grant ?? '')
    await live.perennial.refreshNow(id(user))
  }
}, 120_000)

afterAll(async () => {
  redis.destroy()
  await live.stop()
})

/** As somebody does who can write to Redis: a set that is newer than the workflow's. */
async function plant(user: string, grantOf: (hash: Hash) => Promise<string>): Promise<{ was: Hash; planted: Hash }> {
  const was = await hashOf(user)
  const changes = { gen: String(Number(was.gen) + 1), writer: 'another hand', grant: await grantOf(was) }
  await redis.hSet(grantKey(id(user)), changes)
  return { was, planted: { ...was, ...changes } }
}

const exchanges = async () => (await live.demo.record()).exchanges.length

test.each(bad)(
  'of %s: %s is what operators see; it is not used, not overwritten, and heals when it is put right',
  async (user, reason, grantOf) => {
    const before = await exchanges()
    const { was, planted } = await plant(user, grantOf)
    const handle = live.temporal.workflow.getHandle(`credential/${id(user)}`)
    await handle.startUpdate(messages.refreshNow, { waitForStage: 'ACCEPTED' })
    const view = await until(
      'refused',
      () => live.perennial.describe(id(user)),
      (now) => now?.lastFailure?.includes(reason) === true && now.status === 'retrying',
    )
    expect(view).toMatchObject({ generation: Number(was.gen), attempt: expect.any(Number) })
    const shown = await live.cli('show', id(user))
    expect(shown.stdout).toContain(reason)
    expect(shown.stdout).toContain('is not used and not overwritten')
    expect(await hashOf(user)).toMatchObject({ gen: planted.gen, grant: planted.grant, writer: 'another hand' })
    expect(await exchanges()).toBe(before)

    const { gen = '', writer = '', grant = '' } = was
    await redis.hSet(grantKey(id(user)), { gen, writer, grant })
    const healed = await until(
      'healed',
      () => live.perennial.describe(id(user)),
      (now) => now?.status === 'active',
      60_000,
    )
    expect(healed).toMatchObject({ generation: Number(was.gen) + 1, family: was.family })
  },
  120_000,
)

test('restore refuses them, says why, leaves them as they are, and brings the others back', async () => {
  const planted = new Map<string, Hash>()
  for (const [user, , grantOf] of bad) {
    const was = await hashOf(user)
    const grant = user === 'plum' ? laterFamily(was) : await grantOf(was)
    await redis.hSet(grantKey(id(user)), { grant })
    planted.set(user, { ...was, grant })
  }
  const before = await exchanges()
  await loseTemporal()

  const { code, stdout, stderr } = await live.cli('restore', '--json')
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ outcome }) => outcome === 'restored').map(({ credential }) => credential)).toEqual([id('fig')])
  const refused = lines.filter(({ outcome }) => outcome === 'refused')
  expect(Object.fromEntries(refused.map(({ credential, reason }) => [credential, reason]))).toEqual(
    Object.fromEntries(bad.map(([user, reason]) => [id(user), reason])),
  )
  expect(code).toBe(3)
  expect(stderr).toContain('4 were refused')
  expect(await exchanges()).toBe(before)
  for (const [user, hash] of planted) {
    expect(await hashOf(user)).toEqual(hash)
    expect(await live.perennial.describe(id(user))).toBeUndefined()
  }
}, 120_000)

/** Nobody is left to know which generations were used; that it is of another family shows all the same. */
const laterFamily = ({ gen = '' }: Hash) =>
  seal('{}', sealingKey(live.config.keys.grant[0]), { cred: id('plum'), family: 'another', gen: Number(gen) })

async function loseTemporal(): Promise<void> {
  const dataDir = dirname(live.stack.configFile)
  const pid = await live.pid('temporal')
  for (const suffix of ['', '-shm', '-wal']) await rm(join(dataDir, `temporal.db${suffix}`), { force: true })
  process.kill(pid, 'SIGKILL')
  await until(
    'Temporal is back, empty',
    () => live.perennial.describe(id('fig')),
    (view) => view === undefined,
    60_000,
  )
}
