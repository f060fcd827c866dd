import { afterAll, beforeAll, expect, test } from 'vitest'
import { unavailable } from '../../src/dev/demo/admin.ts'
import { type Live, startLive, until } from './stack.ts'

let live: Live
let credential: string

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 40 })
  credential = await live.begin('apple')
  const service = 'demo/orchard-m2m/service'
  await live.perennial.start(service)
  await until(
    'both active',
    () => statuses(),
    (all) => all.every((status) => status === 'active'),
  )
}, 120_000)

afterAll(() => live.stop())

const statuses = async () =>
  Promise.all([credential, 'demo/orchard-m2m/service'].map(async (id) => (await live.perennial.describe(id))?.status))

async function found(query: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { workflowId } of live.temporal.workflow.list({ query })) ids.push(workflowId)
  return ids
}

test('an outage of a minute is retrying, then expired, visible everywhere, and heals by itself', async () => {
  const beganMs = performance.now()
  await live.demo.setFaults({ answer: unavailable })
  const before = await live.reader.get(credential)

  await until(
    'retrying',
    () => live.perennial.describe(credential),
    (view) => view?.status === 'retrying',
    45_000,
  )
  // the token is still good, and readers still get it
  expect(await live.reader.get(credential)).toEqual(before)
  await until(
    'found by its status',
    () => found("CredentialStatus='retrying'"),
    (ids) => ids.includes(`credential/${credential}`),
  )
  const shown = await live.cli('show', credential, '--json')
  const view = JSON.parse(shown.stdout)
  expect(view).toMatchObject({ status: 'retrying', reason: 'temporarily_unavailable', attempt: expect.any(Number) })
  expect(Date.parse(view.nextRefreshAt)).toBeGreaterThan(Date.now() - 5_000)
  const description = await live.temporal.workflow.getHandle(`credential/${credential}`).describe()
  const [pending] = description.raw.pendingActivities ?? []
  expect(pending?.activityType?.name).toBe('refresh')
  expect(pending?.lastFailure?.message).toContain('temporarily_unavailable')

  await until(
    'expired',
    () => live.perennial.describe(credential),
    (view) => view?.status === 'expired',
    45_000,
  )
  await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'token_expired' })
  await until(
    'an outage of a minute',
    async () => performance.now() - beganMs,
    (ms) => ms >= 60_000,
    70_000,
  )

  await live.demo.setFaults()
  await until(
    'healed',
    () => statuses(),
    (all) => all.every((status) => status === 'active'),
    70_000,
  )
  const after = await live.reader.get(credential)
  expect(after.generation).toBe(before.generation + 1)
  expect(after.family).toBe(before.family)
  // operators were told of each change once
  const told = await until(
    'told that it is over',
    () => live.events(credential),
    (events) => events.some(({ event }) => event === 'recovered'),
  )
  expect(told.map(({ event }) => event)).toEqual(['connected', 'retrying', 'expired', 'recovered'])
  expect(told[1]).toMatchObject({ status: 'retrying', reason: 'temporarily_unavailable', id: expect.any(String) })
}, 240_000)
