import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import type { Temporal } from '../../src/client/temporal.ts'
import { currentTask } from './process.ts'
import type { Run, TemporalServer } from './temporal.ts'

interface StartOptions {
  workflowId: string
  args: unknown[]
  typedSearchAttributes: { key: { name: string }; value: unknown }[]
  signal?: { name: string }
}

/** What operators' code uses of a Temporal client, each call an effect of the task that makes it. */
export function temporalClient(server: TemporalServer): Temporal {
  const call = <T>(name: string, work: () => T | Promise<T>): Promise<T> =>
    currentTask().effect(`temporal.${name}`, () => {
      if (server.isAway) throw unavailable()
      return work()
    })

  const start = (type: string, { workflowId, args: [input], typedSearchAttributes }: StartOptions): Run => {
    const attributes = new Map(typedSearchAttributes.map(({ key, value }) => [key.name, value]))
    return server.start(workflowId, type, input, attributes)
  }

  const handle = (workflowId: string, runId?: string) => {
    const find = (): Run => {
      const runs = server.executions.get(workflowId) ?? []
      const run = runId === undefined ? runs.at(-1) : runs.find((one) => one.runId === runId)
      if (run === undefined) throw new WorkflowNotFoundError('no such workflow', workflowId, runId)
      return run
    }
    const running = (): Run => {
      const run = find()
      if (run.status !== 'RUNNING') throw new WorkflowNotFoundError('it has ended', workflowId, runId)
      return run
    }
    return {
      describe: () => call('describe', () => described(find())),
      signal: (definition: { name: string } | string, ...args: unknown[]) => {
        const name = typeof definition === 'string' ? definition : definition.name
        return call(`signal.${name}`, () => server.signal(running(), name, args))
      },
      result: () => call('result', () => find().result),
      query: ({ name }: { name: string }) => call('query', () => find().runtime.queries.get(name)?.()),
      startUpdate: async ({ name }: { name: string }) => {
        const { promise, resolve } = Promise.withResolvers<{ value: unknown } | { error: unknown }>()
        const task = currentTask()
        await call('update', () => server.update(running(), name, (outcome) => task.resume(() => resolve(outcome))))
        return {
          result: async () => {
            const outcome = await promise
            if ('value' in outcome) return outcome.value
            throw new WorkflowUpdateFailedError('the update failed', outcome.error as Error)
          },
        }
      },
    }
  }

  async function* list({ query }: { query: string }) {
    const status = query.includes(`'Completed'`) ? 'COMPLETED' : 'RUNNING'
    const runs = await call('list', () => [...server.executions.values()].flat())
    for (const run of runs) if (run.type === 'credential' && run.status === status) yield described(run)
  }

  const workflow = {
    getHandle: handle,
    list,
    start: (type: string, options: StartOptions) =>
      call('start', () => {
        if (server.running(options.workflowId) !== undefined)
          throw new WorkflowExecutionAlreadyStartedError('already started', options.workflowId, type)
        start(type, options)
      }),
    signalWithStart: (type: string, options: StartOptions) =>
      call(`signalWithStart.${options.signal?.name}`, () => {
        const run = server.running(options.workflowId) ?? start(type, options)
        server.signal(run, options.signal?.name ?? '', [])
      }),
  }
  const client = { workflow, withDeadline: (_: number, work: () => unknown) => work(), connection: { close() {} } }
  return { client: client as unknown as Client, address: 'model', namespace: 'default' }
}

function described(run: Run) {
  const { workflowId, runId, status, attributes } = run
  const typedSearchAttributes = { get: ({ name }: { name: string }) => attributes.get(name) }
  return { workflowId, runId, status: { name: status }, typedSearchAttributes, raw: { pendingActivities: [] } }
}

/** As gRPC says it. */
const unavailable = () => Object.assign(new Error('unavailable'), { code: 14, details: 'it is away', metadata: {} })
