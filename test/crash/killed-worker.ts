/** A worker that kills itself at one point: `node killed-worker.ts SETTING`. Says `ready` to who forked it. */
import { appendFileSync, readFileSync } from 'node:fs'
import type { ClientConfig, Config } from '../../src/config.ts'
import { Effects } from './effects.ts'
import { paths } from './paths.ts'
import { startWorkers, type WorkerSetting } from './workers.ts'

/** What such a worker is told. */
export interface KilledWorkerSetting {
  worker: Omit<WorkerSetting, 'code' | 'config'> & {
    config: Omit<Config, 'clients'>
    clients: [string, ClientConfig][]
  }
  codeFile: string
  /** gets a line for every point that is reached, before anything else happens there */
  journal: string
  /** by credential */
  paths: Record<string, keyof typeof paths>
  target?: { credential: string; point: string }
}

/** A line of the journal. */
export interface Reached {
  credential: string
  activity: string
  name: string
  atMs: number
}

const setting: KilledWorkerSetting = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const { target, journal } = setting
const effects = new Effects(async (point) => {
  const { credential, name } = point
  const reached: Reached = { ...point, atMs: Date.now() }
  appendFileSync(journal, `${JSON.stringify(reached)}\n`)
  if (credential === target?.credential && name === target.point) process.kill(process.pid, 'SIGKILL')
  const path = setting.paths[credential]
  if (path === 'persist') await paths.persist.meanwhile(point)
})
const { clients, config, ...worker } = setting.worker
const code = readFileSync(setting.codeFile, 'utf8')
const workers = await startWorkers({ ...worker, code, config: { ...config, clients: new Map(clients) } }, effects)
process.once('message', async () => {
  await workers.stop()
  process.exit()
})
process.send?.('ready')
