import { type Begin, beginAll, terminateAll } from './population.ts'
import { quiet } from './quiet.ts'
import type { Rig } from './rig.ts'

/** begun first: what a worker allocates once, it has allocated then */
const firstShare = 0.2

/** What one more sleeping workflow in the cache adds to a worker, in KiB of resident memory. */
export async function weighSleeper(
  rig: Rig,
  kind: 'credential' | 'null',
  begin: Begin,
  { sleepers, signal }: { sleepers: number; signal: AbortSignal },
): Promise<number> {
  const worker = await rig.startWorker(kind)
  const first = await beginAll(begin, {
    name: 'first',
    count: Math.ceil(sleepers * firstShare),
    pace: 'asleep',
    signal,
  })
  await quiet(worker, signal)
  const before = await worker.sample('weigh')
  const others = await beginAll(begin, { name: 'other', count: sleepers, pace: 'asleep', signal })
  await quiet(worker, signal)
  const after = await worker.sample('weigh')
  await terminateAll([...first, ...others])
  await worker.stop()
  return (after.rssBytes - before.rssBytes) / 1024 / sleepers
}
