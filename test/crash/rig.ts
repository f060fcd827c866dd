import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReader, type Reader } from '../../packages/reader/src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { openTemporal, type Temporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import type { ClientConfig, Config } from '../../src/config.ts'
import { type GrantKind, type RotationClass, rotationClasses } from '../../src/credential.ts'
import { findRedis, findTemporal } from '../../src/dev/binaries.ts'
import { embeddedEnvironment, writeTemporalProfile } from '../../src/dev/configuration.ts'
import { openFolder } from '../../src/dev/folder.ts'
import { startRedis, startTemporal } from '../../src/dev/servers.ts'
import { connect, ready } from '../../src/store/connection.ts'
import { newSealingKey } from '../../src/store/sealing.ts'
import { Store } from '../../src/store/store.ts'
import { type Referee, type RefereeClient, startReferee } from '../referee/index.ts'
import { bundle, type WorkerSetting } from './workers.ts'

/** A way to hold a grant: the provider of the same name treats it so. */
export interface Holding {
  name: string
  kind: GrantKind
  rotation: RotationClass
}

export const holdings: Holding[] = [
  ...rotationClasses.map((rotation) => ({ name: rotation, kind: 'refresh_token' as const, rotation })),
  { name: 'client_credentials', kind: 'client_credentials', rotation: 'none' },
]

export interface RigOptions {
  /** of a provider that ends everything at a second use: a replay waits for the end of this */
  singleUseTokenSeconds: number
  /** credentials that hold no grant but the client: each is a client of its own at the provider */
  services: number
}

/** Real servers, a referee, and what operators call; no worker. */
export interface Rig {
  referee: Referee
  perennial: Perennial
  temporal: Temporal
  store: Store
  reader: Reader
  worker: WorkerSetting
  dir: string
  /** registers a client of Perennial's configuration that only one credential uses, and says who it is at the provider */
  register(name: string, holding: Holding): { refereeClient: string }
  stop(): Promise<void>
}

const tokenSeconds = 120
const graceSeconds = 60

export async function startRig(options: RigOptions): Promise<Rig> {
  const folder = openFolder(await mkdtemp(join(tmpdir(), 'perennial-crash-')))
  const [temporalBinary, redisBinary] = await Promise.all([findTemporal(), findRedis()])
  const server = await startTemporal({ binary: temporalBinary, headless: true, fastTimers: true })
  const redisServer = await startRedis({ binary: redisBinary, dir: folder.path('redis') })
  const referee = await startReferee({ clients: refereeClients(options) })
  for (const [name, value] of Object.entries(
    embeddedEnvironment(process.env, writeTemporalProfile(folder, server.address)),
  ))
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  const clients = new Map<string, ClientConfig>()
  const config: Config = {
    source: 'the crash test',
    redis: { url: redisServer.url },
    keys: { grant: [newSealingKey()], reader: [newSealingKey()] },
    readers: { sealed: true },
    warnings: { reconnectSoonMs: [14 * 86_400_000, 3 * 86_400_000] },
    metrics: {},
    clients,
  }
  const redis = connect(redisServer.url, 'crash-test', () => {})
  await ready(redis)
  const [perennial, temporal, code] = [await Perennial.open(config), openTemporal(), await bundle()]
  const key = readerKeyText(readerKey(sealingKey(config.keys.reader[0]), 'crash'))
  // nothing in memory: what is judged is what stands in Redis
  const reader = createReader({ redis: redisServer.url, keys: [key], maxEntries: 0 })
  let services = 0
  return {
    referee,
    perennial,
    temporal,
    store: new Store(redis),
    reader,
    worker: { address: server.address, config, providers: holdings.map(({ name }) => name), code },
    dir: folder.dir,
    register: (name, holding) => {
      const refereeClient = holding.kind === 'client_credentials' ? `service-${services++}` : holding.name
      clients.set(name, clientConfig(name, holding, refereeClient, referee))
      return { refereeClient }
    },
    stop: async () => {
      redis.destroy()
      await reader.close()
      await perennial.close()
      await temporal.client.connection.close()
      await Promise.all([referee.stop(), server.stop(), redisServer.stop()])
      await rm(folder.dir, { recursive: true, force: true })
    },
  }
}

function refereeClients({ singleUseTokenSeconds, services }: RigOptions): RefereeClient[] {
  const common = { secrets: ['secret'], auth: 'client_secret_post' as const, revocation: 'by_token' as const }
  return [
    ...rotationClasses.map((rotation) => ({
      ...common,
      id: rotation,
      grant: rotation,
      tokenSeconds: rotation === 'single_use' ? singleUseTokenSeconds : tokenSeconds,
      ...(rotation === 'grace' ? { graceSeconds } : {}),
    })),
    ...Array.from({ length: services }, (_, index) => ({
      ...common,
      id: `service-${index}`,
      grant: 'client_credentials' as const,
      tokenSeconds,
    })),
  ]
}

const clientConfig = (name: string, holding: Holding, clientId: string, referee: Referee): ClientConfig => ({
  name,
  grant: holding.kind,
  clientId,
  clientSecrets: ['secret'],
  parameters: {},
  request: {},
  provider: {
    name: holding.name,
    tokenEndpoint: referee.tokenEndpoint,
    revocationEndpoint: referee.revocationEndpoint,
    clientAuth: 'client_secret_post',
    rotation: holding.rotation,
    ...(holding.rotation === 'grace' ? { graceMs: graceSeconds * 1_000 } : {}),
  },
})
