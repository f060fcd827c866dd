import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common'
import { describe, expect, test } from 'vitest'
import { readEnding } from '../../src/workflows/ending.ts'
import type { AttemptFailure, FailureType } from '../../src/workflows/messages.ts'
import * as transitions from '../../src/workflows/transitions.ts'

const failure: AttemptFailure = { reason: 'because', detail: 'HTTP 500' }

const ofActivity = (cause: Error, retryState: RetryState = RetryState.NON_RETRYABLE_FAILURE) =>
  new ActivityFailure('Activity task failed', 'refresh', '1', retryState, 'worker', cause)

const failed = (type: string, details: unknown[] = [failure]) =>
  ofActivity(ApplicationFailure.create({ type, message: 'orchard: because. Do this.', details }))

describe('the end of a refresh activity', () => {
  test.each<[FailureType, object]>([
    ['GrantRefused', { kind: 'grant_refused', failure }],
    ['ClientRefused', { kind: 'client_refused', failure }],
    ['Unsent', { kind: 'failed', failure }],
    ['Throttled', { kind: 'failed', failure }],
    ['Unclear', { kind: 'failed', failure }],
    ['Ambiguous', { kind: 'unknown', how: 'answer_lost', failure }],
  ])('%s', (type, ending) => {
    expect(readEnding(failed(type))).toEqual(ending)
  })

  test('a failure that comes back because the activity was being cancelled is read for what it is', () => {
    const error = ofActivity(
      ApplicationFailure.create({ type: 'Throttled', details: [failure] }),
      RetryState.CANCEL_REQUESTED,
    )
    expect(readEnding(error)).toEqual({ kind: 'failed', failure })
  })

  test('a cancellation between two attempts says that nothing was running', () => {
    expect(readEnding(ofActivity(new CancelledFailure('cancelled')))).toEqual({ kind: 'cancelled' })
    expect(readEnding(new CancelledFailure('cancelled before it was scheduled'))).toEqual({ kind: 'cancelled' })
  })

  test.each(['START_TO_CLOSE', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT'] as const)(
    'a timeout (%s) is an unknown end',
    (type) => {
      expect(readEnding(ofActivity(new TimeoutFailure('timed out', undefined, type)))).toMatchObject({
        kind: 'unknown',
        how: 'timed_out',
        failure: { reason: 'timed_out' },
      })
    },
  )

  test.each([
    ['a failure of a type that nobody knows', failed('SomethingElse')],
    ['a terminated activity', ofActivity(new TerminatedFailure('terminated'))],
    ['an activity failure without a cause', new ActivityFailure('x', 'refresh', '1', RetryState.TIMEOUT, 'w')],
    ['what is no failure at all', new TypeError('undefined is not a function')],
    ['nothing', undefined],
  ])('%s is an unknown end that is waited out', (_name, error) => {
    const ending = readEnding(error)
    expect(ending).toMatchObject({ kind: 'unknown', how: 'timed_out', failure: { reason: 'unexpected_failure' } })
  })

  test('what an unexpected failure says is cut', () => {
    const ending = readEnding(new Error('x'.repeat(5_000)))
    expect(JSON.stringify(ending).length).toBeLessThan(400)
  })

  test('a failure without details still has a reason', () => {
    expect(readEnding(failed('GrantRefused', []))).toEqual({
      kind: 'grant_refused',
      failure: { reason: 'GrantRefused', detail: 'orchard: because. Do this.' },
    })
  })

  test('where another run may have sent, no grace window counts as open, however wide', () => {
    const ending = readEnding(failed('ForeignRun'))
    if (ending.kind !== 'unknown') throw new Error(`read as ${ending.kind}`)
    const state = { ...transitions.newState(0, 3), status: 'active' as const, family: 'f', accessExpiresAtMs: 3600_000 }
    transitions.endUnknown(state, ending, 15_000, { nowMs: 0, random: 0 })
    expect(state).toMatchObject({ dueAtMs: 0, risk: { how: 'timed_out' } })
    const rule = { rotation: 'grace' as const, graceMs: 24 * 3600_000 }
    transitions.settle(state, rule, 15_000, { nowMs: 0, random: 0 })
    expect(state).toMatchObject({ status: 'active', dueAtMs: 15_000 })
    transitions.settle(state, rule, 15_000, { nowMs: 15_000, random: 0 })
    expect(state.status).toBe('at_risk')
    expect(state.dueAtMs).toBe(3600_000 - 10_000)
  })
})
