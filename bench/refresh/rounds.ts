import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import { cpuMsOf } from './cpu.ts'
import { type Begin, beginAll, beginCredential, beginNull, tasksPerCycle, terminateAll } from './population.ts'
import { quiet } from './quiet.ts'
import type { Rig } from './rig.ts'

export interface Rounds {
  /** rounds before those, not counted: for the compiler */
  trials: number
  /** of each kind in its rounds: so many that the machine cannot serve them in time, whichever kind they are */
  workflows: number
  /** of each kind, alternating */
  rounds: number
  /**
   * After the last workflow of a round has begun. The server keeps a timer for the timeouts of each task, the longest 15 s,
   * and looks at it when it fires, however long ago the task ended: before that those of the round before are still
   * firing and those of this one not yet.
   */
  warmUpMs: number
  windowMs: number
  signal: AbortSignal
  say(line: string): void
}

export interface Round {
  cyclesPerSecond: number
  cycles: number
  failures: number
  cpuMsPerCycle: number
  /** of all that a refresh needs: Temporal, worker, Redis and the token endpoint */
  allCpuMsPerCycle: number
  /** of what all cores together could have done, by whomever */
  machineBusy: number
  rssMiB: number
  tasksPerCycle: number
}

/** One of the two things that are compared. */
interface Side {
  kind: 'credential' | 'null'
  begin: Begin
  worker: Child
  /** counts its cycles */
  counter: Child
}

/** the histories that are looked at, of each round */
const sampledHistories = 20

/** Measures both kinds in turns, each round with workflows of its own; only one kind has any at a time. */
export async function measureRounds(rig: Rig, plan: Rounds): Promise<{ credential: Round[]; null: Round[] }> {
  const [worker, nullWorker] = await Promise.all([rig.startWorker('credential'), rig.startWorker('null')])
  const real: Side = { kind: 'credential', begin: beginCredential(rig), worker, counter: rig.endpoint }
  const bare: Side = { kind: 'null', begin: beginNull(rig), worker: nullWorker, counter: nullWorker }
  const measured = { credential: [] as Round[], null: [] as Round[] }
  for (let round = 1 - plan.trials; round <= plan.rounds; round++) {
    // what gets slower or faster with time does so for both
    for (const side of round % 2 === 0 ? [bare, real] : [real, bare]) {
      const result = await measure(rig, side, `round-${round}`, plan)
      plan.say(`refresh: round ${round} of ${plan.rounds}, ${side.kind}: ${describe(result)}`)
      if (round > 0) measured[side.kind].push(result)
    }
  }
  await Promise.all([worker.stop(), nullWorker.stop()])
  return measured
}

const describe = ({ cyclesPerSecond, tasksPerCycle, machineBusy, allCpuMsPerCycle }: Round) =>
  `${cyclesPerSecond.toFixed(1)} cycles/s, ${tasksPerCycle.toFixed(2)} workflow tasks each, machine ${Math.round(machineBusy * 100)} % busy, ${allCpuMsPerCycle.toFixed(1)} ms CPU a cycle`

async function measure(rig: Rig, side: Side, name: string, plan: Rounds): Promise<Round> {
  const { workflows: count, warmUpMs, windowMs, signal } = plan
  const handles = await beginAll(side.begin, { name, count, pace: 'busy', signal })
  await sleep(warmUpMs, undefined, { signal })
  const before = await sample(rig, side)
  await sleep(windowMs, undefined, { signal })
  const after = await sample(rig, side)
  const tasks = await tasksPerCycle(rig.temporal.client, handles.slice(0, sampledHistories))
  await terminateAll(handles)
  await quiet(side.worker, signal)
  const cycles = after.cycles - before.cycles
  return {
    cyclesPerSecond: (cycles / (after.atMs - before.atMs)) * 1000,
    cycles,
    failures: after.failures - before.failures,
    cpuMsPerCycle: (after.cpuMs - before.cpuMs) / cycles,
    allCpuMsPerCycle: (after.allCpuMs - before.allCpuMs) / cycles,
    machineBusy: 1 - (after.idleMs - before.idleMs) / (after.machineMs - before.machineMs),
    rssMiB: after.rssBytes / 2 ** 20,
    tasksPerCycle: tasks,
  }
}

/** Cycles by the clock of who counts them, the rest of the worker, of all that work for it, and of the machine. */
async function sample({ pids, endpoint }: Rig, { worker, counter }: Side) {
  const [ofWorker, ofEndpoint] = await Promise.all([worker.sample(), endpoint.sample()])
  const times = cpus().map((cpu) => cpu.times)
  const machine = {
    idleMs: times.reduce((sum, { idle }) => sum + idle, 0),
    machineMs: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
    allCpuMs: ofWorker.cpuMs + ofEndpoint.cpuMs + cpuMsOf(pids.temporal) + cpuMsOf(pids.redis),
  }
  if (counter === worker) return { ...ofWorker, ...machine }
  const { atMs, cycles, failures } = ofEndpoint
  return { ...ofWorker, ...machine, atMs, cycles, failures: ofWorker.failures + failures }
}
