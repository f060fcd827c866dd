import { randomBytes } from 'node:crypto'
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineSearchAttributeKey } from '@temporalio/common'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantKinds } from '../../src/credential.ts'
import { clientAuthMethods } from '../../src/providers/schema.ts'
import { hostileAnswers } from './hostile.ts'
import { type Parrot, startParrot, type Way } from './parrot.ts'
import { type Search, searchFor } from './secret-search.ts'
import { until } from './stack.ts'
import { WatchedRun } from './watched-run.ts'

/**
 * A run with everything that makes software talk: servers that repeat what they were sent, refused grants and clients,
 * lost answers, a store that is away and killed, every command. Then everything that anybody could read of it is
 * searched for every secret there is, after the search has proved in each place that it finds what is there.
 */

const canary = () => `canary${randomBytes(15).toString('hex')}`
const percent = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&')

/** In the name of a credential, which goes wherever a credential goes: plain, in base64 and percent-encoded. */
const named = { plain: canary(), base64: canary(), percent: canary() }
const subject = `${named.plain}.${Buffer.from(`x${named.base64}`).toString('base64url')}.${percent(named.percent)}`
/** Where a name does not come, and for what only a server says. */
const planted = {
  code: canary(),
  description: canary(),
  heartbeat: canary(),
  memo: canary(),
  summary: canary(),
  attribute: canary(),
  value: canary(),
  stream: canary(),
  provider: canary(),
  log: canary(),
  file: canary(),
  environment: canary(),
}

/** Which canaries have to be found where. */
const plantedIn: [string, string[]][] = [
  ['histories', [...Object.values(named), ...pick('code', 'description')]],
  [
    'descriptions',
    [...Object.values(named), ...pick('code', 'description', 'heartbeat', 'memo', 'summary', 'attribute')],
  ],
  ['details', pick('code', 'description')],
  ['redis', [...Object.values(named), ...pick('code', 'value', 'stream')]],
  ['redis messages', Object.values(named)],
  ['logs/temporal.log', pick('log')],
  ['logs/redis.log', pick('log')],
  ['logs/demo.log', pick('log')],
  ['logs/worker.log', [...Object.values(named), ...pick('log', 'code')]],
  ['dev output', [...Object.values(named), planted.code]],
  ['command output', [...Object.values(named), ...pick('code', 'description')]],
  ['arguments', Object.values(named)],
  ['environments', pick('environment')],
  ['files of Temporal', [...Object.values(named), ...pick('code', 'description', 'memo')]],
  ['files of Redis', [...Object.values(named), ...pick('code', 'value')]],
  ['other files', pick('file')],
  ['metrics', pick('provider')],
]

function pick(...names: (keyof typeof planted)[]): string[] {
  return names.map((name) => planted[name])
}

let run: WatchedRun
let parrot: Parrot
let places: Map<string, string>
let search: Search
let printedByToken: string

beforeAll(async () => {
  parrot = await startParrot(planted.provider)
  run = await WatchedRun.start(600, parrot.configFile)
  await run.listen()
  await plantCanaries()
  await meetHostileServers()
  await meetParrot()
  await livePeacefully()
  await loseStoreAndProvider()
  await run.look()
  const histories = await run.histories()
  await run.stop()
  places = run.places(histories)
  search = searchFor([...run.secrets(), ...parrot.secrets(), ...canaries()])
}, 400_000)

afterAll(async () => {
  await run?.remove()
  await parrot?.close()
})

const canaries = () =>
  [...Object.values(named), ...Object.values(planted)].map((value) => ({ name: `canary ${value}`, value }))

test.each(plantedIn)('what was planted in %s is found there', (place, values) => {
  const found = search.find(places.get(place) ?? '').map(({ secret }) => secret)
  expect(found).toEqual(expect.arrayContaining(values.map((value) => `canary ${value}`)))
})

test('each way to prove oneself, each grant and each encoding was gone', () => {
  const gone = parrot.ways.map(({ grant = 'refresh_token', provider: { clientAuth, tokenRequest = {} } }) => ({
    clientAuth,
    grant,
    encoding: tokenRequest.encoding ?? (tokenRequest.method === 'GET' ? 'query' : 'form'),
  }))
  expect(new Set(gone.map(({ clientAuth }) => clientAuth))).toEqual(new Set(clientAuthMethods))
  expect(new Set(gone.map(({ grant }) => grant))).toEqual(new Set(grantKinds))
  expect(new Set(gone.map(({ encoding }) => encoding))).toEqual(new Set(['form', 'json', 'query']))
})

test('every place that was searched had something planted in it', () => {
  expect([...places.keys()].sort()).toEqual([...new Set(plantedIn.map(([place]) => place))].sort())
})

