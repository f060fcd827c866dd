import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { stringify } from 'yaml'
import { open, readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { openTemporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { workflowId } from '../../src/credential.ts'
import { runChild, signalGroup } from '../../src/dev/child.ts'
import { embeddedEnvironment } from '../../src/dev/configuration.ts'
import { type Fleet, openFleet } from '../../src/dev/fleet.ts'
import { type Stack, startStack } from '../../src/dev/stack.ts'
import { type Supervised, supervise } from '../../src/dev/supervision.ts'
import { type Connection, connect } from '../../src/store/connection.ts'
import { Store } from '../../src/store/store.ts'
import { searchAttributes } from '../../src/workflows/messages.ts'
import { type Kill, type Referee, startReferee } from '../referee/index.ts'
import { accounts } from './account.ts'
import type { Killed } from './schedule.ts'
import type { ShownStatus } from './watch.ts'

const root = join(import.meta.dirname, '..', '..')

export const tokenSeconds = 20
const graceSeconds = 60
/** the client whose provider has a budget, where not all have one */
export const budgeted = 'none'

/** The real thing, as `perennial dev --config` runs it, with a second worker and the referee as the provider. */
export interface Stage {
  referee: Referee
  perennial: Perennial
  temporal: Client
  fleet: Fleet
  redis: Connection
  redisUrl: string
  /** what services of the tenant `chaos` open tokens with */
  readerKey: string
  /** requests a second that the budgeted client may send */
  budgetPerSecond: number
  kills: Kill[]
  /** kills a process and its group with SIGKILL, once it runs; it is started again */
  kill(process: Killed): Promise<void>
  /** the refresh token that stands in the store */
  held(credential: string): Promise<string | undefined>
  /** the statuses that a workflow had in its search attribute, in this run and the one before */
  shown(credential: string): Promise<ShownStatus[]>
  stop(): Promise<void>
}

export interface StageOptions {
  dataDir: string
  credentials: number
  /** of every token; 20 unless given */
  tokenSeconds?: number
  /** every provider allows so many requests a second; without, one provider has a budget */
  budgetOfAll?: number
  say(line: string): void
}

/** Starts everything; what has been started is stopped again when the rest fails. */
export async function setStage(options: StageOptions): Promise<Stage> {
  const { dataDir, credentials, say } = options
  const ends: (() => Promise<void> | void)[] = []
  const stop = async () => {
    for (const end of ends.reverse().splice(0)) await end()
  }
  try {
    const referee = await startReferee({ tokenSeconds: options.tokenSeconds ?? tokenSeconds, graceSeconds })
    ends.push(() => referee.stop())
    const budgetPerSecond = options.budgetOfAll ?? Math.max(1, Math.ceil(accountsOf(credentials, budgeted) / 6))
    const configFile = `${dataDir}-clients.yaml`
    const isBudgeted = (id: string) => options.budgetOfAll !== undefined || id === budgeted
    await writeFile(configFile, configurationFor(referee, { budgetPerSecond, isBudgeted }), { mode: 0o600 })
    const worker = (file: string) => ({
      command: process.execPath,
      args: [join(root, 'bin/perennial.js'), 'worker', '--config', file],
    })
    const stack = await startStack({ dataDir, configFile, worker, say })
    ends.push(() => stack.stop())
    await stack.startWorker()
    const second = await startSecondWorker(stack, say)
    ends.push(() => second.supervised.stop())
    process.env.TEMPORAL_CONFIG_FILE = stack.temporalProfile
    const config = await loadConfig(stack.configFile)
    const perennial = await Perennial.open(config)
    ends.push(() => perennial.close())
    const { client: temporal } = openTemporal()
    ends.push(() => temporal.connection.close())
    const redis = connect(stack.redisUrl, 'perennial-chaos', () => {})
    ends.push(() => redis.destroy())
    const fleet = openFleet(stack.redisUrl)
    ends.push(() => fleet.close())
    const kills: Kill[] = []
    return {
      referee,
      perennial,
      temporal,
      fleet,
      redis,
      redisUrl: stack.redisUrl,
      readerKey: readerKeyText(readerKey(sealingKey(config.keys.reader[0]), 'chaos')),
      budgetPerSecond,
      kills,
      kill: killer(dataDir, second.pid, kills),
      held: holder(redis, config),
      shown: (credential) => shownStatuses(temporal, workflowId(credential)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function shownStatuses(temporal: Client, workflow: string, runId?: string): Promise<ShownStatus[]> {
  const { events } = await temporal.workflow.getHandle(workflow, runId).fetchHistory()
  const earlier = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId
  const before = earlier && runId === undefined ? await shownStatuses(temporal, workflow, earlier) : []
  const here = (events ?? []).flatMap(({ eventTime, upsertWorkflowSearchAttributesEventAttributes: upserted }) => {
    const data = upserted?.searchAttributes?.indexedFields?.[searchAttributes.status]?.data
    if (data === undefined || data === null) return []
    return [
      {
        atMs: Number(eventTime?.seconds) * 1_000 + Math.round((eventTime?.nanos ?? 0) / 1e6),
        status: JSON.parse(Buffer.from(data).toString()) as string,
      },
    ]
  })
  return [...before, ...here]
}

const accountsOf = (count: number, client: string) =>
  accounts(count).filter((account) => account.client === client).length

/** What a user would write: each class is a provider of its own with one client. */
function configurationFor(
  referee: Referee,
  { budgetPerSecond, isBudgeted }: { budgetPerSecond: number; isBudgeted(id: string): boolean },
): string {
  const { tokenEndpoint, revocationEndpoint } = referee
  const providers = referee.clients.map(({ id, grant, auth, graceSeconds }) => [
    id,
    {
      tokenEndpoint,
      revocationEndpoint,
      clientAuth: auth,
      rotation: grant === 'client_credentials' ? 'none' : grant,
      ...(graceSeconds === undefined ? {} : { graceSeconds }),
      ...(isBudgeted(id) ? { rateLimit: { requests: budgetPerSecond, perSeconds: 1 } } : {}),
    },
  ])
  const clients = referee.clients.map(({ id, grant, secrets }) => [
    id,
    {
      provider: id,
      clientId: id,
      clientSecrets: secrets,
      ...(grant === 'client_credentials' ? { grant } : {}),
    },
  ])
  return stringify({ clients: Object.fromEntries(clients), providers: Object.fromEntries(providers) })
}

async function startSecondWorker(stack: Stack, say: (line: string) => void) {
  let pid: number | undefined
  const name = 'the second worker'
  const supervised: Supervised = await supervise(
    {
      name,
      graceMs: 25_000,
      start: (onSpawn) =>
        runChild({
          command: process.execPath,
          args: [join(root, 'bin/perennial.js'), 'worker', '--config', stack.configFile],
          env: embeddedEnvironment(process.env, stack.temporalProfile),
          logFile: join(stack.dataDir, 'logs', 'worker-2.log'),
          onSpawn,
        }),
    },
    {
      say,
      began: (began) => {
        pid = began
      },
      ended: () => {
        pid = undefined
      },
    },
  )
  return { supervised, pid: () => pid }
}

/** Of the workers now one, now the other. */
function killer(dataDir: string, secondWorker: () => number | undefined, kills: Kill[]) {
  const recorded = async (child: Killed) => {
    const state = JSON.parse(await readFile(join(dataDir, 'stack.json'), 'utf8')) as {
      children: Record<string, { pid: number } | undefined>
    }
    return state.children[child]?.pid
  }
  return async (process: Killed) => {
    const second = process === 'worker' && kills.filter((kill) => kill.process === 'worker').length % 2 === 1
    for (;;) {
      const pid = second ? secondWorker() : await recorded(process)
      if (pid !== undefined) {
        kills.push({ atMs: Date.now(), process })
        return signalGroup(pid, 'SIGKILL')
      }
      await sleep(100)
    }
  }
}

function holder(redis: Connection, config: Config) {
  const store = new Store(redis)
  const keys = config.keys.grant.map((key) => sealingKey(key))
  return async (credential: string) => {
    const { hash } = await store.read(credential)
    if (hash?.grant === undefined || hash.tombstone) return undefined
    const { plaintext } = open(hash.grant, keys, { cred: credential })
    return (JSON.parse(plaintext) as { refresh_token: string }).refresh_token
  }
}
