import { setTimeout as sleep } from 'node:timers/promises'
import { markOf } from '../../src/activities/store-work.ts'
import { Store } from '../../src/store/store.ts'
import { each } from '../refresh/population.ts'
import { compare, type Result } from '../report.ts'
import type { RequestSeen } from './provider.ts'
import { type Rig, startRig } from './rig.ts'

export interface DeadlineBench {
  credentials: number
  /** together they remember all credentials: who asks this often is not what a worker's cache is made for */
  workers: number
  /** how fast they come in: what the machine does at once, with the refreshes of those that are there */
  beginPerSecond: number
  /** of access tokens: much longer than that of refresh tokens */
  tokenSeconds: number
  idleSeconds: number
  /** for so many of these it is looked whether any dies */
  deadlines: number
  absoluteSeconds: number
  /** before the end, when it is to be told */
  warnSeconds: number[]
  signal: AbortSignal
  say(line: string): void
}

/**
 * Refresh tokens that die when they are unused, with access tokens that would let them; and refresh tokens that die on
 * a day that nothing moves, each of which has to be told of in time and must not die in silence.
 */
export async function benchDeadlines(plan: DeadlineBench): Promise<Result[]> {
  const { tokenSeconds, idleSeconds, absoluteSeconds, warnSeconds, say } = plan
  const declared = {
    idle: { rules: { tokenSeconds, idleSeconds, namesDeadline: true } },
    ending: { rules: { tokenSeconds, absoluteSeconds, namesDeadline: true } },
  }
  const warnings = { reconnectSoonDays: warnSeconds.map((seconds) => seconds / 86_400) }
  say(`deadlines: starting servers and ${plan.workers} workers`)
  const rig = await startRig(declared, { say, sections: { warnings } })
  try {
    await Promise.all(Array.from({ length: plan.workers }, () => rig.startWorker()))
    return [await idle(rig, plan), ...(await ending(rig, plan))]
  } finally {
    await rig.stop()
  }
}

async function idle(rig: Rig, plan: DeadlineBench): Promise<Result> {
  const { credentials, idleSeconds, deadlines, signal, say } = plan
  const all = await beginAll(rig, 'idle', plan)
  say(
    `deadlines: ${credentials} with an idle deadline of ${idleSeconds} s have begun; waiting for ${deadlines} of them`,
  )
  let requests: RequestSeen[] = []
  for (let passed = 1; passed <= deadlines; passed++) {
    await sleep(idleSeconds * 1000, undefined, { signal })
    requests = await rig.provider('idle').requests()
    say(`deadlines: ${died(requests)} have died after ${passed} of ${deadlines}, ${requests.length} requests`)
  }
  const statuses = await statusesOf(rig, all)
  const alive = statuses.filter((status) => status === 'active').length
  await end(rig, all)
  return {
    ...compare('deadlines.idle', `alive after ${deadlines} deadlines`, [alive], [credentials]),
    ...{ idleSeconds, refreshes: requests.filter(({ outcome }) => outcome === 'granted').length },
    died: died(requests),
  }
}

const died = (requests: readonly RequestSeen[]) => requests.filter(({ outcome }) => outcome === 'died_idle').length

async function ending(rig: Rig, plan: DeadlineBench): Promise<Result[]> {
  const { credentials, absoluteSeconds, warnSeconds, signal, say } = plan
  const all = await beginAll(rig, 'ending', plan)
  say(`deadlines: ${credentials} that end after ${absoluteSeconds} s have begun`)
  // the provider is asked within a tenth after the end; the last of them began just now
  const untilMs = performance.now() + absoluteSeconds * 1200 + 180_000
  let ended = 0
  while (ended < credentials && performance.now() < untilMs) {
    await sleep(10_000, undefined, { signal })
    ended = (await statusesOf(rig, all)).filter((status) => status === 'reconnect_required').length
  }
  const told = await warned(rig)
  const exactly = all.filter((credential) =>
    warnSeconds.every((seconds) => told.get(`${credential} ${markOf(seconds * 1000)}`) === 1),
  )
  return [
    compare('deadlines.warned', 'told once for each threshold', [exactly.length], [credentials]),
    { ...compare('deadlines.ended', 'in reconnect_required', [ended], [credentials]), absoluteSeconds },
  ]
}

async function beginAll(rig: Rig, provider: string, plan: DeadlineBench): Promise<string[]> {
  const { credentials, beginPerSecond, signal } = plan
  const beganMs = performance.now()
  return await each(
    Array.from({ length: credentials }, (_, i) => i),
    async (i) => {
      await sleep(Math.max(0, beganMs + (i / beginPerSecond) * 1000 - performance.now()), undefined, { signal })
      return await rig.begin(provider, `${provider}-${i}`)
    },
  )
}

async function statusesOf(rig: Rig, credentials: readonly string[]) {
  return (await new Store(rig.redis).statuses(credentials)).map((document) => document?.status)
}

/** How often each credential was told of at each threshold; the stream keeps more than are asked for here. */
async function warned(rig: Rig): Promise<Map<string, number>> {
  const told = new Map<string, number>()
  const events = (await rig.redis.xRange('perennial:events', '-', '+')) ?? []
  for (const { message } of events) {
    if (message.event !== 'reconnect_soon') continue
    const name = `${message.credential} ${message.id?.split('/').at(-1)}`
    told.set(name, (told.get(name) ?? 0) + 1)
  }
  return told
}

const end = (rig: Rig, credentials: readonly string[]) =>
  each(credentials, (credential) =>
    rig.temporal.client.workflow.getHandle(`credential/${credential}`).terminate('measured'),
  )
