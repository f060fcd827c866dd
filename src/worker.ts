import { fileURLToPath } from 'node:url'
import { activityInfo, metricMeter } from '@temporalio/activity'
import { Client } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker'
import type { Logger } from 'pino'
import { type SealingKey, sealingKey } from '../packages/reader/src/sealed.ts'
import { type ActivityDeps, counters, createActivities } from './activities/index.ts'
import type { ClientConfig, Config } from './config.ts'
import { watchEpoch } from './epoch.ts'
import { PerennialError } from './errors.ts'
import { createTokenEndpoint } from './oauth/index.ts'
import type { Provider } from './providers/provider.ts'
import { watchRejections } from './rejections.ts'
import { connect } from './store/connection.ts'
import { Gate } from './store/gate.ts'
import { Store } from './store/store.ts'
import { workflowModules } from './workflow-code.ts'
import * as messages from './workflows/messages.ts'

/**
 * The shutdown chain: an exchange is bounded at 10 s and never cut once it may have left, so the grace covers it;
 * whoever stops the process has to wait longer than the last number.
 */
const shutdown = { shutdownGraceTime: '20s', shutdownForceTime: '25s' } as const

/** How work is taken; the benchmark's null worker takes its own in the same way. */
export const workerOptions = {
  workflows: {
    ...shutdown,
    // a credential mostly sleeps; only what is in the middle of a refresh is worth its memory
    maxCachedWorkflows: 2000,
    maxConcurrentActivityTaskExecutions: 200,
  },
  exchanges: { ...shutdown, maxConcurrentActivityTaskExecutions: 200 },
} as const

/**
 * Runs one worker process until it is told to stop (SIGTERM, SIGINT): the workflows and their store work on one
 * queue, the exchanges with each provider on a queue of its own, so that one provider's outage is one queue's.
 */
export async function runWorker(config: Config, log: Logger, onReady: () => void = () => {}): Promise<void> {
  installRuntime(config, log)
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig()
  const connection = await connectTemporal(connectionOptions)
  const redis = connect(config.redis.url, 'perennial-worker', (reason) => log.warn({ reason }, 'Redis is away'))
  const store = new Store(redis)
  const tokenEndpoint = createTokenEndpoint()
  const client = new Client({ connection, namespace })
  const misconfigured = new Misconfigured(client, log)
  const activities = createActivities({
    config,
    store,
    gate: new Gate(redis),
    tokenEndpoint,
    keyring: { grant: keysOf(config.keys.grant), reader: keysOf(config.keys.reader) },
    caller: () => callerIn(namespace),
    tellWorkflow: (notice) => misconfigured.tell(notice),
    wakeClient: (client) => misconfigured.wake(client),
    log,
    count: (counter, labels) =>
      metricMeter.createCounter(`perennial_${counter}`, undefined, counters[counter]).add(1, labels),
  })
  const { refresh, revokeTokens, ...storeWork } = activities
  const common = { connection, namespace }
  const workers = await Promise.all([
    Worker.create({
      ...common,
      ...workerOptions.workflows,
      ...workflowCode(),
      taskQueue: messages.workflowQueue,
      activities: storeWork,
    }),
    ...providersOf(config).map((provider) =>
      Worker.create({ ...common, ...refreshWork(provider), activities: { refresh, revokeTokens } }),
    ),
  ])
  const running = Promise.all(workers.map((worker) => worker.run()))
  onReady()
  misconfigured.askAgain(store, [...config.clients.values()])
  const ending = new AbortController()
  const temporal = { client, namespace, address: connectionOptions.address ?? 'localhost:7233' }
  const watching = Promise.all([
    watchEpoch({ temporal, store, config }, log, ending.signal),
    watchRejections({ redisUrl: config.redis.url, temporal, store, log }, ending.signal),
  ])
  try {
    await running
  } finally {
    ending.abort()
    await watching
    await tokenEndpoint.close()
    redis.destroy()
    await connection.close()
  }
}

/** Temporal's own metrics and ours leave at one address, where the configuration names one. */
function installRuntime({ metrics }: Config, log: Logger): void {
  const { prometheus: bindAddress } = metrics
  const exporter = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true } as const
  try {
    Runtime.install({
      logger: runtimeLogger(log),
      shutdownSignals: ['SIGTERM', 'SIGINT'],
      ...(bindAddress !== undefined && { telemetryOptions: { metrics: { prometheus: { ...exporter, bindAddress } } } }),
    })
  } catch (error) {
    if (bindAddress === undefined) throw error
    throw new PerennialError(
      'metrics_unavailable',
      `metrics.prometheus: nothing can listen at ${bindAddress}; is the port taken, or is it no address of this machine?`,
    )
  }
}

