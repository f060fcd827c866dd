import { describe, expect, test } from 'vitest'
import { type Status, statuses } from '../../src/credential.ts'
import type { AttemptFailure, Claim, CredentialState, Refreshed } from '../../src/workflows/messages.ts'
import * as transitions from '../../src/workflows/transitions.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const nowMs = Date.UTC(2026, 0, 1)
const moment = { nowMs, random: 0.5 }
const failure: AttemptFailure = { reason: 'invalid_grant', detail: 'HTTP 400' }

const stateOf = (changes: Partial<CredentialState> = {}): CredentialState => ({
  status: 'active',
  sinceMs: nowMs - day,
  generation: 7,
  family: 'f1',
  grant: 'sealed-7',
  accessExpiresAtMs: nowMs + 10 * minute,
  dueAtMs: nowMs,
  seeds: ['s1'],
  ...changes,
})

const obtained = (changes: Partial<Refreshed> = {}): Refreshed => ({
  family: 'f1',
  generation: 8,
  obtainedAtMs: nowMs,
  accessLivesMs: hour,
  dueInMs: 45 * minute,
  grant: 'sealed-8',
  ...changes,
})

describe('a new generation', () => {
  test('makes the credential active, with the times that were told', () => {
    const state = stateOf({ status: 'at_risk', reason: 'timeout', risk: riskOf(), refused: 'r', asked: 2 })
    transitions.adopt(state, obtained({ refreshLivesMs: day, seeds: ['s1', 's2'] }), moment)
    expect(state).toEqual({
      status: 'active',
      sinceMs: nowMs,
      generation: 8,
      family: 'f1',
      grant: 'sealed-8',
      accessExpiresAtMs: nowMs + hour,
      refreshExpiresAtMs: nowMs + day,
      dueAtMs: nowMs + 45 * minute,
      seeds: ['s1', 's2'],
    })
  })

  test('needs not be announced, for the write that brought it told readers', () => {
    const state = stateOf({ status: 'retrying', unannounced: true })
    transitions.adopt(state, obtained(), moment)
    expect(state.unannounced).toBeUndefined()
  })

  test('keeps the grant when the provider did not rotate', () => {
    const state = stateOf()
    const { grant: _, ...kept } = obtained()
    transitions.adopt(state, kept, moment)
    expect(state).toMatchObject({ generation: 8, grant: 'sealed-7' })
  })

  test('that lay waiting for a worker is as old as it says', () => {
    const state = stateOf()
    transitions.adopt(state, obtained({ obtainedAtMs: nowMs - 30 * minute }), moment)
    expect(state).toMatchObject({ accessExpiresAtMs: nowMs + 30 * minute, dueAtMs: nowMs + 15 * minute })
  })

  test('of a worker whose clock is ahead does not live longer for it', () => {
    const state = stateOf()
    transitions.adopt(state, obtained({ obtainedAtMs: nowMs + hour }), moment)
    expect(state).toMatchObject({ accessExpiresAtMs: nowMs + hour, dueAtMs: nowMs + 45 * minute })
  })

  test('without an access token is followed by a refresh at once, and by ever later ones when that repeats', () => {
    const state = stateOf()
    const empty = (generation: number) => {
      const { accessLivesMs: _, ...rest } = obtained({ generation, dueInMs: 0 })
      transitions.adopt(state, rest, moment)
      return state.dueAtMs - nowMs
    }
    delete state.accessExpiresAtMs
    expect(empty(8)).toBe(0)
    expect(state).toMatchObject({ status: 'pending', unannounced: true })
    expect([9, 10, 11, 12, 13, 14].map(empty)).toEqual([2, 4, 8, 16, 30, 30].map((seconds) => seconds * second))
    expect(state).toMatchObject({ status: 'pending', reason: 'no_access_token', generation: 14 })
    transitions.adopt(state, obtained({ generation: 15 }), moment)
    expect(state.asked).toBeUndefined()
    expect(empty(16)).toBe(0)
  })

  test('without an access token leaves readers the one that they have', () => {
    const state = stateOf()
    const { accessExpiresAtMs, family } = state
    const { accessLivesMs: _, ...rest } = obtained({ generation: 8, dueInMs: 0, family })
    transitions.adopt(state, rest, moment)
    expect(state).toMatchObject({ status: 'active', accessExpiresAtMs, unannounced: true })
    transitions.adopt(state, { ...rest, generation: 9 }, moment)
    expect(state).toMatchObject({ status: 'retrying', reason: 'no_access_token', accessExpiresAtMs })
    transitions.adopt(state, { ...rest, generation: 10, family: 'another' }, moment)
    expect(state).toMatchObject({ status: 'pending', generation: 10 })
    expect(state.accessExpiresAtMs).toBeUndefined()
  })

  test('is kept until the store has taken it', () => {
    const state = stateOf()
    transitions.adopt(state, obtained({ unstored: 'sealed-set' }), moment)
    expect(state.unstored).toBe('sealed-set')
  })

  test('found below the own one does not take the number back', () => {
    const state = stateOf({ generation: 7 })
    transitions.adopt(state, obtained({ generation: 5 }), moment)
    expect(state.generation).toBe(7)
  })
})

