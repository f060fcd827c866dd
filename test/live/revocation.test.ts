import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { answers, type Referee, type RefereeClient, startReferee } from '../referee/index.ts'
import { type Live, startLive, until } from './stack.ts'

let referee: Referee
let live: Live
let folder: string

const client = (id: string, revocation: RefereeClient['revocation']): RefereeClient => ({
  id,
  secrets: [`secret-of-${id}-0123456789`],
  auth: 'client_secret_basic',
  grant: 'single_use',
  tokenSeconds: 20,
  revocation,
})
const clients = [client('by-token', 'by_token'), client('consent', 'ends_consent'), client('never', 'absent')]

beforeAll(async () => {
  referee = await startReferee({ clients })
  folder = await mkdtemp(join(tmpdir(), 'perennial-revocation-'))
  const configFile = join(folder, 'own.yaml')
  await writeFile(
    configFile,
    stringify({ clients: Object.fromEntries(clients.map(clientEntry)), providers: providers() }),
  )
  live = await startLive({ tokenSeconds: 30, configFile, users: true })
}, 120_000)

afterAll(async () => {
  await live.stop()
  await referee.stop()
  await rm(folder, { recursive: true, force: true })
})

const clientEntry = ({ id, secrets }: RefereeClient) => [id, { provider: id, clientId: id, clientSecrets: secrets }]

function providers() {
  const { tokenEndpoint, revocationEndpoint } = referee
  return {
    'by-token': { tokenEndpoint, revocationEndpoint },
    consent: { tokenEndpoint, revocationEndpoint, revocation: { endsConsent: true } },
    never: { tokenEndpoint },
  }
}

async function begin(clientName: string, user: string): Promise<string> {
  const credential = `demo/${clientName}/${user}`
  await live.perennial.start(credential, { tokenResponse: await referee.consent(user, clientName) })
  await live.perennial.refreshNow(credential)
  return credential
}

const describe = (credential: string) => live.perennial.describe(credential)

const closed = (credential: string, withinMs?: number) =>
  until(
    'the workflow has closed',
    () => live.temporal.workflow.getHandle(`credential/${credential}`).describe(),
    ({ status }) => status.name === 'COMPLETED',
    withinMs,
  )

const isRevoked = (credential: string) =>
  expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })

test('a provider that is down hears of a revoke when it is back; readers lose the token at once', async () => {
  const credential = await begin('by-token', 'ann')
  await referee.addFaults({
    endpoint: 'revoke',
    user: 'ann',
    count: 10_000,
    fault: { kind: 'answer', commit: false, answer: answers.serverError },
  })
  expect(await live.perennial.revoke(credential)).toMatchObject({ fenced: true, accepted: true })
  await isRevoked(credential)
  const pending = await until(
    'pending',
    () => describe(credential),
    (view) => view?.reason === 'revocation_pending',
  )
  expect(pending).toMatchObject({ status: 'revoked' })
  const { raw } = await until(
    'the failing request is in the Web UI',
    () => live.temporal.workflow.getHandle(`credential/${credential}`).describe(),
    ({ raw: { pendingActivities } }) => pendingActivities?.[0]?.lastFailure != null,
  )
  expect(raw.pendingActivities?.[0]?.activityType?.name).toBe('revokeTokens')
  expect(raw.pendingActivities?.[0]?.lastFailure?.message).toContain('server_error')
  expect(await referee.alive('ann')).toHaveLength(1)
  await referee.clearFaults()

  await closed(credential, 90_000)
  expect(await referee.alive('ann')).toEqual([])
  const view = await describe(credential)
  expect(view).toMatchObject({ status: 'revoked' })
  expect(view?.reason).toBeUndefined()
}, 180_000)

test('as many failed requests as in ten minutes of outage do not let go of a revoke, and hold no reader', async () => {
  const credential = await begin('by-token', 'gil')
  // asks for a second instead of the doubling pauses, of which ten minutes hold nine
  await referee.addFaults({
    endpoint: 'revoke',
    user: 'gil',
    count: 10_000,
    fault: { kind: 'answer', commit: false, answer: answers.maintenance(1) },
  })
  const beganMs = performance.now()
  await live.perennial.revoke(credential)
  await isRevoked(credential)
  expect(performance.now() - beganMs).toBeLessThan(5_000)
  await until(
    'nine requests failed',
    async () => (await referee.requests({ user: 'gil' })).filter(({ endpoint }) => endpoint === 'revoke').length,
    (requests) => requests >= 9,
    60_000,
  )
  expect(await describe(credential)).toMatchObject({ status: 'revoked', reason: 'revocation_pending' })
  expect(await referee.alive('gil')).toHaveLength(1)
  await isRevoked(credential)
  const overMs = Date.now()
  await referee.clearFaults()

  await closed(credential, 60_000)
  expect(await referee.alive('gil')).toEqual([])
  const requests = (await referee.requests({ user: 'gil' })).filter(({ endpoint }) => endpoint === 'revoke')
  const confirmed = requests.filter(({ decision }) => decision === 'revoked')
  expect(Math.min(...confirmed.map(({ committedMs = 0 }) => committedMs))).toBeGreaterThanOrEqual(overMs)
}, 180_000)

