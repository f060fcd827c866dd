import { beforeAll, describe, expect, it } from 'vitest'
import { benchRead } from '../bench/read/bench.ts'
import type { Result } from '../bench/report.ts'

describe('npm run bench -- read', () => {
  let results: Map<string, Result>
  const said: string[] = []

  beforeAll(async () => {
    const plan = { keys: 200, rounds: 2, reads: 50, notices: 20, atOnce: 100 }
    const run = { signal: new AbortController().signal, say: (line: string) => void said.push(line) }
    results = new Map((await benchRead({ ...plan, ...run })).map((result) => [result.name, result]))
  })

  it('measures every kind of read beside its baseline, in rounds', () => {
    const kinds = ['read.cached', 'read.uncached', 'read.uncached.32', 'read.opened', 'read.opened.32']
    const others = ['read.notice.p50', 'read.notice.p99', 'read.memory', 'read.coldStart']
    expect([...results.keys()]).toEqual([...kinds, ...others])
    for (const name of kinds) expect(results.get(name)).toMatchObject({ unit: 'reads/s', rounds: 2, keys: 200 })
    for (const [name, { value, baseline, ratio }] of results)
      expect([value > 0, baseline > 0, ratio > 0], name).toEqual([true, true, true])
    expect(said.filter((line) => line.includes('round 2 of 2'))).toHaveLength(1)
  })

  it('says how long a notice takes and what a token weighs', () => {
    expect(results.get('read.notice.p99')).toMatchObject({ unit: 'ms', notices: 20 })
    expect(results.get('read.memory')).toMatchObject({ unit: 'bytes/entry', keys: 200 })
  })

  it('reads Redis once for all who ask at the same moment', () => {
    expect(results.get('read.coldStart')).toMatchObject({ value: 1, baseline: 100, atOnce: 100 })
  })
})
