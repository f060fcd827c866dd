import { setTimeout as sleep } from 'node:timers/promises'
import { isGrpcServiceError } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import { BoundedMap } from '../packages/reader/src/cache.ts'
import { rejectedChannel } from '../packages/reader/src/format.ts'
import type { Log } from './activities/index.ts'
import type { Temporal } from './client/temporal.ts'
import { parseCredentialId, workflowId } from './credential.ts'
import { type Connection, connect } from './store/connection.ts'
import type { Store } from './store/store.ts'
import { rejected } from './workflows/messages.ts'

/** A service was refused with the access token of this generation. */
export interface Rejection {
  credential: string
  generation: number
}

const channelPrefix = rejectedChannel('')

/**
 * What a message on a channel of refused tokens says, or undefined: readers write there what they like. The tenant is that
 * of the channel, which the ACL of Redis opens to that tenant alone; so nobody speaks of a credential of another.
 */
export function parseRejection(channel: string, message: string): Rejection | undefined {
  const [, rest, digits] = /^([^ ]{1,511}) (\d{1,15})$/.exec(message) ?? []
  if (!channel.startsWith(channelPrefix) || rest === undefined) return undefined
  const tenant = channel.slice(channelPrefix.length)
  const parts = parseCredentialId(`${tenant}/${rest}`)
  if (typeof parts === 'string' || parts.tenant !== tenant) return undefined
  return { credential: `${tenant}/${rest}`, generation: Number(digits) }
}

/** heard at once; readers who shout beyond that are not heard */
const longestQueue = 10_000
const atOnce = 16
const remembered = 10_000

/**
 * Takes each rejection once, however many readers shout: one that is not newer than what was taken before is dropped. What
 * is taken waits its turn, and what came to nothing is forgotten, so that the next shout is taken again.
 */
export class Rejections {
  readonly #act: (rejection: Rejection) => Promise<boolean>
  readonly #taken = new BoundedMap<number>(remembered)
  readonly #queue: Rejection[] = []
  #acting = 0

  /** @param act whether it is done with; when it fails it is not */
  constructor(act: (rejection: Rejection) => Promise<boolean>) {
    this.#act = act
  }

  take(rejection: Rejection): void {
    const { credential, generation } = rejection
    if ((this.#taken.get(credential) ?? -1) >= generation || this.#queue.length >= longestQueue) return
    this.#taken.set(credential, generation)
    this.#queue.push(rejection)
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#acting >= atOnce) return
    this.#acting++
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { credential, generation } = next
      const isDone = await this.#act(next).catch(() => false)
      if (!isDone && this.#taken.get(credential) === generation) this.#taken.delete(credential)
    }
    this.#acting--
  }
}

/**
 * Hears of tokens that services were refused with, and has their credentials refreshed: a token that the provider ended
 * before its time is replaced. Every worker hears every shout, so that none is lost with a worker; Temporal takes the
 * signal of all of them as one, and the workflow refreshes once for a generation and limits how often it does.
 */
export async function watchRejections(
  parts: { redisUrl: string; temporal: Temporal; store: Store; log: Log },
  end: AbortSignal,
): Promise<void> {
  const { log } = parts
  const rejections = new Rejections((rejection) => refreshRejected(parts, rejection, end))
  const heard = (message: string, channel: string) => {
    const rejection = parseRejection(channel, message)
    if (rejection !== undefined) rejections.take(rejection)
  }
  // a connection of its own: what it hears must not wait behind what is asked
  const redis = connect(parts.redisUrl, 'perennial-rejections', () => {})
  const subscribe = async () => {
    try {
      await redis.pSubscribe(rejectedChannel('*'), heard)
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : 'unknown'
      log.warn({ reason }, 'refused tokens are not heard of: they are replaced when they are due')
    }
  }
  whenReady(redis, subscribe)
  await new Promise<void>((resolve) => {
    if (end.aborted) resolve()
    else end.addEventListener('abort', () => resolve(), { once: true })
  })
  redis.destroy()
}

/** With the first connection, and again with each where that did not succeed; the client repeats what did by itself. */
function whenReady(redis: Connection, subscribe: () => Promise<void>): void {
  redis.on('ready', () => {
    if (!redis.isPubSubActive) void subscribe()
  })
  if (redis.isReady) void subscribe()
}

const notFound = 5
/** Temporal may be away just then: for as long as a service is likely to go on without */
const pausesMs = [500, 2_000, 8_000, 20_000]

async function refreshRejected(
  parts: { temporal: Temporal; store: Store; log: Log },
  rejection: Rejection,
  end: AbortSignal,
): Promise<boolean> {
  const { log, store } = parts
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      const { hash } = await store.read(rejection.credential)
      // one that never was must not keep a true one from being taken
      if (hash === undefined || hash.tombstone || hash.generation < rejection.generation) return false
      // replaced since, which the reader finds as well
      if (hash.generation > rejection.generation) return true
      await tell(parts.temporal, rejection, hash.family)
      log.info({ ...rejection }, 'a service was refused with this token: it is to be replaced')
      return true
    } catch (error) {
      if (isGrpcServiceError(error) && error.code === notFound) return false
      if (pauseMs === undefined || end.aborted) throw error
      await sleep(pauseMs, undefined, { signal: end })
    }
  }
  return false
}

/** The signal of one generation has one id, whichever worker sends it: only the first goes into the history. */
async function tell({ client, namespace }: Temporal, rejection: Rejection, family: string): Promise<void> {
  const { credential, generation } = rejection
  await client.withDeadline(Date.now() + 5_000, () =>
    client.workflowService.signalWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: workflowId(credential) },
      signalName: rejected.name,
      input: { payloads: [defaultPayloadConverter.toPayload(generation)] },
      requestId: `rejected ${family} ${generation}`,
      identity: 'perennial worker',
    }),
  )
}
