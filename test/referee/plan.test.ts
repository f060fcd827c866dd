import { expect, test } from 'vitest'
import { FaultBook } from './fault-book.ts'
import { answers, cut, echo } from './faults.ts'
import { followPlan, type Plan, plannedFaults } from './plan.ts'

const many = (plan: Plan, count = 2_000) => {
  const next = followPlan(plan)
  return Array.from({ length: count }, () => next())
}

test('the same seed gives the same faults, another seed others', () => {
  // a throttled answer may name the time of day
  const weights = { drop_after_commit: 2, truncate: 1, black_hole: 1 }
  const plan: Plan = { seed: 7, share: 0.5, latencyMs: [20, 300], weights }
  expect(many(plan)).toEqual(many(plan))
  expect(many(plan)).not.toEqual(many({ ...plan, seed: 8 }))
})

test('faults come in the share and by the weights that were asked for', () => {
  const drawn = many({ seed: 1, share: 0.25, weights: { drop_after_commit: 3, throttled: 1 } })
  const named = drawn.flatMap((each) => (each?.planned === undefined ? [] : [each.planned]))
  const lost = named.filter((name) => name === 'drop_after_commit').length
  expect(named.length / drawn.length).toBeCloseTo(0.25, 1)
  expect(lost / named.length).toBeCloseTo(0.75, 1)
  expect(new Set(named)).toEqual(new Set(['drop_after_commit', 'throttled']))
})

test('without weights every fault happens', () => {
  const named = new Set(many({ seed: 1, share: 1 }).map((each) => each?.planned))
  expect(named).toEqual(new Set(plannedFaults))
})

test('every request takes its latency, split around the commit, and faults stop at their limit', () => {
  const drawn = many({ seed: 3, share: 1, limit: 20, latencyMs: [20, 300] })
  expect(drawn.filter((each) => each?.planned !== undefined)).toHaveLength(20)
  for (const each of drawn) {
    const latencyMs = (each?.fault.delayBeforeCommitMs ?? 0) + (each?.fault.holdAnswerMs ?? 0)
    expect(latencyMs).toBeGreaterThanOrEqual(20)
    expect(latencyMs).toBeLessThanOrEqual(300)
  }
  expect(drawn.some((each) => (each?.fault.delayBeforeCommitMs ?? 0) > (each?.fault.holdAnswerMs ?? 0))).toBe(true)
})

test('a rule meets the requests that fit, as often and as long as it says, and comes before the plan', () => {
  const book = new FaultBook()
  const chosen = (user: string, nowMs = 0) => book.choose({ endpoint: 'token', user, client: 'app' }, nowMs)?.name
  book.follow({ seed: 1, share: 1, weights: { bad_gateway: 1 } })
  book.add([{ user: 'alice', count: 2, fault: { kind: 'drop_after_commit' } }], 0)
  expect([chosen('bob'), chosen('alice'), chosen('alice'), chosen('alice')]).toEqual([
    'bad_gateway',
    'drop_after_commit',
    'drop_after_commit',
    'bad_gateway',
  ])
  expect(book.made()).toEqual({ bad_gateway: 2, drop_after_commit: 2 })
  book.follow(undefined)
  book.add([{ client: 'app', forMs: 100, fault: { kind: 'drop_before_commit' } }], 1_000)
  expect([chosen('bob', 1_000), chosen('alice', 1_099), chosen('bob', 1_100)]).toEqual([
    'drop_before_commit',
    'drop_before_commit',
    undefined,
  ])
})

test('a rule for the token endpoint leaves revocations alone, and the other way round', () => {
  const book = new FaultBook()
  book.add([{ fault: { kind: 'drop_before_commit' } }, { endpoint: 'revoke', fault: { kind: 'revokes_nothing' } }], 0)
  expect(book.choose({ endpoint: 'revoke' }, 0)?.name).toBe('revokes_nothing')
  expect(book.choose({ endpoint: 'revoke' }, 0)).toBeUndefined()
  expect(book.choose({ endpoint: 'token' }, 0)?.name).toBe('drop_before_commit')
})

test('a cut goes where it was told', () => {
  const body = '{"access_token":"aaaa","refresh_token":"rrrr","scope":"s"}'
  expect(cut(body, 3)).toBe('{"a')
  expect(cut(body, 'before_refresh_token')).toBe('{"access_token":"aaaa",')
  expect(cut(body, 'inside_refresh_token')).toBe('{"access_token":"aaaa","refresh_token":"rr')
  expect(cut(body, 'after_refresh_token')).toBe('{"access_token":"aaaa","refresh_token":"rrrr"')
  expect(cut('{"access_token":"aaaa"}', 'after_refresh_token')).toBe('{"access_to')
})

test('a hostile answer repeats what the request held', () => {
  const said = echo(answers.hostileEcho, {
    refreshToken: 'THE-TOKEN',
    clientSecret: 'THE-SECRET',
    authorization: 'Basic THE-HEADER',
    body: 'THE=BODY',
  })
  for (const secret of ['THE-TOKEN', 'THE-SECRET', 'Basic THE-HEADER', 'THE=BODY']) expect(said.body).toContain(secret)
  expect(said.headers?.['x-echo']).toBe('Basic THE-HEADER')
})
