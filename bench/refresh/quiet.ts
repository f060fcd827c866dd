import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'

const lookEveryMs = 1_000
/** of a look: polling alone needs less */
const quietShare = 0.04
const waitAtMostMs = 60_000

/** Waits until a worker has done what it had to do. */
export async function quiet(worker: Child, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + waitAtMostMs
  for (let before = await worker.sample(); performance.now() < untilMs; ) {
    await sleep(lookEveryMs, undefined, { signal })
    const now = await worker.sample()
    if (now.cpuMs - before.cpuMs < quietShare * (now.atMs - before.atMs)) return
    before = now
  }
}
