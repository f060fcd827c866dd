import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/store/connection.ts'
import { Gate } from '../../src/store/gate.ts'
import {
  type Answer,
  another,
  failureOf,
  granted,
  refreshOf,
  type Setting,
  startSetting,
  storedSet,
  tokens,
} from './setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})
afterAll(() => setting.stop())

const down: Answer = { kind: 'unsent', reason: 'ECONNREFUSED', detail: '' }

/** Another user of the same client. */
const userOf = (credential: string, user: string) => credential.replace(/alice$/, user)

async function fails(credential: string, times: number, answer: Answer = down): Promise<void> {
  for (let i = 0; i < times; i++) {
    setting.answers.push(answer)
    await setting.activities.refresh(refreshOf(userOf(credential, `user-${i}`))).catch(() => {})
  }
}

describe('while a token host fails', () => {
  test('a refresh is held back before anything is sent, and says so', async () => {
    const credential = setting.credential()
    await fails(credential, 5)
    setting.requests.length = 0
    const { failure, delayMs, nonRetryable, message } = await failureOf(
      setting,
      setting.activities.refresh(refreshOf(credential)),
      'Unsent',
    )
    expect(setting.requests).toEqual([])
    expect(failure.reason).toBe('provider_failing')
    expect(message).toContain('id.orchard.example')
    expect(nonRetryable).toBe(false)
    expect(delayMs).toBeGreaterThanOrEqual(1_000)
    expect(delayMs).toBeLessThan(70_000)
  })

  test('other workers hold back too, and clients of other providers do not', async () => {
    const credential = setting.credential()
    await fails(credential, 5)
    const second = connect(setting.it.server.url, 'another-worker', () => {})
    await expect.poll(() => second.isReady).toBe(true)
    const elsewhere = another(setting, { gate: new Gate(second) })
    await failureOf(setting, elsewhere.refresh(refreshOf(credential)), 'Unsent')
    second.destroy()
    setting.answers = [granted(tokens(2))]
    expect((await setting.activities.refresh(refreshOf(setting.credential()))).generation).toBe(2)
  })

  test.each<[string, Answer, boolean]>([
    ['no answer', { kind: 'ambiguous', reason: 'timeout', detail: '' }, true],
    ['503', { kind: 'throttled', reason: 'http_503', detail: '' }, true],
    ['a page that is no answer', { kind: 'unclear', reason: 'http_404', detail: '' }, true],
    ['a refused grant', { kind: 'grant_refused', reason: 'invalid_grant', detail: '' }, false],
    ['a refused client', { kind: 'client_refused', reason: 'invalid_scope', detail: '', secretRefused: false }, false],
    ['an attempt of ours that came too late', { kind: 'unsent', reason: 'late', detail: '' }, false],
  ])('%s, five times: is that the host? %o', async (_name, answer, held) => {
    const credential = setting.credential()
    await fails(credential, 5, answer)
    const client = credential.split('/')[1] ?? ''
    await setting.it.store.clearClientRefused(client, 'all')
    setting.requests.length = 0
    setting.answers = [down]
    await setting.activities.refresh(refreshOf(credential)).catch(() => {})
    expect(setting.requests).toHaveLength(held ? 0 : 1)
  })

  test('each host of a provider that has many is judged by itself', async () => {
    const provider = { tokenEndpoint: 'https://{domain}.orchard.example/token' }
    const credential = setting.credential({ parameters: { domain: 'north' } }, provider)
    await fails(credential, 5)
    setting.answers = [granted(tokens(2))]
    const south = refreshOf(userOf(credential, 'bob'), { parameters: { domain: 'south' } })
    expect((await setting.activities.refresh(south)).generation).toBe(2)
    await failureOf(setting, setting.activities.refresh(refreshOf(credential)), 'Unsent')
  })
})

describe('the budget of a provider', () => {
  test('is kept by all requests together, and one beyond it waits for its turn', async () => {
    const credential = setting.credential({}, { rateLimit: { requests: 10, perSeconds: 20 } })
    const access = { value: 'x', expiresAtMs: Date.now() + 3600_000 }
    await setting.it.store.write(setting.caller, storedSet(credential, { access }))
    setting.answers = [granted(tokens(2))]
    await setting.activities.refresh(refreshOf(userOf(credential, 'bob')))
    setting.told.length = 0
    const { failure, delayMs } = await failureOf(setting, setting.activities.refresh(refreshOf(credential)), 'Unsent')
    expect(failure.reason).toBe('over_budget')
    expect(delayMs).toBeGreaterThan(1_000)
    expect(delayMs).toBeLessThan(2_500)
    // nothing fails: nobody needs to know
    expect(setting.told).toEqual([])
  })

  test('is not asked for where Redis has gone away since the look: the refresh goes on', async () => {
    const credential = setting.credential()
    const away = connect('redis://127.0.0.1:1', 'away', () => {})
    const activities = another(setting, { gate: new Gate(away) })
    setting.answers = [granted(tokens(2))]
    expect((await activities.refresh(refreshOf(credential))).generation).toBe(2)
    away.destroy()
  })
})
