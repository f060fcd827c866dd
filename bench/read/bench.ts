import { compare, type Result } from '../report.ts'
import { benchNotices } from './notices.ts'
import { baselines, type Reads, startReads } from './reads.ts'
import { benchColdStart, benchMemory } from './weight.ts'

export interface ReadBench {
  keys: number
  /** each measures every kind of read and its baseline, in turn */
  rounds: number
  /** of a round, one after another; four times as many at 32 at once, and a hundred times as many hits */
  reads: number
  notices: number
  /** gets at the same moment of a key that nobody has read */
  atOnce: number
  signal: AbortSignal
  say: (line: string) => void
}

/** the rounds are short, so that what else the machine does meets a value and its baseline alike */
const sayEvery = 20

/**
 * What a service pays for a token: from memory beside a Map behind an await, from Redis beside GET and JSON.parse, and
 * from Redis and opened beside the same with a bare decipher, of the same values over the same kind of connection.
 */
export async function benchRead(options: ReadBench): Promise<Result[]> {
  options.say(`read: filling Redis with ${options.keys} tokens of 1.6 KB, plain and sealed`)
  const reads = await startReads(options.keys)
  try {
    return [
      ...(await inRounds(reads, options)),
      ...(await benchNotices(reads, options)),
      await benchMemory(reads),
      await benchColdStart(reads, options),
    ]
  } finally {
    await reads.stop()
  }
}

interface Kind {
  name: string
  concurrency: number
  count: number
  read: (id: string) => Promise<unknown>
  baseline: (id: string) => Promise<unknown>
}

async function inRounds(reads: Reads, options: ReadBench): Promise<Result[]> {
  const measured = kinds(reads, options).map((kind) => ({ kind, values: [] as number[], baselines: [] as number[] }))
  // each once, so that all is compiled, and every token is in memory
  for (const { kind } of measured) {
    await rate(reads, { ...kind, count: Math.max(kind.count, reads.ids.length) }, kind.read)
    await rate(reads, kind, kind.baseline)
  }
  for (let round = 1; round <= options.rounds; round++) {
    for (const { kind, values, baselines } of measured) {
      options.signal.throwIfAborted()
      const both = [
        async () => void values.push(await rate(reads, kind, kind.read)),
        async () => void baselines.push(await rate(reads, kind, kind.baseline)),
      ]
      for (const one of round % 2 === 0 ? both.reverse() : both) await one()
    }
    if (round % sayEvery === 0 || round === options.rounds) options.say(`read: round ${round} of ${options.rounds}`)
  }
  return measured.map(({ kind: { name, concurrency, count }, values, baselines }) => ({
    ...compare(name, 'reads/s', values, baselines),
    ...{ rounds: options.rounds, readsPerRound: count, concurrency, keys: reads.ids.length },
  }))
}

function kinds({ plain, sealed, bare, map }: Reads, { reads }: ReadBench): Kind[] {
  const fresh = { fresh: true }
  const cached = { read: (id: string) => plain.get(id), baseline: baselines.map(map) }
  const uncached = { read: (id: string) => plain.get(id, fresh), baseline: baselines.plain(bare) }
  const opened = { read: (id: string) => sealed.get(id, fresh), baseline: baselines.sealed(bare, sealed.key) }
  return [
    { name: 'read.cached', concurrency: 1, count: reads * 100, ...cached },
    { name: 'read.uncached', concurrency: 1, count: reads, ...uncached },
    { name: 'read.uncached.32', concurrency: 32, count: reads * 4, ...uncached },
    { name: 'read.opened', concurrency: 1, count: reads, ...opened },
    { name: 'read.opened.32', concurrency: 32, count: reads * 2, ...opened },
  ]
}

/** Reads a second, of keys in no order. */
async function rate(
  { ids }: Reads,
  { concurrency, count }: Pick<Kind, 'concurrency' | 'count'>,
  read: (id: string) => Promise<unknown>,
): Promise<number> {
  let left = count
  let at = 0
  // a stride that has no factor in common with the usual numbers of keys visits all of them
  const next = () => {
    at = (at + 7_919) % ids.length
    return ids[at] ?? ''
  }
  const lane = async () => {
    while (left-- > 0) await read(next())
  }
  const beganMs = performance.now()
  await Promise.all(Array.from({ length: concurrency }, lane))
  return (count * 1_000) / (performance.now() - beganMs)
}
