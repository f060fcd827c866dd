import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GrantKind } from '../../src/credential.ts'
import {
  askAgainAfterMs,
  backoffMs,
  dueAfterMs,
  pauseMs,
  priorityKey,
  stableShare,
  type TimeRules,
} from '../../src/workflows/schedule.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const id = fc.string({ minLength: 1, maxLength: 60 })
const lifetime = fc.double({ min: 1, max: 3650 * day, noNaN: true })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const kind = fc.constantFrom<GrantKind>('refresh_token', 'client_credentials')

/** The lead of design.md, without its jitter. */
const leadOf = (lifetimeMs: number, of: GrantKind) =>
  of === 'client_credentials'
    ? Math.min(lifetimeMs / 2, Math.min(10 * minute, Math.max(30 * second, lifetimeMs / 20)))
    : Math.min(lifetimeMs / 2, Math.min(day, Math.max(20 * second, lifetimeMs / 4)))

describe('when a refresh is due', () => {
  test.each<[GrantKind, string, number, number]>([
    ['refresh_token', '30 s: half of it', 30 * second, 15 * second],
    ['refresh_token', '40 s: 20 s are half of it', 40 * second, 20 * second],
    ['refresh_token', '1 min: at least 20 s', minute, 20 * second],
    ['refresh_token', '1 h: a quarter', hour, 15 * minute],
    ['refresh_token', '4 d: a quarter is a day', 4 * day, day],
    ['refresh_token', '60 d: at most a day', 60 * day, day],
    ['client_credentials', '30 s: half of it', 30 * second, 15 * second],
    ['client_credentials', '5 min: at least 30 s', 5 * minute, 30 * second],
    ['client_credentials', '1 h: a twentieth', hour, 3 * minute],
    ['client_credentials', '24 h: at most 10 min', day, 10 * minute],
  ])('%s, %s', (of, _name, lifetimeMs, leadMs) => {
    const lead = leadMs
    const expected =
      of === 'client_credentials'
        ? lifetimeMs - lead + stableShare('') * Math.min(lifetimeMs / 10, lead / 2)
        : lifetimeMs - lead - stableShare('') * (lifetimeMs / 10)
    expect(dueAfterMs(lifetimeMs, of, '')).toBeCloseTo(expected, 6)
  })

  const hours = (n: number) => n * hour
  test.each<[string, number, TimeRules, number, number]>([
    [
      'half of its life where it cannot be refreshed afterwards',
      60 * day,
      { neverAfterExpiry: true },
      24 * day,
      30 * day,
    ],
    [
      'two minutes where it takes the token from its readers',
      hours(1),
      { oldAccessTokenDies: true },
      hours(1) - 2 * minute,
      hours(1) - minute,
    ],
    ['as early as the vendor asks', 30 * day, { refreshBeforeExpiryMs: 23 * day }, 4 * day, 7 * day],
    ['never before a tenth of its life, whatever is asked', hours(1), { refreshBeforeExpiryMs: day }, 0, 6 * minute],
    ['not before it is accepted', 10 * minute, { notBeforeMs: 570 * second }, 570 * second, 570 * second],
    [
      'at the last moment where the entry would have it later',
      10 * minute,
      { notBeforeMs: hours(1) },
      590 * second,
      590 * second,
    ],
    ['not more often than the vendor counts', minute, { minRefreshIntervalMs: 50 * second }, 50 * second, 50 * second],
    [
      'as ever where the interval is over by then',
      hours(1),
      { minRefreshIntervalMs: minute },
      hours(0.65),
      hours(0.75),
    ],
  ])('the entry has its say: %s', (_, lifetimeMs, rules, fromMs, toMs) => {
    const dueMs = dueAfterMs(lifetimeMs, 'refresh_token', 'acme/google-main/alice', rules)
    expect(dueMs).toBeGreaterThanOrEqual(fromMs)
    expect(dueMs).toBeLessThanOrEqual(toMs)
  })

  test('no entry makes it late: it always leaves a moment before the end', () => {
    const ms = fc.option(fc.integer({ min: 1, max: 100 * day }), { nil: undefined })
    const rules = fc.record({ notBeforeMs: ms, minRefreshIntervalMs: ms, refreshBeforeExpiryMs: ms })
    const flags = fc.record({ oldAccessTokenDies: fc.boolean(), neverAfterExpiry: fc.boolean() })
    fc.assert(
      fc.property(lifetime, kind, id, rules, flags, (lifetimeMs, of, credential, times, dies) => {
        const given = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined))
        const dueMs = dueAfterMs(lifetimeMs, of, credential, { ...given, ...dies })
        expect(dueMs).toBeGreaterThanOrEqual(0)
        expect(lifetimeMs - dueMs).toBeGreaterThanOrEqual(Math.min(10 * second, lifetimeMs / 10) - 1)
      }),
    )
  })

  test('it is never negative and always before the end of the token', () => {
    fc.assert(
      fc.property(lifetime, kind, id, (lifetimeMs, of, credential) => {
        const dueMs = dueAfterMs(lifetimeMs, of, credential)
        expect(dueMs).toBeGreaterThanOrEqual(0)
        expect(dueMs).toBeLessThan(lifetimeMs)
      }),
    )
  })

  test('it is the same each time for one credential', () => {
    fc.assert(
      fc.property(lifetime, kind, id, (lifetimeMs, of, credential) => {
        expect(dueAfterMs(lifetimeMs, of, credential)).toBe(dueAfterMs(lifetimeMs, of, credential))
      }),
    )
  })

  test('where a person is needed, jitter only makes it earlier, by a tenth of the lifetime at most', () => {
    fc.assert(
      fc.property(lifetime, id, (lifetimeMs, credential) => {
        const latestMs = lifetimeMs - leadOf(lifetimeMs, 'refresh_token')
        const dueMs = dueAfterMs(lifetimeMs, 'refresh_token', credential)
        expect(dueMs).toBeLessThanOrEqual(latestMs)
        expect(dueMs).toBeGreaterThanOrEqual(latestMs - lifetimeMs / 10 - 1e-6)
      }),
    )
  })

  test('where none is needed, the jitter stays inside the lead and leaves half of it', () => {
    fc.assert(
      fc.property(lifetime, id, (lifetimeMs, credential) => {
        const lead = leadOf(lifetimeMs, 'client_credentials')
        const dueMs = dueAfterMs(lifetimeMs, 'client_credentials', credential)
        expect(dueMs).toBeGreaterThanOrEqual(lifetimeMs - lead)
        expect(lifetimeMs - dueMs).toBeGreaterThanOrEqual(lead / 2 - 1e-6)
      }),
    )
  })

  test('credentials that got their tokens together come due apart', () => {
    const dues = Array.from({ length: 1000 }, (_, n) => dueAfterMs(hour, 'refresh_token', `acme/google-main/user${n}`))
    expect(new Set(dues.map((dueMs) => Math.floor(dueMs / second))).size).toBeGreaterThan(300)
    expect(Math.max(...dues) - Math.min(...dues)).toBeGreaterThan(5 * minute)
  })

  test('ids that are counted up come due apart too', () => {
    const dues = Array.from({ length: 9 }, (_, n) => dueAfterMs(hour, 'refresh_token', `acme/google-main/user${n}`))
    expect(Math.max(...dues) - Math.min(...dues)).toBeGreaterThan(2 * minute)
  })

  test('shares lie in [0, 1) and fill it evenly', () => {
    const shares = Array.from({ length: 10_000 }, (_, n) => stableShare(`acme/google-main/user${n}`))
    expect(shares.every((share) => share >= 0 && share < 1)).toBe(true)
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = shares.filter((share) => Math.floor(share * 10) === tenth).length
      expect(inside).toBeGreaterThan(800)
      expect(inside).toBeLessThan(1200)
    }
  })
})

