import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Admission, Gate, type GateMode, type TokenHost } from '../../src/store/gate.ts'
import { startTestRedis, type TestRedis } from './redis.ts'

let it: TestRedis
let nowMs = 0
let hosts = 0

beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it.stop())

const second = 1000
const newHost = (budget?: number): TokenHost => ({
  provider: 'google',
  host: `id-${++hosts}.example`,
  ...(budget === undefined ? {} : { budget }),
})
const gate = () => new Gate(it.redis, () => nowMs)
const later = () => nowMs + 3600 * second

/** Several requests at the same moment, each of another credential. */
async function admitted(to: TokenHost, count: number, losesTokenAtMs = later()): Promise<Admission[]> {
  const all: Admission[] = []
  for (let i = 0; i < count; i++) all.push(await gate().admit(to, `acme/app/${i}`, losesTokenAtMs + i))
  return all
}
const sent = (admissions: Admission[]) => admissions.filter(({ verdict }) => verdict === 'send')

async function fail(to: TokenHost, times: number): Promise<GateMode> {
  let mode: GateMode = 'open'
  for (let i = 0; i < times; i++) mode = await gate().report(to, await gate().admit(to, 'acme/app/a', 0), 'failing')
  return mode
}

describe('a host that works', () => {
  test('without a budget is asked at once, however often', async () => {
    const to = newHost()
    for (const { verdict, inMs, mode } of await admitted(to, 9))
      expect({ verdict, inMs, mode }).toEqual({ verdict: 'send', inMs: 0, mode: 'open' })
  })

  test('is asked within its budget: each in its turn, and whose turn is far away comes back', async () => {
    const to = newHost(10)
    const all = await admitted(to, 13)
    expect(all.slice(0, 11).map(({ inMs }) => inMs)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
    expect(all.slice(11).map(({ verdict, inMs }) => [verdict, inMs])).toEqual([
      ['hold', 1100],
      ['hold', 1100],
    ])
  })

  test('is not held back because single credentials fail', async () => {
    const to = newHost()
    expect(await fail(to, 4)).toBe('open')
    await gate().report(to, await gate().admit(to, 'acme/app/b', 0), 'alive')
    expect(await fail(to, 4)).toBe('open')
  })

  test('may be slow: what is under way is waited for while others are answered', async () => {
    const to = newHost()
    for (let i = 0; i < 30; i++) {
      const admission = await gate().admit(to, `acme/app/${i}`, later())
      expect(admission.mode).toBe('open')
      nowMs += second
      await gate().report(to, admission, 'alive')
    }
  })
})

describe('a host that fails', () => {
  test('five times in a row, whoever asked, is probed', async () => {
    const to = newHost()
    expect(await fail(to, 4)).toBe('open')
    expect(await fail(to, 1)).toBe('probing')
    expect(await gate().admit(to, 'acme/app/a', later())).toMatchObject({ verdict: 'hold', mode: 'probing' })
  })

  test('by saying nothing is probed before any request has timed out', async () => {
    const to = newHost()
    expect(sent(await admitted(to, 10))).toHaveLength(10)
    nowMs += 2_999
    expect((await gate().admit(to, 'acme/app/x', later())).mode).toBe('open')
    nowMs += 1
    expect(await gate().admit(to, 'acme/app/y', later())).toMatchObject({ verdict: 'hold', mode: 'probing' })
  })

  test('is asked once in five seconds, by all workers together', async () => {
    const to = newHost(20)
    await fail(to, 5)
    let asked = 0
    for (let i = 0; i < 600; i++) {
      const admission = await gate().admit(to, `acme/app/${i % 50}`, nowMs)
      if (admission.verdict === 'send') {
        asked++
        await gate().report(to, admission, 'failing')
      }
      nowMs += 100
    }
    expect(asked).toBe(11)
  })

  test('is left alone for as long as it asks, a minute at most', async () => {
    for (const [retryAfterMs, quietMs] of [
      [30 * second, 30 * second],
      [3600 * second, 60 * second],
    ] as const) {
      const to = newHost()
      await fail(to, 4)
      await gate().report(to, await gate().admit(to, 'acme/app/a', 0), 'failing', retryAfterMs)
      nowMs += quietMs - 1
      expect((await gate().admit(to, 'acme/app/a', 0)).verdict).toBe('hold')
      nowMs += 1
      expect((await gate().admit(to, 'acme/app/a', 0)).verdict).toBe('send')
    }
  })

  test('has those come back first that lose their token first, at the rate of the budget', async () => {
    const to = newHost(10)
    await fail(to, 5)
    await admitted(to, 100)
    const { inMs: first } = await gate().admit(to, 'acme/app/first', nowMs)
    const { inMs: last } = await gate().admit(to, 'acme/app/last', later() + 1000)
    expect(first).toBe(5 * second)
    expect(last).toBe(5 * second + 101 * 100)
  })

  test('does not keep other hosts of the same provider from being asked', async () => {
    const to = newHost()
    await fail(to, 5)
    expect(await gate().admit(newHost(), 'acme/app/a', later())).toMatchObject({ verdict: 'send', mode: 'open' })
  })
})

describe('a host that is back', () => {
  /** down, and found alive by a probe */
  async function back(budget?: number): Promise<TokenHost> {
    const to = newHost(budget)
    await fail(to, 5)
    nowMs += 5 * second
    expect(await gate().report(to, await gate().admit(to, 'acme/app/probe', 0), 'alive')).toBe('ramp')
    return to
  }

  test.each([
    [0, 1],
    [2, 2],
    [4, 4],
    [6, 8],
    [9, 20],
    [60, 20],
  ])('is asked more by and by: after %d s %d times a second', async (seconds, rate) => {
    const to = await back(20)
    // the probe has taken a turn of the budget
    nowMs += seconds * second + 50
    const [one, two] = sent(await admitted(to, 2))
    expect(one?.inMs).toBe(0)
    expect(two?.inMs).toBeLessThanOrEqual(1000 / rate)
    expect(two?.inMs).toBeGreaterThan(970 / rate)
  })

  test('is asked without bounds again where it has no budget', async () => {
    const to = await back()
    nowMs += 30 * second
    expect(sent(await admitted(to, 50)).map(({ inMs }) => inMs)).toEqual(Array(50).fill(0))
  })

  test('and fails again is probed again; what was sent before it was back counts for nothing', async () => {
    const to = newHost()
    const old = await gate().admit(to, 'acme/app/a', 0)
    await fail(to, 5)
    nowMs += 5 * second
    const probe = await gate().admit(to, 'acme/app/a', 0)
    await gate().report(to, probe, 'alive')
    for (let i = 0; i < 5; i++) expect(await gate().report(to, old, 'failing')).toBe('ramp')
    const { epoch } = await gate().admit(to, 'acme/app/a', 0)
    const modes = []
    for (let i = 0; i < 3; i++) modes.push(await gate().report(to, { epoch }, 'failing'))
    expect(modes).toEqual(['ramp', 'ramp', 'probing'])
  })

  test('serves those first that lose their token first', async () => {
    const to = await back(10)
    nowMs += 20 * second
    // more than can be sent in three seconds are nearer to their end
    for (let i = 0; i < 45; i++) await gate().admit(to, `acme/app/near-${i}`, nowMs)
    expect((await gate().admit(to, 'acme/app/far', later())).verdict).toBe('hold')
    expect((await gate().admit(to, 'acme/app/nearest', nowMs - second)).inMs).toBeLessThan(2 * second)
  })

  test('waits for nobody who was to come back and does not', async () => {
    const to = await back(1)
    for (let i = 0; i < 20; i++) await gate().admit(to, `acme/app/gone-${i}`, nowMs)
    expect((await gate().admit(to, 'acme/app/far', later())).verdict).toBe('hold')
    nowMs += 120 * second
    expect((await gate().admit(to, 'acme/app/far', later())).verdict).toBe('send')
  })
})

describe('more than the budget bears at once', () => {
  /** All ask until they are served, and each comes back when it was told to. */
  async function serve(to: TokenHost, herd: { who: string; losesInMs: (atMs: number) => number }[]): Promise<string[]> {
    const back = new Map(herd.map(({ who }) => [who, nowMs]))
    const served: string[] = []
    const endMs = nowMs + 300 * second
    for (; back.size > 0 && nowMs < endMs; nowMs += 250) {
      for (const { who, losesInMs } of herd) {
        if ((back.get(who) ?? endMs) > nowMs) continue
        const admission = await gate().admit(to, who, nowMs + losesInMs(nowMs))
        if (admission.verdict === 'hold') back.set(who, nowMs + admission.inMs)
        else {
          back.delete(who)
          served.push(who)
          await gate().report(to, admission, 'alive')
        }
      }
    }
    return served
  }

  test('are all served in the time that the budget takes, in the order in which they lose their tokens', async () => {
    const beganMs = nowMs
    const order = Array.from({ length: 40 }, (_, i) => (i * 17) % 40)
    const herd = order.map((i) => ({ who: `${i}`, losesInMs: (atMs: number) => beganMs + i * second - atMs }))
    const served = await serve(newHost(2), herd)
    expect(nowMs - beganMs).toBeLessThan(25 * second)
    expect(served).toHaveLength(40)
    // the first three were taken as they came, before anyone else was known
    const misplaced = served.map((who, place) => Math.abs(Number(who) - place)).slice(3)
    expect(misplaced.reduce((a, b) => a + b, 0) / misplaced.length).toBeLessThan(6)
  })

  test('are all served too where each says again and again that it has time', async () => {
    const beganMs = nowMs
    const herd = Array.from({ length: 40 }, (_, i) => ({ who: `${i}`, losesInMs: () => 300 * second }))
    expect(new Set(await serve(newHost(2), herd)).size).toBe(40)
    expect(nowMs - beganMs).toBeLessThan(30 * second)
  })
})

describe('whatever happens', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 400 }),
    who: fc.integer({ min: 0, max: 30 }),
    losesInMs: fc.integer({ min: -60_000, max: 60_000 }),
    outcome: fc.constantFrom('alive', 'failing', 'silence'),
  })

  test('no ten seconds see more than the budget, and all are asked to come back within a minute', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0.5, 1, 3, 20),
        fc.array(step, { minLength: 50, maxLength: 150 }),
        async (budget, steps) => {
          const to = newHost(budget)
          const atMs: number[] = []
          for (const { waitMs, who, losesInMs, outcome } of steps) {
            nowMs += waitMs
            const admission = await gate().admit(to, `acme/app/${who}`, nowMs + losesInMs)
            expect(admission.inMs).toBeLessThanOrEqual(admission.verdict === 'send' ? 1_000 : 60_000)
            if (admission.verdict === 'hold') continue
            atMs.push(nowMs + admission.inMs)
            if (outcome !== 'silence') await gate().report(to, admission, outcome)
          }
          for (const from of atMs)
            expect(atMs.filter((at) => at >= from && at < from + 10_000).length).toBeLessThanOrEqual(budget * 10 + 1)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('a host that answers is asked at its budget in the end, whatever was before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const to = newHost(5)
        for (const { waitMs, who, losesInMs, outcome } of steps) {
          nowMs += waitMs
          const admission = await gate().admit(to, `acme/app/${who}`, nowMs + losesInMs)
          if (admission.verdict === 'send' && outcome !== 'silence') await gate().report(to, admission, outcome)
        }
        let answered = 0
        const untilMs = nowMs + 120 * second
        while (nowMs < untilMs) {
          const admission = await gate().admit(to, 'acme/app/live', nowMs)
          if (admission.verdict === 'send' && nowMs > untilMs - 20 * second) answered++
          nowMs += Math.max(50, admission.inMs)
          if (admission.verdict === 'send') await gate().report(to, admission, 'alive')
        }
        expect(answered).toBeGreaterThan(90)
      }),
      { numRuns: 15 },
    )
  })
})
