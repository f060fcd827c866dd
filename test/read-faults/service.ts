/**
 * A service under load, a process of its own: `node service.ts`, settings as the first line of stdin. It reports every
 * call, and when told to end asks once for each credential, says what it has counted, and has to end by itself.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createReader, ReaderError } from '../../packages/reader/src/index.ts'
import { seededRandom } from '../referee/index.ts'
import type { Ask, Call, Counts, Report, ServiceSettings } from './protocol.ts'

/** Half of the calls take whatever is valid; the others want more, would wait for it, or want what stands in Redis now. */
const asks: Ask[] = [
  ...Array.from({ length: 5 }, () => ({})),
  ...Array.from({ length: 3 }, () => ({ minRemainingMs: 3_000 })),
  { minRemainingMs: 7_000, waitMs: 3_000 },
  { fresh: true },
]
const everyMs = 20
const sweepWaitMs = 10_000

const counts: Counts = {
  calls: 0,
  unsettled: 0,
  unhandled: [],
  served: {},
  reads: {},
  connections: { up: 0, down: {} },
}
const count = (counted: Record<string, number>, what: string) => {
  counted[what] = (counted[what] ?? 0) + 1
}
for (const event of ['unhandledRejection', 'uncaughtException'] as const)
  process.on(event, (error: unknown) => {
    counts.unhandled.push(`${event}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  })

const input = createInterface({ input: process.stdin })
const lines = input[Symbol.asyncIterator]()
const settings: ServiceSettings = JSON.parse(String((await lines.next()).value))
const { credentials, getsPerSecond } = settings
const random = seededRandom(settings.seed)
const reader = createReader({
  redis: settings.redis,
  keys: [settings.key],
  metrics: {
    served: (from) => count(counts.served, from),
    read: (_, outcome) => count(counts.reads, outcome),
    connection: (up, why = '') => (up ? counts.connections.up++ : count(counts.connections.down, why)),
  },
})

let finished: Call[] = []
let underWay = 0

async function call(credential: string, asked: Ask): Promise<void> {
  counts.calls++
  underWay++
  const startMs = Date.now()
  const done = (outcome: Pick<Call, 'token' | 'error' | 'typed'>) => {
    underWay--
    finished.push({ credential, startMs, endMs: Date.now(), asked, ...outcome })
  }
  await reader.get(credential, asked).then(
    ({ accessToken, generation, stale }) => done({ token: { accessToken, generation, stale } }),
    (error: unknown) =>
      error instanceof ReaderError
        ? done({ error: error.code, typed: true })
        : done({ error: error instanceof Error ? error.name : String(error), typed: false }),
  )
}

const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T

async function say(report: Report): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(report)}\n`)) await once(process.stdout, 'drain')
}

async function tell(): Promise<void> {
  const calls = finished
  finished = []
  if (calls.length > 0) await say({ calls })
}

/** At a pace of its own, however long the answers take. */
async function load(end: AbortSignal): Promise<void> {
  const beganMs = performance.now()
  let made = 0
  while (!end.aborted) {
    const due = Math.floor(((performance.now() - beganMs) / 1_000) * getsPerSecond)
    for (; made < due; made++) void call(pick(credentials), pick(asks))
    await tell()
    await sleep(everyMs)
  }
}

const ending = new AbortController()
const loaded = load(ending.signal)
await lines.next()
ending.abort()
await loaded
await Promise.all(credentials.map((credential) => call(credential, { waitMs: sweepWaitMs })))
for (let waited = 0; underWay > 0 && waited < 100; waited++) await sleep(100)
counts.unsettled = underWay
await tell()
await reader.close()
await say({ counts })
input.close()
