import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isWorthTelling, retryDelayMs } from '../../src/activities/backoff.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const nearlyOne = 0.999_999

describe('the next attempt of a refresh that spent nothing', () => {
  test.each<[string, Parameters<typeof retryDelayMs>[0], number]>([
    ['the first: up to 2 s', { attempt: 1, accessRemainingMs: hour }, 2 * second],
    ['the fifth: up to 32 s', { attempt: 5, accessRemainingMs: hour }, 32 * second],
    ['a late one: up to 15 min', { attempt: 40, accessRemainingMs: 10 * hour }, 15 * minute],
    ['never across the last 10 s of the access token', { attempt: 40, accessRemainingMs: 70 * second }, minute],
    ['within them: up to a minute', { attempt: 40, accessRemainingMs: 9 * second }, minute],
    ['afterwards: up to a minute', { attempt: 40, accessRemainingMs: -hour }, minute],
    ['just before them: at least a second', { attempt: 40, accessRemainingMs: 10_001 }, second],
    ['as the provider asked', { attempt: 1, accessRemainingMs: hour, retryAfterMs: 40 * second }, 44 * second],
    [
      'as asked, also past the access token',
      { attempt: 1, accessRemainingMs: minute, retryAfterMs: hour },
      66 * minute,
    ],
    ['as asked, at least a second', { attempt: 1, accessRemainingMs: hour, retryAfterMs: 0 }, second],
  ])('%s', (_name, failing, mostMs) => {
    expect(Math.abs(retryDelayMs(failing, nearlyOne) - mostMs)).toBeLessThanOrEqual(mostMs / 1000)
  })

  test('is a whole number of milliseconds, a second at least: the server takes 0 for a permanent failure', () => {
    const failing = fc.record(
      {
        attempt: fc.integer({ min: 1, max: 1e6 }),
        accessRemainingMs: fc.double({ min: -1e12, max: 1e12, noNaN: true }),
        retryAfterMs: fc.integer({ min: 0, max: 6 * hour }),
      },
      { requiredKeys: ['attempt', 'accessRemainingMs'] },
    )
    fc.assert(
      fc.property(failing, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (of, random) => {
        const delayMs = retryDelayMs(of, random)
        expect(Number.isInteger(delayMs)).toBe(true)
        expect(delayMs).toBeGreaterThanOrEqual(second)
        if (of.retryAfterMs !== undefined) expect(delayMs).toBeGreaterThanOrEqual(of.retryAfterMs)
        else expect(delayMs).toBeLessThanOrEqual(15 * minute)
      }),
    )
  })
})

describe('a failing attempt is told to the workflow', () => {
  const quiet = { delayMs: 2 * second, accessRemainingMs: hour, forced: false }

  test('at the third, and at each doubling', () => {
    const told = Array.from({ length: 100 }, (_, n) => n + 1).filter((attempt) => isWorthTelling({ ...quiet, attempt }))
    expect(told).toEqual([3, 6, 12, 24, 48, 96])
  })

  test('at none when it only waits for its turn', () => {
    const attempts = Array.from({ length: 100 }, (_, n) => n + 1)
    expect(attempts.filter((attempt) => isWorthTelling({ ...quiet, attempt, waitsItsTurn: true }))).toEqual([])
  })

  test.each([
    ['someone waits for it', { forced: true }, true],
    ['the next attempt is far away', { delayMs: 30 * second }, true],
    ['the access token ends before the next attempt', { accessRemainingMs: 2 * second }, true],
    ['there is no access token', { accessRemainingMs: -1 }, true],
    ['it only waits for its turn, which is far away', { delayMs: 30 * second, waitsItsTurn: true }, false],
    ['the access token ends before its turn comes', { accessRemainingMs: 2 * second, waitsItsTurn: true }, true],
    ['none of that', {}, false],
  ])('at the first when %s: %o → %s', (_name, changes, told) => {
    expect(isWorthTelling({ ...quiet, attempt: 1, ...changes })).toBe(told)
  })
})
