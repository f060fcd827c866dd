import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { besideMs, Case } from './case.ts'
import { Effects, type Point } from './effects.ts'
import { paths } from './paths.ts'
import { holdings, type Rig, startRig } from './rig.ts'
import { type Row, table } from './table.ts'
import { turns } from './turns.ts'
import { judge } from './verdict.ts'
import { startWorkers } from './workers.ts'

/** most of a case is waiting for something to time out; what costs takes turns, so that nothing else does */
const underWay = turns(150)
const begins = turns(8)
const judges = turns(8)
const withinMs = 150_000

const cases = new Map<string, Case>()
const effects = new Effects(async (point) => {
  await cases.get(point.credential)?.reached(point, (credential) => effects.stop(credential))
})
let rig: Rig
let workers: { stop(): Promise<void> }

beforeAll(async () => {
  rig = await startRig({ singleUseTokenSeconds: 30, services: 400 })
  workers = await startWorkers(rig.worker, effects)
}, 120_000)

afterAll(async () => {
  await workers.stop()
  await rig.stop()
}, 60_000)

interface Plan {
  holding: (typeof holdings)[number]
  path: (typeof paths)[keyof typeof paths]
}

const newCase = (plan: Plan, target?: string): Case => {
  const one = new Case(rig, `case-${cases.size}`, { ...plan, ...(target === undefined ? {} : { target }) })
  cases.set(one.credential, one)
  return one
}

interface Enumerated {
  plan: Plan
  reached: Point[]
}

/** Runs a path undisturbed: every point that its activities come to, and those that come beside their answers. */
async function enumerate(plan: Plan): Promise<Enumerated> {
  const one = newCase(plan)
  await begins(() => one.begin())
  await one.ended(withinMs)
  await sleep(besideMs)
  const reached = [...one.trace]
  await one.terminate()
  return { plan, reached }
}

/** The points to stop at. Where two paths have not parted yet, a point is one and the same, and one case does for it. */
function pointsOf(enumerated: readonly Enumerated[]): { plan: Plan; point: string }[] {
  const seen = new Set<string>()
  return enumerated.flatMap(({ plan, reached }) => {
    const wanted: { plan: Plan; point: string }[] = []
    for (const [index, { name, activity }] of reached.entries()) {
      const before = reached.slice(0, index + 1).map((point) => point.name)
      // what goes wrong at the provider shows in no name
      const parted = 'fault' in plan.path && before.some((reached) => reached.endsWith('exchange#1 after'))
      const state = [plan.holding.name, plan.path.end, parted ? plan.path.name : '', ...before].join('\n')
      if (seen.has(state) || !plan.path.activities.includes(activity)) continue
      seen.add(state)
      wanted.push({ plan, point: name })
    }
    return wanted
  })
}

type Judged = Row & { problem?: string }

async function stopAt(plan: Plan, point: string, tries = 1): Promise<Judged> {
  const one = newCase(plan, point)
  const row = { path: plan.path.name, holding: plan.holding.name, point }
  const wrong = (what: string): Judged => ({ ...row, outcome: 'WRONG', problem: `${one.label}: ${what}` })
  try {
    await begins(() => one.begin())
    await one.ended(withinMs)
    if (one.stoppedAtMs === undefined) await sleep(besideMs)
    // a busy machine may have gone another way: Redis not answering in time is one
    if (one.stoppedAtMs === undefined) return tries < 4 ? await stopAt(plan, point, tries + 1) : wrong('not reached')
    const end = await one.ended(withinMs)
    const kills = [{ atMs: one.stoppedAtMs, process: 'worker' as const }]
    const { outcome, objections } = await judges(() => judge(rig, one, end, kills))
    return objections.length === 0 ? { ...row, outcome } : wrong(`${outcome}, ${objections.join('; ')}`)
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error))
  } finally {
    await one.terminate()
  }
}

test('an attempt stopped at any effect of refresh, persist and revoke loses nothing that can be kept', async () => {
  const plans = holdings.flatMap((holding) => Object.values(paths).map((path) => ({ holding, path })))
  const enumerated = await Promise.all(plans.map(enumerate))
  const known = new Set(Object.values(paths).flatMap(({ activities }): string[] => activities))
  const all = new Set(enumerated.flatMap(({ reached }) => reached.map(({ activity }) => activity)))
  // telling readers holds nothing up, and is done again with the next step
  expect([...all].filter((activity) => !known.has(activity))).toEqual(['announce'])

  const wanted = pointsOf(enumerated)
  for (const { plan } of enumerated)
    expect(wanted.filter((one) => one.plan === plan).length, `${plan.path.name}, ${plan.holding.name}`).toBeGreaterThan(
      0,
    )
  const rows = await Promise.all(wanted.map(({ plan, point }) => underWay(() => stopAt(plan, point))))
  const names = holdings.map(({ name }) => name)
  const counted = Object.entries(Object.groupBy(rows, ({ outcome }) => outcome)).map(
    ([outcome, of]) => `${of?.length} ${outcome}`,
  )
  console.log(`${table(rows, names)}\n\n${rows.length} cases of ${wanted.length}: ${counted.join(', ')}`)
  expect(rows.flatMap(({ problem }) => problem ?? [])).toEqual([])
  expect(rows).toHaveLength(wanted.length)
}, 600_000)
