import { describe, expect, test } from 'vitest'
import { accounts } from './account.ts'
import type { FlushEvidence } from './flush.ts'
import { flushPassed, flushReport, flushTable } from './flush-report.ts'
import type { Stretch } from './readers.ts'

const atMs = 1_000_000

const stretch = (credential: string, lastedMs: number): Stretch => ({
  credential,
  fromMs: atMs + 100,
  toMs: atMs + lastedMs,
  codes: { credential_not_found: 1 },
  lastTokenUntilMs: atMs + 600_000,
})

const credentials = accounts(12)

/** Two credentials a class, one of `none` and one of `grace` without a token for a while; two requests a second allowed. */
const seen: FlushEvidence = {
  flushedAtMs: atMs,
  endedMs: atMs + 10_000,
  budgetPerSecond: 2,
  credentials,
  stretches: [
    stretch('chaos/none/user1', 6_000),
    { ...stretch('chaos/none/user7', 7_500), fromMs: atMs - 50 },
    stretch('chaos/grace/user3', 9_000),
    // over before
    { ...stretch('chaos/grace/user9', 0), fromMs: atMs - 9_000, toMs: atMs - 8_000 },
  ],
  rates: {
    none: [
      { second: 900, token: 50, revoke: 0 },
      { second: 1_005, token: 1, revoke: 0 },
      { second: 1_006, token: 1, revoke: 3 },
    ],
  },
  held: { looks: 20, failed: {}, refused: [] },
  unreadable: [],
  readsPerSecondEach: 2.44,
}

describe('the report of a FLUSHALL', () => {
  const report = flushReport(seen)

  test('says for how long who had no token, from the FLUSHALL on', () => {
    expect(report).toMatchObject({ unreadable: 3, firstSeconds: 6, medianSeconds: 7.5, longestSeconds: 9 })
    expect(report.providers.none).toMatchObject({ credentials: 2, atBestSeconds: 1, longestSeconds: 7.5 })
    expect(report.providers.single_use).toMatchObject({ longestSeconds: 0, kept: true })
    expect(flushPassed(report)).toBe(true)
  })

  test('counts what each provider was asked since, second by second', () => {
    expect(report.providers.none).toMatchObject({ busiestSecond: 1, busiestTenSeconds: 2 })
    expect(report.providers.none.requests).toEqual([0, 0, 0, 0, 0, 1, 1, 0, 0, 0])
  })

  test.each([
    ['in one second', [5]],
    ['over ten', [3, 3, 3, 3, 3, 3, 3, 3]],
  ])('sees a budget that was not kept %s', (_when, tokens) => {
    const busy = tokens.map((token, index) => ({ second: 1_001 + index, token, revoke: 0 }))
    const over = flushReport({ ...seen, rates: { none: busy } })
    expect(over.providers.none.kept).toBe(false)
    expect(flushPassed(over)).toBe(false)
    expect(flushTable(over)).toContain('NOT KEPT')
  })

  test.each<[string, Partial<FlushEvidence>]>([
    ['one that is not served again', { unreadable: [{ credential: 'chaos/none/user1', status: 'retrying' }] }],
    ['a provider that refuses a token from before', { held: { looks: 20, failed: {}, refused: ['chaos/none/user1'] } }],
    ['a service that lost one it had', { held: { looks: 20, failed: { credential_not_found: 1 }, refused: [] } }],
    ['readers that lost nothing, for then nothing was measured', { stretches: [] }],
  ])('does not pass with %s', (_what, changes) => {
    expect(flushPassed(flushReport({ ...seen, ...changes }))).toBe(false)
  })

  test('tells one that waits, because its refresh has an unknown end, from one that is forgotten', () => {
    const waiting = flushReport({ ...seen, unreadable: [{ credential: 'chaos/single_use/user5', status: 'at_risk' }] })
    expect(waiting).toMatchObject({ notServedAgain: [], waitingAtRisk: ['chaos/single_use/user5'] })
    expect(flushTable(waiting)).toMatch(/^waiting, at_risk +1 chaos\/single_use\/user5$/m)
  })
})
