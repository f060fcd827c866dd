import { describe, expect, test } from 'vitest'
import { classes, lostAnswers, type Strike, schedule, shares, spanMs } from './schedule.ts'
import { tokenSeconds } from './stage.ts'

const only = <Kind extends Strike['kind']>(strikes: Strike[], kind: Kind) =>
  strikes.filter((strike): strike is Extract<Strike, { kind: Kind }> => strike.kind === kind)

const seeds = [0, 1, 7, 12_345]

describe.each([20, 100, 300, 400])('a schedule of %i faults', (faults) => {
  test('has so many, in order, inside its span', () => {
    for (const seed of seeds) {
      const strikes = schedule(faults, seed)
      expect(strikes).toHaveLength(faults)
      const times = strikes.map(({ atMs }) => atMs)
      expect(times).toEqual([...times].sort((a, b) => a - b))
      expect(Math.max(...times)).toBeLessThanOrEqual(spanMs(faults))
    }
  })

  test('kills worker, Temporal and Redis equally, at least 15 s apart', () => {
    for (const seed of seeds) {
      const kills = only(schedule(faults, seed), 'kill')
      const apart = kills.slice(1).map(({ atMs }, index) => atMs - (kills[index]?.atMs ?? Number.NaN))
      expect(Math.min(...apart)).toBeGreaterThanOrEqual(15_000)
      const counts = ['worker', 'temporal', 'redis'].map(
        (name) => kills.filter(({ process }) => process === name).length,
      )
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    }
  })

  test('loses at least a quarter of its answers after the commit, spread over the classes', () => {
    const lost = only(schedule(faults, 3), 'answer_lost')
    expect(lost.length).toBeGreaterThanOrEqual(faults / 4)
    const perClass = classes.map((name) => lost.filter(({ client }) => client === name).length)
    expect(Math.max(...perClass) - Math.min(...perClass)).toBeLessThanOrEqual(1)
    expect(Math.min(...perClass)).toBeGreaterThan(0)
  })

  test('has some of every kind, black holes of 5 to 30 s among them', () => {
    expect(Math.min(...Object.values(shares(faults)))).toBeGreaterThan(0)
    for (const { forMs } of only(schedule(faults, 5), 'black_hole')) {
      expect(forMs).toBeGreaterThanOrEqual(5_000)
      expect(forMs).toBeLessThanOrEqual(30_000)
    }
  })
})

test('300 faults: a tenth are kills, every way to lose an answer meets every class, and 15 minutes suffice', () => {
  const strikes = schedule(300, 1)
  expect(only(strikes, 'kill')).toHaveLength(30)
  const pairs = new Set(only(strikes, 'answer_lost').map(({ client, how }) => `${client} ${how}`))
  expect(pairs.size).toBe(classes.length * lostAnswers.length)
  expect(spanMs(300)).toBeLessThan(10 * 60_000)
  const holesMs = only(strikes, 'black_hole').map(({ forMs }) => forMs)
  expect(holesMs.filter((ms) => ms > tokenSeconds * 1_000).length).toBeGreaterThanOrEqual(holesMs.length / 3)
})

test('the same seed gives the same schedule, another seed another', () => {
  expect(schedule(100, 4)).toEqual(schedule(100, 4))
  expect(schedule(100, 4)).not.toEqual(schedule(100, 5))
})
