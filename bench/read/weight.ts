import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { accessKey } from '../../packages/reader/src/format.ts'
import { createReader } from '../../packages/reader/src/index.ts'
import { compare, type Result } from '../report.ts'
import type { ReadBench } from './bench.ts'
import type { Reads } from './reads.ts'

/** What a token in memory weighs, beside the parsed document in a Map. */
export async function benchMemory({ ids, redisUrl, bare }: Reads): Promise<Result> {
  const collect = collector()
  const weigh = async (fill: () => Promise<unknown>) => {
    const beforeBytes = collect()
    const held = await fill()
    const bytes = collect() - beforeBytes
    // held until here
    return held === undefined ? Number.NaN : bytes / ids.length
  }
  const tokens = createReader({ redis: redisUrl, maxEntries: ids.length })
  try {
    // what the connection needs is no part of it
    await tokens.get(ids[0] ?? '', { fresh: true })
    const values = await weigh(async () => {
      for (const id of ids) await tokens.get(id)
      return tokens
    })
    const baselines = await weigh(async () => {
      const map = new Map<string, unknown>()
      for (const id of ids) map.set(id, JSON.parse((await bare.plain.get(accessKey(id))) ?? ''))
      return map
    })
    return { ...compare('read.memory', 'bytes/entry', [values], [baselines]), keys: ids.length }
  } finally {
    await tokens.close()
  }
}

/** How often Redis is read when so many ask at once for a token that nobody has read, beside asking for each. */
export async function benchColdStart({ ids, redisUrl, bare }: Reads, { atOnce }: ReadBench): Promise<Result> {
  const gets = async () => Number(/cmdstat_get:calls=(\d+)/.exec(await bare.plain.info('commandstats'))?.[1] ?? 0)
  const counted = async (work: () => Promise<unknown>) => {
    const before = await gets()
    await work()
    return (await gets()) - before
  }
  const id = ids[0] ?? ''
  const all = (get: () => Promise<unknown>) => () => Promise.all(Array.from({ length: atOnce }, get))
  const tokens = createReader({ redis: redisUrl })
  try {
    const value = await counted(all(() => tokens.get(id)))
    const baseline = await counted(all(() => bare.plain.get(accessKey(id))))
    return { ...compare('read.coldStart', 'reads of Redis', [value], [baseline]), atOnce }
  } finally {
    await tokens.close()
  }
}

/** The bytes of the heap after a collection. */
function collector(): () => number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return () => {
    collect()
    return process.memoryUsage().heapUsed
  }
}
