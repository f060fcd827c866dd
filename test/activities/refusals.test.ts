import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RotationClass } from '../../src/credential.ts'
import type { Verdict } from '../../src/oauth/index.ts'
import { fingerprint } from '../../src/store/sealing.ts'
import type { FailureType } from '../../src/workflows/messages.ts'
import {
  type Answer,
  another,
  clientName,
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
beforeEach(() => {
  setting.caller = { ...setting.caller, attempt: 1 }
  for (const list of [setting.answers, setting.requests, setting.told, setting.woken, setting.logged]) list.length = 0
})
afterAll(() => setting.stop())

const refresh = (credential: string, changes = {}) => setting.activities.refresh(refreshOf(credential, changes))
const secretsSent = () => setting.requests.map(({ clientSecret }) => clientSecret)

const badSecret: Answer = { kind: 'client_refused', reason: 'invalid_client', detail: 'HTTP 401', secretRefused: true }
const badScope: Answer = { kind: 'client_refused', reason: 'invalid_scope', detail: 'HTTP 400', secretRefused: false }
const lost: Answer = { kind: 'ambiguous', reason: 'timeout', detail: 'no complete answer came' }
const refusedGrant: Verdict = { kind: 'grant_refused', reason: 'invalid_grant', detail: 'HTTP 400: expired' }

describe('a client that is refused', () => {
  test('is tried with its next secret, and that one comes first from then on', async () => {
    const credential = setting.credential()
    setting.answers.push(badSecret, granted(tokens(2)), granted(tokens(3)))
    await refresh(credential)
    await refresh(credential, { generation: 2 })
    expect(secretsSent()).toEqual(['cs-secret-1', 'cs-secret-2', 'cs-secret-2'])
    expect(await setting.it.store.clientRefused(clientName(credential))).toBeUndefined()
  })

  test('with all of its secrets is misconfigured, and marked so that the others do not send', async () => {
    const credential = setting.credential()
    setting.answers.push(badSecret, badSecret)
    const { failure, nonRetryable, message } = await failureOf(setting, refresh(credential), 'ClientRefused')
    expect(failure).toEqual({ reason: 'invalid_client', detail: 'HTTP 401' })
    expect(nonRetryable).toBe(true)
    expect(message).toContain('nobody has to reconnect')
    expect(secretsSent()).toEqual(['cs-secret-1', 'cs-secret-2'])
    const other = credential.replace('alice', 'bob')
    const waits = await failureOf(setting, refresh(other), 'ClientRefused')
    expect(waits.failure.reason).toBe('invalid_client')
    expect(setting.requests).toHaveLength(2)
  })

  test('is not tried with another secret where the secret was not what was refused', async () => {
    const credential = setting.credential()
    setting.answers.push(badScope)
    await failureOf(setting, refresh(credential), 'ClientRefused')
    expect(secretsSent()).toEqual(['cs-secret-1'])
  })

  test('is tried all the same when a person asks; success clears it, wakes the others, and nobody has to wait', async () => {
    const credential = setting.credential()
    const client = clientName(credential)
    await setting.it.store.markClientRefused(client, 'invalid_client', 60_000)
    setting.answers.push(granted(tokens(2)))
    await failureOf(setting, refresh(credential), 'ClientRefused')
    expect(await refresh(credential, { forced: true })).toMatchObject({ generation: 2 })
    await expect.poll(() => setting.woken).toEqual([client])
    expect(await setting.it.store.clientRefused(client)).toBeUndefined()
    setting.answers.push(granted(tokens(3)))
    expect(await refresh(credential, { generation: 2 })).toMatchObject({ generation: 3 })
    expect(setting.woken).toEqual([client])
  })

  test('is tried by one of its credentials when the interval is over', async () => {
    const credential = setting.credential()
    await setting.it.store.markClientRefused(clientName(credential), 'invalid_client', 60_000)
    await setting.it.store.clearClientRefused(clientName(credential), 'probe')
    setting.answers.push(badSecret, badSecret)
    const names = ['alice', 'bob', 'carol']
    const refreshes = names.map((name) => refresh(credential.replace('alice', name)).catch(() => {}))
    await Promise.all(refreshes)
    expect(secretsSent()).toEqual(['cs-secret-1', 'cs-secret-2'])
  })

  test('without any secret is said to have none, and a public one sends none', async () => {
    const none = setting.credential({ clientSecrets: [] })
    const { failure } = await failureOf(setting, refresh(none), 'ClientRefused')
    expect(failure.reason).toBe('no_client_secret')
    const open = setting.credential({ clientSecrets: [] }, { clientAuth: 'none' })
    setting.answers.push(granted(tokens(2)))
    await refresh(open)
    expect(secretsSent()).toEqual([undefined])
  })

  test('with its grant, where no grant of a user is in play, is what is wrong', async () => {
    const credential = setting.credential({ grant: 'client_credentials' })
    setting.answers.push(refusedGrant)
    await failureOf(setting, refresh(credential, { kind: 'client_credentials', generation: 0 }), 'ClientRefused')
  })
})

describe('what Temporal repeats', () => {
  test.each<[string, Answer, FailureType, number, number]>([
    [
      'throttled for 42 s',
      { kind: 'throttled', reason: 'rate_limited', detail: '', retryAfterMs: 42_000 },
      'Throttled',
      42_000,
      46_200,
    ],
    ['throttled', { kind: 'throttled', reason: 'http_503', detail: '' }, 'Throttled', 1_000, 2_000],
    ['not sent', { kind: 'unsent', reason: 'ECONNREFUSED', detail: '' }, 'Unsent', 1_000, 2_000],
    ['unclear', { kind: 'unclear', reason: 'http_404', detail: '' }, 'Unclear', 1_000, 2_000],
  ])('%s', async (_name, answer, type, leastMs, mostMs) => {
    const credential = setting.credential()
    setting.answers.push(answer)
    const { delayMs, nonRetryable, failure } = await failureOf(setting, refresh(credential), type)
    expect(nonRetryable).toBe(false)
    expect(delayMs).toBeGreaterThanOrEqual(leastMs)
    expect(delayMs).toBeLessThanOrEqual(mostMs)
    expect(failure.retryInMs).toBe(delayMs)
  })

  test('a failing attempt is told to the workflow when it matters, with when the next one is', async () => {
    const access = { value: 'x', expiresAtMs: Date.now() + 3600_000 }
    const toldAt: number[] = []
    for (let attempt = 1; attempt <= 12; attempt++) {
      // each at a provider of its own, for one that keeps failing is not asked any more
      const credential = setting.credential()
      await setting.it.store.write(setting.caller, storedSet(credential, { access }))
      setting.caller = { ...setting.caller, attempt }
      setting.answers.push({ kind: 'throttled', reason: 'http_503', detail: 'HTTP 503', retryAfterMs: 2_000 })
      setting.told.length = 0
      const { delayMs } = await failureOf(setting, refresh(credential), 'Throttled')
      if (setting.told.length === 0) continue
      toldAt.push(attempt)
      expect(setting.told).toEqual([
        { generation: 1, attempt, reason: 'http_503', detail: 'HTTP 503', nextAttemptInMs: delayMs },
      ])
    }
    expect(toldAt).toEqual([3, 6, 12])
  })

  test('a workflow that cannot be told changes nothing', async () => {
    const credential = setting.credential()
    setting.answers.push({ kind: 'throttled', reason: 'http_503', detail: '', retryAfterMs: 60_000 })
    const deaf = another(setting, {
      tellWorkflow: () => Promise.reject(new Error('rt-secret-1 in an error of a library')),
    })
    const { failure } = await failureOf(setting, deaf.refresh(refreshOf(credential)), 'Throttled')
    expect(failure.reason).toBe('http_503')
  })
})

describe('an answer that was lost', () => {
  test.each<[RotationClass, FailureType]>([
    ['none', 'Unclear'],
    ['rotates_old_valid', 'Unclear'],
    ['grace', 'Ambiguous'],
    ['until_new_used', 'Ambiguous'],
    ['single_use', 'Ambiguous'],
  ])('of a provider that rotates %s is %s', async (rotation, type) => {
    const credential = setting.credential({}, { rotation, ...(rotation === 'grace' ? { graceMs: 30_000 } : {}) })
    setting.answers.push(lost)
    const { nonRetryable, failure } = await failureOf(setting, refresh(credential), type)
    expect(nonRetryable).toBe(type === 'Ambiguous')
    expect(failure).toMatchObject({ reason: 'timeout' })
    if (type === 'Ambiguous') expect(failure.sinceFirstUseMs).toBeGreaterThanOrEqual(0)
  })

  test('spent nothing where there is no refresh token to spend, whatever the provider does with those', async () => {
    const credential = setting.credential({ grant: 'client_credentials' })
    setting.answers.push(lost)
    const { nonRetryable } = await failureOf(setting, refresh(credential, { kind: 'client_credentials' }), 'Unclear')
    expect(nonRetryable).toBe(false)
    const settle = { credential, kind: 'client_credentials', family: 'f1', generation: 1, send: 2 } as const
    expect(await setting.activities.settle(settle)).toMatchObject({ rotation: 'none' })
  })

  test('an error that nobody foresaw is an unknown end once something may have left, with nothing of it told', async () => {
    const credential = setting.credential()
    setting.answers.push(() => {
      throw new Error('rt-secret-1 was sent', { cause: { body: 'cs-secret-1' } })
    })
    const { failure } = await failureOf(setting, refresh(credential), 'Ambiguous')
    expect(failure).toMatchObject({ reason: 'internal_error', detail: 'Error' })
  })

  test('the exchange is bounded at a third of a grace window, and at its own bound otherwise', async () => {
    const bounds: number[] = []
    const { tokenEndpoint } = setting.deps
    const watched = another(setting, {
      tokenEndpoint: {
        ...tokenEndpoint,
        exchange: (request, attempt) => {
          bounds.push(attempt.timeoutMs)
          return tokenEndpoint.exchange(request, attempt)
        },
      },
    })
    for (const graceMs of [6_000, 60_000]) {
      setting.answers.push(granted(tokens(2)))
      await watched.refresh(refreshOf(setting.credential({}, { rotation: 'grace', graceMs })))
    }
    setting.answers.push(granted(tokens(2)))
    await watched.refresh(refreshOf(setting.credential()))
    expect(bounds).toEqual([2_000, 10_000, 10_000])
  })
})

describe('a grant that is refused', () => {
  test('needs the user, and is recognised by its fingerprint when it comes back', async () => {
    const credential = setting.credential()
    setting.answers.push(refusedGrant)
    const { failure, nonRetryable, message } = await failureOf(setting, refresh(credential), 'GrantRefused')
    expect(nonRetryable).toBe(true)
    expect(failure).toEqual({
      reason: 'invalid_grant',
      detail: 'HTTP 400: expired',
      refused: fingerprint(setting.keyring.grant[0], 'rt-secret-1'),
    })
    expect(message).toContain('the user has to reconnect')
  })

  test('because another attempt was faster is no refusal: what that one wrote is adopted', async () => {
    const credential = setting.credential()
    const faster = storedSet(credential, { generation: 2 })
    setting.answers.push(async () => {
      await setting.it.store.write(setting.caller, faster)
      return refusedGrant
    })
    expect(await refresh(credential)).toMatchObject({ generation: 2, grant: faster.grant })
  })

  test('because the credential was revoked meanwhile is a revoke', async () => {
    const credential = setting.credential()
    const status = { status: 'revoked', since: new Date().toISOString(), generation: 0 } as const
    setting.answers.push(async () => {
      await setting.it.store.fence({ credential, status })
      return refusedGrant
    })
    expect(await refresh(credential)).toMatchObject({ revoked: true })
  })

  test('after another run took over may be that run’s doing', async () => {
    const credential = setting.credential()
    setting.answers.push(async () => {
      const owner = { ...setting.caller, run: 'run-2' }
      await setting.it.store.begin(credential, { owner, family: 'f1', generation: 1, take: true })
      return refusedGrant
    })
    await failureOf(setting, refresh(credential), 'ForeignRun')
  })
})
