import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CredentialState } from '../../src/workflows/messages.ts'
import { reject, settle } from '../../src/workflows/transitions.ts'

const nowMs = Date.UTC(2026, 0, 1)
const minute = 60_000
const at = (afterMs = 0) => ({ nowMs: nowMs + afterMs, random: 0 })

const active = (more: Partial<CredentialState> = {}): CredentialState => ({
  status: 'active',
  sinceMs: nowMs,
  generation: 7,
  family: 'f',
  seeds: [],
  accessExpiresAtMs: nowMs + 60 * minute,
  dueAtMs: nowMs + 45 * minute,
  ...more,
})

describe('the access token in use was refused to a service', () => {
  test('it counts as ended, and the refresh is due at once', () => {
    const state = active()
    expect(reject(state, 7, at())).toBe(true)
    expect(state).toMatchObject({ status: 'active', accessExpiresAtMs: nowMs, dueAtMs: nowMs })
  })

  test.each([6, 8, 0, -1])('not when it is of generation %i, and 7 is in use', (generation) => {
    const state = active()
    expect(reject(state, generation, at())).toBe(false)
    expect(state).toEqual(active())
  })

  test('once: what is said again of the same generation changes nothing', () => {
    const state = active()
    reject(state, 7, at())
    const once = structuredClone({ ...state, dueAtMs: nowMs + 5 * minute })
    const again = structuredClone(once)
    expect(reject(again, 7, at(minute))).toBe(false)
    expect(again).toEqual(once)
  })

  test.each(['reconnect_required', 'misconfigured', 'revoked'] as const)(
    'not where the provider has refused more than the token: %s',
    (status) => {
      const state = active({ status })
      expect(reject(state, 7, at())).toBe(false)
      expect(state).toEqual(active({ status }))
    },
  )

  test('a replay that would have spared it goes out now', () => {
    const risk = { reason: 'timeout', how: 'answer_lost' as const, firstUseAtMs: nowMs - minute, replays: 0 }
    const state = active({ status: 'at_risk', risk: { ...risk, replayAtMs: nowMs + 59 * minute } })
    expect(reject(state, 7, at())).toBe(true)
    expect(state).toMatchObject({ status: 'at_risk', dueAtMs: nowMs, risk: { replayAtMs: nowMs } })
  })

  test('what may have been sent is waited out, and the replay comes right after that', () => {
    const risk = { reason: 'timed_out', how: 'timed_out' as const, firstUseAtMs: nowMs - minute, replays: 0 }
    const state = active({ risk: { ...risk, barred: true }, dueAtMs: nowMs + 15_000 })
    expect(reject(state, 7, at())).toBe(false)
    expect(state.dueAtMs).toBe(nowMs + 15_000)
    settle(state, { rotation: 'single_use' }, 15_000, at(15_000))
    expect(state).toMatchObject({ status: 'at_risk', dueAtMs: nowMs + 15_000 })
  })
})

describe('a service that is refused with every token', () => {
  /** It is refused with each generation as soon as that is there. */
  function refusedFor(ms: number): number[] {
    const refreshedAtMs: number[] = []
    const state = active({ accessExpiresAtMs: nowMs + 365 * 24 * 60 * minute, dueAtMs: nowMs + 300 * 24 * 60 * minute })
    for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
      reject(state, state.generation, at(passedMs))
      if (state.dueAtMs > nowMs + passedMs) continue
      refreshedAtMs.push(passedMs)
      state.generation += 1
      state.accessExpiresAtMs = nowMs + 365 * 24 * 60 * minute
      state.dueAtMs = nowMs + 300 * 24 * 60 * minute
    }
    return refreshedAtMs
  }

  test('has three refreshes at once, and then one in five minutes', () => {
    const minutes = refusedFor(30 * minute).map((ms) => Math.round(ms / minute))
    expect(minutes).toEqual([0, 0, 0, 5, 10, 15, 20, 25])
  })

  test('does not end a token for the others while its refresh waits', () => {
    const state = active()
    for (const generation of [7, 8, 9]) {
      state.generation = generation
      reject(state, generation, at())
    }
    Object.assign(state, { generation: 10, accessExpiresAtMs: nowMs + 60 * minute, dueAtMs: nowMs + 45 * minute })
    expect(reject(state, 10, at())).toBe(false)
    expect(state).toMatchObject({ accessExpiresAtMs: nowMs + 60 * minute, dueAtMs: nowMs + 5 * minute })
  })

  test('never has more than three and one in five minutes more, whenever it shouts', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 * minute }), { maxLength: 60 }), (pauses) => {
        const state = active({ accessExpiresAtMs: nowMs + 365 * 24 * 60 * minute })
        const refreshes: number[] = []
        let passedMs = 0
        for (const pauseMs of pauses) {
          passedMs += pauseMs
          if (!reject(state, state.generation, at(passedMs))) continue
          refreshes.push(passedMs)
          state.generation += 1
        }
        for (const [from, sinceMs] of refreshes.entries())
          for (const [to, untilMs] of refreshes.entries())
            if (to >= from) expect(to - from + 1).toBeLessThanOrEqual(3 + (untilMs - sinceMs) / (5 * minute))
      }),
    )
  })
})