describe('backoff', () => {
  test.each([
    [1, 2 * second],
    [2, 4 * second],
    [5, 32 * second],
    [9, 512 * second],
    [10, 15 * minute],
    [1000, 15 * minute],
  ])('attempt %i waits up to %i ms', (attempt, ceilingMs) => {
    expect(backoffMs(attempt, 15 * minute, 0.999_999)).toBeCloseTo(ceilingMs, -3)
    expect(backoffMs(attempt, 15 * minute, 0.5)).toBe(Math.max(second, ceilingMs / 2))
  })

  test('it is never below a second nor above its maximum, whatever the attempt', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: second, max: day }), random, (attempt, maximumMs, share) => {
        const delayMs = backoffMs(attempt, maximumMs, share)
        expect(delayMs).toBeGreaterThanOrEqual(second)
        expect(delayMs).toBeLessThanOrEqual(maximumMs)
      }),
    )
  })

  test('while the access token is valid, no pause crosses its last ten seconds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 11_001, max: day }),
        random,
        (n, leftMs, share) => {
          expect(pauseMs(n, leftMs, share)).toBeLessThanOrEqual(leftMs - 10 * second)
        },
      ),
    )
  })

  test('once it is in them, or has ended, a pause is a minute at most, and never below a second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: -day, max: 10_000 }),
        random,
        (n, leftMs, share) => {
          const pausedMs = pauseMs(n, leftMs, share)
          expect(pausedMs).toBeLessThanOrEqual(minute)
          expect(pausedMs).toBeGreaterThanOrEqual(second)
        },
      ),
    )
  })
})

test('a refused grant is asked again after 1 h, 6 h and daily for a week, and then no more', () => {
  const questions = Array.from({ length: 10 }, (_, asked) => askAgainAfterMs(asked))
  expect(questions).toEqual([hour, 6 * hour, day, day, day, day, day, day, day, undefined])
  expect(askAgainAfterMs(1_000_000)).toBeUndefined()
})

describe('where a refresh stands among others of its provider', () => {
  test.each<[number | undefined, number]>([
    [-hour, 2],
    [0, 2],
    [minute, 2],
    [10 * minute, 3],
    [undefined, 3],
    [2 * hour, 4],
    [day, 5],
  ])('%s ms before its token ends: %d', (remainingMs, key) => {
    expect(priorityKey(remainingMs, false)).toBe(key)
    expect(priorityKey(remainingMs, true)).toBe(1)
  })

  test('a refresh token that is about to die goes before what its access token would allow, never after it', () => {
    expect(priorityKey(day, false, minute)).toBe(2)
    expect(priorityKey(undefined, false, minute)).toBe(2)
    expect(priorityKey(day, false, hour)).toBe(4)
    expect(priorityKey(minute, false, 60 * day)).toBe(2)
    expect(priorityKey(undefined, false, 60 * day)).toBe(3)
    expect(priorityKey(day, true, day)).toBe(1)
  })

  test('nearer to the end of the token is never later', () => {
    const ms = fc.integer({ min: -day, max: 400 * day })
    fc.assert(
      fc.property(ms, ms, (one, two) => {
        expect(priorityKey(Math.min(one, two), false)).toBeLessThanOrEqual(priorityKey(Math.max(one, two), false))
      }),
    )
  })
})