describe('a claim', () => {
  test('begins a new family and forgets the old one', () => {
    const state = stateOf({
      status: 'reconnect_required',
      reason: 'invalid_grant',
      refused: 'r',
      asked: 3,
      refreshExpiresAtMs: 1,
    })
    transitions.claimed(
      state,
      obtained({ family: 'f2', generation: 9, grant: 'sealed-9', seeds: ['s1', 's2'] }),
      moment,
    )
    expect(state).toMatchObject({
      status: 'active',
      family: 'f2',
      generation: 9,
      grant: 'sealed-9',
      seeds: ['s1', 's2'],
    })
    for (const gone of ['reason', 'refused', 'asked', 'refreshExpiresAtMs']) expect(state).not.toHaveProperty(gone)
  })

  test('of a grant without refresh token leaves none of the old family', () => {
    const state = stateOf()
    const { grant: _, ...claim } = obtained({ family: 'f2', generation: 9 })
    transitions.claimed(state, claim, moment)
    expect(state.grant).toBeUndefined()
  })

  test.each<[string, Claim]>([
    ['repeated', { repeated: true }],
    ['unusable', { unusable: 'it was sealed for another credential' }],
  ])('that is %s changes nothing in a credential that has a grant', (_name, claim) => {
    const state = stateOf()
    transitions.claimed(state, claim, moment)
    expect(state).toEqual(stateOf())
  })

  test.each<[string, Claim, number]>([
    ['repeated', { repeated: true }, 0],
    ['repeated', { repeated: true }, 12],
    ['unusable', { unusable: 'it was sealed for another credential' }, 0],
    ['unusable', { unusable: 'it was sealed for another credential' }, 12],
  ])(
    'that is %s leaves a credential without any grant in need of one, also above generation %s %i',
    (_name, claim, above) => {
      const state = transitions.newState(nowMs, above)
      transitions.claimed(state, claim, moment)
      expect(state).toMatchObject({
        status: 'reconnect_required',
        reason: 'unusable_grant',
        unannounced: true,
        generation: above,
      })
      expect(state.detail).not.toBe('')
    },
  )
})

describe('a refused grant', () => {
  test('is asked again after 1 h, 6 h, and daily, and then hardly ever', () => {
    const state = stateOf()
    const waits = Array.from({ length: 11 }, () => {
      transitions.refuseGrant(state, failure, moment)
      return state.dueAtMs - nowMs
    })
    expect(waits.slice(0, 9)).toEqual([hour, 6 * hour, ...Array(7).fill(day)])
    expect(waits[9]).toBe(365 * day)
    expect(waits[10]).toBe(365 * day)
    expect(state.sinceMs).toBe(nowMs)
  })

  test('ends a risk, and remembers which token it was', () => {
    const state = stateOf({ status: 'at_risk', risk: riskOf() })
    transitions.refuseGrant(state, { ...failure, refused: 'print' }, moment)
    expect(state).toMatchObject({
      status: 'reconnect_required',
      reason: 'invalid_grant',
      detail: 'HTTP 400',
      refused: 'print',
    })
    expect(state.risk).toBeUndefined()
  })
})

