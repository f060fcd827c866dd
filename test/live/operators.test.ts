import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refreshInFlight } from './recorded-lives.ts'
import { type Live, startLive, until } from './stack.ts'

/** What operators do to workflows with Temporal's own tools, behind Perennial's back. */

let live: Live

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 60, users: true })
}, 120_000)

afterAll(() => live.stop())

const handleOf = (credential: string) => live.temporal.workflow.getHandle(`credential/${credential}`)

const refusedExchanges = async () => (await live.demo.record()).exchanges.filter(({ error }) => error !== undefined)

const aliveOf = async (user: string) => (await live.demo.record()).alive[user] ?? []

/** A credential at generation 3. */
async function begin(user: string): Promise<string> {
  const credential = await live.begin(user)
  await live.perennial.refreshNow(credential)
  expect(await live.perennial.refreshNow(credential)).toMatchObject({ generation: 3 })
  return credential
}

const credentialsCheck = async () =>
  (await live.cli('doctor', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { check: string })
    .find(({ check }) => check === 'credentials')

const closed = (credential: string) =>
  until(
    'the workflow has closed',
    () => handleOf(credential).describe(),
    ({ status }) => status.name === 'COMPLETED',
    60_000,
  )

test('a workflow that was reset to its first task goes on from what stands in the store, and spends no token twice', async () => {
  const credential = await begin('apple')
  const before = await live.reader.get(credential)
  const { runId } = await handleOf(credential).describe()
  await live.temporal.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: `credential/${credential}`, runId },
    reason: 'an operator',
    requestId: randomUUID(),
    workflowTaskFinishEventId: 4 as unknown as Long,
  })
  const view = await until(
    'as new as it was',
    () => live.perennial.describe(credential),
    (now) => now?.runId !== runId && now?.status === 'active' && (now.generation ?? 0) >= 3,
    60_000,
  )
  expect(view?.family).toBe(before.family)
  // the run that stands in the store may have sent: the first refresh waits that out, as after a lost answer
  await live.perennial.refreshNow(credential).catch(() => {})
  const refreshed = await until(
    'refreshed',
    () => live.perennial.describe(credential),
    (now) => now?.status === 'active' && (now.generation ?? 0) > 3,
    90_000,
  )
  expect(refreshed?.family).toBe(before.family)
  expect(await refusedExchanges()).toEqual([])
  expect(await aliveOf('apple')).toHaveLength(1)
}, 180_000)

test('a request to cancel ends no credential: not its sleep, not its exchange, not what comes after', async () => {
  const [asleep, busy] = [await begin('quince'), await begin('medlar')]
  await handleOf(asleep).cancel()
  expect(await live.perennial.refreshNow(asleep)).toMatchObject({ generation: 4 })

  const { outcome } = await refreshInFlight(live, { credential: busy }, 'medlar')
  await handleOf(busy).cancel()
  expect(await outcome).toMatchObject({ generation: 4 })
  expect(await live.perennial.refreshNow(busy)).toMatchObject({ generation: 5 })
  expect(await refusedExchanges()).toEqual([])
  for (const credential of [asleep, busy]) {
    expect((await handleOf(credential).describe()).status.name).toBe('RUNNING')
    await live.perennial.revoke(credential)
    await closed(credential)
  }
}, 120_000)

test('a workflow that was terminated leaves its token readable; restore goes on where it was, start is refused', async () => {
  const credential = await begin('cherry')
  const before = await live.reader.get(credential)
  expect(await credentialsCheck()).toMatchObject({ status: 'ok' })
  await handleOf(credential).terminate('an operator')
  expect(await live.reader.get(credential)).toEqual(before)

  const left = await live.perennial.describe(credential)
  expect(left).toMatchObject({ status: 'active', generation: 3, workflowStatus: 'TERMINATED' })
  expect(left).not.toHaveProperty('nextRefreshAt')
  expect((await live.cli('show', credential)).stdout).toMatch(/what to do +Its workflow was ended.*`perennial restore`/)
  expect(await credentialsCheck()).toMatchObject({
    status: 'fail',
    message: expect.stringContaining(`nobody refreshes ${credential}: `),
    fix: 'perennial restore',
  })
  const tokenResponse = await live.demo.mintGrant('cherry', 'orchard')
  await expect(live.perennial.start(credential, { tokenResponse })).rejects.toMatchObject({ code: 'restore_needed' })

  const restored = await live.cli('restore', '--tenant', 'demo', '--json')
  expect(restored.code).toBe(0)
  expect(restored.stdout).toContain(`"credential":"${credential}","outcome":"restored","generation":3`)
  expect(await credentialsCheck()).toMatchObject({ status: 'ok' })
  expect(await live.perennial.describe(credential)).not.toHaveProperty('workflowStatus')
  // single_use: whether a refresh was under way is not known, so it is waited out
  const view = await until(
    'refreshed',
    () => live.perennial.describe(credential),
    (now) => now?.status === 'active' && (now.generation ?? 0) > 3,
    90_000,
  )
  expect(view?.family).toBe(before.family)
  expect(await refusedExchanges()).toEqual([])
}, 180_000)

test('a revoke of a credential whose workflow was terminated fences it, and revokes what the store holds', async () => {
  const credential = await begin('fig')
  await handleOf(credential).terminate('an operator')
  expect(await aliveOf('fig')).toHaveLength(1)
  expect(await live.perennial.revoke(credential)).toMatchObject({ fenced: true, accepted: true })
  await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })
  await closed(credential)
  expect(await aliveOf('fig')).toEqual([])
}, 120_000)

test('a revoked credential that is started again by hand without a grant stays revoked', async () => {
  const credential = await begin('pear')
  await live.perennial.revoke(credential)
  await closed(credential)
  // what a script of an operator might do: the same workflow id, the input of the first run
  const { firstInput } = await firstInputOf(credential)
  await live.temporal.workflow.start('credential', {
    workflowId: `credential/${credential}`,
    taskQueue: 'perennial',
    args: [firstInput],
  })
  await closed(credential)
  await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })
  expect(await aliveOf('pear')).toEqual([])
  expect(await refusedExchanges()).toEqual([])
}, 120_000)

async function firstInputOf(credential: string): Promise<{ firstInput: unknown }> {
  const runs: string[] = []
  for await (const { runId } of live.temporal.workflow.list({ query: `WorkflowId = 'credential/${credential}'` }))
    runs.push(runId)
  const { events } = await live.temporal.workflow.getHandle(`credential/${credential}`, runs.at(-1)).fetchHistory()
  const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? []
  return { firstInput: JSON.parse(Buffer.from(payload?.data ?? []).toString()) }
}
