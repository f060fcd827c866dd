import { fileURLToPath } from 'node:url'
import { activityInfo } from '@temporalio/activity'
import { Client } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { type ActivityDeps, createActivities, type Keyring } from '../../src/activities/index.ts'
import type { Config } from '../../src/config.ts'
import { createTokenEndpoint } from '../../src/oauth/index.ts'
import { type Connection, connect, ready } from '../../src/store/connection.ts'
import { type Admission, Gate } from '../../src/store/gate.ts'
import { Store } from '../../src/store/store.ts'
import { workerOptions } from '../../src/worker.ts'
import { workflowModules } from '../../src/workflow-code.ts'
import * as messages from '../../src/workflows/messages.ts'
import type { Effects } from './effects.ts'

const namespace = 'default'
const logger = new DefaultLogger('ERROR')

export interface WorkerSetting {
  address: string
  config: Config
  providers: string[]
  /** the workflow code, bundled */
  code: string
}

/** The workflows as they are shipped, bundled once for all workers of a test. */
export async function bundle(): Promise<string> {
  const folder = fileURLToPath(new URL('../../src/workflows', import.meta.url))
  return (await bundleWorkflowCode({ ...workflowModules(folder, 'ts'), logger })).code
}

export const keyringOf = ({ keys }: Config): Keyring => ({
  grant: [sealingKey(keys.grant[0])],
  reader: [sealingKey(keys.reader[0])],
})

/** What `perennial worker` runs, with every effect of its activities watched. */
export async function startWorkers(setting: WorkerSetting, effects: Effects): Promise<{ stop(): Promise<void> }> {
  Runtime.install({ logger, shutdownSignals: [] })
  const connection = await NativeConnection.connect({ address: setting.address })
  const redis = connect(setting.config.redis.url, 'crash-worker', () => {})
  await ready(redis)
  const tokenEndpoint = createTokenEndpoint()
  const deps = depsOf(setting, new Client({ connection, namespace }), redis, tokenEndpoint)
  const activities = effects.watchActivities(createActivities(effects.watchDeps(deps)))
  const { refresh, revokeTokens, ...storeWork } = activities
  const { workflowBundle, ...common } = { ...commonOptions(connection), workflowBundle: { code: setting.code } }
  const workers = await Promise.all([
    Worker.create({
      ...workerOptions.workflows,
      ...common,
      workflowBundle,
      taskQueue: messages.workflowQueue,
      activities: storeWork,
    }),
    ...setting.providers.map((provider) =>
      Worker.create({ ...common, taskQueue: messages.refreshQueue(provider), activities: { refresh, revokeTokens } }),
    ),
  ])
  const running = Promise.all(workers.map((worker) => worker.run()))
  return {
    stop: async () => {
      for (const worker of workers) worker.shutdown()
      effects.release()
      await running
      await tokenEndpoint.close()
      redis.destroy()
      await connection.close()
    },
  }
}

const commonOptions = (connection: NativeConnection) => ({
  connection,
  namespace,
  // what was stopped holds its slot until the end
  maxConcurrentActivityTaskExecutions: 5_000,
  shutdownGraceTime: '2s' as const,
  shutdownForceTime: '20s' as const,
})

function depsOf(
  { config }: WorkerSetting,
  client: Client,
  redis: Connection,
  tokenEndpoint: ActivityDeps['tokenEndpoint'],
): ActivityDeps {
  return {
    config,
    store: new Store(redis),
    gate: new OwnGates(redis),
    tokenEndpoint,
    keyring: keyringOf(config),
    caller: () => {
      const { workflowExecution, attempt, activityId, currentAttemptScheduledTimestampMs } = activityInfo()
      const run = workflowExecution?.runId ?? ''
      return { namespace, run, attempt, activityId, scheduledAtMs: currentAttemptScheduledTimestampMs }
    },
    tellWorkflow: async (notice) => {
      const { workflowId = '', runId } = activityInfo().workflowExecution ?? {}
      await client.workflow.getHandle(workflowId, runId).signal(messages.retrying, notice)
    },
    wakeClient: () => {},
    count: () => {},
    log: { info: () => {}, warn: () => {} },
  }
}

/**
 * Each credential has its provider to itself. What is stopped never says what came of its request, and hundreds are:
 * one gate for all would take the provider for dead, and hold back those that nothing was done to.
 */
class OwnGates extends Gate {
  readonly #askers = new WeakMap<object, string>()

  override async admit(...[to, credential, losesTokenAtMs]: Parameters<Gate['admit']>): Promise<Admission> {
    const own = { ...to, host: `${to.host}/${credential}` }
    const admitted = await super.admit(own, credential, losesTokenAtMs)
    // that a host which is open answers is told later, for many at once; here each attempt is to tell it by itself
    const admission: Admission = { ...admitted, mode: admitted.mode === 'open' ? 'ramp' : admitted.mode }
    this.#askers.set(admission, credential)
    return admission
  }

  override async report(...[to, admission, ...told]: Parameters<Gate['report']>): ReturnType<Gate['report']> {
    const own = { ...to, host: `${to.host}/${this.#askers.get(admission)}` }
    return await super.report(own, admission, ...told)
  }
}
