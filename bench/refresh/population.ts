import type { Client, WorkflowHandle } from '@temporalio/client'
import { attributes } from '../../src/client/view.ts'
import { workflowId } from '../../src/credential.ts'
import { dueAfterMs } from '../../src/workflows/schedule.ts'
import { type NullInput, nullQueue } from './null.ts'
import type { Rig } from './rig.ts'
import { issue, tokenSeconds } from './tokens.ts'

/** calls at a time */
const concurrency = 40
const hourMs = 3600_000

/** `busy`: a cycle as often as its tokens ask for one; `asleep`: not before an hour has passed. */
export type Pace = 'busy' | 'asleep'

/** Begins workflows of one kind; each needs an id of its own. */
export type Begin = (subject: string, pace: Pace) => Promise<WorkflowHandle>

/** As an operator's program begins credentials. */
export const beginCredential =
  ({ perennial, temporal }: Rig): Begin =>
  async (subject, pace) => {
    const credential = credentialOf(subject)
    const grant = issue(subject, 0)
    const tokenResponse = pace === 'busy' ? grant : { ...grant, expires_in: (2 * hourMs) / 1000 }
    await perennial.start(credential, { tokenResponse })
    return temporal.client.workflow.getHandle(workflowId(credential))
  }

/** With the delay that a credential of this id has, and what a credential is started with. */
export const beginNull =
  ({ temporal }: Rig): Begin =>
  async (subject, pace) => {
    const credential = credentialOf(subject)
    const delayMs = pace === 'busy' ? dueAfterMs(tokenSeconds * 1000, 'refresh_token', credential) : hourMs
    return await temporal.client.workflow.start('nullWorkflow', {
      workflowId: `null/${credential}`,
      taskQueue: nullQueue,
      args: [{ delayMs } satisfies NullInput],
      typedSearchAttributes: [
        { key: attributes.status, value: 'active' },
        { key: attributes.provider, value: 'bare' },
        { key: attributes.client, value: 'client' },
        { key: attributes.tenant, value: 'bench' },
      ],
      priority: { fairnessKey: 'bench' },
    })
  }

const credentialOf = (subject: string) => `bench/client/${subject}`

export async function beginAll(
  begin: Begin,
  { name, count, pace, signal }: { name: string; count: number; pace: Pace; signal: AbortSignal },
): Promise<WorkflowHandle[]> {
  const subjects = Array.from({ length: count }, (_, i) => `${name}-${i}`)
  return await each(subjects, async (subject) => {
    signal.throwIfAborted()
    return await begin(subject, pace)
  })
}

export const terminateAll = (handles: readonly WorkflowHandle[]) =>
  each(handles, (handle) => handle.terminate('measured'))

/**
 * Workflow tasks per cycle, from the histories of some that run: between the first and the last answer of an activity.
 * Two when every cycle has its timer; one less for a timer that is left out because the next cycle is overdue.
 */
export async function tasksPerCycle(client: Client, handles: readonly WorkflowHandle[]): Promise<number> {
  const histories = await each(handles, ({ workflowId: id }) => client.workflow.getHandle(id).fetchHistory())
  let cycles = 0
  let tasks = 0
  for (const { events } of histories) {
    const all = events ?? []
    const first = all.findIndex((event) => event.activityTaskCompletedEventAttributes)
    const last = all.findLastIndex((event) => event.activityTaskCompletedEventAttributes)
    const after = all.slice(first + 1, last + 1)
    cycles += after.filter((event) => event.activityTaskCompletedEventAttributes).length
    tasks += after.filter((event) => event.workflowTaskCompletedEventAttributes).length
  }
  return tasks / cycles
}

export async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  const one = async () => {
    for (const [index, item] of rest) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  return results
}