function refreshWork(provider: Provider): WorkerOptions {
  const { rateLimit, tokenEndpoint } = provider
  return {
    ...workerOptions.exchanges,
    taskQueue: messages.refreshQueue(provider.name),
    // where each credential names its host, each host has the budget for itself, and only the gate knows them
    ...(rateLimit === undefined || tokenEndpoint?.includes('{')
      ? {}
      : { maxTaskQueueActivitiesPerSecond: rateLimit.requests / rateLimit.perSeconds }),
  }
}

/** From source in the checkout, prebuilt where the package is installed. */
function workflowCode(): Pick<WorkerOptions, 'workflowsPath' | 'workflowBundle' | 'bundlerOptions'> {
  if (!import.meta.url.endsWith('.ts'))
    return { workflowBundle: { codePath: fileURLToPath(new URL('../workflow-bundle.js', import.meta.url)) } }
  const { workflowsPath, preloadModules } = workflowModules(fileURLToPath(new URL('workflows', import.meta.url)), 'ts')
  return { workflowsPath, bundlerOptions: { preloadModules } }
}

async function connectTemporal(options: Parameters<typeof NativeConnection.connect>[0] & { address?: string }) {
  try {
    return await NativeConnection.connect(options)
  } catch {
    const address = options.address ?? 'localhost:7233'
    throw new PerennialError(
      'temporal_unavailable',
      `Temporal at ${address} does not answer; is it running, and is TEMPORAL_ADDRESS right?`,
    )
  }
}

function keysOf([first, ...rest]: readonly [string, ...string[]]): [SealingKey, ...SealingKey[]] {
  return [sealingKey(first), ...rest.map((text) => sealingKey(text))]
}

const providersOf = ({ clients }: Config): Provider[] => [
  ...new Map([...clients.values()].map(({ provider }) => [provider.name, provider])).values(),
]

function callerIn(namespace: string): ReturnType<ActivityDeps['caller']> {
  const { workflowExecution, attempt, activityId, currentAttemptScheduledTimestampMs } = activityInfo()
  return {
    namespace,
    run: workflowExecution?.runId ?? '',
    attempt,
    activityId,
    scheduledAtMs: currentAttemptScheduledTimestampMs,
  }
}

function runtimeLogger(log: Logger): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => {
    const { error, ...fields } = meta ?? {}
    // an error's own text is ours; what hangs on it may be a library's
    const failure = error instanceof Error ? { failure: error.message } : {}
    log[levels[level]]({ ...fields, ...failure }, message)
  })
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const

/** What a worker says to workflows: to the one that an activity belongs to, and to those that wait for a client. */
class Misconfigured {
  readonly #client: Client
  readonly #log: Logger

  constructor(client: Client, log: Logger) {
    this.#client = client
    this.#log = log
  }

  async tell(notice: messages.RetryNotice): Promise<void> {
    const { workflowExecution } = activityInfo()
    if (workflowExecution === undefined) return
    const { workflowId, runId } = workflowExecution
    const handle = this.#client.workflow.getHandle(workflowId, runId)
    await this.#client.withDeadline(Date.now() + 2_000, () => handle.signal(messages.retrying, notice))
  }

  /** A client works again: all of its credentials that wait for it need wait no longer. */
  wake(client: string): void {
    this.#signalWaiting(client, Number.POSITIVE_INFINITY).catch((error: unknown) => this.#note(client, error))
  }

  /** After a restart the configuration may have been corrected: one credential of each client finds out at once. */
  askAgain(store: Store, clients: ClientConfig[]): void {
    for (const { name } of clients) {
      const ask = async () => {
        await store.clearClientRefused(name, 'probe')
        await this.#signalWaiting(name, 1)
      }
      ask().catch((error: unknown) => this.#note(name, error))
    }
  }

  async #signalWaiting(client: string, atMost: number): Promise<void> {
    const { status, client: ofClient } = messages.searchAttributes
    const query = `${status} = 'misconfigured' AND ${ofClient} = '${client}' AND ExecutionStatus = 'Running'`
    let woken = 0
    for await (const { workflowId } of this.#client.workflow.list({ query })) {
      if (woken >= atMost) return
      await this.#client.workflow.getHandle(workflowId).signal(messages.wake)
      woken++
    }
  }

  #note(client: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : 'unknown'
    this.#log.info({ client, reason }, 'credentials that wait for this client were not woken; their timers wake them')
  }
}