test('no place holds an access token, a refresh token, a client secret or a key, in any spelling', () => {
  const leaks = [...places].flatMap(([place, text]) =>
    search
      .find(text)
      .filter(({ secret }) => !secret.startsWith('canary '))
      .map((finding) => ({ place, ...finding })),
  )
  expect(leaks).toEqual([])
})

test('the secrets that were searched for are those that were in use', () => {
  const names = run.secrets().map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['demo-orchard', 'demo-orchard-m2m', 'demo-admin', 'redis-password']))
  expect(names).toEqual(expect.arrayContaining(['grant-key', 'bytes of grant-key', 'reader-key of demo']))
  for (const model of ['AccessToken', 'RefreshToken', 'ClientCredentials'])
    expect(names.filter((name) => name.startsWith(model)).length).toBeGreaterThan(
      model === 'ClientCredentials' ? 1 : 30,
    )
  const sent = parrot.secrets().map(({ name }) => name)
  expect(sent.filter((name) => name.startsWith('signature')).length).toBeGreaterThan(10)
  expect(sent).toEqual(expect.arrayContaining(['private key', 'secret of basic-form', 'secret of renewed-get']))
  // the one command that is meant to print one
  expect(search.find(printedByToken).map(({ secret }) => secret)).toEqual([expect.stringMatching(/^AccessToken/)])
})

// ---- canaries

async function plantCanaries(): Promise<void> {
  const credential = await begin(subject)
  const said = { error: planted.code, error_description: `it said ${planted.description}` }
  await run.demo.setFaults({ delayMs: 2_000, answer: { status: 429, body: JSON.stringify(said) } })
  const refreshing = run.cli(['refresh', credential], { env: { PERENNIAL_CANARY: planted.environment } })
  await heartbeat(credential)
  await run.look()
  expect((await refreshing).stderr).toContain(planted.code)
  await run.cli(['show', credential])
  await run.look()
  await heal(credential)
  await plantInTemporal()
  await plantInRedis()
  const logs = plantedIn.map(([place]) => place).filter((place) => place.startsWith('logs/'))
  for (const file of logs) await appendFile(join(run.dataDir, file), `${planted.log}\n`)
  await writeFile(join(run.dataDir, 'planted'), planted.file)
}

/** Of the attempt that is running. */
async function heartbeat(credential: string): Promise<void> {
  const workflowId = `credential/${credential}`
  const pending = async () => (await run.temporal.workflow.getHandle(workflowId).describe()).raw.pendingActivities ?? []
  const [activity] = await until('an attempt', pending, ([one]) => one?.lastStartedTime != null)
  await run.temporal.activity.heartbeat({ workflowId, activityId: activity?.activityId ?? '' }, planted.heartbeat)
}

async function plantInTemporal(): Promise<void> {
  const handle = await run.temporal.workflow.start('credential', {
    workflowId: 'canary',
    taskQueue: 'nobody works here',
    memo: { canary: planted.memo },
    staticSummary: planted.summary,
    typedSearchAttributes: [{ key: defineSearchAttributeKey('CredentialTenant', 'KEYWORD'), value: planted.attribute }],
  })
  await run.look()
  await handle.terminate()
}

async function plantInRedis(): Promise<void> {
  const redis = createClient({ url: run.redisUrl })
  await redis.connect()
  await redis.hSet('perennial:canary', 'field', planted.value)
  await redis.xAdd('perennial:canaries', '*', { field: planted.stream })
  redis.destroy()
}

// ---- the run

async function begin(user: string): Promise<string> {
  const credential = `demo/orchard/${user}`
  await run.perennial.start(credential, { tokenResponse: await run.demo.mintGrant(user, 'orchard') })
  return credential
}

async function meetHostileServers(): Promise<void> {
  const clientSecret = await readFile(join(run.dataDir, 'secrets/demo-orchard'), 'utf8')
  const sentBy = (refreshToken: string) => ({ refreshToken, clientId: 'orchard', clientSecret })
  const kinds = hostileAnswers(sentBy('none yet'), await run.demo.mintGrant('none', 'orchard'))
  for (const [index, { what, says }] of kinds.entries()) {
    const user = `hostile-${index}`
    const credential = await begin(user)
    const [refreshToken = ''] = (await run.demo.record()).alive[user] ?? []
    const fresh = await run.demo.mintGrant(user, 'orchard')
    const { answer } = hostileAnswers(sentBy(refreshToken), fresh)[index] ?? {}
    if (answer === undefined) throw new Error(`no answer ${what}`)
    await run.demo.setFaults({ answer })
    const { stdout, stderr } = await run.cli(['refresh', credential])
    expect(stdout + stderr, what).toMatch(says)
    await run.look()
    await heal(credential, user)
  }
}

