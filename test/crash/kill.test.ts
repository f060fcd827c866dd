import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kill } from '../referee/index.ts'
import { besideMs, Case } from './case.ts'
import type { KilledWorkerSetting, Reached } from './killed-worker.ts'
import { paths } from './paths.ts'
import { holdings, type Rig, startRig } from './rig.ts'
import { type Row, table } from './table.ts'
import { judge } from './verdict.ts'

const withinMs = 200_000
const [holding] = holdings.filter(({ name }) => name === 'single_use')
const killed = ['refresh', 'persist', 'revoke'] as const

let rig: Rig
let worker: ChildProcess | undefined
const cases: { one: Case; path: (typeof killed)[number] }[] = []

beforeAll(async () => {
  // long enough that nothing is refreshed while others are killed
  rig = await startRig({ singleUseTokenSeconds: 90, services: 0 })
  writeFileSync(join(rig.dir, 'workflows.js'), rig.worker.code)
}, 120_000)

afterAll(async () => {
  worker?.kill('SIGKILL')
  await rig.stop()
}, 60_000)

function newCase(path: (typeof killed)[number], target?: string): Case {
  if (holding === undefined) throw new Error('no class single_use')
  const named = target === undefined ? {} : { target }
  const one = new Case(rig, `killed-${cases.length}`, { holding, path: paths[path], ...named })
  cases.push({ one, path })
  return one
}

/** Starts the next worker, which ends itself where the case says. */
async function startWorker(target?: Case): Promise<ChildProcess> {
  const { address, providers, config } = rig.worker
  const { clients, ...rest } = config
  const setting: KilledWorkerSetting = {
    worker: { address, providers, config: rest, clients: [...clients] },
    codeFile: join(rig.dir, 'workflows.js'),
    journal: join(rig.dir, 'journal'),
    paths: Object.fromEntries(cases.map(({ one, path }) => [one.credential, path])),
    ...(target?.target === undefined ? {} : { target: { credential: target.credential, point: target.target } }),
  }
  const file = join(rig.dir, 'worker.json')
  writeFileSync(file, JSON.stringify(setting), { mode: 0o600 })
  worker = fork(new URL('./killed-worker.ts', import.meta.url), [file], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await once(worker, 'message')
  return worker
}

async function stopWorker(running: ChildProcess): Promise<void> {
  const exited = once(running, 'exit')
  running.send('stop')
  await exited
}

/** What the workers reached for one credential. */
function journalOf({ credential }: Case): Reached[] {
  const file = join(rig.dir, 'journal')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  return lines.map((line): Reached => JSON.parse(line)).filter((reached) => reached.credential === credential)
}

/** Every effect of the paths once, as it is behind the worker: nothing of what follows from it has happened. */
async function enumerate(): Promise<{ path: (typeof killed)[number]; point: string }[]> {
  const undisturbed = killed.map((path) => ({ path, one: newCase(path) }))
  const running = await startWorker()
  const points = await Promise.all(
    undisturbed.map(async ({ path, one }) => {
      await one.begin()
      await one.ended(withinMs)
      await sleep(besideMs)
      const activities: string[] = paths[path].activities
      const mine = journalOf(one).filter(({ activity }) => activities.includes(activity))
      return mine.filter(({ name }) => name.endsWith(' after')).map(({ name }) => ({ path, point: name }))
    }),
  )
  await stopWorker(running)
  await Promise.all(undisturbed.map(({ one }) => one.terminate()))
  const all = points.flat()
  return all.filter(({ point }, index) => all.findIndex((other) => other.point === point) === index)
}

/** Runs a case into the death of its worker; what it asks for meanwhile is answered by the next one. */
async function killAt(one: Case): Promise<{ kill: Kill; begun: Promise<void> }> {
  const running = await startWorker(one)
  const exited = once(running, 'exit')
  const begun = one.begin()
  // it may fail only where it is waited for
  begun.catch(() => {})
  const [, signal] = await exited
  expect(signal).toBe('SIGKILL')
  const died = journalOf(one).at(-1)
  expect(died?.name).toBe(one.target)
  one.stoppedAtMs = died?.atMs
  return { kill: { atMs: died?.atMs ?? Number.NaN, process: 'worker' }, begun }
}

async function judged(one: Case, begun: Promise<void>, kills: Kill[]): Promise<Row & { problem?: string }> {
  const row = { path: one.path.name, holding: one.holding.name, point: one.target ?? '' }
  try {
    await begun
    const end = await one.ended(withinMs)
    one.trace.push(...journalOf(one))
    const { outcome, objections } = await judge(rig, one, end, kills)
    if (objections.length === 0) return { ...row, outcome }
    return { ...row, outcome: 'WRONG', problem: `${one.label}: ${outcome}, ${objections.join('; ')}` }
  } catch (error) {
    return { ...row, outcome: 'WRONG', problem: `${one.label}: ${error instanceof Error ? error.message : error}` }
  }
}

test('a worker killed behind any effect of refresh, persist and revoke loses nothing that can be kept', async () => {
  const wanted = await enumerate()
  expect(new Set(wanted.map(({ path }) => path))).toEqual(new Set(killed))
  const kills: Kill[] = []
  const victims: { one: Case; begun: Promise<void> }[] = []
  for (const { path, point } of wanted) {
    const one = newCase(path, point)
    const { kill, begun } = await killAt(one)
    kills.push(kill)
    victims.push({ one, begun })
  }
  const running = await startWorker()
  const rows = await Promise.all(victims.map(({ one, begun }) => judged(one, begun, kills)))
  console.log(`${table(rows, ['single_use'])}\n\n${kills.length} workers killed for ${wanted.length} effects`)
  expect(rows.flatMap(({ problem }) => problem ?? [])).toEqual([])
  expect(kills).toHaveLength(wanted.length)
  await stopWorker(running)
}, 400_000)
