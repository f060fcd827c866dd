import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rotationClasses } from '../../src/credential.ts'
import type { CredentialState, Refreshed } from '../../src/workflows/messages.ts'
import * as transitions from '../../src/workflows/transitions.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const nowMs = Date.UTC(2026, 0, 1)

type Step = (state: CredentialState, at: transitions.Moment) => void

const anyRotation = fc.record(
  { rotation: fc.constantFrom(...rotationClasses), graceMs: fc.integer({ min: 1, max: hour }) },
  { requiredKeys: ['rotation'] },
)
const anyFailure = fc.record(
  {
    reason: fc.constantFrom('invalid_grant', 'timeout', 'http_503'),
    detail: fc.string(),
    sinceFirstUseMs: fc.integer({ min: 0, max: day }),
    retryInMs: fc.integer({ min: 1000, max: 6 * hour }),
  },
  { requiredKeys: ['reason', 'detail'] },
)
const anySet = fc.record(
  { lives: fc.integer({ min: 1, max: 10 * day }), ahead: fc.integer({ min: -3, max: 3 }), revoked: fc.constant(true) },
  { requiredKeys: ['ahead'] },
)
const toRefreshed = (
  state: CredentialState,
  at: transitions.Moment,
  set: { lives?: number; ahead: number; revoked?: true },
) =>
  ({
    family: 'f1',
    generation: Math.max(0, state.generation + set.ahead),
    obtainedAtMs: at.nowMs,
    dueInMs: (set.lives ?? 0) / 2,
    ...(set.lives === undefined ? {} : { accessLivesMs: set.lives }),
    ...(set.revoked === undefined ? {} : { revoked: set.revoked }),
  }) satisfies Refreshed

const steps: Record<string, fc.Arbitrary<Step>> = {
  adopt: anySet.map((set) => (state, at) => transitions.adopt(state, toRefreshed(state, at, set), at)),
  claimed: anySet.map((set) => (state, at) => transitions.claimed(state, toRefreshed(state, at, set), at)),
  repeated: fc.constant((state, at) => transitions.claimed(state, { repeated: true }, at)),
  refuseGrant: anyFailure.map((of) => (state, at) => transitions.refuseGrant(state, of, at)),
  refuseClient: anyFailure.map((of) => (state, at) => transitions.refuseClient(state, of, 5 * minute, at)),
  fail: anyFailure.map((of) => (state, at) => transitions.fail(state, of, at)),
  lost: anyFailure.map(
    (of) => (state, at) => transitions.endUnknown(state, { how: 'answer_lost', failure: of }, 15_000, at),
  ),
  timedOut: anyFailure.map(
    (of) => (state, at) => transitions.endUnknown(state, { how: 'timed_out', failure: of }, 15_000, at),
  ),
  settle: anyRotation.map((rule) => (state, at) => transitions.settle(state, rule, 15_000, at)),
  noteRetry: fc
    .integer({ min: 1000, max: 6 * hour })
    .map(
      (nextAttemptInMs) => (state, at) =>
        transitions.noteRetry(
          state,
          { generation: state.generation, attempt: 3, reason: 'r', detail: '', nextAttemptInMs },
          at,
        ),
    ),
  revoked: fc.nat(20).map((generation) => (state, at) => transitions.revoked(state, { family: 'f1', generation }, at)),
  resynced: fc.record({ lost: fc.boolean(), delayMs: fc.nat(hour) }).map(
    ({ lost, delayMs }) =>
      (state, at) =>
        transitions.resynced(state, { lost }, delayMs, at),
  ),
  reject: fc
    .integer({ min: -1, max: 1 })
    .map((ahead) => (state, at) => void transitions.reject(state, state.generation + ahead, at)),
  noteExpiry: fc.constant((state, at) => transitions.noteExpiry(state, at)),
}

const anyStep = fc.oneof(
  ...Object.entries(steps).map(([name, step]) =>
    fc.record({
      name: fc.constant(name),
      step,
      afterMs: fc.integer({ min: 0, max: day }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
  ),
)

/** Runs any steps in any order, and shows each change. */
function inAnyOrder(check: (name: string, before: CredentialState, after: CredentialState, atMs: number) => void) {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (events) => {
      const state = { ...transitions.newState(nowMs, 0), family: 'f1' }
      let atMs = nowMs
      for (const { name, step, afterMs, random } of events) {
        atMs += afterMs
        const before = structuredClone(state)
        step(state, { nowMs: atMs, random })
        check(name, before, state, atMs)
      }
    }),
    { numRuns: 300 },
  )
}

describe('whatever happens, in whatever order', () => {
  test('the next step is due at a finite time, a year away at most', () => {
    inAnyOrder((_name, _before, { dueAtMs }, atMs) => {
      expect(Number.isFinite(dueAtMs)).toBe(true)
      expect(dueAtMs - atMs).toBeLessThanOrEqual(365 * day)
    })
  })

  test('the generation never goes back', () => {
    inAnyOrder((_name, before, after) => expect(after.generation).toBeGreaterThanOrEqual(before.generation))
  })

  test('at_risk is ended by a definite answer or a new grant alone', () => {
    inAnyOrder((name, before, after) => {
      if (before.status === 'at_risk' && after.status !== 'at_risk')
        expect(['adopt', 'claimed', 'refuseGrant', 'refuseClient', 'revoked']).toContain(name)
    })
  })

  test('reconnect_required is ended by an answer or a new grant, or by the risk of its rare question', () => {
    inAnyOrder((name, before, after) => {
      if (before.status === 'reconnect_required' && after.status !== 'reconnect_required')
        expect(['adopt', 'claimed', 'refuseClient', 'settle', 'revoked']).toContain(name)
    })
  })

  test('retrying is said only while an access token is valid, active only when one was obtained', () => {
    inAnyOrder((name, before, after, atMs) => {
      if (after.status === 'retrying' && before.status !== 'retrying')
        expect(after.accessExpiresAtMs ?? 0).toBeGreaterThan(atMs)
      if (after.status === 'active' && before.status !== 'active') expect(['adopt', 'claimed']).toContain(name)
    })
  })

  test('a status that changed waits to be announced, unless a token set told readers', () => {
    inAnyOrder((_name, before, after) => {
      if (after.status !== before.status && after.status !== 'active' && after.status !== 'revoked')
        expect(after.unannounced).toBe(true)
    })
  })
})
