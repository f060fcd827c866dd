import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { openTemporal, type Temporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import { loadConfig } from '../../src/config.ts'
import { findRedis, findTemporal } from '../../src/dev/binaries.ts'
import { embeddedEnvironment, writeTemporalProfile } from '../../src/dev/configuration.ts'
import { type DataFolder, openFolder } from '../../src/dev/folder.ts'
import { startRedis, startTemporal } from '../../src/dev/servers.ts'
import { type Connection, connect } from '../../src/store/connection.ts'
import { type Child, startChild } from './child.ts'

/** The servers that both kinds of workflow run on, and the token endpoint of the real one. */
export interface Rig {
  temporal: Temporal
  perennial: Perennial
  endpoint: Child
  redis: Connection
  /** of the servers, for what they cost */
  pids: { temporal: number; redis: number }
  /** for a command; the environment of this process leads to its Temporal */
  configFile: string
  startWorker(kind: 'credential' | 'null'): Promise<Child>
  /** ends everything, what `startWorker` began too */
  stop(): Promise<void>
}

/** A folder of its own for a benchmark, and what is to be ended with it: what `kept` starts, and more in `begun`. */
export async function openBench() {
  const folder = openFolder(await mkdtemp(join(tmpdir(), 'perennial-bench-')))
  const begun: (() => Promise<void>)[] = []
  const kept = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting
    begun.push(() => started.stop())
    return started
  }
  const stop = async () => {
    for (const end of begun.reverse()) await end()
    await rm(folder.dir, { recursive: true, force: true })
  }
  return { folder, begun, kept, stop }
}

/** Starts a Temporal server in memory, a Redis as `perennial dev` has it, and a token endpoint. */
export async function startRig(say: (line: string) => void): Promise<Rig> {
  const { folder, begun, kept, stop } = await openBench()
  try {
    const server = await kept(startServer(folder, say))
    useOnly(writeTemporalProfile(folder, server.address))
    const redis = await kept(startStore(folder, say))
    const endpoint = await kept(startChild('./token-endpoint.ts', [], folder.log('token-endpoint')))
    const connection = connect(redis.url, 'perennial-bench', () => {})
    begun.push(async () => connection.destroy())
    const configFile = folder.write('perennial.yaml', configuration(folder, redis.url, endpoint.port))
    const temporal = openTemporal()
    begun.push(() => temporal.client.connection.close())
    const perennial = await Perennial.open(await loadConfig(configFile, { allowLiterals: true }))
    begun.push(() => perennial.close())
    const startWorker: Rig['startWorker'] = (kind) =>
      kept(startChild(`./${kind}-worker.ts`, [configFile], folder.log(`${kind}-worker`)))
    const pids = { temporal: server.pid, redis: redis.pid }
    return { temporal, perennial, endpoint, redis: connection, pids, configFile, startWorker, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export const startServer = async (folder: DataFolder, say: (line: string) => void) =>
  startTemporal({
    binary: await findTemporal({ say }),
    headless: true,
    fastTimers: true,
    logFile: folder.log('temporal'),
  })

export const startStore = async (folder: DataFolder, say: (line: string) => void) =>
  startRedis({
    binary: await findRedis({ say }),
    dir: folder.path('redis'),
    passwordFile: folder.secret('redis-password'),
    appendOnly: true,
    logFile: folder.log('redis'),
  })

/** This process and its children reach no other Temporal server, whatever the caller's environment says. */
export function useOnly(profile: string): void {
  for (const [name, value] of Object.entries(embeddedEnvironment(process.env, profile)))
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
}

function configuration(folder: DataFolder, redisUrl: string, port: number | undefined): string {
  const provider = {
    tokenEndpoint: `http://127.0.0.1:${port}/token`,
    clientAuth: 'client_secret_basic',
    rotation: 'single_use',
  }
  return stringify({
    redis: { url: { file: folder.write('redis-url', redisUrl) } },
    keys: { grant: [{ file: folder.secret('grant-key') }], reader: [{ file: folder.secret('reader-key') }] },
    clients: {
      client: {
        provider: 'bare',
        clientId: 'bench',
        clientSecrets: [{ file: folder.write('client-secret', 'bench') }],
      },
    },
    providers: { bare: provider },
  })
}
