import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RotationClass, rotationClasses } from '../../src/credential.ts'
import { decideReplay, type UnknownEnd } from '../../src/workflows/rotation.ts'

type How = UnknownEnd['how']
const hows: How[] = ['answer_lost', 'timed_out']
const now = { inMs: 0, atRisk: false }
const hour = 3600_000

const end = fc.record({
  rotation: fc.constantFrom(...rotationClasses),
  graceMs: fc.integer({ min: 1, max: hour }),
  how: fc.constantFrom(...hows),
  sinceFirstUseMs: fc.integer({ min: 0, max: 2 * hour }),
  accessRemainingMs: fc.integer({ min: -hour, max: hour }),
})

describe('after an attempt whose end is unknown', () => {
  test.each(
    (['none', 'rotates_old_valid', 'until_new_used'] satisfies RotationClass[]).flatMap((rotation) =>
      hows.flatMap((how) => [-5_000, 0, 9_000, hour].map((remaining) => [rotation, how, remaining] as const)),
    ),
  )('%s, %s, %i ms of access left: sent again at once', (rotation, how, accessRemainingMs) => {
    expect(decideReplay({ rotation, how, sinceFirstUseMs: hour, accessRemainingMs })).toEqual(now)
  })

  test.each<[How, number, number]>([
    ['answer_lost', hour, hour - 10_000],
    ['answer_lost', 10_001, 1],
    ['answer_lost', 10_000, 0],
    ['answer_lost', 9_999, 0],
    ['answer_lost', 0, 0],
    ['answer_lost', -hour, 0],
    ['timed_out', hour, hour - 10_000],
    ['timed_out', -1, 0],
  ])('single_use, %s, %i ms of access left: at risk, sent again in %i ms', (how, accessRemainingMs, inMs) => {
    const replay = decideReplay({ rotation: 'single_use', how, sinceFirstUseMs: 0, accessRemainingMs })
    expect(replay).toEqual({ inMs, atRisk: true })
  })

  test.each<[string, number, How, number, boolean]>([
    ['60 s less 5 s', 60_000, 'answer_lost', 54_999, true],
    ['60 s less 5 s', 60_000, 'answer_lost', 55_000, false],
    ['8 s less a quarter', 8_000, 'answer_lost', 5_999, true],
    ['8 s less a quarter', 8_000, 'answer_lost', 6_000, false],
    ['a window of 0', 0, 'answer_lost', 0, false],
    ['35 s after a timeout', 35_000, 'timed_out', 0, false],
    ['just above 35 s after a timeout', 35_001, 'timed_out', 30_000, true],
    ['60 s after a timeout', 60_000, 'timed_out', 30_000, true],
    ['60 s after a timeout, late', 60_000, 'timed_out', 55_000, false],
  ])('grace, %s: %i ms, %s, %i ms since first use: inside is %s', (_name, graceMs, how, sinceFirstUseMs, inside) => {
    const replay = decideReplay({ rotation: 'grace', graceMs, how, sinceFirstUseMs, accessRemainingMs: hour })
    const withinMs = graceMs - Math.min(5_000, graceMs / 4) - sinceFirstUseMs
    expect(replay).toEqual(inside ? { ...now, withinMs } : { inMs: hour - 10_000, atRisk: true })
  })

  test('grace without a window is treated as single_use', () => {
    const replay = decideReplay({
      rotation: 'grace',
      how: 'answer_lost',
      sinceFirstUseMs: 0,
      accessRemainingMs: 60_000,
    })
    expect(replay).toEqual({ inMs: 50_000, atRisk: true })
  })

  test('a single-use token is never sent again while the access token has more than 10 s left', () => {
    fc.assert(
      fc.property(end, (unknown) => {
        const { inMs, atRisk } = decideReplay({ ...unknown, rotation: 'single_use' })
        expect(atRisk).toBe(true)
        expect(unknown.accessRemainingMs - inMs).toBeLessThanOrEqual(10_000)
      }),
    )
  })

  test('a grace window is never used in its last quarter or 5 s, nor after a timeout when it is short', () => {
    fc.assert(
      fc.property(end, (unknown) => {
        const { graceMs, how, sinceFirstUseMs, accessRemainingMs } = unknown
        const { inMs, atRisk } = decideReplay({ ...unknown, rotation: 'grace' })
        if (!atRisk) {
          expect(inMs).toBe(0)
          expect(sinceFirstUseMs).toBeLessThan(graceMs - Math.min(5_000, graceMs / 4))
          expect(how === 'answer_lost' || graceMs > 35_000).toBe(true)
        } else expect(accessRemainingMs - inMs).toBeLessThanOrEqual(10_000)
      }),
    )
  })

  test('it never waits longer than the access token lives, and never less than nothing', () => {
    fc.assert(
      fc.property(end, (unknown) => {
        const { inMs } = decideReplay(unknown)
        expect(inMs).toBeGreaterThanOrEqual(0)
        expect(inMs).toBeLessThanOrEqual(Math.max(0, unknown.accessRemainingMs))
      }),
    )
  })
})
