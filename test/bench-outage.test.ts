import { beforeAll, describe, expect, test } from 'vitest'
import { benchOutage } from '../bench/outage/bench.ts'
import { benchDeadlines } from '../bench/outage/deadlines.ts'
import { busiest, gaps, grants, holding, lateness, percentile } from '../bench/outage/measures.ts'
import { picture } from '../bench/outage/picture.ts'
import type { Outcome, RequestSeen } from '../bench/outage/provider.ts'
import { benchService } from '../bench/outage/service.ts'
import type { Result } from '../bench/report.ts'
import { dueAfterMs } from '../src/workflows/schedule.ts'

const at = (atMs: number, line = 'a', outcome: Outcome = 'granted'): RequestSeen => ({ atMs, line, outcome })

describe('what a provider counted', () => {
  test('is busiest in the window that holds the most, wherever it begins', () => {
    expect(busiest([at(0), at(900), at(950), at(1_899), at(5_000)], 1_000)).toBe(3)
    expect(busiest([], 1_000)).toBe(0)
  })

  test('tells when each line got a token, refused ones aside', () => {
    const seen = [at(10), at(20, 'a', 'unavailable'), at(30, 'b'), at(40)]
    expect([
      ...grants(
        seen,
        new Map([
          ['a', 0],
          ['b', 5],
        ]),
      ),
    ]).toEqual([
      ['a', [0, 10, 40]],
      ['b', [5, 30]],
    ])
  })

  test('tells how late refreshes came, against when they were due', () => {
    const life = { tokenMs: 60_000, credentialOf: (line: string) => `x/y/${line}` }
    const due = dueAfterMs(60_000, 'refresh_token', 'x/y/a')
    const lines = new Map([['a', [0, due + 7, 2 * due + 10]]])
    expect(lateness(lines, { ...life, fromMs: 0, toMs: 1e9 }).map(Math.round)).toEqual([3, 7])
    expect(lateness(lines, { ...life, fromMs: 0, toMs: due + 8 }).map(Math.round)).toEqual([7])
  })

  test('tells how long each line had no token, and how many had one', () => {
    const lines = new Map([
      ['a', [0, 70_000]],
      ['b', [0, 50_000]],
    ])
    expect(gaps(lines, 60_000, 120_000)).toEqual([10_000, 10_000])
    expect(holding(lines, 60_000, [0, 65_000, 115_000])).toEqual([2, 1, 1])
  })

  test('has percentiles of the nearest rank', () => {
    expect([percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.99), percentile([], 0.5)]).toEqual([
      2,
      4,
      Number.NaN,
    ])
  })

  test('is drawn as an SVG with a bar for each second and way to end', () => {
    const svg = picture({
      title: 'a < b & c',
      requests: [at(0), at(10), at(1_500, 'a', 'unavailable')],
      fromMs: 0,
      toMs: 3_000,
      phases: [{ name: '503', fromMs: 1_000, toMs: 2_000 }],
      budget: 5,
      holding: [1, 0.5, 0],
    })
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 960 420"/)
    expect(svg).toContain('a &lt; b &amp; c')
    expect(svg.match(/<rect [^>]*fill="#(2e7d32|ef6c00)"\/>/g)).toHaveLength(2 + 2)
    expect(svg).not.toContain('NaN')
  })
})

const run = { signal: new AbortController().signal, say: () => {} }
const named = (results: Result[]) => new Map(results.map((result) => [result.name, result]))

describe('a small outage', () => {
  let results: Map<string, Result>
  let svg: string
  beforeAll(async () => {
    const credentials = { failing: 12, others: 4, tokenSeconds: 20, budget: 5, workers: 2 }
    const times = { warmUpMs: 5_000, beforeMs: 15_000, downMs: 9_000, afterMs: 45_000 }
    const measured = await benchOutage({ ...run, ...credentials, ...times })
    results = named(measured.results)
    svg = measured.svg
  }, 240_000)

  test('sees few requests while it lasts, and never more than the budget', () => {
    expect(results.get('outage.down')?.afterTenSeconds).toBeLessThan(0.5)
    expect(results.get('outage.busiest')?.ratio).toBeLessThanOrEqual(1.1)
  })

  test('is over for all within the time that the budget takes, and a minute', () => {
    const { value = Number.POSITIVE_INFINITY, baseline } = results.get('outage.fresh') ?? {}
    expect(baseline).toBe(2 * (12 / 5) + 60)
    expect(value).toBeLessThanOrEqual(45)
  })

  test('is no matter of the other provider, whose refreshes go on', () => {
    const [during = 0, before = 0] = (results.get('outage.other')?.refreshes ?? []) as number[]
    expect(before).toBeGreaterThan(0)
    expect(during).toBeGreaterThan(12)
  })

  test('is drawn', () => {
    for (const phase of ['no answer', '503', 'connection refused']) expect(svg).toContain(phase)
  })
})

test('a service asks for no more tokens than it needs, through restarts of workers and Redis', async () => {
  const plan = { workers: 2, readers: 20, tokenSeconds: 6, runMs: 24_000, restartEveryMs: 6_000 }
  const results = named(await benchService({ ...run, ...plan }))
  expect(results.get('service.requests')?.ratio).toBe(1)
  expect(results.get('service.requests')?.value).toBeGreaterThan(3)
  expect(results.get('service.quota')?.ratio).toBeLessThanOrEqual(1)
}, 180_000)

test('no refresh token dies unused, and each that ends is told of once for each threshold and not in silence', async () => {
  const plan = {
    ...{ credentials: 30, workers: 1, beginPerSecond: 40, tokenSeconds: 600 },
    ...{ idleSeconds: 10, deadlines: 3, absoluteSeconds: 30, warnSeconds: [20, 10] },
  }
  const results = named(await benchDeadlines({ ...run, ...plan }))
  for (const name of ['deadlines.idle', 'deadlines.warned', 'deadlines.ended'])
    expect(results.get(name)?.value, name).toBe(30)
  expect(results.get('deadlines.idle')?.died).toBe(0)
}, 240_000)
