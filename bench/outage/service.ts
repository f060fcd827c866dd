import { setTimeout as sleep } from 'node:timers/promises'
import { createReader } from '../../packages/reader/src/index.ts'
import type { Child } from '../refresh/child.ts'
import { compare, type Result } from '../report.ts'
import { type Rig, startRig } from './rig.ts'

export interface ServiceBench {
  workers: number
  /** who read all the time */
  readers: number
  tokenSeconds: number
  runMs: number
  /** between two ends of a worker, each followed by the start of another */
  restartEveryMs: number
  signal: AbortSignal
  say(line: string): void
}

const credential = 'bench/service/m2m'

/**
 * A client that is its own grant, and whose requests may be counted against a quota: many workers, many readers,
 * workers that come and go and a Redis that is restarted make no request more than the tokens that are needed.
 */
export async function benchService(plan: ServiceBench): Promise<Result[]> {
  const { tokenSeconds, say, signal } = plan
  say(`service: starting servers and ${plan.workers} workers`)
  const service = { rules: { tokenSeconds }, client: { grant: 'client_credentials' } }
  const rig = await startRig({ service }, { say })
  try {
    const workers = await Promise.all(Array.from({ length: plan.workers }, () => rig.startWorker()))
    const reading = startReaders(rig, plan.readers, signal)
    await rig.begin('service', 'm2m')
    const beganMs = performance.now()
    await restarts(rig, workers, plan)
    const ranMs = performance.now() - beganMs
    const reads = await reading.stop()
    const [requests, view] = [await rig.provider('service').requests(), await rig.perennial.describe(credential)]
    // the lead of a token that needs no person is half of it at most
    const lead = Math.min(tokenSeconds / 2, Math.max(30, tokenSeconds / 20))
    const bound = ranMs / 1000 / (tokenSeconds - lead) + 1
    return [
      {
        ...compare('service.requests', 'requests (generations)', [requests.length], [view?.generation ?? 0]),
        ...{ workers: plan.workers, readers: plan.readers, seconds: Math.round(ranMs / 1000) },
      },
      compare('service.quota', 'requests (T/(lifetime - lead) + 1)', [requests.length], [bound]),
      compare('service.reads', 'reads (all that were tried)', [reads.good], [reads.good + reads.failed]),
    ]
  } finally {
    await rig.stop()
  }
}

async function restarts(rig: Rig, workers: Child[], plan: ServiceBench): Promise<void> {
  const { runMs, restartEveryMs, signal, say } = plan
  const endMs = performance.now() + runMs
  const halfMs = performance.now() + runMs / 2
  let redisRestarted = false
  while (performance.now() < endMs) {
    await sleep(Math.min(restartEveryMs, Math.max(1, endMs - performance.now())), undefined, { signal })
    const oldest = workers.shift()
    await oldest?.stop()
    workers.push(await rig.startWorker())
    if (redisRestarted || performance.now() < halfMs) continue
    say('service: restarting Redis')
    await rig.restartRedis()
    redisRestarted = true
  }
}

/** Readers of one process, each of which asks for the token again and again from before there is one. */
function startReaders(rig: Rig, count: number, signal: AbortSignal) {
  const reader = createReader({ redis: rig.redisUrl, keys: [rig.key] })
  const reads = { good: 0, failed: 0 }
  let over = false
  const read = async () => {
    while (!over && !signal.aborted) {
      try {
        await reader.get(credential)
        reads.good++
      } catch {
        // until there is a first token nobody can have one
        if (reads.good > 0) reads.failed++
      }
      await sleep(100 + Math.random() * 100)
    }
  }
  const all = Promise.all(Array.from({ length: count }, read))
  return {
    stop: async () => {
      over = true
      await all
      await reader.close()
      return reads
    },
  }
}
