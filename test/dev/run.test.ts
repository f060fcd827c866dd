import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { demoAdmin } from '../../src/dev/demo/admin.ts'
import { isAlive, isRunning, type ProcessIdentity } from '../../src/dev/processes.ts'

const bin = join(import.meta.dirname, '../../bin/perennial.js')

/** Node options that make bin/perennial.js see an old Node, so that it runs the one which npm installed. */
const onOldNode = [
  '--import',
  `data:text/javascript,${encodeURIComponent("Object.defineProperty(process.versions, 'node', { value: '20.20.2' })")}`,
]

let dataDir: string
let dev: ChildProcess
let output: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'perennial-dev-'))
})
afterEach(async () => {
  dev.kill('SIGTERM')
  await vi.waitFor(() => expect(existsSync(join(dataDir, 'stack.json.claim'))).toBe(false), 40_000)
  await rm(dataDir, { recursive: true })
})

/** Starts `perennial dev --demo 2` and waits until its three credentials have tokens. */
async function start(command = [bin, 'dev', '--demo', '2', '--token-seconds', '12', '--data', dataDir]): Promise<void> {
  output = ''
  const env = { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1' }
  dev = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], env })
  for (const stream of [dev.stdout, dev.stderr])
    stream?.on('data', (data) => {
      output += data
    })
  const active = (id: string) => expect(output).toMatch(new RegExp(`^(\\S+Z )?${id} +active`, 'm'))
  await vi.waitFor(() => {
    for (const id of ['demo/orchard/apple', 'demo/orchard/pear', 'demo/orchard-m2m/service']) active(id)
  }, 40_000)
}

const children = (): ProcessIdentity[] =>
  Object.values(JSON.parse(readFileSync(join(dataDir, 'stack.json'), 'utf8')).children)

const record = () => demoAdmin(JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8'))).record()

test('Ctrl-C, twice as npm sends it, ends everything; the next start goes on with the same grants', async () => {
  await start()
  const running = children()
  expect(running).toHaveLength(4)
  const before = await record()
  dev.kill('SIGINT')
  dev.kill('SIGINT')
  expect(await once(dev, 'exit')).toEqual([0, null])
  expect(running.filter(isRunning)).toEqual([])
  await start()
  await vi.waitFor(
    async () => expect((await record()).exchanges.length).toBeGreaterThan(before.exchanges.length + 2),
    20_000,
  )
  const { alive, exchanges } = await record()
  expect([alive.apple?.length, alive.pear?.length]).toEqual([1, 1])
  expect(exchanges.filter(({ error }) => error !== undefined)).toEqual([])
})

test('it ends everything also when nobody reads its output any more', async () => {
  await start()
  const running = children()
  dev.stdout?.destroy()
  dev.stderr?.destroy()
  await once(dev, 'exit')
  expect(running.filter(isRunning)).toEqual([])
})

test('it ends everything when the launcher that runs it on another Node is killed', async () => {
  await start([...onOldNode, bin, 'dev', '--demo', '2', '--data', dataDir])
  const claimed: ProcessIdentity = JSON.parse(readFileSync(join(dataDir, 'stack.json.claim'), 'utf8'))
  expect(claimed.pid).not.toBe(dev.pid)
  const running = [...children(), claimed]
  dev.kill('SIGKILL')
  await vi.waitFor(() => expect(running.filter(isRunning)).toEqual([]), 40_000)
})

test('a second dev on the same folder refuses in one line and disturbs nothing', async () => {
  await start()
  const running = children()
  const second = spawn(process.execPath, [bin, 'dev', '--data', dataDir], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  second.stderr.on('data', (data) => {
    text += data
  })
  expect((await once(second, 'exit'))[0]).toBe(1)
  expect(text.trim().split('\n').at(-1)).toMatch(/another perennial dev \(pid \d+\) works on .*--data/)
  await sleep(300)
  expect(running.map(({ pid }) => isAlive(pid))).toEqual([true, true, true, true])
})
