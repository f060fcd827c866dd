/**
 * The container's health: exits 0 when Temporal has heard from the worker of this container lately.
 */
import { hostname } from 'node:os'
import { Connection } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'

/** a poll waits for a minute when there is nothing to do */
const heardWithinMs = 150_000
const deadlineMs = 10_000

interface Poller {
  identity: string
  lastAccessMs: number
}

/** Whether a worker on `host` polls; the SDK names a worker `<pid>@<host>`. */
export const polls = (pollers: readonly Poller[], host: string, nowMs: number) =>
  pollers.some(({ identity, lastAccessMs }) => identity.endsWith(`@${host}`) && nowMs - lastAccessMs < heardWithinMs)

/** Those that ask for workflow tasks on a queue, as Temporal saw them. */
export async function pollersOf(taskQueue: string): Promise<Poller[]> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig()
  const connection = Connection.lazy(connectionOptions)
  try {
    const { pollers } = await connection.withDeadline(Date.now() + deadlineMs, () =>
      connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: taskQueue }, taskQueueType: 1 }),
    )
    return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
      identity: identity ?? '',
      lastAccessMs: Number(lastAccessTime?.seconds ?? 0) * 1000,
    }))
  } finally {
    await connection.close()
  }
}

if (import.meta.main) {
  const pollers = await pollersOf('perennial')
  if (!polls(pollers, hostname(), Date.now())) {
    console.error(`Temporal has not heard from a worker on ${hostname()} for ${heardWithinMs / 1000} s`)
    process.exitCode = 1
  }
}
