import { expect, test } from 'vitest'
import { Judge, type Wrong } from './judge.ts'
import type { Ask, Call } from './protocol.ts'

const credential = 'acme/orchard/alice'
const beganMs = 1_800_000_000_000

/** Token n of alice is issued at n · 10 s and lives for 20 s; bob has one too. */
function judge(): Judge {
  const judged = new Judge()
  for (const generation of [1, 2, 3])
    judged.issued(`a${generation}`, { credential, generation, expiresAtMs: beganMs + generation * 10_000 + 20_000 })
  judged.issued('b1', { credential: 'acme/orchard/bob', generation: 1, expiresAtMs: beganMs + 20_000 })
  return judged
}

const call = (startMs: number, endMs: number, asked: Ask, outcome: Pick<Call, 'token' | 'error' | 'typed'>): Call => ({
  credential,
  startMs: beganMs + startMs,
  endMs: beganMs + endMs,
  asked,
  ...outcome,
})
const served = (atMs: number, accessToken: string, asked: Ask = {}, stale = false) =>
  call(atMs, atMs, asked, { token: { accessToken, generation: Number(accessToken.slice(1)), stale } })
const failed = (startMs: number, endMs: number, asked: Ask = {}, error = 'store_unavailable') =>
  call(startMs, endMs, asked, { error, typed: error !== 'TypeError' })

const cases: { what: string; calls: Call[]; wrong: Wrong[] }[] = [
  { what: 'a valid token', calls: [served(11_000, 'a1')], wrong: [] },
  { what: 'one past its expiry', calls: [served(30_100, 'a1')], wrong: ['expired'] },
  {
    what: 'one for less than was asked for',
    calls: [served(29_000, 'a1', { minRemainingMs: 2_000 })],
    wrong: ['short'],
  },
  { what: 'one of somebody else', calls: [served(11_000, 'b1')], wrong: ['foreign'] },
  { what: 'one that nobody issued', calls: [served(11_000, 'c1')], wrong: ['foreign'] },
  { what: 'an older one after a newer one', calls: [served(21_000, 'a2'), served(22_000, 'a1')], wrong: ['older'] },
  { what: 'an error when there is none in memory', calls: [failed(11_000, 11_100)], wrong: [] },
  { what: 'an error beside a valid one', calls: [served(11_000, 'a1'), failed(12_000, 12_100)], wrong: ['refused'] },
  { what: 'an error after its expiry', calls: [served(11_000, 'a1'), failed(30_001, 30_100)], wrong: [] },
  {
    what: 'an error when it has less left than was asked for',
    calls: [served(11_000, 'a1'), failed(28_000, 28_100, { minRemainingMs: 3_000 })],
    wrong: [],
  },
  {
    what: 'an error to one who asks for what stands in Redis',
    calls: [served(11_000, 'a1'), failed(12_000, 12_100, { fresh: true })],
    wrong: [],
  },
  {
    what: 'an error to one who would have waited, beside a good one',
    calls: [served(11_000, 'a1'), failed(12_000, 15_000, { minRemainingMs: 7_000, waitMs: 3_000 })],
    wrong: ['refused'],
  },
  { what: 'an error that is not of the package', calls: [failed(11_000, 11_100, {}, 'TypeError')], wrong: ['untyped'] },
]

test.each(cases)('$what: $wrong', ({ calls, wrong }) => {
  const judged = judge()
  for (const one of calls) judged.called(one)
  expect(judged.violations.map((violation) => violation.wrong)).toEqual(wrong)
})

test('a token said to be the newest, long after a newer one was written: outdated, unless there was a fault since', () => {
  const outcome = (stale: boolean, faultMs?: number) => {
    const judged = judge()
    judged.written(credential, 2, { sentMs: beganMs + 20_000, nowMs: beganMs + 20_010 })
    if (faultMs !== undefined) judged.faultBegins('killed', beganMs + faultMs)
    judged.called(served(23_000, 'a1', {}, stale))
    return judged.violations.map((violation) => violation.wrong)
  }
  expect(outcome(false)).toEqual(['outdated'])
  expect(outcome(true)).toEqual([])
  expect(outcome(false, 21_000)).toEqual([])
})

test('errors are counted by the fault and by their code', () => {
  const judged = judge()
  judged.called(failed(1_000, 1_100, {}, 'token_expired'))
  judged.faultBegins('hung', beganMs + 2_000)
  judged.faultEnds(beganMs + 5_000)
  judged.called(failed(4_000, 6_000))
  judged.called(failed(1_000, 3_000))
  judged.called(failed(5_500, 6_000))
  expect(judged.errors).toEqual({
    none: { token_expired: 1, store_unavailable: 1 },
    hung: { store_unavailable: 2 },
  })
})
