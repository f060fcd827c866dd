import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openTemporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import { loadConfig } from '../../src/config.ts'
import { unavailable } from '../../src/dev/demo/admin.ts'
import { demoCredential, demoSubjects } from '../../src/dev/demo/orchard.ts'
import { demoCredentials } from '../../src/dev/demo/plant.ts'
import type { Fault } from '../../src/dev/demo/settings.ts'
import { isRunning } from '../../src/dev/processes.ts'
import type { ChildName } from '../../src/dev/state.ts'
import { DemoDev } from './demo-dev.ts'
import { cutOff, unexplainedRefusals } from './losses.ts'

/** by the specification: every credential is fresh again so long after a kill */
const freshWithinMs = 60_000
/** PENDING_ACTIVITY_STATE_STARTED of temporal.api.enums.v1 */
const started = 2

const all = demoCredentials(12)
const options = ['--token-seconds', '20']

let dataDir: string
let dev: DemoDev

describe('kill -9', () => {
  let perennial: Perennial
  let temporal: Client

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'perennial-crash-'))
    dev = new DemoDev(dataDir, ...options)
    await dev.table()
    process.env.TEMPORAL_CONFIG_FILE = join(dataDir, 'temporal.toml')
    perennial = await Perennial.open(await loadConfig(join(dataDir, 'perennial.yaml')))
    temporal = openTemporal().client
  })

  afterAll(async () => {
    await perennial.close()
    await temporal.connection.close()
    await dev.end()
    await rm(dataDir, { recursive: true })
  })

  /** Makes the token endpoint slow and asks for all of these exchanges at once. */
  async function ask(ids: readonly string[], fault: Fault): Promise<void> {
    await dev.admin.setFaults(fault)
    for (const id of ids) perennial.refreshNow(id, { timeoutMs: 2_000 }).catch(() => {})
  }

  /** Waits until the worker has begun the exchanges of these credentials. */
  const begun = (ids: readonly string[]) =>
    dev.until(async () => {
      for (const id of ids) {
        const { raw } = await temporal.workflow.getHandle(`credential/${id}`).describe()
        expect(raw.pendingActivities?.map(({ state }) => state)).toEqual([started])
      }
    }, 10_000)

  /** Waits until so many answers are being held, and returns since when the first is. */
  const held = (count: number): Promise<number> =>
    dev.until(
      async () => {
        const waiting = (await dev.admin.record()).exchanges.filter(({ delivered }) => !delivered)
        expect(waiting.length).toBeGreaterThanOrEqual(count)
        return Math.min(...waiting.map(({ at }) => Date.parse(at)))
      },
      10_000,
      50,
    )

  /** What each credential has to reach to be `more` generations further than now. */
  async function ahead(more: number): Promise<Map<string, number>> {
    const wanted = new Map<string, number>()
    for (const [id, { generation }] of await dev.statuses()) wanted.set(id, generation + more)
    expect([...wanted.keys()].sort()).toEqual([...all].sort())
    return wanted
  }

  /** Kills a child; when another runs in its place the token endpoint is made well again. */
  async function kill(child: ChildName): Promise<void> {
    const before = dev.children[child]
    process.kill(before?.pid ?? Number.NaN, 'SIGKILL')
    await dev.until(() => {
      const now = dev.children[child]
      expect(now !== undefined && now.pid !== before?.pid && isRunning(now)).toBe(true)
    }, 15_000)
    await dev.admin.setFaults()
  }

  /** Waits until only excused credentials are left that are not fresh; returns all that are not. */
  async function stale(wanted: ReadonlyMap<string, number>, excused: ReadonlySet<string>): Promise<string[]> {
    const endMs = performance.now() + freshWithinMs
    for (;;) {
      const statuses = await dev.statuses()
      const readable = await dev.readable(wanted.keys())
      const isFresh = (id: string, generation: number) =>
        statuses.get(id)?.status === 'active' && (readable.get(id) ?? 0) >= generation
      const ids = [...wanted].filter(([id, generation]) => !isFresh(id, generation)).map(([id]) => id)
      if (performance.now() > endMs || ids.every((id) => excused.has(id))) return ids
      await sleep(500)
    }
  }

  const cut = async () => new Set([...cutOff((await dev.admin.record()).exchanges)].map(demoCredential))

  async function expectOnlyExplainedRefusals(): Promise<void> {
    expect(unexplainedRefusals((await dev.admin.record()).exchanges)).toEqual([])
  }

  test('of the worker before the provider had exchanged anything: all are fresh again', async () => {
    await ask(all, { delayMs: 6_000, answer: unavailable })
    await begun(all)
    const wanted = await ahead(1)
    await kill('worker')
    expect(await stale(wanted, new Set())).toEqual([])
    expect(await cut()).toEqual(new Set())
    await expectOnlyExplainedRefusals()
  }, 120_000)

  test.each(['temporal', 'redis'] as const)(
    'of %s just before answers arrive: none is lost',
    async (child) => {
      await ask(all, { holdAnswerMs: 4_000 })
      const sinceMs = await held(13)
      // the generation that is on its way, and the next
      const wanted = await ahead(2)
      await sleep(sinceMs + 3_900 - Date.now())
      await kill(child)
      expect(await stale(wanted, new Set())).toEqual([])
      expect(await cut()).toEqual(new Set())
      await expectOnlyExplainedRefusals()
    },
    120_000,
  )

  test('of the worker after the provider had rotated: only those are lost whose answers were cut', async () => {
    const [apple = '', pear = ''] = all
    await ask([apple, pear], { client: 'orchard', holdAnswerMs: 4_000 })
    await held(2)
    const wanted = await ahead(1)
    await kill('worker')
    await sleep(4_000)
    const lost = await cut()
    expect([...lost]).toEqual(expect.arrayContaining([apple, pear]))
    expect((await stale(wanted, lost)).filter((id) => !lost.has(id))).toEqual([])
    await dev.until(async () => {
      const statuses = await dev.statuses()
      for (const id of lost) expect(statuses.get(id)).toMatchObject({ status: 'reconnect_required' })
    }, freshWithinMs)
    await expectOnlyExplainedRefusals()
  }, 180_000)

  test('of dev itself: the next start ends the orphans, and nothing is lost', async () => {
    const lost = await cut()
    const living = all.filter((id) => !lost.has(id))
    await ask(living, { holdAnswerMs: 4_000 })
    await held(lost.size + living.length)
    const wanted = await ahead(2)
    const orphans = Object.values(dev.children)
    dev.process.kill('SIGKILL')
    await dev.ended
    expect(orphans.filter(isRunning)).toHaveLength(4)
    dev = new DemoDev(dataDir, ...options)
    await dev.table()
    expect(dev.output.match(/^ending .* that an earlier perennial dev left running/gm)).toHaveLength(4)
    expect(orphans.filter(isRunning)).toEqual([])
    expect((await stale(wanted, lost)).filter((id) => !lost.has(id))).toEqual([])
    expect(await cut()).toEqual(lost)
    await expectOnlyExplainedRefusals()
    expect(await dev.interrupt()).toEqual([0, null])
  }, 180_000)
})

