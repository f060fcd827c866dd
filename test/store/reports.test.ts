import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Connection } from '../../src/store/connection.ts'
import { type Admission, Gate, Reports, type TokenHost } from '../../src/store/gate.ts'

/** notes what it is told, and is away where a test says so */
class Told extends Gate {
  readonly told: string[] = []
  away = false

  constructor() {
    super({} as Connection)
  }

  override async report(
    ...[{ host }, , outcome, retryAfterMs]: Parameters<Gate['report']>
  ): ReturnType<Gate['report']> {
    if (this.away) throw new Error('away')
    this.told.push([host, outcome, retryAfterMs].filter((part) => part !== undefined).join(' '))
    return 'open'
  }
}

let gate: Told
let reports: Reports
const a: TokenHost = { provider: 'orchard', host: 'a' }
const b: TokenHost = { provider: 'orchard', host: 'b' }
const admitted = (mode: Admission['mode']): Admission => ({ verdict: 'send', inMs: 0, mode, epoch: 1 })

beforeEach(() => {
  vi.useFakeTimers()
  gate = new Told()
  reports = new Reports(gate)
})
afterEach(() => {
  vi.useRealTimers()
})

test('that an open host goes on answering is told once for all of half a second, of each host', () => {
  for (let i = 0; i < 50; i++) for (const to of [a, b]) reports.report(to, admitted('open'), 'alive')
  expect(gate.told).toEqual([])
  vi.advanceTimersByTime(500)
  expect(gate.told).toEqual(['a alive', 'b alive'])
  reports.report(a, admitted('open'), 'alive')
  vi.advanceTimersByTime(500)
  expect(gate.told).toEqual(['a alive', 'b alive', 'a alive'])
})

test('a failure is told at once, after the successes before it, so that it counts from the last of them', () => {
  reports.report(b, admitted('open'), 'alive')
  reports.report(a, admitted('open'), 'alive')
  reports.report(a, admitted('open'), 'failing', 3_000)
  reports.report(a, admitted('open'), 'failing')
  expect(gate.told).toEqual(['a alive', 'a failing 3000', 'a failing'])
  vi.advanceTimersByTime(5_000)
  expect(gate.told).toEqual(['a alive', 'a failing 3000', 'a failing', 'b alive'])
})

test('that a host answers again is told at once', () => {
  reports.report(a, admitted('probing'), 'alive')
  reports.report(a, admitted('ramp'), 'alive')
  expect(gate.told).toEqual(['a alive', 'a alive'])
})

test('what cannot be told is told by the next', async () => {
  gate.away = true
  reports.report(a, admitted('open'), 'failing')
  reports.report(a, admitted('open'), 'alive')
  await vi.advanceTimersByTimeAsync(500)
  gate.away = false
  reports.report(a, admitted('open'), 'alive')
  await vi.advanceTimersByTimeAsync(500)
  expect(gate.told).toEqual(['a alive'])
})
