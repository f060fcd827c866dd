import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accessLifetimeMs,
  answeredAtMs,
  assumedLifetimeMs,
  jwtLifetimeMs,
  knownLifetimeMs,
  lifetimeMs,
  longestLifetimeMs,
} from '../../src/oauth/lifetime.ts'
import { type ExpiryForm, expiryForms } from '../../src/providers/schema.ts'

const nowMs = Date.UTC(2026, 10, 27, 12)
const nowSeconds = nowMs / 1000
const hour = 3_600_000
const day = 24 * hour
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`

describe('what an answer says', () => {
  it.each<[unknown, number | undefined]>([
    [3600, hour],
    ['3600', hour],
    [' 3600 ', hour],
    ['3600s', hour],
    ['3600 S', hour],
    [3599.5, 3_599_500],
    [1, 1_000],
    [0.0001, undefined],
    [0, undefined],
    [-1, undefined],
    ['-3600', undefined],
    [null, undefined],
    [undefined, undefined],
    [true, undefined],
    [[3600], undefined],
    [{ seconds: 3600 }, undefined],
    ['', undefined],
    ['never', undefined],
    ['1 hour', undefined],
    ['3,600', undefined],
    ['9'.repeat(400), undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [1e300, undefined],
  ])('%j is %j ms', (value, expected) => {
    expect(lifetimeMs(value, nowMs)).toBe(expected)
  })

  it.each<[string, unknown, number | undefined]>([
    ['five minutes', 300_000, 5 * 60_000],
    ['an hour', 3_600_000, hour],
    ['twelve hours', 43_200_000, 12 * hour],
    ['a day', 86_400_000, day],
    ['a day less 16 ms (Adobe)', 86_399_984, day - 16],
    ['a week', 604_800_000, 7 * day],
    ['two weeks, which is no day in 2008', 1_209_600_000, 14 * day],
    ['sixty days', 5_184_000_000, 60 * day],
  ])('milliseconds for seconds: %s', (_name, value, expected) => {
    expect(lifetimeMs(value, nowMs)).toBe(expected)
  })

  it.each<[string, number, number]>([
    ['eighteen hours (Harvest)', 64_800, 18 * hour],
    ['30 days (Square)', 2_592_000, 30 * day],
    ['60 days (Facebook, Instagram, LinkedIn)', 5_184_000, 60 * day],
    ['what is left of 60 days', 5_183_944, 5_183_944_000],
    ['a week less a second (Smartsheet)', 604_799, 604_799_000],
    ['90 days (TTLock)', 7_776_000, 90 * day],
    ['101 days (QuickBooks)', 8_726_400, 101 * day],
    ['180 days (Mercado Pago)', 15_552_000, 180 * day],
    ['a year', 31_536_000, 365 * day],
    ['five years less a second (Weibo)', 157_679_999, 157_679_999_000],
    ['a mean month', 2_628_000, 2_628_000_000],
    ['ten years (Wise)', 315_360_000, 3_650 * day],
  ])('long lifetimes that are meant: %s', (_name, value, expected) => {
    expect(lifetimeMs(value, nowMs)).toBe(expected)
  })

  it.each<[string, unknown, number | undefined]>([
    ['seconds since 1970', nowSeconds + 50, 50_000],
    ['the same as text', String(nowSeconds + 50), 50_000],
    ['milliseconds since 1970', nowMs + 50_000, 50_000],
    ['ISO 8601', '2026-11-27T13:00:00Z', hour],
    ['ISO 8601 with a fraction', '2026-11-27T13:00:00.123456Z', hour + 123],
    ['ISO 8601 with an offset', '2026-11-27T14:00:00+01:00', hour],
    ['the offset without its colon', '2026-11-27T14:00:00+0100', hour],
    ['hours of offset alone', '2026-11-27T14:00:00+01', hour],
    ['no zone', '2026-11-27T13:00:00', hour],
    ['a space for the T', '2026-11-27 13:00', hour],
    ['a date alone', '2026-11-28', 12 * hour],
    ['an HTTP date', 'Fri, 27 Nov 2026 13:00:00 GMT', hour],
    ['no such day', '2026-11-31T25:00:00Z', undefined],
    ['a date of people', 'November 27, 2026', undefined],
    ['passed', nowSeconds - 5, undefined],
    ['passed long ago', nowSeconds - (200 * day) / 1000, undefined],
    ['passed, as text', '2026-11-27T11:00:00Z', undefined],
    ['centuries away', '2226-11-27T12:00:00Z', undefined],
  ])('a point in time under any name: %s', (_name, value, expected) => {
    expect(lifetimeMs(value, nowMs)).toBe(expected)
  })

  it.each<[unknown, ExpiryForm, number | undefined]>([
    [3_600_000, 'seconds', 3_600_000_000],
    [3_600_000, 'milliseconds', hour],
    ['3600', 'milliseconds', 3_600],
    [nowSeconds + 50, 'epoch_seconds', 50_000],
    [nowMs + 50_000, 'epoch_milliseconds', 50_000],
    [3600, 'epoch_seconds', hour],
    [5_184_000_000, 'epoch_seconds', undefined],
    [nowSeconds + 50, 'seconds', undefined],
    [0, 'milliseconds', undefined],
    ['2026-11-27T13:00:00Z', 'seconds', hour],
    ['2026-11-27T13:00:00Z', 'iso8601', hour],
  ])('%j in an entry that says %s is %j ms', (value, form, expected) => {
    expect(lifetimeMs(value, nowMs, form)).toBe(expected)
  })

  it('whatever comes, it is absent or between a millisecond and ten years, and no longer than it says', () => {
    const form = fc.constantFrom(undefined, ...expiryForms)
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.double(), fc.integer(), fc.string()), form, (value, form) => {
        const ms = lifetimeMs(value, nowMs, form)
        if (ms === undefined) return
        expect(Number.isInteger(ms)).toBe(true)
        expect(ms).toBeGreaterThan(0)
        expect(ms).toBeLessThanOrEqual(longestLifetimeMs)
        if (typeof value === 'number' && form === undefined) expect(ms).toBeLessThanOrEqual(Math.round(value * 1000))
      }),
      { numRuns: 1_000 },
    )
  })

  it('a point in time means the same in every spelling, whatever the clock says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 * 365 * 86_400 }),
        fc.integer({ min: -86_400, max: 86_400 }),
        (left, off) => {
          const serverNowMs = nowMs + off * 1000
          const at = serverNowMs / 1000 + left
          for (const spelled of [
            at,
            String(at),
            at * 1000,
            new Date(at * 1000).toISOString(),
            new Date(at * 1000).toUTCString(),
          ])
            expect(lifetimeMs(spelled, answeredAtMs(new Date(serverNowMs).toUTCString(), nowMs))).toBe(left * 1000)
        },
      ),
    )
  })
})

describe("a JWT's own exp", () => {
  it.each<[string, object, number | undefined]>([
    ['ahead', { exp: nowSeconds + 90 }, 90_000],
    ['with a fraction', { exp: nowSeconds + 90.5 }, 90_500],
    ['past', { exp: nowSeconds - 5 }, 0],
    ['no number', { exp: 'soon' }, undefined],
    ['zero', { exp: 0 }, undefined],
    ['absent', {}, undefined],
    ['in milliseconds', { exp: nowMs }, undefined],
    ['centuries away', { exp: nowSeconds * 10 }, undefined],
    [
      'further away than it was made for: the clock here is late',
      { exp: nowSeconds + 7200, iat: nowSeconds + 3600 },
      hour,
    ],
    ['with an iat that makes no sense', { exp: nowSeconds + 90, iat: nowMs }, 90_000],
  ])('%s', (_name, claims, expected) => {
    expect(jwtLifetimeMs(jwt(claims), nowMs)).toBe(expected)
  })

  it.each(['opaque', 'a.b.c', 'a.!!.c', 'a.bnVsbA.c', 'a.W10.c', '..', 'x.y', 'x.y.z.w', 'a.b.c.d.e'])(
    '%j is no JWT and no trouble',
    (token) => {
      expect(jwtLifetimeMs(token, nowMs)).toBeUndefined()
    },
  )
})

describe('when an answer was given', () => {
  it.each([
    ['Fri, 27 Nov 2026 10:00:00 GMT', nowMs - 2 * hour],
    ['Friday, 27-Nov-26 10:00:00 GMT', nowMs - 2 * hour],
    ['2026-11-27', nowMs],
    ['0', nowMs],
    ['yesterday', nowMs],
    ['', nowMs],
    [undefined, nowMs],
  ])('a Date header of %j', (date, expected) => {
    expect(answeredAtMs(date, nowMs)).toBe(expected)
  })
})

describe('the lifetime to go by', () => {
  it.each([
    ['the answer', { answerMs: 60, jwtMs: 90, lookedUpMs: 1, catalogueMs: 1 }, 60],
    ["the JWT's exp where it is earlier", { answerMs: 60, jwtMs: 40, lookedUpMs: 1, catalogueMs: 1 }, 40],
    ["the JWT's exp alone", { jwtMs: 90, lookedUpMs: 1, catalogueMs: 1 }, 90],
    ['a JWT that has ended', { answerMs: 60, jwtMs: 0 }, 0],
    ['the look-up', { lookedUpMs: 70, catalogueMs: 1 }, 70],
    ['the catalogue', { catalogueMs: 80 }, 80],
    ['half an hour', {}, assumedLifetimeMs],
    ['half an hour, of sources that say nothing', { answerMs: undefined, jwtMs: undefined }, assumedLifetimeMs],
  ])('%s', (_name, sources, expected) => {
    expect(accessLifetimeMs(sources)).toBe(expected)
  })

  it('never exceeds what the answer or the token itself says, and nothing is asked where they say something', () => {
    const ms = fc.option(fc.integer({ min: 0, max: longestLifetimeMs }), { nil: undefined })
    fc.assert(
      fc.property(ms, ms, ms, ms, (answerMs, jwtMs, lookedUpMs, catalogueMs) => {
        const lifetime = accessLifetimeMs({ answerMs, jwtMs, lookedUpMs, catalogueMs })
        expect(lifetime).toBeLessThanOrEqual(Math.min(answerMs ?? longestLifetimeMs, jwtMs ?? longestLifetimeMs))
        if (answerMs !== undefined || jwtMs !== undefined) expect(lifetime).toBe(knownLifetimeMs({ answerMs, jwtMs }))
      }),
    )
  })
})
