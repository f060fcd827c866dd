import { describe, expect, test } from 'vitest'
import type { Status } from '../../src/credential.ts'
import type { CredentialState, Refreshed, Settled } from '../../src/workflows/messages.ts'
import * as transitions from '../../src/workflows/transitions.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const nowMs = Date.UTC(2026, 0, 1)
const moment = { nowMs, random: 0.5 }

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

const lost = { how: 'answer_lost', failure: { reason: 'timeout', detail: '', sinceFirstUseMs: 2 * second } } as const
const timedOut = { how: 'timed_out', failure: { reason: 'timed_out', detail: '' } } as const

describe('an attempt whose end is unknown', () => {
  test('that timed out is barred at once, waited out, and only then decided; it may have sent a whole attempt ago', () => {
    const state = stateOf()
    transitions.endUnknown(state, timedOut, 15_000, moment)
    expect(state).toMatchObject({ status: 'active', dueAtMs: nowMs })
    expect(state.risk).toEqual({ how: 'timed_out', reason: 'timed_out', firstUseAtMs: nowMs - 15_000, replays: 0 })
    transitions.settle(state, { rotation: 'until_new_used', send: 8 }, 20_000, moment)
    expect(state).toMatchObject({ status: 'active', dueAtMs: nowMs + 20_000, sends: 7, risk: { barred: true } })
    expect(state.risk?.replayAtMs).toBeUndefined()
    const later = { nowMs: nowMs + 20_000, random: 0.5 }
    transitions.settle(state, { rotation: 'until_new_used', send: 9 }, 20_000, later)
    expect(state).toMatchObject({ dueAtMs: later.nowMs, sends: 8, risk: { replayAtMs: later.nowMs } })
  })

  test('that saw its answer break off waits all the same where another run stands in the store', () => {
    const state = stateOf()
    transitions.endUnknown(state, lost, 15_000, moment)
    transitions.settle(state, { rotation: 'none', foreign: true }, 20_000, moment)
    expect(state).toMatchObject({ status: 'active', dueAtMs: nowMs + 20_000, risk: { how: 'timed_out', barred: true } })
  })

  test('that saw its answer break off needs no wait', () => {
    const state = stateOf()
    transitions.endUnknown(state, lost, 15_000, moment)
    expect(state.dueAtMs).toBe(nowMs)
    expect(state.risk).toEqual({ how: 'answer_lost', reason: 'timeout', firstUseAtMs: nowMs - 2 * second, replays: 0 })
  })

  test('a second one keeps the first use, counts the replay, and has to be settled anew', () => {
    const state = stateOf({ risk: { ...riskOf(), firstUseAtMs: 5, replayAtMs: 6 } })
    transitions.endUnknown(state, lost, 15_000, moment)
    expect(state.risk).toEqual({ how: 'answer_lost', reason: 'timeout', firstUseAtMs: 5, replays: 1 })
  })

  test('what the store holds is adopted, and the risk is over', () => {
    const state = stateOf({ status: 'at_risk', risk: riskOf() })
    transitions.settle(state, { rotation: 'single_use', found: obtained() }, 15_000, moment)
    expect(state).toMatchObject({ status: 'active', generation: 8 })
    expect(state.risk).toBeUndefined()
  })

  test.each<[string, Settled, Status, number]>([
    ['none', { rotation: 'none' }, 'active', 0],
    ['rotates_old_valid', { rotation: 'rotates_old_valid' }, 'active', 0],
    ['until_new_used', { rotation: 'until_new_used' }, 'active', 0],
    ['inside grace', { rotation: 'grace', graceMs: 60_000 }, 'active', 0],
    ['outside grace', { rotation: 'grace', graceMs: 2_000 }, 'at_risk', 10 * minute - 10 * second],
    ['single_use', { rotation: 'single_use' }, 'at_risk', 10 * minute - 10 * second],
  ])('settled, %s', (_name, settled, status, inMs) => {
    const state = stateOf()
    transitions.endUnknown(state, lost, 15_000, moment)
    transitions.settle(state, settled, 15_000, moment)
    expect(state).toMatchObject({ status, dueAtMs: nowMs + inMs, risk: { replayAtMs: nowMs + inMs } })
  })

  test('a repeated replay of a token that may be repeated backs off, and says that it fails', () => {
    const state = stateOf({ accessExpiresAtMs: nowMs + 10 * hour })
    const waits = Array.from({ length: 5 }, () => {
      transitions.endUnknown(state, lost, 15_000, moment)
      transitions.settle(state, { rotation: 'until_new_used' }, 15_000, moment)
      return state.dueAtMs - nowMs
    })
    expect(waits).toEqual([0, 1, 2, 4, 8].map((seconds) => seconds * second))
    expect(state).toMatchObject({ status: 'retrying', reason: 'timeout' })
  })

  test('no replay is put off across the end of a valid access token less 10 s', () => {
    const state = stateOf({ risk: { ...riskOf(), replays: 30 }, accessExpiresAtMs: nowMs + minute })
    transitions.settle(state, { rotation: 'until_new_used' }, 15_000, { nowMs, random: 0.99 })
    expect(state.dueAtMs).toBe(nowMs + 50 * second)
  })

  test('a grace window has to be open still when the pause before a replay is over', () => {
    const risk = { ...riskOf(), firstUseAtMs: nowMs - 20 * second, replays: 4 }
    const settled: Settled = { rotation: 'grace', graceMs: 30 * second }
    const short = stateOf({ risk: { ...risk } })
    transitions.settle(short, settled, 15_000, { nowMs, random: 0.3 })
    expect(short).toMatchObject({ status: 'retrying', dueAtMs: nowMs + 4.8 * second })
    const long = stateOf({ risk: { ...risk } })
    transitions.settle(long, settled, 15_000, { nowMs, random: 0.9 })
    expect(long).toMatchObject({ status: 'at_risk', dueAtMs: nowMs + 10 * minute - 10 * second })
  })

  test('a replay that ends in the dark decides nothing: still at risk, and asked again within a minute', () => {
    const state = stateOf({ accessExpiresAtMs: nowMs })
    for (let replay = 0; replay < 20; replay++) {
      transitions.endUnknown(state, lost, 15_000, moment)
      transitions.settle(state, { rotation: 'single_use' }, 15_000, moment)
      expect(state.status).toBe('at_risk')
      expect(state.dueAtMs - nowMs).toBeLessThanOrEqual(minute)
    }
  })
})

function riskOf() {
  return { how: 'answer_lost' as const, reason: 'timeout', firstUseAtMs: nowMs - 2 * second, replays: 0 }
}
