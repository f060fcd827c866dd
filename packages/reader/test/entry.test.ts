import { describe, expect, test } from 'vitest'
import { BoundedMap, Entry } from '../src/cache.ts'
import { RedisClock } from '../src/clock.ts'
import { Feed } from '../src/feeds.ts'

const id = 'acme/google-main/alice'

/** Read at 1 s of generation 5, valid until 601 s; Redis is half a day ahead of the monotonic clock. */
function entry({ dies = false, heard = true } = {}) {
  const feed = new Feed('acme')
  feed.live = true
  const clock = new RedisClock()
  clock.set(['43200', '0'], 0)
  const document = {
    credential: id,
    family: 'f1',
    generation: 5,
    access_token: 'token-5',
    token_type: 'Bearer',
    expires_at: new Date(43_200_000 + 601_000).toISOString(),
    ...(dies ? { dies_at_refresh: true } : {}),
  }
  const made = new Entry(
    { id, key: 'k', feed, epoch: heard ? feed.epoch : -1, header: undefined },
    document,
    1_000,
    clock,
  )
  return { made, feed }
}

const stale = (made: Entry, nowMs: number, heardMs = 0, minRemainingMs = 0) =>
  made.stale({ nowMs, heardMs, maxStaleMs: 300_000, minRemainingMs })

describe('a token in memory is current', () => {
  test('while notices are heard, for a minute, or until it expires', () => {
    const { made } = entry()
    expect([1_000, 60_999, 61_000].map((nowMs) => made.isCurrent(nowMs))).toEqual([true, true, false])
  })

  test('never when it was read while no notices were heard', () => {
    expect(entry({ heard: false }).made.isCurrent(1_001)).toBe(false)
  })

  test('not after a gap in the notices', () => {
    const { made, feed } = entry()
    feed.live = false
    expect(made.isCurrent(2_000)).toBe(false)
    feed.live = true
    feed.epoch += 1
    expect(made.isCurrent(2_000)).toBe(false)
  })

  test.each([4, 5, 6])('not after a notice of generation %i', (generation) => {
    const { made } = entry()
    made.noticed(generation, 2_000)
    expect(made.isCurrent(2_001)).toBe(false)
  })
})

describe('while Redis is away, a token in memory', () => {
  test.each([
    ['after a refresh', { generation: 6, dies: false }, true],
    ['after a refresh that ends it', { generation: 6, dies: true }, false],
    ['after a notice of its own generation, which may be a revoke', { generation: 5, dies: false }, false],
    ['after a notice of an earlier one, which may be a revoke', { generation: 0, dies: false }, false],
  ])('%s: served is %j %s', (_, { generation, dies }, served) => {
    const { made } = entry({ dies })
    made.noticed(generation, 2_000)
    expect(stale(made, 3_000) !== undefined).toBe(served)
  })

  test('is as old as the last sign of life while notices were heard, and older with every moment after', () => {
    const { made, feed } = entry()
    expect(stale(made, 100_000, 99_500)?.ageMs).toBe(500)
    made.doubt(99_500)
    feed.live = false
    expect(stale(made, 110_000, 109_000)).toMatchObject({ stale: true, ageMs: 10_500 })
    made.doubt(109_000)
    expect(stale(made, 110_000, 109_000)?.ageMs).toBe(10_500)
  })

  test('is served until it is too old or would not live for long enough', () => {
    const { made } = entry()
    made.doubt(1_000)
    expect(stale(made, 301_000)?.ageMs).toBe(300_000)
    expect(stale(made, 301_001)).toBeUndefined()
    expect(stale(made, 200_000, 0, 400_999)).toBeDefined()
    expect(stale(made, 200_000, 0, 401_000)).toBeUndefined()
    made.doubt(600_999)
    expect(stale(made, 601_000)).toBeUndefined()
  })
})

test('a bounded map drops what was set longest ago', () => {
  const map = new BoundedMap<number>(2)
  for (const key of ['a', 'b', 'a', 'c']) map.set(key, 1)
  expect([...map.keys()]).toEqual(['a', 'c'])
})
