import type { Result } from '../report.ts'
import { benchOutage } from './bench.ts'
import { benchDeadlines } from './deadlines.ts'
import { benchService } from './service.ts'

interface Run {
  quick: boolean
  signal: AbortSignal
  say: (line: string) => void
  /** writes a picture beside the JSON, if there is one to be */
  draw: (name: string, svg: string) => Promise<void>
}

const minute = 60_000

/** Down for two minutes, in three ways; after that as long as all may take to be fresh again, and a little more. */
const outages = {
  full: {
    ...{ failing: 500, others: 100, tokenSeconds: 60, budget: 20, workers: 8 },
    ...{ warmUpMs: minute, beforeMs: minute, downMs: 40_000, afterMs: 2 * minute },
  },
  quick: {
    ...{ failing: 60, others: 20, tokenSeconds: 30, budget: 10, workers: 2 },
    ...{ warmUpMs: 15_000, beforeMs: 20_000, downMs: 12_000, afterMs: minute },
  },
}

const services = {
  full: { workers: 8, readers: 200, tokenSeconds: 20, runMs: 2 * minute, restartEveryMs: 8_000 },
  quick: { workers: 2, readers: 50, tokenSeconds: 6, runMs: 20_000, restartEveryMs: 5_000 },
}

/**
 * 14 days, scaled: at 40 s, 5,000 credentials ask for 280 refreshes a second, at 200 s for 36. A machine of two cores
 * that runs all of Temporal, Redis, the workers and the provider itself is full at about 55, with a timer each.
 */
const deadlines = {
  full: {
    ...{ credentials: 5_000, workers: 3, beginPerSecond: 20, tokenSeconds: 600, idleSeconds: 200, deadlines: 10 },
    ...{ absoluteSeconds: 600, warnSeconds: [290, 110] },
  },
  quick: {
    ...{ credentials: 300, workers: 1, beginPerSecond: 40, tokenSeconds: 600, idleSeconds: 20, deadlines: 3 },
    ...{ absoluteSeconds: 40, warnSeconds: [20, 10] },
  },
}

const size = ({ quick }: Run) => (quick ? 'quick' : 'full')

export const outageBenches: Record<string, (run: Run) => Promise<Result[]>> = {
  outage: async (run) => {
    const { results, svg } = await benchOutage({ ...run, ...outages[size(run)] })
    await run.draw('outage', svg)
    return results
  },
  service: (run) => benchService({ ...run, ...services[size(run)] }),
  deadlines: (run) => benchDeadlines({ ...run, ...deadlines[size(run)] }),
}
