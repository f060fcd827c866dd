import { fork } from 'node:child_process'
import { once } from 'node:events'
import { stringify } from 'yaml'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { openTemporal, type Temporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import { loadConfig } from '../../src/config.ts'
import { findRedis } from '../../src/dev/binaries.ts'
import { writeTemporalProfile } from '../../src/dev/configuration.ts'
import { type RedisServer, startRedis } from '../../src/dev/servers.ts'
import { type Connection, connect, ready } from '../../src/store/connection.ts'
import { type Child, startChild } from '../refresh/child.ts'
import { openBench, startServer, startStore, useOnly } from '../refresh/rig.ts'
import { consent, type ProviderRules, type RequestSeen, type Weather } from './provider.ts'
import type { ProviderAnswer, ProviderQuestion } from './provider-process.ts'

/** A provider of the configuration, and the server that plays it. */
export interface Declared {
  rules: ProviderRules
  /** of its entry in perennial.yaml, beside the endpoint */
  entry?: object
  /** of its client */
  client?: object
}

/** A provider that runs. */
export interface Provider {
  become(weather: Weather): Promise<void>
  /** all that reached it, oldest first */
  requests(): Promise<RequestSeen[]>
}

/** Real servers, several worker processes, and providers that can fail. */
export interface Rig {
  temporal: Temporal
  perennial: Perennial
  redis: Connection
  redisUrl: string
  /** a reader's key of the tenant `bench` */
  key: string
  provider(name: string): Provider
  /** begins a credential of the provider's client with a grant that was just consented to */
  begin(provider: string, line: string): Promise<string>
  startWorker(): Promise<Child>
  /** ends Redis and starts it again on its port, with its data */
  restartRedis(): Promise<void>
  stop(): Promise<void>
}

export async function startRig(
  declared: Record<string, Declared>,
  { say, sections = {} }: { say: (line: string) => void; sections?: object },
): Promise<Rig> {
  const { folder, begun, kept, stop } = await openBench()
  try {
    const { address } = await kept(startServer(folder, say))
    useOnly(writeTemporalProfile(folder, address))
    let redisServer: RedisServer = await startStore(folder, say)
    begun.push(() => redisServer.stop())
    const running = new Map<string, Provider>()
    const entries: Record<string, object> = {}
    for (const [name, { rules, entry }] of Object.entries(declared)) {
      const { port, ...provider } = await kept(startProvider(rules))
      running.set(name, provider)
      entries[name] = { tokenEndpoint: `http://127.0.0.1:${port}/token`, ...entry }
    }
    const secrets = { grant: [{ file: folder.secret('grant-key') }], reader: [{ file: folder.secret('reader-key') }] }
    const clients = Object.entries(declared).map(([name, { client }]) => [
      name,
      { provider: name, clientId: name, clientSecrets: ['bench'], ...client },
    ])
    const document = {
      redis: { url: redisServer.url },
      keys: secrets,
      clients: Object.fromEntries(clients),
      providers: entries,
      ...sections,
    }
    const configFile = folder.write('perennial.yaml', stringify(document))
    const config = await loadConfig(configFile, { allowLiterals: true })
    const temporal = openTemporal()
    begun.push(() => temporal.client.connection.close())
    const perennial = await Perennial.open(config)
    begun.push(() => perennial.close())
    const redis = connect(redisServer.url, 'bench', () => {})
    begun.push(async () => redis.destroy())
    await ready(redis)
    return {
      temporal,
      perennial,
      redis,
      redisUrl: redisServer.url,
      key: readerKeyText(readerKey(sealingKey(config.keys.reader[0]), 'bench')),
      provider: (name) => running.get(name) ?? { become: async () => {}, requests: async () => [] },
      begin: async (name, line) => {
        const credential = `bench/${name}/${line}`
        const { rules, client } = declared[name] ?? { rules: { tokenSeconds: 60 } }
        await perennial.start(credential, client === undefined ? { tokenResponse: consent(rules, line) } : {})
        return credential
      },
      startWorker: () => kept(startChild('./credential-worker.ts', [configFile], folder.log('worker'))),
      restartRedis: async () => {
        await redisServer.stop()
        redisServer = await startRedis({
          binary: await findRedis({ say }),
          dir: folder.path('redis'),
          passwordFile: folder.secret('redis-password'),
          appendOnly: true,
          port: Number(new URL(redisServer.url).port),
          logFile: folder.log('redis'),
        })
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startProvider(rules: ProviderRules): Promise<Provider & { port: number; stop(): Promise<void> }> {
  const child = fork(new URL('./provider-process.ts', import.meta.url), [JSON.stringify(rules)])
  const answer = async <T extends ProviderAnswer>(question?: ProviderQuestion): Promise<T> => {
    const message = once(child, 'message')
    if (question !== undefined) child.send(question)
    const [told] = (await message) as [T]
    return told
  }
  const seen: RequestSeen[] = []
  const { port } = await answer<{ port: number }>()
  return {
    port,
    become: async (weather) => void (await answer({ ask: 'become', weather })),
    requests: async () => {
      const { requests } = await answer<{ requests: RequestSeen[] }>({ ask: 'requests', from: seen.length })
      seen.push(...requests)
      return seen
    },
    stop: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
