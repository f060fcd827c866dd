import type { Connection } from '../../src/store/connection.ts'
import { type Commands, commandsOn, connectionVia } from './commands.ts'
import { Keyspace, type Snapshot } from './keyspace.ts'
import { currentTask } from './process.ts'
import type { scripts } from './scripts.ts'
import type { VirtualTime } from './time.ts'

const reading = new Set(['time', 'hGetAll', 'get', 'exists', 'ping', 'scan', 'xAdd'])
/** src/store/connection.ts */
const commandWithinMs = 3_000
const lostMs = 1_000

/** A Redis server: away, stalled, emptied, or rolled back by a second. */
export class RedisServer {
  readonly keyspace = new Keyspace()
  awayUntilMs = 0
  stalledUntilMs = 0
  readonly #time: VirtualTime
  readonly #commands: Commands
  readonly #changed: (what: string) => void
  #past: { atMs: number; held: Snapshot }[] = []

  constructor(time: VirtualTime, change: Partial<typeof scripts>, changed: (what: string) => void) {
    this.#time = time
    this.#commands = commandsOn(this.keyspace, change)
    this.#changed = changed
  }

  /** As a process has it; the task that sends a command gets the answer. */
  connection(): Connection {
    return connectionVia((name, args) => {
      const delayMs = Math.max(0, this.stalledUntilMs - this.#time.nowMs)
      const label = `redis.${this.#commands.nameOf(name, args)}`
      return currentTask().effect(label, () => this.#carryOut(name, args), { delayMs, withinMs: commandWithinMs })
    })
  }

  /** A look from outside, at the present. */
  look(): Keyspace {
    this.keyspace.nowMs = this.#time.nowMs
    return this.keyspace
  }

  empty(): void {
    this.keyspace.restore({ strings: new Map(), hashes: new Map() })
    this.#past = []
  }

  /** A replica takes over that had not heard of the last second. */
  rollBack(): void {
    const held = this.#past.findLast(({ atMs }) => atMs <= this.#time.nowMs - lostMs)
    if (held === undefined) this.empty()
    else this.keyspace.restore(held.held)
    this.#past = []
    this.#remember()
  }

  #carryOut(name: string, args: unknown[]): unknown {
    if (this.#time.nowMs < this.awayUntilMs) throw new Error('Redis is away')
    const answer = this.#commands.carryOut(name, this.look() && args)
    if (reading.has(name)) return answer
    this.#remember()
    this.#changed(this.#commands.nameOf(name, args))
    return answer
  }

  #remember(): void {
    const { nowMs } = this.#time
    while ((this.#past[1]?.atMs ?? nowMs) <= nowMs - lostMs) this.#past.shift()
    this.#past.push({ atMs: nowMs, held: this.keyspace.snapshot() })
  }
}
