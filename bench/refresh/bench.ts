import { compare, type Result } from '../report.ts'
import { costsOfCycle } from './costs.ts'
import { beginCredential, beginNull } from './population.ts'
import { type Rig, startRig } from './rig.ts'
import { measureRounds, type Round, type Rounds } from './rounds.ts'
import { weighSleeper } from './weight.ts'

export interface RefreshBench extends Rounds {
  /** workflows that do nothing but sleep, to weigh one */
  sleepers: number
  /** workflows of each kind of which some runs are looked at whole, to see what a cycle leaves behind */
  looked: number
}

/**
 * How many refreshes a second Perennial does, beside what the same machine and the same Temporal server do of a
 * workflow that has a timer and an activity too, and nothing in them.
 */
export async function benchRefresh(options: RefreshBench): Promise<Result[]> {
  options.say('refresh: starting Temporal (in memory), Redis and a token endpoint')
  const rig = await startRig(options.say)
  try {
    // while the server has little behind it: its list of runs becomes slow with the thousands of the rounds
    const costs = await costsOfCycle(rig, options)
    const rounds = await measureRounds(rig, options)
    return [...ofRounds(options, rounds), ...costs, await ofSleepers(rig, options)]
  } finally {
    await rig.stop()
  }
}

function ofRounds(plan: Rounds, rounds: { credential: Round[]; null: Round[] }): Result[] {
  const both = (name: string, unit: string, of: (round: Round) => number) =>
    compare(name, unit, rounds.credential.map(of), rounds.null.map(of))
  const sum = (of: (round: Round) => number) => rounds.credential.map(of).reduce((a, b) => a + b, 0)
  return [
    {
      ...both('refresh', 'cycles/s', (round) => round.cyclesPerSecond),
      workflows: plan.workflows,
      rounds: plan.rounds,
      windowSeconds: plan.windowMs / 1000,
      cycles: sum((round) => round.cycles),
      failures: sum((round) => round.failures),
    },
    both('refresh.tasks', 'workflow tasks/cycle', (round) => round.tasksPerCycle),
    both('refresh.busy', 'share of all cores', (round) => round.machineBusy),
    both('refresh.cpu.all', 'ms/cycle', (round) => round.allCpuMsPerCycle),
    both('refresh.cpu', 'worker ms/cycle', (round) => round.cpuMsPerCycle),
    both('refresh.rss', 'worker MiB', (round) => round.rssMiB),
  ]
}

async function ofSleepers(rig: Rig, options: RefreshBench): Promise<Result> {
  options.say(`refresh: weighing ${options.sleepers} sleeping workflows of each kind`)
  const credential = await weighSleeper(rig, 'credential', beginCredential(rig), options)
  const bare = await weighSleeper(rig, 'null', beginNull(rig), options)
  return { ...compare('refresh.memory', 'KiB/workflow', [credential], [bare]), workflows: options.sleepers }
}
