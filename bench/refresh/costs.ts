import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, WorkflowHandle } from '@temporalio/client'
import { PerennialError } from '../../src/errors.ts'
import { defaultTuning } from '../../src/workflows/messages.ts'
import { compare, type Result } from '../report.ts'
import { beginAll, beginCredential, beginNull, terminateAll } from './population.ts'
import { countersBetween, readCounters } from './redis-counters.ts'
import type { Rig } from './rig.ts'

/** two runs of ten cycles take 20 s where nothing else is at work */
const lookAtMostMs = 180_000
const lookEveryMs = 1_000
/** every workflow has taken over its grant, which writes too */
const begunMs = 3_000

/**
 * What a cycle leaves in Temporal's history, from runs that are over: their beginnings and ends are in it. And what a
 * refresh asks of Redis, counted there; the null workflow asks nothing of it.
 */
export async function costsOfCycle(
  rig: Rig,
  { looked, signal, say }: { looked: number; signal: AbortSignal; say(line: string): void },
): Promise<Result[]> {
  say(`refresh: looking at whole runs of ${looked} workflows of each kind`)
  const workers = await Promise.all([rig.startWorker('credential'), rig.startWorker('null')])
  const who = { name: 'looked', count: looked, pace: 'busy' as const, signal }
  const credentials = await beginAll(beginCredential(rig), who)
  const nulls = await beginAll(beginNull(rig), who)
  await sleep(begunMs, undefined, { signal })

  const before = { redis: await readCounters(rig.redis), ...(await rig.endpoint.sample()) }
  const [runs, nullRuns] = await Promise.all([
    wholeRuns(rig.temporal.client, credentials, signal),
    wholeRuns(rig.temporal.client, nulls, signal),
  ])
  const after = { redis: await readCounters(rig.redis), ...(await rig.endpoint.sample()) }
  await terminateAll([...credentials, ...nulls])
  await Promise.all(workers.map((worker) => worker.stop()))

  const refreshes = after.cycles - before.cycles
  const { commands, bytesIn, bytesOut } = countersBetween(before.redis, after.redis)
  const perRefresh = (count: number) => count / refreshes
  const byCommand = Object.fromEntries(Object.entries(commands).map(([name, calls]) => [name, perRefresh(calls)]))
  const calls = Object.values(commands).reduce((sum, one) => sum + one, 0)
  const inRuns = (name: string, unit: string, of: (run: WholeRun) => number) => ({
    ...compare(name, unit, runs.map(of), nullRuns.map(of)),
    runs: runs.length,
    cyclesPerRun: defaultTuning.refreshesPerRun,
  })
  return [
    inRuns('refresh.history', 'events/cycle', ({ events }) => events / defaultTuning.refreshesPerRun),
    inRuns('refresh.history.bytes', 'bytes/cycle', ({ bytes }) => bytes / defaultTuning.refreshesPerRun),
    { ...compare('refresh.redis', 'commands/cycle', [perRefresh(calls)], [0]), refreshes, byCommand },
    {
      ...compare('refresh.redis.bytes', 'bytes/cycle', [perRefresh(bytesIn + bytesOut)], [0]),
      refreshes,
      in: perRefresh(bytesIn),
      out: perRefresh(bytesOut),
    },
  ]
}

interface WholeRun {
  events: number
  bytes: number
}

/** Waits until each workflow has two runs behind it; the first, which has more to do, is left out. */
async function wholeRuns(client: Client, handles: readonly WorkflowHandle[], signal: AbortSignal): Promise<WholeRun[]> {
  const untilMs = performance.now() + lookAtMostMs
  const found: WholeRun[] = []
  for (const { workflowId } of handles) {
    for (;;) {
      const [latest, ...earlier] = await endedRuns(client, workflowId)
      if (latest !== undefined && earlier.length > 0) {
        found.push(latest)
        break
      }
      if (performance.now() > untilMs)
        throw new PerennialError('not_measured', `${workflowId} did not come through two runs in three minutes`)
      await sleep(lookEveryMs, undefined, { signal })
    }
  }
  return found
}

/** Newest first. */
async function endedRuns(client: Client, workflowId: string): Promise<WholeRun[]> {
  const runs: WholeRun[] = []
  const query = `WorkflowId = '${workflowId}' AND ExecutionStatus = 'ContinuedAsNew'`
  for await (const { historyLength, historySize = 0 } of client.workflow.list({ query }))
    runs.push({ events: historyLength, bytes: historySize })
  return runs
}