/** Every client authentication, grant and encoding, with a provider that repeats each request before it serves it. */
async function meetParrot(): Promise<void> {
  const credentialOf = ({ name }: Way) => `demo/parrot-${name}/user`
  const isActive = (way: Way, generation: number) =>
    until(
      `${way.name} is active`,
      () => run.perennial.describe(credentialOf(way)),
      (view) => view?.status === 'active' && (view.generation ?? 0) >= generation,
    )
  await Promise.all(
    parrot.ways.map((way) => {
      const tokenResponse = parrot.grantFor(way)
      return run.perennial.start(credentialOf(way), tokenResponse === undefined ? {} : { tokenResponse })
    }),
  )
  await Promise.all(parrot.ways.map((way) => isActive(way, 1)))
  for (const way of parrot.ways) {
    const { stderr } = await run.cli(['refresh', credentialOf(way)])
    expect(stderr, way.name).toMatch(/retrying.*nope|nope.*retrying/s)
  }
  await run.look()
  await Promise.all(parrot.ways.map((way) => isActive(way, 2)))
  for (const way of parrot.ways) expect(parrot.granted(way), way.name).toBeGreaterThan(0)
  for (const way of parrot.ways) await run.cli(['revoke', credentialOf(way)])
  await run.look()
}

/** So that the next server's answer, which repeats another's secrets, is not met by this one. */
async function heal(credential: string, user?: string): Promise<void> {
  await run.demo.setFaults()
  const { status } = (await run.perennial.describe(credential)) ?? {}
  if (user !== undefined && (status === 'at_risk' || status === 'reconnect_required')) {
    await run.perennial.reconnect(credential, { tokenResponse: await run.demo.mintGrant(user, 'orchard') })
  }
  // with a request that is answered: a host that only fails is not asked any more
  const refreshed = () => run.perennial.refreshNow(credential).catch(() => undefined)
  await until(`${credential} is active`, refreshed, (view) => view?.status === 'active')
}

/** Successes, a continued run, a refused grant and its cure, a revoke, and what else there are commands for. */
async function livePeacefully(): Promise<void> {
  const file = `${run.dataDir}.grant.json`
  const grant = await run.demo.mintGrant('peaceful', 'orchard')
  await writeFile(file, JSON.stringify(grant))
  const credential = 'demo/orchard/peaceful'
  await run.cli(['start', credential, '--from', file])
  for (let refreshes = 0; refreshes < 11; refreshes++) await run.perennial.refreshNow(credential)
  await run.perennial.refreshNow('demo/orchard-m2m/service')
  printedByToken = (await run.cli(['token', credential])).stdout
  await run.demo.revokeSubject('peaceful')
  expect((await run.cli(['refresh', credential])).stderr).toContain('reconnect_required')
  await run.look()
  for (const wrong of [JSON.stringify(grant).slice(0, -1), JSON.stringify({ tokens: [grant] }), grant.refresh_token]) {
    const { code } = await run.cli(['reconnect', credential, '--from', '-'], { stdin: wrong })
    expect(code).toBe(1)
  }
  const stdin = JSON.stringify(await run.demo.mintGrant('peaceful', 'orchard'))
  await run.cli(['reconnect', credential, '--from', '-'], { stdin })
  await run.cli(['start', 'demo/orchard/by-stdin', '--from', '-'], { stdin })
  expect((await run.cli(['connect', credential, '--from', file])).code).toBe(0)
  await rm(file)
  await run.cli(['revoke', credential])
  for (const args of [['list'], ['list', '--json'], ['doctor'], ['token', credential], ['show', 'demo/orchard/nobody']])
    await run.cli(args)
}

/** Redis freezes while an answer is on its way, then dies; later the provider dies in the middle of an answer. */
async function loseStoreAndProvider(): Promise<void> {
  const credential = await begin('unlucky')
  const exchanges = async () => (await run.demo.record()).exchanges.length
  const refreshWhileHeld = async (holdAnswerMs: number) => {
    const before = await exchanges()
    await run.demo.setFaults({ holdAnswerMs })
    const outcome = run.cli(['refresh', credential])
    await until('the provider has rotated', exchanges, (count) => count > before)
    return { outcome }
  }
  const { outcome } = await refreshWhileHeld(1_500)
  const redis = await run.pid('redis')
  process.kill(redis, 'SIGSTOP')
  await sleep(3_000)
  await run.look({ redis: false })
  process.kill(redis, 'SIGKILL')
  await outcome
  const history = async () => (await run.histories(`credential/${credential}`)).join('\n')
  await until(
    'what Redis did not take was kept and written later',
    history,
    (text) => /"unstored":"eyJ/.test(text) && /Redis did not take the tokens/.test(text),
  )
  await until(
    'readers have it',
    async () => await run.cli(['token', credential]),
    ({ code }) => code === 0,
  )
  await run.look()
  const cut = await refreshWhileHeld(8_000)
  process.kill(await run.pid('demo'), 'SIGKILL')
  expect((await cut.outcome).stderr).toContain('at_risk')
  await until('the provider is back', exchanges, () => true)
}
