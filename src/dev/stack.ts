import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { PerennialError } from '../errors.ts'
import { findRedis, findTemporal } from './binaries.ts'
import { type Command, runChild } from './child.ts'
import { claimFolder } from './claim.ts'
import { embeddedEnvironment, writeConfiguration, writeTemporalProfile } from './configuration.ts'
import { type DemoAdmin, demoAdmin } from './demo/admin.ts'
import { demoClients } from './demo/orchard.ts'
import type { DemoSettings } from './demo/settings.ts'
import { type DataFolder, openFolder } from './folder.ts'
import { startRedis, startTemporal, startWhenReady } from './servers.ts'
import { type ChildName, graceMs, labels, StackState, stopOrder } from './state.ts'
import { type Service, type Supervised, supervise } from './supervision.ts'

export interface StackOptions {
  dataDir: string
  /** runs the demo authorization server too */
  demo?: { tokenSeconds: number }
  /** a user's own configuration, whose clients and providers are added */
  configFile?: string
  /** what runs as the worker of a configuration */
  worker(configFile: string): Command
  say(line: string): void
}

export interface Stack {
  dataDir: string
  configFile: string
  /** for `TEMPORAL_CONFIG_FILE` */
  temporalProfile: string
  uiAddress: string
  /** holds the password */
  redisUrl: string
  demo?: DemoAdmin
  /** starts the worker; apart from the servers, so that the configuration can be checked in between */
  startWorker(): Promise<void>
  /** ends every child, worker first, and gives the data folder back */
  stop(): Promise<void>
}

/**
 * Starts Temporal, Redis and, when asked, the demo authorization server, and keeps them running on the same ports and
 * the same data. What an earlier stack on this folder left running is ended first.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = openFolder(options.dataDir)
  const release = claimFolder(folder)
  const children = new Map<ChildName, Supervised>()
  const stop = async () => {
    for (const name of stopOrder) await children.get(name)?.stop()
    release()
  }
  try {
    const state = new StackState(folder)
    await state.endOrphans(options.say)
    const run = async (name: ChildName, start: Service['start']) => {
      const service = { name: labels[name], graceMs: graceMs[name], start }
      const began = (pid: number) => state.began(name, pid)
      const supervised = await supervise(service, { say: options.say, began, ended: () => state.ended(name) })
      children.set(name, supervised)
    }
    return { ...(await startServers(options, folder, state, run)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Run = (name: ChildName, start: Service['start']) => Promise<void>

async function startServers(
  options: StackOptions,
  folder: DataFolder,
  state: StackState,
  run: Run,
): Promise<Omit<Stack, 'stop'>> {
  const { say } = options
  const [temporal, redis] = await Promise.all([findTemporal({ say }), findRedis({ say })])
  const ports = { temporal: await state.port('temporal'), ui: await state.port('ui'), redis: await state.port('redis') }
  const demo = options.demo === undefined ? undefined : demoSettings(folder, await state.port('demo'), options.demo)
  const passwordFile = folder.secret('redis-password')
  const dbFile = folder.path('temporal.db')
  await allOrError([
    run('temporal', (onSpawn) => {
      const at = { port: ports.temporal, uiPort: ports.ui }
      return startTemporal({ binary: temporal, dbFile, ...at, logFile: folder.log('temporal'), onSpawn })
    }),
    run('redis', (onSpawn) => {
      const data = { dir: folder.path('redis'), passwordFile, appendOnly: true }
      return startRedis({ binary: redis, ...data, port: ports.redis, logFile: folder.log('redis'), onSpawn })
    }),
    ...(demo === undefined ? [] : [run('demo', (onSpawn) => startDemo(folder, demo, onSpawn))]),
  ])
  const redisUrl = `redis://:${readFileSync(passwordFile, 'utf8')}@127.0.0.1:${ports.redis}`
  const address = `127.0.0.1:${ports.temporal}`
  const addresses = { redisUrl, ...(demo === undefined ? {} : { demoPort: demo.port }) }
  const configFile = writeConfiguration(folder, addresses, options.configFile)
  const temporalProfile = writeTemporalProfile(folder, address)
  return {
    dataDir: folder.dir,
    configFile,
    temporalProfile,
    uiAddress: `http://127.0.0.1:${ports.ui}`,
    redisUrl,
    ...(demo === undefined ? {} : { demo: demoAdmin(demo) }),
    startWorker: () =>
      run('worker', (onSpawn) => {
        const { env, ...command } = options.worker(configFile)
        const embedded = { ...env, ...embeddedEnvironment(process.env, temporalProfile) }
        return runChild({ ...command, env: embedded, logFile: folder.log('worker'), onSpawn })
      }),
  }
}

/** Waits until all have ended one way or the other: only then is it known which children there are to stop. */
async function allOrError(starts: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(starts)) if (result.status === 'rejected') throw result.reason
}

function demoSettings(folder: DataFolder, port: number, demo: { tokenSeconds: number }): DemoSettings {
  const clients = demoClients(folder).map(({ id, secret, grant }) => ({ id, secret, grant }))
  const adminSecret = readFileSync(folder.secret('demo-admin'), 'utf8')
  return { port, adminSecret, journalFile: folder.path('demo-grants.jsonl'), tokenSeconds: demo.tokenSeconds, clients }
}

function startDemo(folder: DataFolder, settings: DemoSettings, onSpawn: (pid: number) => void) {
  const file = folder.write('demo.json', JSON.stringify(settings))
  const script = join(import.meta.dirname, 'demo', `server${extname(import.meta.filename)}`)
  const answers = async () => {
    try {
      await demoAdmin(settings).record()
      return true
    } catch (error) {
      if (error instanceof PerennialError) throw error
      return false
    }
  }
  return startWhenReady({
    name: 'the demo authorization server',
    command: { command: process.execPath, args: [script, file] },
    options: { logFile: folder.log('demo'), onSpawn },
    ready: answers,
  })
}
