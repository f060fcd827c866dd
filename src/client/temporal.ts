import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  type WorkflowExecutionInfo,
} from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { PerennialError } from '../errors.ts'

/** How long a call may take before the server counts as out of reach. */
const answersWithinMs = 8_000

const unavailable = 14
const deadlineExceeded = 4
const invalidArgument = 3
const notFound = 5
const resourceExhausted = 8

export interface Temporal {
  client: Client
  address: string
  namespace: string
}

/** A client as Temporal's own tools would make it: TEMPORAL_ADDRESS and the rest, profiles. Nothing is dialled yet. */
export function openTemporal(): Temporal {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig()
  // its own ten attempts take longer than anyone waits, and end as a deadline that hides why nothing answers
  const retry = makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 6 }))
  const connection = Connection.lazy({ ...connectionOptions, interceptors: [retry] })
  const address = connectionOptions.address ?? 'localhost:7233'
  return { client: new Client({ connection, namespace }), address, namespace }
}

/**
 * Makes a call with a deadline, and says what an operator can do where it fails for a reason of the server.
 *
 * @throws PerennialError `temporal_unavailable`, `temporal_busy`, `namespace_missing`, `search_attributes_missing`
 */
export async function ask<T>(
  { client, address, namespace }: Temporal,
  call: () => Promise<T>,
  withinMs = answersWithinMs,
): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + withinMs, call)
  } catch (error) {
    const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error
    if (!isGrpcServiceError(cause)) throw error
    const code: number = cause.code
    if (code === unavailable || code === deadlineExceeded)
      throw new PerennialError(
        'temporal_unavailable',
        `Temporal at ${address} does not answer (${firstLine(cause.details)}); is it running, and is TEMPORAL_ADDRESS right?`,
      )
    if (code === resourceExhausted)
      throw new PerennialError(
        'temporal_busy',
        `Temporal at ${address} takes no more for now (${firstLine(cause.details)}); go slower, or raise the namespace's limits`,
      )
    if (code === invalidArgument && /search attribute/i.test(cause.details))
      throw new PerennialError(
        'search_attributes_missing',
        `namespace ${namespace} at ${address} lacks search attributes; perennial doctor names them and the command that adds them`,
      )
    if (code === notFound && /namespace/i.test(cause.details))
      throw new PerennialError(
        'namespace_missing',
        `Temporal at ${address} has no namespace ${namespace}; set TEMPORAL_NAMESPACE`,
      )
    throw error
  }
}

/** The workflows of credentials that meet a condition of Temporal's list filter, in no order. @throws as `ask` */
export async function* credentialWorkflows(
  temporal: Temporal,
  condition: string,
): AsyncIterable<WorkflowExecutionInfo> {
  const query = `WorkflowType = 'credential' AND ${condition}`
  const executions = temporal.client.workflow.list({ query })[Symbol.asyncIterator]()
  for (;;) {
    const next = await ask(temporal, () => executions.next())
    if (next.done) return
    yield next.value
  }
}

const firstLine = (text: string) => (text.split('\n')[0] ?? '').slice(0, 160)