describe('Ctrl-C', () => {
  const users = demoSubjects(6)
  const options = ['6', '--token-seconds', '8']
  const rounds = 20

  afterEach(async () => {
    await dev.end()
    await rm(dataDir, { recursive: true })
  })

  test(`${rounds} times during exchanges loses nothing`, async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'perennial-ctrl-c-'))
    for (let round = 0; round < rounds; round++) await interruptedRound(round)
    dev = new DemoDev(dataDir, ...options)
    await dev.table()
    const before = await dev.statuses()
    expect(before.size).toBe(7)
    await dev.until(async () => {
      for (const [id, { status, generation }] of await dev.statuses()) {
        expect([id, status]).toEqual([id, 'active'])
        expect(generation).toBeGreaterThan(before.get(id)?.generation ?? 0)
      }
      const held = await Promise.all(users.map((user) => dev.refreshToken(demoCredential(user))))
      const { alive } = await dev.admin.record()
      expect(held.map((token) => [token])).toEqual(users.map((user) => alive[user]))
    }, 30_000)
    const { exchanges } = await dev.admin.record()
    expect(exchanges.filter(({ delivered, error }) => !delivered || error !== undefined)).toEqual([])
    expect(await dev.interrupt()).toEqual([0, null])
  }, 480_000)

  async function interruptedRound(round: number): Promise<void> {
    dev = new DemoDev(dataDir, ...options)
    // a restart forgets faults; the worker starts after the authorization server
    await dev.until(() => dev.admin.setFaults({ holdAnswerMs: 500 + 500 * (round % 3) }))
    await dev.until(
      async () => {
        const { exchanges } = await dev.admin.record()
        expect(exchanges.filter(({ delivered }) => !delivered)).not.toEqual([])
      },
      30_000,
      50,
    )
    expect([round, ...(await dev.interrupt())]).toEqual([round, 0, null])
  }
})
