import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { beginAttempt, createTokenEndpoint, type Verdict } from '../../src/oauth/index.ts'
import { eventually, formMessage, refresh } from './ask.ts'
import { answers, type FakeAnswer, type Fault } from './faults.ts'
import { type Referee, startReferee } from './referee.ts'
import type { RequestRecord } from './request-log.ts'

let referee: Referee
const tokenEndpoint = createTokenEndpoint()

beforeAll(async () => {
  referee = await startReferee({ tokenSeconds: 60, graceSeconds: 1 })
})

afterAll(async () => {
  await tokenEndpoint.close()
  await referee.stop()
})

let user: string
let token: string
let users = 0

beforeEach(async () => {
  user = `user-${++users}`
  token = (await referee.consent(user, 'single_use')).refresh_token ?? ''
})

/** What our own client makes of a refresh, in a time after which it gives up. */
function exchange(timeoutMs = 5_000): Promise<Verdict> {
  const client = referee.clients.find(({ id }) => id === 'single_use')
  const request = {
    endpoint: referee.tokenEndpoint,
    clientId: 'single_use',
    clientAuth: client?.auth ?? 'client_secret_basic',
    clientSecret: client?.secrets[0] ?? '',
    grant: 'refresh_token' as const,
    refreshToken: token,
    rotation: 'single_use' as const,
    parameters: {},
  }
  return tokenEndpoint.exchange(request, beginAttempt(timeoutMs))
}

/** The last request of the user, when its connection is over. */
const over = (): Promise<RequestRecord> =>
  eventually(async () => (await referee.requests({ user })).findLast(({ closedMs }) => closedMs !== undefined))

const none = { access: false, refresh: false }
const both = { access: true, refresh: true }

interface Case {
  claim: string
  fault: Fault
  verdict: Partial<Verdict>
  record: Partial<RequestRecord>
  /** whether the provider still accepts what was presented */
  spent: boolean
}

const answer = (answer: FakeAnswer, commit = false): Fault => ({ kind: 'answer', answer, commit })

const cases: Case[] = [
  {
    claim: 'slow on both sides of the commit: a complete answer',
    fault: { kind: 'slow', delayBeforeCommitMs: 50, holdAnswerMs: 50 },
    verdict: { kind: 'granted' },
    record: { rotated: true, carried: both, delivery: 'complete', status: 200 },
    spent: true,
  },
  {
    claim: 'dropped before the commit: nothing was done',
    fault: { kind: 'drop_before_commit' },
    verdict: { kind: 'ambiguous' },
    record: { rotated: false, decision: 'not_processed', delivery: 'none', clientLeft: false },
    spent: false,
  },
  {
    claim: 'dropped after the commit: rotated, and nobody knows',
    fault: { kind: 'drop_after_commit' },
    verdict: { kind: 'ambiguous' },
    record: { rotated: true, carried: none, delivery: 'none', clientLeft: false },
    spent: true,
  },
  {
    claim: 'cut before the refresh token: nothing to keep',
    fault: { kind: 'truncate', at: 'before_refresh_token', announced: true },
    verdict: { kind: 'ambiguous' },
    record: { rotated: true, carried: { access: true, refresh: false }, delivery: 'cut' },
    spent: true,
  },
  {
    claim: 'cut inside the refresh token, and the client cannot know',
    fault: { kind: 'truncate', at: 'inside_refresh_token', announced: false },
    verdict: { kind: 'ambiguous' },
    record: { rotated: true, carried: { access: true, refresh: false }, delivery: 'cut' },
    spent: true,
  },
  {
    claim: 'cut behind the refresh token: it can be kept',
    fault: { kind: 'truncate', at: 'after_refresh_token', announced: true },
    verdict: { kind: 'granted' },
    record: { rotated: true, carried: both, delivery: 'cut' },
    spent: true,
  },
  {
    claim: 'a proxy answers 502 instead: nothing was done',
    fault: answer(answers.badGateway),
    verdict: { kind: 'ambiguous', reason: 'http_502' },
    record: { rotated: false, decision: 'not_processed', delivery: 'complete', status: 502 },
    spent: false,
  },
  {
    claim: 'a proxy answers 502 although it rotated',
    fault: answer(answers.badGateway, true),
    verdict: { kind: 'ambiguous', reason: 'http_502' },
    record: { rotated: true, carried: none, delivery: 'complete', status: 502 },
    spent: true,
  },
  {
    claim: 'throttled, in seconds',
    fault: answer(answers.throttled(7)),
    verdict: { kind: 'throttled', retryAfterMs: 7_000 },
    record: { rotated: false, status: 429 },
    spent: false,
  },
  {
    claim: 'throttled, until a date',
    fault: answer(answers.throttledUntil(new Date(Date.now() + 3_600_000))),
    verdict: { kind: 'throttled', retryAfterMs: expect.closeTo(3_600_000, -5) },
    record: { rotated: false, status: 429 },
    spent: false,
  },
  {
    claim: 'cut at a byte, and the client cannot know',
    fault: { kind: 'truncate', at: 9, announced: false },
    verdict: { kind: 'ambiguous' },
    record: { rotated: true, carried: none, delivery: 'cut' },
    spent: true,
  },
  {
    claim: 'maintenance, on purpose',
    fault: answer(answers.maintenance(3)),
    verdict: { kind: 'throttled', retryAfterMs: 3_000 },
    record: { rotated: false, status: 503 },
    spent: false,
  },
  {
    claim: 'a 200 without access token still brings the refresh token',
    fault: { kind: 'alter', omit: ['access_token'] },
    verdict: { kind: 'granted' },
    record: { rotated: true, carried: { access: false, refresh: true }, delivery: 'complete' },
    spent: true,
  },
  {
    claim: 'a silly lifetime, and HTML behind the JSON',
    fault: { kind: 'alter', set: { expires_in: 'soon' }, append: '<html></html>' },
    verdict: { kind: 'granted' },
    record: { rotated: true, carried: both, delivery: 'complete' },
    spent: true,
  },
]