test('a new grant begins at once while the old one is still to be revoked, and outlives that', async () => {
  const credential = await begin('by-token', 'bea')
  const [old] = await referee.alive('bea')
  await referee.addFaults({
    endpoint: 'revoke',
    user: 'bea',
    count: 10_000,
    fault: { kind: 'answer', commit: false, answer: answers.maintenance(2) },
  })
  await live.perennial.revoke(credential)
  await until(
    'pending',
    () => describe(credential),
    (view) => view?.reason === 'revocation_pending',
  )
  const tokenResponse = await referee.consent('bea', 'by-token')
  const renewed = await live.perennial.connect(credential, { tokenResponse: { ...tokenResponse } })
  expect(renewed.status).toBe('active')
  expect((await live.reader.get(credential)).accessToken).toBe(tokenResponse.access_token)

  await referee.clearFaults()
  const families = await until(
    'only the new family lives',
    () => referee.alive('bea'),
    (alive) => alive.length === 1 && alive[0]?.family !== old?.family,
    60_000,
  )
  expect(families).toHaveLength(1)
  expect((await live.perennial.refreshNow(credential)).status).toBe('active')
}, 120_000)

test('where a revocation ends the whole consent, a new grant ends the debt', async () => {
  const credential = await begin('consent', 'cleo')
  await referee.addFaults({
    endpoint: 'revoke',
    user: 'cleo',
    count: 10_000,
    fault: { kind: 'answer', commit: false, answer: answers.serverError },
  })
  await live.perennial.revoke(credential)
  await until(
    'pending',
    () => describe(credential),
    (view) => view?.reason === 'revocation_pending',
  )
  const tokenResponse = await referee.consent('cleo', 'consent')
  await live.perennial.connect(credential, { tokenResponse: { ...tokenResponse } })
  const before = (await referee.requests({ user: 'cleo' })).filter(({ endpoint }) => endpoint === 'revoke').length
  await referee.clearFaults()
  // longer than it would take to ask again
  await sleep(8_000)
  expect((await live.perennial.refreshNow(credential)).status).toBe('active')
  const after = (await referee.requests({ user: 'cleo' })).filter(({ endpoint }) => endpoint === 'revoke').length
  expect(after).toBe(before)
}, 120_000)

test('a provider that cannot revoke is not asked, and it is said', async () => {
  const credential = await begin('never', 'dora')
  await live.perennial.revoke(credential)
  await closed(credential)
  expect(await describe(credential)).toMatchObject({ status: 'revoked', reason: 'no_revocation_endpoint' })
  await isRevoked(credential)
})

test('with no worker running the fence holds, and the rest follows', async () => {
  const credential = await begin('by-token', 'eve')
  const worker = await live.pid('worker')
  process.kill(worker, 'SIGSTOP')
  try {
    expect(await live.perennial.revoke(credential)).toMatchObject({ fenced: true, accepted: true })
    await isRevoked(credential)
  } finally {
    process.kill(worker, 'SIGCONT')
  }
  await closed(credential, 60_000)
  expect(await referee.alive('eve')).toEqual([])
  await isRevoked(credential)
}, 120_000)

test('with Temporal down the fence holds, and the workflow meets it at its next refresh', async () => {
  const credential = await begin('by-token', 'fay')
  const temporal = await live.pid('temporal')
  process.kill(temporal, 'SIGSTOP')
  try {
    const outcome = await live.cli('revoke', credential)
    expect(outcome.code).toBe(3)
    expect(outcome.stderr).toContain('Temporal did not answer')
    await isRevoked(credential)
  } finally {
    process.kill(temporal, 'SIGCONT')
  }
  await closed(credential, 90_000)
  expect(await referee.alive('fay')).toEqual([])
}, 180_000)