test('a refused client is tried again when it is told, and its users need not reconnect', () => {
  const state = stateOf()
  transitions.refuseClient(state, { reason: 'invalid_client', detail: 'HTTP 401' }, 5 * minute, moment)
  expect(state).toMatchObject({
    status: 'misconfigured',
    reason: 'invalid_client',
    dueAtMs: nowMs + 5 * minute,
    grant: 'sealed-7',
  })
})

describe('a failing refresh', () => {
  const notice = { generation: 7, attempt: 3, reason: 'http_503', detail: 'HTTP 503', nextAttemptInMs: 8_000 }

  test.each<[Status, Status, Status]>([
    ['active', 'retrying', 'expired'],
    ['retrying', 'retrying', 'expired'],
    ['expired', 'retrying', 'expired'],
    ['misconfigured', 'retrying', 'expired'],
    ['pending', 'retrying', 'expired'],
    ['at_risk', 'at_risk', 'at_risk'],
    ['reconnect_required', 'reconnect_required', 'reconnect_required'],
    ['revoked', 'revoked', 'revoked'],
  ])('%s becomes %s while the access token is valid, %s afterwards', (from, valid, ended) => {
    const living = stateOf({ status: from })
    transitions.noteRetry(living, notice, moment)
    expect(living).toMatchObject({ status: valid, dueAtMs: nowMs + 8_000 })
    const dead = stateOf({ status: from, accessExpiresAtMs: nowMs })
    transitions.noteRetry(dead, notice, moment)
    expect(dead.status).toBe(ended)
  })

  test('one that never had a token stays pending, with the reason', () => {
    const state = transitions.newState(nowMs, 0)
    transitions.noteRetry(state, notice, moment)
    expect(state).toMatchObject({ status: 'pending', reason: 'http_503', unannounced: true })
  })

  test('retrying turns into expired when the access token ends, not before, and keeps its reason', () => {
    const state = stateOf()
    transitions.noteRetry(state, notice, moment)
    transitions.noteExpiry(state, { ...moment, nowMs: nowMs + 10 * minute - 1 })
    expect(state.status).toBe('retrying')
    transitions.noteExpiry(state, { ...moment, nowMs: nowMs + 10 * minute })
    expect(state).toMatchObject({ status: 'expired', reason: 'http_503', sinceMs: nowMs + 10 * minute })
  })

  test.each(statuses.filter((status) => status !== 'retrying'))(
    'the end of the access token changes nothing in %s',
    (status) => {
      const state = stateOf({ status, accessExpiresAtMs: nowMs - 1 })
      transitions.noteExpiry(state, moment)
      expect(state).toEqual(stateOf({ status, accessExpiresAtMs: nowMs - 1 }))
    },
  )

  test('that came back because it was cancelled goes on when its attempt said it would', () => {
    const state = stateOf()
    transitions.fail(state, { reason: 'http_503', detail: '', retryInMs: 17_000 }, moment)
    expect(state).toMatchObject({ status: 'retrying', dueAtMs: nowMs + 17_000 })
    transitions.fail(state, { reason: 'http_503', detail: '' }, moment)
    expect(state.dueAtMs).toBe(nowMs + 4_000)
  })
})

describe('a status', () => {
  test('that does not change is not announced again, and keeps its time', () => {
    const state = stateOf({ status: 'retrying', reason: 'http_503' })
    transitions.setStatus(state, nowMs, 'retrying', 'http_503')
    expect(state).toEqual(stateOf({ status: 'retrying', reason: 'http_503' }))
  })

  test('with another reason is announced, since the same time', () => {
    const state = stateOf({ status: 'retrying', reason: 'http_503', detail: 'HTTP 503' })
    transitions.setStatus(state, nowMs, 'retrying', 'timeout')
    expect(state).toMatchObject({ reason: 'timeout', sinceMs: nowMs - day, unannounced: true })
    expect(state).not.toHaveProperty('detail')
  })
})

function riskOf() {
  return { how: 'answer_lost' as const, reason: 'timeout', firstUseAtMs: nowMs - 2 * second, replays: 0 }
}
