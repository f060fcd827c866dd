import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { newSealingKey } from '../../src/store/sealing.ts'
import { seededRandom } from '../referee/index.ts'
import { Judge } from './judge.ts'
import type { Counts, Report, ServiceSettings } from './protocol.ts'
import { login, type Stand, tenant } from './servers.ts'
import { Writer } from './writer.ts'

export interface RunOptions {
  stand: Stand
  /** every fault happens at least once, and again until this time is over */
  minutes: number
  seed: number
  say(line: string): void
}

export interface Account {
  stand: string
  seconds: number
  /** how often each was made */
  faults: Record<string, number>
  judge: Judge
  counts: Counts
  /** token sets that Redis took */
  written: number
  /** credentials that were not served by the end, when Redis had long been well */
  unserved: string[]
  /** how the process ended: by itself, with 0 */
  exit: string
  troubles: string[]
}

const credentials = 500
const getsPerSecond = 200
const warmUpMs = 3_000
const pauseMs = 2_500
const exitWithinMs = 10_000

/** A service in a process of its own reads at a steady rate while its Redis is struck by one fault after another. */
export async function runFaults({ stand, minutes, seed, say }: RunOptions): Promise<Account> {
  const judge = new Judge()
  const key = readerKey(sealingKey(newSealingKey()), tenant)
  const ids = Array.from({ length: credentials }, (_, index) => `${tenant}/orchard/user-${index}`)
  const writer = new Writer(ids, key, judge)
  const beganMs = Date.now()
  await stand.ready()
  writer.follow(await stand.primaryUrl())
  writer.start()
  await settled(writer)
  const redis =
    'url' in stand.location
      ? { url: withLogin(stand.location.url) }
      : { username: login.username, password: login.password, ...stand.location }
  const service = new Service({ redis, key: readerKeyText(key), credentials: ids, getsPerSecond, seed }, judge)
  try {
    await sleep(warmUpMs)
    const faults = await strike({ stand, writer, judge, seed, untilMs: beganMs + minutes * 60_000, say })
    await settled(writer)
    const sweptMs = Date.now()
    const ending = await service.end()
    const seconds = Math.round((Date.now() - beganMs) / 1_000)
    const unserved = ids.filter((id) => !((service.servedFreshMs.get(id) ?? 0) >= sweptMs))
    return {
      stand: stand.name,
      seconds,
      faults,
      judge,
      written: writer.written,
      unserved,
      ...ending,
      troubles: writer.troubles,
    }
  } finally {
    writer.stop()
    service.kill()
  }
}

function withLogin(url: string): string {
  return Object.assign(new URL(url), login).href
}

/** Every credential has a token that is not due, and Redis holds it. */
async function settled(writer: Writer): Promise<void> {
  const untilMs = performance.now() + 60_000
  // a few are always just due
  while (writer.missing > 20) {
    if (performance.now() > untilMs) throw new Error(`Redis does not hold ${writer.missing} of the tokens`)
    await sleep(50)
  }
}

interface Striking extends Omit<RunOptions, 'minutes'> {
  writer: Writer
  judge: Judge
  untilMs: number
}

async function strike({ stand, writer, judge, seed, untilMs, say }: Striking): Promise<Record<string, number>> {
  const random = seededRandom(seed)
  const made: Record<string, number> = {}
  let pass = 0
  do {
    for (const [name, fault] of Object.entries(stand.faults)) {
      if (pass > 0 && Date.now() > untilMs) return made
      await stand.ready()
      await sleep(pauseMs + (pass > 0 ? random() * 4_000 : 0))
      say(`${stand.name}: ${name}`)
      judge.faultBegins(name, Date.now())
      await fault()
      writer.follow(await stand.primaryUrl())
      writer.resync()
      await settled(writer)
      judge.faultEnds(Date.now())
      made[name] = (made[name] ?? 0) + 1
    }
    pass++
  } while (Date.now() < untilMs)
  return made
}

/** The process under load, as its parent sees it. */
class Service {
  /** when each credential was last served with what stands in Redis, as far as its reader knew */
  readonly servedFreshMs = new Map<string, number>()
  readonly #child: ChildProcess
  readonly #counts: Promise<Counts>
  readonly #exit: Promise<string>

  constructor(settings: ServiceSettings, judge: Judge) {
    const script = join(import.meta.dirname, 'service.ts')
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.#exit = once(child, 'exit').then(([code, signal]) => String(signal ?? code))
    child.stdin.on('error', () => {})
    child.stdin.write(`${JSON.stringify(settings)}\n`)
    this.#counts = new Promise((resolve, reject) => {
      void this.#exit.then((exit) => reject(new Error(`the service ended with ${exit} before it was told to`)))
      createInterface({ input: child.stdout }).on('line', (line) => {
        const report: Report = JSON.parse(line)
        if ('counts' in report) return resolve(report.counts)
        for (const call of report.calls) {
          judge.called(call)
          if (call.token?.stale === false) this.servedFreshMs.set(call.credential, call.endMs)
        }
      })
    })
    // whoever ends it hears of it
    this.#counts.catch(() => {})
  }

  async end(): Promise<{ counts: Counts; exit: string }> {
    this.#child.stdin?.write('end\n')
    const counts = await this.#counts
    const late = sleep(exitWithinMs, `still there ${exitWithinMs} ms after its reader was closed`, { ref: false })
    return { counts, exit: await Promise.race([this.#exit, late]) }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
