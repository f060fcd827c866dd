import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CredentialState, Refreshed } from '../../src/workflows/messages.ts'
import { dueAfterMs, dueWithinMs } from '../../src/workflows/schedule.ts'
import { currentDetails, waitingFor } from '../../src/workflows/summary.ts'
import * as transitions from '../../src/workflows/transitions.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const nowMs = Date.UTC(2026, 0, 1)
const warnBeforeMs = [14 * day, 3 * day]

const stateOf = (changes: Partial<CredentialState> = {}): CredentialState => ({
  status: 'active',
  sinceMs: nowMs,
  generation: 7,
  family: 'f1',
  dueAtMs: nowMs + hour,
  seeds: [],
  refreshEndsAtMs: nowMs + 30 * day,
  warnBeforeMs,
  ...changes,
})

const answer = (changes: Partial<Refreshed> = {}): Refreshed => ({
  family: 'f1',
  generation: 8,
  obtainedAtMs: nowMs,
  accessLivesMs: hour,
  dueInMs: 45 * minute,
  ...changes,
})

describe('that a grant comes to its end', () => {
  test.each<[string, Partial<CredentialState>, number | undefined]>([
    ['is told first at the longest time before', {}, 16 * day],
    ['is told next at the shorter one', { warnedMs: 14 * day }, 27 * day],
    ['is told no more after the last', { warnedMs: 3 * day }, undefined],
    ['is not told where a refresh moves the end', { refreshEndsAtMs: undefined as never }, undefined],
    ['is not told of a credential that needs the user already', { status: 'reconnect_required' }, undefined],
    ['is not told of a revoked credential', { status: 'revoked' }, undefined],
  ])('%s', (_name, changes, inMs) => {
    expect(transitions.warningAtMs(stateOf(changes))).toBe(inMs === undefined ? undefined : nowMs + inMs)
  })

  test('is told once where several times have passed at once, of the nearest', () => {
    const state = stateOf({ refreshEndsAtMs: nowMs + day })
    expect(transitions.warningDue(state, nowMs)).toBe(3 * day)
    state.warnedMs = 3 * day
    expect(transitions.warningDue(state, nowMs)).toBeUndefined()
  })

  test('is told exactly once for each time before, however often it is looked', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: second, max: 60 * day }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 20 * day }), { maxLength: 60 }),
        (before, steps) => {
          const endsInMs = Math.max(...before) + day
          const state = stateOf({ refreshEndsAtMs: nowMs + endsInMs, warnBeforeMs: before })
          const told: number[] = []
          let atMs = nowMs
          for (const step of [...steps, 100 * day]) {
            atMs += step
            const due = transitions.warningDue(state, atMs)
            if (due === undefined) continue
            state.warnedMs = due
            told.push(due)
          }
          expect(told).toEqual([...new Set(told)].sort((a, b) => b - a))
          expect(told.at(-1)).toBe(Math.min(...before))
        },
      ),
    )
  })

  test('is told anew of an end that has moved away, and of a new family', () => {
    const state = stateOf({ warnedMs: 3 * day, refreshEndsAtMs: nowMs + day })
    transitions.adopt(state, answer({ refreshLivesMs: 90 * day, refreshEndsInMs: 90 * day, warnBeforeMs }), {
      nowMs,
      random: 0,
    })
    expect(transitions.warningAtMs(state)).toBe(nowMs + 76 * day)
    const claimed = stateOf({ warnedMs: 14 * day })
    const ends = { refreshLivesMs: 10 * day, refreshEndsInMs: 10 * day, warnBeforeMs }
    transitions.claimed(claimed, answer({ family: 'f2', ...ends }), { nowMs, random: 0 })
    expect(transitions.warningDue(claimed, nowMs)).toBe(14 * day)
  })

  test('is not told twice because an answer counts in whole seconds', () => {
    const state = stateOf({ warnedMs: 14 * day, refreshEndsAtMs: nowMs + 14 * day })
    const ends = { refreshLivesMs: 14 * day + second, refreshEndsInMs: 14 * day + second, warnBeforeMs }
    transitions.adopt(state, answer(ends), { nowMs, random: 0 })
    expect(transitions.warningDue(state, nowMs + 2 * second)).toBeUndefined()
  })

  test('stands on the page and at the timer, with the command that helps', () => {
    const state = stateOf({ warnedMs: 14 * day })
    expect(currentDetails('acme/app/alice', 'google', state)).toMatch(
      /\*\*active\*\*.*The grant ends at 2026-01-31T00:00:00Z.*`perennial reconnect acme\/app\/alice --from FILE`/s,
    )
    expect(waitingFor('acme/app/alice', 'google', state)).toBe(
      'refresh generation 8 at 2026-01-01T01:00:00Z; the grant ends at 2026-01-31T00:00:00Z: perennial reconnect acme/app/alice',
    )
    expect(currentDetails('acme/app/alice', 'google', stateOf())).toBe('')
  })

  test('is forgotten with a revoke', () => {
    const state = stateOf({ warnedMs: 14 * day })
    transitions.revoked(state, undefined, { nowMs, random: 0 })
    for (const gone of ['refreshEndsAtMs', 'warnBeforeMs', 'warnedMs']) expect(state).not.toHaveProperty(gone)
  })
})

describe('a refresh token that dies unused', () => {
  test.each([
    [40 * second, 20 * second],
    [hour, 15 * minute],
    [14 * day, 3.5 * day],
    [60 * day, 7 * day],
  ])('after %d ms is used %d ms before', (livesMs, leadMs) => {
    const dueMs = dueWithinMs(365 * day, 'refresh_token', 'id', { livesMs })
    expect(dueMs).toBeLessThanOrEqual(livesMs - leadMs)
    expect(dueMs).toBeGreaterThanOrEqual(livesMs - leadMs - livesMs / 10)
  })

  test('is never used later than its access token asks for, and always before it dies', () => {
    const life = fc.integer({ min: 1, max: 3650 * day })
    fc.assert(
      fc.property(life, life, fc.string(), (lifetimeMs, livesMs, id) => {
        const dueMs = dueWithinMs(lifetimeMs, 'refresh_token', id, { livesMs })
        expect(dueMs).toBeLessThanOrEqual(dueAfterMs(lifetimeMs, 'refresh_token', id))
        expect(dueMs).toBeLessThan(livesMs)
        expect(dueMs).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('is not hurried by an end that no refresh moves; the provider is asked right after that', () => {
    const ends = { livesMs: hour, endsInMs: hour }
    expect(dueWithinMs(30 * minute, 'refresh_token', 'id', ends)).toBe(dueAfterMs(30 * minute, 'refresh_token', 'id'))
    const dueMs = dueWithinMs(30 * day, 'refresh_token', 'id', ends)
    expect(dueMs).toBeGreaterThan(hour)
    expect(dueMs).toBeLessThan(hour + 62 * second)
  })

  test('is sent again before it dies, where what became of it is not known', () => {
    const risk = { how: 'answer_lost' as const, reason: 'timeout', firstUseAtMs: nowMs, replays: 0, barred: true }
    const state = stateOf({ accessExpiresAtMs: nowMs + 30 * day, refreshExpiresAtMs: nowMs + hour, risk })
    transitions.settle(state, { rotation: 'single_use' }, 15 * second, { nowMs, random: 0 })
    expect(state.dueAtMs).toBe(nowMs + hour - 10 * second)
  })
})
