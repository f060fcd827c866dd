import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkflowExecutionDescription } from '@temporalio/client'
import { sealingKey } from '../../../packages/reader/src/sealed.ts'
import type { Config } from '../../config.ts'
import { PerennialError } from '../../errors.ts'
import { fingerprint } from '../../store/sealing.ts'
import type { GrantHash } from '../../store/store.ts'
import type { Seed } from '../../workflows/messages.ts'
import { refreshesPerSecondOf } from '../resync.ts'
import { clientFor } from '../seed.ts'
import { Duplicates } from './duplicates.ts'
import { type Entry, type Refusal, readEntry } from './entry.ts'
import { type Line, linesOf } from './lines.ts'

export interface ImportOptions {
  /** at most so many lines are begun in a second */
  linesPerSecond?: number
  /** says what would be refused, and asks no server */
  dryRun?: boolean
}

/** What became of one line. */
export interface Imported {
  line: number
  /**
   * `started` begins a credential, `reconnected` hands a new grant to one that lives, `joined` found it there with this
   * grant already, `refused` was left out.
   */
  outcome: 'started' | 'reconnected' | 'joined' | 'refused'
  credential?: string
  /** of a refused line */
  code?: string
  reason?: string
  /** how far the file was read with it */
  endByte: number
}

/** What an import needs of the servers. */
export interface Servers {
  hash(credential: string): Promise<GrantHash | undefined>
  describe(credential: string): Promise<WorkflowExecutionDescription | undefined>
  /** Begins a credential that was never there. @throws PerennialError `already_started` where it ever was */
  beginFirst(entry: Entry): Promise<void>
  /** Begins one that does not live now, above what is known of its former life. @throws PerennialError likewise */
  beginAbove(entry: Entry, former: Former): Promise<void>
  reconnect(credential: string, seed: Seed): Promise<void>
}

/** What is left of a credential's former life. */
export interface Former {
  workflow: WorkflowExecutionDescription | undefined
  hash: GrantHash | undefined
}

/** Enough to keep a server busy whose answer takes 20 ms, and few enough to be its guest. */
const atOnce = 64
/** A server may be restarted under an import. */
const serversAwayForMs = 30_000

/**
 * Begins a credential for each line, or gives it its new grant. Idempotent: what was imported before is left as it is,
 * so that an import that was killed is run again from the top.
 *
 * @throws PerennialError `temporal_unavailable`, `store_unavailable` when a server stays away
 */
export async function* importLines(
  config: Config,
  servers: Servers,
  chunks: AsyncIterable<Uint8Array>,
  { linesPerSecond, dryRun = false }: ImportOptions = {},
): AsyncGenerator<Imported> {
  const reading = new Reading(config)
  const patience = new Patience()
  const lines = linesPerSecond === undefined ? linesOf(chunks) : paced(linesOf(chunks), linesPerSecond)
  yield* eachAtOnce(atOnce, lines, (line) => {
    // synchronous, so that of two lines with one credential the first is taken
    const entry = reading.read(line)
    return dryRun ? verdictOf(line, entry) : take({ config, servers, patience }, line, entry)
  })
}

async function take(
  { config, servers, patience }: { config: Config; servers: Servers; patience: Patience },
  line: Line,
  entry: Entry | Refusal,
): Promise<Imported> {
  if ('code' in entry) return refused(line, entry)
  const { number, endByte } = line
  const { credential } = entry
  try {
    const outcome = await patience.with(() => begin(config, servers, entry))
    return { line: number, outcome, credential, endByte }
  } catch (error) {
    if (!(error instanceof PerennialError) || isAway(error)) throw error
    return refused(line, { code: error.code, reason: error.message, credential })
  }
}

const verdictOf = async (line: Line, entry: Entry | Refusal): Promise<Imported> =>
  'code' in entry
    ? refused(line, entry)
    : { line: line.number, outcome: 'started', credential: entry.credential, endByte: line.endByte }

const refused = ({ number, endByte }: Line, refusal: Refusal): Imported => ({
  line: number,
  outcome: 'refused',
  ...refusal,
  endByte,
})

