import { changedChannel } from '../../packages/reader/src/format.ts'
import { connect, ready } from '../../src/store/connection.ts'
import { Store } from '../../src/store/store.ts'
import { compare, type Result } from '../report.ts'
import type { ReadBench } from './bench.ts'
import type { Reads } from './reads.ts'

/**
 * From the moment at which a worker sends its write until a reader's listener is called, beside a bare subscriber to
 * the same channel: half of it is the write itself.
 */
export async function benchNotices(reads: Reads, { notices, signal, say }: ReadBench): Promise<Result[]> {
  say(`read: ${notices} writes, and when readers hear of them`)
  const credential = 'acme/google-main/noticed'
  const listener = connect(reads.redisUrl, 'bench', () => {})
  await ready(listener)
  const heard = { reader: [] as number[], bare: [] as number[] }
  let sentMs = 0
  let onBoth: () => void = () => {}
  const arrived = (by: number[]) => {
    by.push(performance.now() - sentMs)
    if (heard.reader.length === heard.bare.length) onBoth()
  }
  await listener.subscribe(changedChannel('acme'), () => arrived(heard.bare))
  const stop = reads.plain.onChange(credential, () => arrived(heard.reader))
  const store = new Store(reads.bare.plain)
  const { nowMs } = await store.read(credential)
  try {
    for (let generation = 1; generation <= notices; generation++) {
      signal.throwIfAborted()
      const both = new Promise<void>((resolve) => {
        onBoth = resolve
      })
      sentMs = performance.now()
      await store.write({ namespace: 'bench', run: 'bench' }, writeOf(credential, generation, nowMs))
      await both
    }
  } finally {
    stop()
    listener.destroy()
  }
  return [50, 99].map((percent) => ({
    ...compare(`read.notice.p${percent}`, 'ms', [percentile(heard.reader, percent)], [percentile(heard.bare, percent)]),
    notices,
  }))
}

const writeOf = (credential: string, generation: number, nowMs: number) => ({
  credential,
  family: 'f1',
  generation,
  writer: `w${generation}`,
  beganMs: nowMs,
  access: { value: 'x'.repeat(1_600), expiresAtMs: nowMs + 3_600_000 },
  seeds: [],
  parameters: {},
  status: { status: 'active' as const, since: new Date(nowMs).toISOString(), generation },
})

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}
