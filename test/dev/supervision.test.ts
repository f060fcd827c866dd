import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { type RunningServer, runChild } from '../../src/dev/child.ts'
import { isAlive } from '../../src/dev/processes.ts'
import { type Supervised, supervise } from '../../src/dev/supervision.ts'

let supervised: Supervised | undefined
afterEach(() => supervised?.stop())

const forever = 'setInterval(() => {}, 1000)'

/** Supervises a node script; `pids` grows with every start. */
async function run(script: string, graceMs = 5_000, prepare: () => Promise<unknown> = async () => {}) {
  const pids: number[] = []
  const said: string[] = []
  const start = async (onSpawn: (pid: number) => void): Promise<RunningServer> => {
    await prepare()
    return runChild({ command: process.execPath, args: ['-e', script], onSpawn })
  }
  supervised = await supervise(
    { name: 'the child', graceMs, start },
    { say: (line) => said.push(line), began: (pid) => pids.push(pid), ended: () => {} },
  )
  return { pids, said, supervised }
}

test('a child that is killed is noticed and started again', async () => {
  const { pids, said } = await run(forever)
  for (let round = 1; round <= 2; round++) {
    process.kill(pids.at(-1) ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(said.filter((line) => line === 'the child runs again')).toHaveLength(round), 5_000)
  }
  expect(said[0]).toBe('the child ended (SIGKILL); starting it again')
  expect(pids.map(isAlive)).toEqual([false, false, true])
})

test('a child that keeps dying is started again ever more slowly', async () => {
  const { pids } = await run('process.exit(3)')
  await sleep(2_500)
  expect(pids.length).toBeGreaterThan(1)
  expect(pids.length).toBeLessThan(5)
})

test('stopping ends the child and does not start it again', async () => {
  const { pids, supervised } = await run(forever)
  await supervised.stop()
  await sleep(300)
  expect(pids.map(isAlive)).toEqual([false])
})

test('a child that ignores the request to end is killed after its grace', async () => {
  const { pids, said, supervised } = await run(`process.on('SIGTERM', () => {}); ${forever}`, 300)
  await sleep(500)
  await supervised.stop()
  expect(said).toEqual(['the child did not end within 0.3 s; killing it'])
  expect(pids.map(isAlive)).toEqual([false])
})

test('stopping while a child is being started again leaves none behind', async () => {
  let prepared = 0
  const { pids, supervised } = await run(forever, 5_000, async () => {
    prepared += 1
    if (prepared > 1) await sleep(400)
  })
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await vi.waitFor(() => expect(prepared).toBe(2), 5_000)
  const began = performance.now()
  await supervised.stop()
  expect(performance.now() - began).toBeLessThan(3_000)
  expect(pids.filter(isAlive)).toEqual([])
})

test('a first start that fails is an error of the caller', async () => {
  const start = () => runChild({ command: '/nowhere/program', args: [] })
  const observer = { say: () => {}, began: () => {}, ended: () => {} }
  await expect(supervise({ name: 'the child', graceMs: 1, start }, observer)).rejects.toMatchObject({
    code: 'not_started',
  })
})