async function begin(config: Config, servers: Servers, entry: Entry): Promise<'started' | 'reconnected' | 'joined'> {
  const { credential, seed } = entry
  const hash = await servers.hash(credential)
  // one that nobody knows costs two calls
  if (hash === undefined && (await isStarted(servers.beginFirst(entry)))) return 'started'
  const isKnown = knows(config, hash, entry)
  const workflow = await servers.describe(credential)
  if (workflow?.status.name !== 'RUNNING') {
    if (isKnown && hash?.tombstone)
      throw new PerennialError('revoked', `${credential} was revoked here with this grant; it needs a new one`)
    return (await isStarted(servers.beginAbove(entry, { workflow, hash }))) ? 'started' : 'joined'
  }
  if (isKnown || seed.sealed === undefined) return 'joined'
  // where the grant is not known yet, its workflow finds out whether it is the same one
  await servers.reconnect(credential, seed)
  return hash === undefined ? 'joined' : 'reconnected'
}

async function isStarted(beginning: Promise<void>): Promise<boolean> {
  try {
    await beginning
    return true
  } catch (error) {
    if (error instanceof PerennialError && error.code === 'already_started') return false
    throw error
  }
}

/** Whether this refresh token has begun a family of the credential already. */
function knows({ keys }: Config, hash: GrantHash | undefined, { refreshToken }: Entry): boolean {
  if (refreshToken === undefined || hash === undefined) return false
  return keys.grant.some((key) => hash.seeds.includes(fingerprint(sealingKey(key), refreshToken)))
}

const isAway = ({ code }: PerennialError) =>
  ['temporal_unavailable', 'temporal_busy', 'store_unavailable'].includes(code)

/** Goes on through an absence of the servers, once they have answered at all: before, an address may be wrong. */
class Patience {
  #answered = false

  async with<T>(work: () => Promise<T>): Promise<T> {
    const untilMs = performance.now() + serversAwayForMs
    for (;;) {
      try {
        const result = await work()
        this.#answered = true
        return result
      } catch (error) {
        if (!(error instanceof PerennialError && isAway(error) && this.#answered)) throw error
        if (performance.now() > untilMs) throw error
        await sleep(1_000)
      }
    }
  }
}

/** Reads lines in their order: what they ask for, whether an earlier one asked for it, and when their turn is. */
class Reading {
  readonly #config: Config
  readonly #duplicates = new Duplicates()
  readonly #turns = new Map<string, number>()
  readonly #beganMs = performance.now()

  constructor(config: Config) {
    this.#config = config
  }

  read(line: Line): Entry | Refusal {
    const entry = readEntry(this.#config, line)
    if ('code' in entry) return entry
    const { rotation } = clientFor(this.#config, entry.credential).provider
    const sharesGrant = rotation === 'none' || rotation === 'rotates_old_valid'
    const repeated = this.#duplicates.find(entry, line.number, sharesGrant)
    if (repeated !== undefined) return repeated
    // one whose access token is good is due when that says so
    if ((entry.seed.accessLivesMs ?? 0) > 0) return entry
    return { ...entry, seed: { ...entry.seed, firstRefreshInMs: this.#turn(entry) } }
  }

  /**
   * Without an access token a refresh is due at once; a thousand lines would be a thousand requests in a second. Each
   * has its turn, within the budget of its provider. An import that is run again counts those that are there already,
   * so that its turns come after theirs.
   */
  #turn({ credential, endpoint }: Entry): number {
    const turn = this.#turns.get(endpoint) ?? 0
    this.#turns.set(endpoint, turn + 1)
    const atMs = (turn * 1000) / refreshesPerSecondOf(this.#config, credential)
    return Math.max(0, Math.round(atMs - (performance.now() - this.#beganMs)))
  }
}

async function* paced(lines: AsyncIterable<Line>, perSecond: number): AsyncGenerator<Line> {
  let nextMs = performance.now()
  for await (const line of lines) {
    const waitMs = nextMs - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    // what was missed is not made up for in a burst
    nextMs = Math.max(nextMs, performance.now() - 1000 / perSecond) + 1000 / perSecond
    yield line
  }
}

/** Runs so many at a time, and hands out what comes of them as it comes. Stops reading where nobody takes it. */
async function* eachAtOnce<T, R>(
  width: number,
  items: AsyncIterable<T>,
  run: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running = new Map<number, Promise<{ key: number; result: R }>>()
  const next = async () => {
    const { key, result } = await Promise.race(running.values())
    running.delete(key)
    return result
  }
  let key = 0
  for await (const item of items) {
    const mine = key++
    running.set(
      mine,
      run(item).then((result) => ({ key: mine, result })),
    )
    if (running.size >= width) yield await next()
  }
  while (running.size > 0) yield await next()
}
