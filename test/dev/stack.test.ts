import { readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { createClient } from 'redis'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Command, runChild } from '../../src/dev/child.ts'
import { isRunning, type ProcessIdentity } from '../../src/dev/processes.ts'
import { type Stack, type StackOptions, startStack } from '../../src/dev/stack.ts'
import type { ChildName } from '../../src/dev/state.ts'

let parent: string
let dataDir: string
let said: string[]
let stack: Stack | undefined

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'perennial-stack-'))
  dataDir = join(parent, 'data')
  said = []
})
afterEach(async () => {
  await stack?.stop()
  stack = undefined
  await rm(parent, { recursive: true })
})

/** Stands for the worker: takes 300 ms to drain and then writes down which other children still run. */
const worker = (): Command => {
  const script = `
    const { readFileSync, writeFileSync } = require('node:fs')
    process.on('SIGTERM', () => setTimeout(() => {
      const { children } = JSON.parse(readFileSync('${dataDir}/stack.json'))
      const alive = Object.keys(children).filter((name) => { try { process.kill(children[name].pid, 0); return true } catch {} })
      writeFileSync('${parent}/drained', alive.sort().join(' ') + ' ' + process.env.TEMPORAL_CONFIG_FILE)
      process.exit(0)
    }, 300))
    setInterval(() => {}, 1000)`
  return { command: process.execPath, args: ['-e', script] }
}

const options = (): StackOptions => ({ dataDir, demo: { tokenSeconds: 30 }, worker, say: (line) => said.push(line) })

async function start(): Promise<Stack> {
  stack = await startStack(options())
  await stack.startWorker()
  return stack
}

const children = (): Record<ChildName, ProcessIdentity> =>
  JSON.parse(readFileSync(join(dataDir, 'stack.json'), 'utf8')).children

const redisAt = (url: string) => createClient({ url, socket: { reconnectStrategy: false } })

async function withRedis<Result>(url: string, use: (redis: ReturnType<typeof redisAt>) => Promise<Result>) {
  const redis = redisAt(url)
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await use(redis)
  } finally {
    redis.destroy()
  }
}

async function withTemporal<Result>(profile: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const { connectionOptions, namespace } = loadClientConnectConfig({
    configSource: { path: profile },
    disableEnv: true,
  })
  const connection = await Connection.connect(connectionOptions)
  try {
    return await use(new Client({ connection, namespace: namespace ?? 'unnamed' }))
  } finally {
    await connection.close()
  }
}

const workflowStatus = (profile: string) =>
  withTemporal(profile, async (client) => (await client.workflow.getHandle('kept').describe()).status.name)

test('each child that is killed comes back on its port with its data; stopping ends the worker first, then all', async () => {
  const { redisUrl, temporalProfile, demo, stop } = await start()
  const before = children()
  await withRedis(redisUrl, (redis) => redis.set('kept', 'yes'))
  await withTemporal(temporalProfile, (client) =>
    client.workflow.start('any', { workflowId: 'kept', taskQueue: 'none', args: [] }),
  )
  const tokens = await demo?.mintGrant('plum', 'orchard')
  for (const name of ['worker', 'demo', 'temporal', 'redis'] as const) process.kill(before[name].pid, 'SIGKILL')
  const again = () => said.filter((line) => line.endsWith('runs again')).length
  await vi.waitFor(() => expect(again()).toBe(4), 30_000)
  expect(await withRedis(redisUrl, (redis) => redis.get('kept'))).toBe('yes')
  expect(await workflowStatus(temporalProfile)).toBe('RUNNING')
  expect((await demo?.record())?.alive).toEqual({ plum: [tokens?.refresh_token] })
  const after = children()
  await stop()
  expect(readFileSync(join(parent, 'drained'), 'utf8')).toBe(`demo redis temporal worker ${temporalProfile}`)
  expect([...Object.values(before), ...Object.values(after)].filter(isRunning)).toEqual([])
  expect(children()).toEqual({})
})

test('a second start after a kill -9 of the stack ends its orphans and goes on with their ports, data and keys', async () => {
  const script = `
    import { startStack } from ${JSON.stringify(join(import.meta.dirname, '../../src/dev/stack.ts'))}
    const worker = () => (${JSON.stringify(worker())})
    const stack = await startStack({ dataDir: ${JSON.stringify(dataDir)}, demo: { tokenSeconds: 30 }, worker, say: () => {} })
    await stack.startWorker()`
  const logFile = join(parent, 'dev.log')
  const dev = await runChild({
    command: process.execPath,
    args: ['--input-type=module-typescript', '-e', script],
    logFile,
  })
  await vi.waitFor(() => expect(children().worker).toBeDefined(), 30_000)
  const url = readFileSync(join(dataDir, 'secrets/redis-url'), 'utf8')
  const profile = readFileSync(join(dataDir, 'temporal.toml'), 'utf8')
  const yaml = readFileSync(join(dataDir, 'perennial.yaml'), 'utf8')
  await withRedis(url, (redis) => redis.set('kept', 'yes'))
  await expect(startStack(options())).rejects.toMatchObject({
    code: 'data_folder_in_use',
    message: expect.stringContaining(`pid ${dev.pid}`),
  })
  const orphans = Object.values(children())
  process.kill(dev.pid, 'SIGKILL')
  await dev.exited
  expect(orphans.filter(isRunning)).toHaveLength(4)
  const { redisUrl, temporalProfile, configFile } = await start()
  expect(orphans.filter(isRunning)).toEqual([])
  expect(readFileSync(join(parent, 'drained'), 'utf8')).toMatch(/^demo redis temporal worker /)
  expect(redisUrl).toBe(url)
  expect(readFileSync(temporalProfile, 'utf8')).toBe(profile)
  expect(readFileSync(configFile, 'utf8')).toBe(yaml)
  expect(await withRedis(redisUrl, (redis) => redis.get('kept'))).toBe('yes')
})

test('Redis asks for the password, which stands in no argument, and the search attributes are there after a restart', async () => {
  await start()
  await stack?.stop()
  const { redisUrl, temporalProfile } = await start()
  const { password, port } = new URL(redisUrl)
  await expect(withRedis(`redis://127.0.0.1:${port}`, (redis) => redis.get('x'))).rejects.toThrow('NOAUTH')
  for (const { pid } of Object.values(children()))
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password)
  const { customAttributes } = await withTemporal(temporalProfile, ({ connection }) =>
    connection instanceof Connection
      ? connection.operatorService.listSearchAttributes({ namespace: 'default' })
      : Promise.reject(new Error('not a connection')),
  )
  for (const name of ['Status', 'Provider', 'Client', 'Tenant'])
    expect(customAttributes).toHaveProperty(`Credential${name}`)
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
})

test('a start that fails halfway leaves no child behind', async () => {
  vi.stubEnv('REDIS_SERVER', '/bin/false')
  await expect(startStack(options())).rejects.toThrow(/^Redis ended at once.*see .*redis\.log$/)
  vi.unstubAllEnvs()
  expect(children()).toEqual({})
  await start()
})
