import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Live, startLive, until } from './stack.ts'

let live: Live

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 30 })
}, 120_000)

afterAll(() => live.stop())

/** Begins a refresh whose answer the provider holds back, and waits until the provider has rotated. */
async function refreshInFlight(user: string, holdAnswerMs: number): Promise<{ outcome: Promise<unknown> }> {
  const before = await exchangesOf(user)
  await live.demo.setFaults({ holdAnswerMs })
  const outcome = live.perennial.refreshNow(`demo/orchard/${user}`).catch((error: unknown) => error)
  await until(
    'the provider has rotated',
    () => exchangesOf(user),
    (count) => count > before,
  )
  await live.demo.setFaults()
  return { outcome }
}

const exchangesOf = async (user: string) =>
  (await live.demo.record()).exchanges.filter(({ subject }) => subject === user).length

test('callers of refreshNow share one exchange', async () => {
  const credential = await live.begin('cherry')
  const before = await exchangesOf('cherry')
  await live.demo.setFaults({ delayMs: 1_000 })
  const views = await Promise.all(Array.from({ length: 6 }, () => live.perennial.refreshNow(credential)))
  await live.demo.setFaults()
  expect(new Set(views.map(({ generation }) => generation))).toEqual(new Set([2]))
  expect(await exchangesOf('cherry')).toBe(before + 1)
})

test('a revoke during a refresh wins: its tokens are never readable again', async () => {
  const credential = await live.begin('fig')
  const { outcome } = await refreshInFlight('fig', 3_000)
  expect(await live.perennial.revoke(credential)).toEqual({ credential, fenced: true, accepted: true })
  await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })
  await outcome
  await until(
    'the workflow has closed',
    () => live.temporal.workflow.getHandle(`credential/${credential}`).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })
  expect(await live.perennial.describe(credential)).toMatchObject({ status: 'revoked' })
  // the pair that the exchange still brought was revoked too
  expect((await live.demo.record()).alive.fig ?? []).toEqual([])
})

test('a revoke ends the grant at the provider, and nothing of it is kept', async () => {
  const credential = await live.begin('mulberry')
  expect((await live.demo.record()).alive.mulberry).toHaveLength(1)
  expect((await live.cli('revoke', credential)).code).toBe(0)
  await until(
    'the workflow has closed',
    () => live.temporal.workflow.getHandle(`credential/${credential}`).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  expect((await live.demo.record()).alive.mulberry ?? []).toEqual([])
  const shown = await live.perennial.describe(credential)
  expect(shown).toMatchObject({ status: 'revoked' })
  expect(shown?.reason).toBeUndefined()
  // a repeated revoke finds it done
  expect(await live.perennial.revoke(credential)).toMatchObject({ fenced: true, accepted: true })
})

test('a credential that was revoked begins again above every generation that it had', async () => {
  const credential = await live.begin('medlar')
  const refreshed = await live.perennial.refreshNow(credential)
  await live.perennial.revoke(credential)
  await until(
    'closed',
    () => live.temporal.workflow.getHandle(`credential/${credential}`).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  const tokenResponse = await live.demo.mintGrant('medlar', 'orchard')
  const again = await live.perennial.connect(credential, { tokenResponse })
  expect(again.status).toBe('active')
  expect(again.generation).toBeGreaterThan(refreshed.generation ?? 0)
  expect((await live.reader.get(credential)).accessToken).toBe(tokenResponse.access_token)
  expect((await live.perennial.refreshNow(credential)).generation).toBe((again.generation ?? 0) + 1)
})

test('a reconnect during a refresh keeps the newer family', async () => {
  const credential = await live.begin('olive')
  const { outcome } = await refreshInFlight('olive', 3_000)
  const tokenResponse = await live.demo.mintGrant('olive', 'orchard')
  await live.perennial.reconnect(credential, { tokenResponse })
  await outcome
  const read = await until(
    'the new family',
    () => live.reader.get(credential),
    ({ accessToken }) => accessToken === tokenResponse.access_token,
  )
  const refreshed = await live.perennial.refreshNow(credential)
  expect(refreshed).toMatchObject({ status: 'active', family: read.family, generation: read.generation + 1 })
})

test('a worker killed while the provider has rotated: at risk at once, and a new grant heals it', async () => {
  const credential = await live.begin('quince')
  const { outcome } = await refreshInFlight('quince', 8_000)
  process.kill(await live.pid('worker'), 'SIGKILL')
  await outcome
  // 15 s until the attempt is given up, 15 s more until nothing of it can still be running
  const view = await until(
    'a verdict on the lost answer',
    () => live.perennial.describe(credential),
    // the reason comes from the store, which is told a moment after the search attribute is set
    (view) => (view?.status === 'at_risk' || view?.status === 'reconnect_required') && view.reason !== undefined,
    90_000,
  )
  expect(view?.reason).toBe(view?.status === 'at_risk' ? 'timed_out' : 'invalid_grant')
  await until(
    'refused for certain',
    () => live.perennial.describe(credential),
    (view) => view?.status === 'reconnect_required',
    60_000,
  )
  const tokenResponse = await live.demo.mintGrant('quince', 'orchard')
  expect(await live.perennial.reconnect(credential, { tokenResponse })).toMatchObject({ status: 'active' })
}, 240_000)

test('signals that wait for a worker are taken in their order: a revoke after a new grant ends it', async () => {
  const credential = await live.begin('damson')
  const tokenResponse = await live.demo.mintGrant('damson', 'orchard')
  const worker = await live.pid('worker')
  process.kill(worker, 'SIGSTOP')
  const handle = live.temporal.workflow.getHandle(`credential/${credential}`)
  try {
    // nonsense between them is left alone
    await handle.signal('reconnect', 'no grant at all')
    await live.perennial.reconnect(credential, { tokenResponse })
    await live.perennial.revoke(credential)
  } finally {
    process.kill(worker, 'SIGCONT')
  }
  await until(
    'closed',
    () => handle.describe(),
    ({ status }) => status.name === 'COMPLETED',
    60_000,
  )
  await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })
})

test('a store that was emptied again and again while no worker ran is not compared as often', async () => {
  const credential = await live.begin('elder')
  const worker = await live.pid('worker')
  process.kill(worker, 'SIGSTOP')
  const handle = live.temporal.workflow.getHandle(`credential/${credential}`)
  try {
    for (let signals = 0; signals < 12; signals++) await handle.signal('resync', 0)
  } finally {
    process.kill(worker, 'SIGCONT')
  }
  const compared = async () => {
    const { events } = await handle.fetchHistory()
    const scheduled = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name)
    return scheduled.filter((name) => name === 'resync').length
  }
  await until('compared', compared, (times) => times > 0)
  expect(await live.perennial.refreshNow(credential)).toMatchObject({ status: 'active' })
  // what the server had handed to the worker before it stopped, what came meanwhile, and what came after
  expect(await compared()).toBeLessThanOrEqual(3)
})