test.each(cases)('$claim', async ({ fault, verdict, record, spent }) => {
  await referee.addFaults({ user, fault })
  expect(await exchange()).toMatchObject(verdict)
  expect(await over()).toMatchObject({ ...record, fault: fault.kind })
  expect(await referee.accepts(token)).toBe(!spent)
})

test('a hostile page repeats the secrets of the request, and our verdict does not', async () => {
  await referee.addFaults({ user, count: 2, fault: answer(answers.hostileEcho) })
  const { text, status } = await refresh(referee, 'single_use', token)
  expect(status).toBe(400)
  expect(text).toContain(token)
  expect(JSON.stringify(await exchange())).not.toContain(token)
})

describe.each([true, false])('a black hole that commits: %s', (commit) => {
  test('is left by a client that gives up, and the record says so', async () => {
    await referee.addFaults({ user, fault: { kind: 'black_hole', forMs: 60_000, commit } })
    expect(await exchange(300)).toMatchObject({ kind: 'ambiguous', reason: 'timeout' })
    expect(await over()).toMatchObject({ rotated: commit, delivery: 'none', clientLeft: true })
    expect(await referee.accepts(token)).toBe(!commit)
  })

  test('ends by itself', async () => {
    await referee.addFaults({ user, fault: { kind: 'black_hole', forMs: 200, commit } })
    expect(await exchange()).toMatchObject({ kind: 'ambiguous' })
    expect(await over()).toMatchObject({ rotated: commit, delivery: 'none', clientLeft: false })
  })
})

test('a client that gave up while the provider was slow has its token spent all the same', async () => {
  await referee.addFaults({ user, fault: { kind: 'slow', delayBeforeCommitMs: 500 } })
  expect(await exchange(200)).toMatchObject({ kind: 'ambiguous' })
  await eventually(async () => ((await referee.accepts(token)) ? undefined : true))
  expect(await over()).toMatchObject({ rotated: true, delivery: 'none', clientLeft: true })
})

test('a process killed with the answer unread has lost it: the connection was reset', async () => {
  const client = referee.clients.find(({ id }) => id === 'single_use')
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token })
  const message = formMessage(form, {
    clientId: 'single_use',
    clientAuth: client?.auth ?? 'client_secret_basic',
    clientSecret: client?.secrets[0] ?? '',
  })
  const { port, pathname } = new URL(referee.tokenEndpoint)
  const headers = Object.entries({ ...message.headers, host: 'referee', 'content-length': message.body.length })
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const request = `POST ${pathname} HTTP/1.1\r\n${lines}\r\n${message.body}`
  // sends what comes on stdin and never reads the answer
  const script = `const s = require('net').connect(${port}, '127.0.0.1'); s.pause(); process.stdin.on('data', (d) => s.write(d))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.write(request)
  await eventually(async () => (await referee.requests({ user })).find(({ answeredMs }) => answeredMs !== undefined))
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  expect(await over()).toMatchObject({ rotated: true, carried: both, delivery: 'reset' })
  expect(await referee.losses({ [user]: token })).toMatchObject([{ user, verdict: 'unavoidable' }])
})

test('two requests of one family at the same time are flagged, both; one after another are not', async () => {
  await referee.addFaults({ user, fault: { kind: 'slow', delayBeforeCommitMs: 300 } })
  const slow = refresh(referee, 'single_use', token)
  await eventually(async () => (await referee.requests({ user })).at(0))
  const { tokens } = await refresh(referee, 'single_use', token)
  await slow
  await refresh(referee, 'single_use', tokens.refresh_token)
  const requests = await referee.requests({ user })
  const [first, second] = requests.map(({ id }) => id)
  expect(requests.map(({ overlaps }) => overlaps)).toEqual([[second], [first], []])
})

test.each<Fault>([{ kind: 'drop_after_commit' }, { kind: 'truncate', at: 'before_refresh_token', announced: true }])(
  '$kind: how long the access token had to live is told by the one that arrived whole',
  async (fault) => {
    const short = await startReferee({ tokenSeconds: 11 })
    const { refresh_token } = await short.consent(user, 'single_use')
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await short.addFaults({ fault })
    await expect(refresh(short, 'single_use', refresh_token)).rejects.toThrow()
    await refresh(short, 'single_use', refresh_token)
    const { secondUse } = (await short.requests({ user })).at(-1) ?? {}
    await short.stop()
    expect(secondUse).toMatchObject({ tooEarly: false })
    expect(secondUse?.accessRemainingMs).toBeLessThan(10_000)
  },
)

test('a lost answer is an unavoidable loss, one that arrived an avoidable one, and random faults are counted', async () => {
  await referee.followPlan({ seed: 5, share: 1, limit: 1, weights: { drop_after_commit: 1 }, latencyMs: [5, 20] })
  const before = (await referee.faultsMade()).drop_after_commit ?? 0
  expect(await exchange()).toMatchObject({ kind: 'ambiguous' })
  expect(await referee.losses({ [user]: token })).toMatchObject([{ verdict: 'unavoidable' }])
  const other = await referee.consent(`${user}-other`, 'single_use')
  expect((await refresh(referee, 'single_use', other.refresh_token)).status).toBe(200)
  await referee.followPlan()
  const losses = await referee.losses({ [`${user}-other`]: other.refresh_token })
  expect(losses).toMatchObject([{ verdict: 'avoidable', because: expect.stringContaining('arrived') }])
  expect((await referee.faultsMade()).drop_after_commit).toBe(before + 1)
})
