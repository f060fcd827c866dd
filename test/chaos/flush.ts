import { setTimeout as sleep } from 'node:timers/promises'
import { createReader, type Reader, ReaderError } from '../../packages/reader/src/index.ts'
import type { Bucket } from '../referee/index.ts'
import { type Account, accounts } from './account.ts'
import { eachOf } from './each-of.ts'
import { Readers, type Stretch } from './readers.ts'
import { type Stage, setStage } from './stage.ts'
import { Users } from './users.ts'

/** What was seen of one FLUSHALL, from which the report is made. Times are epoch milliseconds. */
export interface FlushEvidence {
  flushedAtMs: number
  endedMs: number
  /** requests a second that each provider allows */
  budgetPerSecond: number
  credentials: readonly Pick<Account, 'credential' | 'client'>[]
  stretches: readonly Stretch[]
  /** requests at the providers, by client and second */
  rates: Record<string, Bucket[]>
  /**
   * gets of a service whose reader had every token in memory, until all can be read again: what it was told in place of
   * a token, and whose token the provider did not take
   */
  held: { looks: number; failed: Record<string, number>; refused: string[] }
  /** which had no token at the end, and in what status they were */
  unreadable: readonly { credential: string; status: string }[]
  readsPerSecondEach: number
}

export interface FlushOptions {
  credentials: number
  /** for the data and logs of the stack; new or empty */
  dataDir: string
  /** how long everybody may take to have a token again */
  withinMs: number
  signal: AbortSignal
  say(line: string): void
}

/** slower than this machine, so that it is the pace that is seen: 34 credentials take 17 s */
const budgetOfAll = 2
/** so long that nothing is refreshed for its own sake while this lasts */
const tokenSeconds = 600
const latencyMs: [number, number] = [20, 300]
const lookEveryMs = 1_000

/** Empties Redis once under credentials whose providers all have a budget, and watches until everybody is served again. */
export async function runFlush(options: FlushOptions): Promise<FlushEvidence> {
  const { signal, say } = options
  const stage = await setStage({ ...options, tokenSeconds, budgetOfAll })
  const over = new AbortController()
  let service: Reader | undefined
  try {
    const everyone = accounts(options.credentials)
    const users = new Users(stage, AbortSignal.any([signal, over.signal]))
    await eachOf(everyone, 8, (account) => users.connect(account))
    await stage.referee.followPlan({ seed: 1, latencyMs })
    service = await serviceWith(stage, everyone, signal)
    const readers = new Readers(stage.redisUrl, stage.readerKey, everyone)
    readers.start()
    // readers have seen each token, and what the beginning asked of the providers is over
    await sleep(3_000, undefined, { signal })
    say(`${everyone.length} credentials live; FLUSHALL`)
    await stage.redis.flushAll()
    const flushedAtMs = Date.now()
    const looked = await watchRecovery({ stage, readers, service, untilMs: flushedAtMs + options.withinMs, signal })
    const statuses = (await stage.fleet.read()) ?? new Map()
    const unreadable = readers.unreadable.map(({ credential }) => ({
      credential,
      status: statuses.get(credential)?.status ?? 'no status',
    }))
    await readers.stop()
    return {
      flushedAtMs,
      endedMs: Date.now(),
      budgetPerSecond: stage.budgetPerSecond,
      credentials: everyone,
      stretches: readers.stretches,
      rates: await stage.referee.rates(),
      held: looked,
      unreadable,
      readsPerSecondEach: readers.readsPerSecondEach,
    }
  } finally {
    over.abort()
    await service?.close()
    await stage.stop()
  }
}

/** A service that has every token in memory. */
async function serviceWith(stage: Stage, everyone: readonly Account[], signal: AbortSignal): Promise<Reader> {
  const reader = createReader({ redis: stage.redisUrl, keys: [stage.readerKey] })
  await eachOf(everyone, 8, async ({ credential }) => {
    await reader.get(credential, { waitMs: 60_000, signal })
  })
  return reader
}

/** Until every credential that lost its token has one again; asks the providers meanwhile what a service's are worth. */
async function watchRecovery(watched: {
  stage: Stage
  readers: Readers
  service: Reader
  untilMs: number
  signal: AbortSignal
}): Promise<FlushEvidence['held']> {
  const { stage, readers, service, untilMs, signal } = watched
  const seen: FlushEvidence['held'] = { looks: 0, failed: {}, refused: [] }
  const look = async (credential: string) => {
    seen.looks++
    const token = await service.get(credential).catch((error: unknown) => {
      const code = error instanceof ReaderError ? error.code : 'no reader error'
      seen.failed[code] = (seen.failed[code] ?? 0) + 1
    })
    if (token !== undefined && (await stage.referee.accessRemainingMs(token.accessToken)) <= 0)
      seen.refused.push(credential)
  }
  // the first reads after it bring nothing
  await sleep(lookEveryMs, undefined, { signal })
  while (readers.unreadable.length > 0 && Date.now() < untilMs) {
    await eachOf(readers.unreadable, 16, ({ credential }) => look(credential))
    await sleep(lookEveryMs, undefined, { signal })
  }
  return seen
}
