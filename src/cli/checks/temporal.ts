import { Connection } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import type { Config } from '../../config.ts'
import { refreshQueue, searchAttributes, workflowQueue } from '../../workflows/messages.ts'
import { type Check, fail, ok, patienceMs, reasonOf } from './check.ts'
import { reach } from './reach.ts'

// numbers of the API's enums, whose package is no dependency of ours
const keyword = 2
const workflowTasks = 1
const activityTasks = 2
const notFound = 5

/** Whether Temporal can be reached, knows the search attributes, and has workers for every queue. */
export async function checkTemporal(config: Config): Promise<Check[]> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig()
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: patienceMs })
  const address = connectionOptions.address ?? 'localhost:7233'
  const within = <T>(call: () => Promise<T>) => connection.withDeadline(Date.now() + patienceMs, call)
  try {
    // a call would only say that time ran out
    await reach(placeOf(address))
    await within(() => connection.workflowService.describeNamespace({ namespace }))
  } catch (error) {
    await connection.close()
    return [unreachable(address, namespace, error)]
  }
  try {
    return [
      ok('temporal', `Temporal at ${address} answers, namespace ${namespace} exists`),
      await within(() => checkSearchAttributes(connection, namespace)),
      ...(await within(() => checkWorkers(connection, namespace, config))),
    ]
  } catch (error) {
    return [fail('temporal', `Temporal at ${address}: ${reasonOf(error)}`, 'allow these calls to this client')]
  } finally {
    await connection.close()
  }
}

/** Host and port as gRPC takes them from an address. */
function placeOf(address: string): { host: string; port: number; secure: boolean } {
  const url = new URL(`tcp://${address.replace(/^[a-z]+:\/{2,3}/, '')}`)
  return { host: url.hostname, port: Number(url.port) || 7233, secure: false }
}

function unreachable(address: string, namespace: string, error: unknown): Check {
  const code = (error as { code?: unknown }).code
  if (code === notFound) {
    const fix = `create it (temporal operator namespace create -n ${namespace}), or correct TEMPORAL_NAMESPACE`
    return fail('temporal', `Temporal at ${address} has no namespace ${namespace}`, fix)
  }
  const fix = 'start it, or correct TEMPORAL_ADDRESS, TEMPORAL_API_KEY, TEMPORAL_TLS_* or TEMPORAL_PROFILE'
  return fail('temporal', `Temporal at ${address} cannot be reached: ${reasonOf(error)}`, fix)
}

async function checkSearchAttributes(connection: Connection, namespace: string): Promise<Check> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.values(searchAttributes).filter((name) => customAttributes[name] !== keyword)
  if (missing.length === 0) return ok('search attributes', 'all are registered')
  return fail(
    'search attributes',
    `not registered as Keyword: ${missing.join(', ')}`,
    `temporal operator search-attribute create -n ${namespace} ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}`,
  )
}

function checkWorkers(connection: Connection, namespace: string, config: Config): Promise<Check[]> {
  const providers = new Set([...config.clients.values()].map(({ provider }) => provider.name))
  const queues = [
    { name: workflowQueue, taskQueueType: workflowTasks },
    ...[...providers].map((provider) => ({ name: refreshQueue(provider), taskQueueType: activityTasks })),
  ]
  return Promise.all(
    queues.map(async ({ name, taskQueueType }) => {
      const taskQueue = { name }
      const { pollers } = await connection.workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType })
      return pollers.length > 0
        ? ok(`worker ${name}`, `${pollers.length} polling`)
        : fail(
            `worker ${name}`,
            `no worker polls the queue ${name}: nothing on it is done`,
            'start one with this configuration: perennial worker',
          )
    }),
  )
}
