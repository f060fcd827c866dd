import { setTimeout as sleep } from 'node:timers/promises'
import { each } from '../refresh/population.ts'
import { compare, type Result } from '../report.ts'
import { between, busiest, gaps, grants, holding, lateness, percentile } from './measures.ts'
import { type Phase, picture } from './picture.ts'
import type { RequestSeen, Weather } from './provider.ts'
import { type Rig, startRig } from './rig.ts'

export interface OutageBench {
  /** credentials of the provider that fails, and of one that does not */
  failing: number
  others: number
  tokenSeconds: number
  /** requests a second that the failing provider allows */
  budget: number
  workers: number
  warmUpMs: number
  beforeMs: number
  /** of each of the three ways to be down */
  downMs: number
  afterMs: number
  signal: AbortSignal
  say(line: string): void
}

/** What the providers saw, and when what happened. */
interface Seen {
  failing: RequestSeen[]
  others: RequestSeen[]
  beganFailing: Map<string, number>
  beganOthers: Map<string, number>
  beforeMs: number
  phases: Phase[]
  upMs: number
  endMs: number
}

const down: [Weather, string][] = [
  ['black_hole', 'no answer'],
  ['unavailable', '503'],
  ['refused', 'connection refused'],
]

/**
 * A provider that is down, and one that is not: what reaches the first while it is and after, how soon all of its
 * credentials are fresh again, and whether those of the other notice.
 */
export async function benchOutage(plan: OutageBench): Promise<{ results: Result[]; svg: string }> {
  const { tokenSeconds, budget, say } = plan
  say(`outage: starting servers and ${plan.workers} workers`)
  const declared = {
    down: { rules: { tokenSeconds }, entry: { rateLimit: { requests: budget, perSeconds: 1 } } },
    other: { rules: { tokenSeconds } },
  }
  const rig = await startRig(declared, { say })
  try {
    await Promise.all(Array.from({ length: plan.workers }, () => rig.startWorker()))
    const seen = await happen(rig, plan)
    return { results: resultsOf(plan, seen), svg: drawnOf(plan, seen) }
  } finally {
    await rig.stop()
  }
}

async function happen(rig: Rig, plan: OutageBench): Promise<Seen> {
  const { say, signal } = plan
  const [beganFailing, beganOthers] = [
    await beginAll(rig, 'down', plan.failing),
    await beginAll(rig, 'other', plan.others),
  ]
  say('outage: all have begun; warming up')
  await sleep(plan.warmUpMs, undefined, { signal })
  const beforeMs = Date.now()
  await sleep(plan.beforeMs, undefined, { signal })
  const phases: Phase[] = []
  for (const [weather, name] of down) {
    say(`outage: ${name}`)
    const fromMs = Date.now()
    await rig.provider('down').become(weather)
    await sleep(plan.downMs, undefined, { signal })
    phases.push({ name, fromMs, toMs: Date.now() })
  }
  await rig.provider('down').become('up')
  const upMs = Date.now()
  say('outage: back')
  await sleep(plan.afterMs, undefined, { signal })
  const failing = await rig.provider('down').requests()
  const others = await rig.provider('other').requests()
  return { failing, others, beganFailing, beganOthers, beforeMs, phases, upMs, endMs: Date.now() }
}

async function beginAll(rig: Rig, provider: string, count: number): Promise<Map<string, number>> {
  const lines = Array.from({ length: count }, (_, i) => `${provider}-${i}`)
  const began = await each(lines, async (line) => {
    const atMs = Date.now()
    await rig.begin(provider, line)
    return [line, atMs] as const
  })
  return new Map(began)
}

function resultsOf(plan: OutageBench, seen: Seen): Result[] {
  const { failing, upMs, endMs, phases, beforeMs } = seen
  const tokenMs = plan.tokenSeconds * 1000
  const downMs = phases[0]?.fromMs ?? upMs
  const rate = (requests: readonly RequestSeen[], fromMs: number, toMs: number) =>
    (between(requests, fromMs, toMs).length * 1000) / (toMs - fromMs)
  const lines = grants(failing, seen.beganFailing)
  const freshAtMs = [...lines.values()].map((atMs) => atMs.find((at) => at >= upMs) ?? Number.POSITIVE_INFINITY)
  const freshMs = Math.max(...freshAtMs) - upMs
  const bound = (2 * plan.failing) / plan.budget + 60
  const without = gaps(lines, tokenMs, endMs)
  const life = { tokenMs, credentialOf: (line: string) => `bench/other/${line}` }
  const others = grants(seen.others, seen.beganOthers)
  const lateBefore = lateness(others, { ...life, fromMs: beforeMs, toMs: downMs })
  const lateDuring = lateness(others, { ...life, fromMs: downMs, toMs: endMs })
  const one = (name: string, unit: string, value: number, baseline: number) => compare(name, unit, [value], [baseline])
  return [
    {
      ...one('outage.down', 'requests/s', rate(failing, downMs, upMs), rate(failing, beforeMs, downMs)),
      phases: phases.map(({ name, fromMs, toMs }) => ({ name, requestsPerSecond: rate(failing, fromMs, toMs) })),
      // once it is known that it is down
      afterTenSeconds: rate(failing, downMs + 10_000, upMs),
    },
    one('outage.busiest', 'requests in 10 s (budget)', busiest(failing, 10_000), plan.budget * 10),
    { ...one('outage.fresh', 's to all fresh (bound)', freshMs / 1000, bound), credentials: plan.failing },
    {
      ...one('outage.expired', 'tokens (of all)', without.filter((ms) => ms > 0).length, plan.failing),
      secondsWithout: Math.round(without.reduce((a, b) => a + b, 0) / 1000),
    },
    {
      ...one('outage.other', 'ms p99 lateness (before)', percentile(lateDuring, 0.99), percentile(lateBefore, 0.99)),
      bound: 2 * percentile(lateBefore, 0.99) + 250,
      refreshes: [lateDuring.length, lateBefore.length],
      medians: [percentile(lateDuring, 0.5), percentile(lateBefore, 0.5)],
    },
  ]
}

function drawnOf(plan: OutageBench, { failing, beganFailing, beforeMs, phases, endMs }: Seen): string {
  const seconds = Array.from({ length: Math.ceil((endMs - beforeMs) / 1000) }, (_, i) => beforeMs + i * 1000)
  const lines = grants(failing, beganFailing)
  return picture({
    title: `${plan.failing} credentials, tokens of ${plan.tokenSeconds} s, ${plan.workers} workers`,
    requests: failing,
    fromMs: beforeMs,
    toMs: endMs,
    phases,
    budget: plan.budget,
    holding: holding(lines, plan.tokenSeconds * 1000, seconds).map((count) => count / plan.failing),
  })
}
