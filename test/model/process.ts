import type { VirtualTime } from './time.ts'

/** What befalls the effect of a task, before it is carried out or after, or on its way. */
export type Mishap =
  | { kind: 'crash'; side: 'before' | 'after' }
  | { kind: 'freeze'; side: 'before' | 'after'; forMs: number }
  /** refused there, or carried out and the answer lost */
  | { kind: 'fail'; side: 'before' | 'after' }
  /** lies on its way, or with a server that stalls, and is carried out in the end */
  | { kind: 'slow'; forMs: number }

/** Says what befalls the next effect, if anything. */
export type Fate = (task: Task, effect: string) => Mishap | undefined

export interface EffectOptions {
  /** on the way there and on the way back */
  ms?: number
  /** more, on the way there */
  delayMs?: number
  /** the caller gives up after this; by then it has been carried out, if it ever is */
  withinMs?: number
  /** in the tick in which it leaves the process; what it throws the caller gets, and nothing leaves */
  departs?: () => void
}

/** A process of the system under test: everything in it stops when it is frozen, and ends when it is killed. */
export class Process {
  readonly name: string
  readonly time: VirtualTime
  readonly fate: Fate
  readonly trace: (text: string) => void
  alive = true
  /** how often it was frozen */
  freezes = 0
  #frozenUntilMs = 0
  #waiting: (() => void)[] = []

  constructor(name: string, time: VirtualTime, fate: Fate, trace: (text: string) => void) {
    this.name = name
    this.time = time
    this.fate = fate
    this.trace = trace
  }

  get frozen(): boolean {
    return this.time.nowMs < this.#frozenUntilMs
  }

  kill(): void {
    if (!this.alive) return
    this.trace(`${this.name} is killed`)
    this.alive = false
    this.#waiting = []
  }

  freeze(forMs: number): void {
    this.trace(`${this.name} is frozen for ${forMs} ms`)
    this.freezes++
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.time.nowMs + forMs)
    this.time.after(forMs, () => this.#thaw())
  }

  /** Goes on in this process: now, when it thaws, or never. */
  run(work: () => void): void {
    if (!this.alive) return
    if (this.frozen) this.#waiting.push(work)
    else work()
  }

  #thaw(): void {
    if (this.frozen || !this.alive) return
    // what fell due meanwhile, a timer or an answer, is there at once: either may be first
    const waiting = this.time.random() < 0.5 ? this.#waiting : this.#waiting.reverse()
    this.#waiting = []
    for (const work of waiting) this.time.after(0, () => this.run(work))
  }
}

let current: Task | undefined

/** The task whose code is running; what follows from one event belongs to one task. */
export function currentTask(): Task {
  if (current === undefined) throw new Error('code of the system runs outside of every task')
  return current
}

/** One thing that a process does: an attempt at an activity, or a call of an operator. */
export class Task {
  readonly name: string
  readonly process: Process
  readonly #counts = new Map<string, number>()

  constructor(name: string, process: Process) {
    this.name = name
    this.process = process
  }

  /** Goes on with it. */
  resume(work: () => void): void {
    this.process.run(() => {
      current = this
      work()
    })
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.time.after(ms, () => this.resume(resolve)))
  }

  /** Has something done outside of the process, and brings back what came of it. */
  effect<T>(
    kind: string,
    carryOut: () => T | Promise<T>,
    { ms, delayMs = 0, withinMs, departs }: EffectOptions = {},
  ): Promise<T> {
    const { time, trace, fate } = this.process
    const nth = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, nth)
    const mishap = fate(this, kind)
    const label = `${this.name} ${kind}${nth > 1 ? `#${nth}` : ''}`
    if (mishap !== undefined) trace(`${label}: ${describe(mishap)}`)
    return new Promise<T>((resolve, reject) => {
      let over = false
      const end = (settle: () => void) =>
        this.resume(() => {
          if (over) return
          over = true
          settle()
        })
      const leave = () => {
        const way = ms ?? time.between(1, 3)
        try {
          departs?.()
        } catch (error) {
          return end(() => reject(error))
        }
        if (withinMs !== undefined) time.after(withinMs, () => end(() => reject(new Error('no answer in time'))))
        const slowMs = delayMs + (mishap?.kind === 'slow' ? mishap.forMs : 0)
        const thereMs = departs === undefined ? way + slowMs : Math.min(way + slowMs, (withinMs ?? 1e9) - 1)
        time.after(thereMs, async () => {
          const failsBefore = mishap?.kind === 'fail' && mishap.side === 'before'
          const outcome = await (failsBefore ? failing() : attempt(carryOut))
          if (!quiet.has(kind) || mishap !== undefined)
            trace(`${label}: ${'value' in outcome ? (short(outcome.value) ?? 'done') : `failed, ${outcome.error}`}`)
          if (mishap?.kind === 'crash') this.process.kill()
          if (mishap?.kind === 'freeze' && mishap.side === 'after') this.process.freeze(mishap.forMs)
          const lost = mishap?.kind === 'fail' && mishap.side === 'after'
          const back = lost ? failing() : outcome
          time.after(2 * way + slowMs - thereMs, () =>
            end(() => ('value' in back ? resolve(back.value) : reject(back.error))),
          )
        })
      }
      if (mishap?.kind === 'crash' && mishap.side === 'before') this.process.kill()
      else if (mishap?.kind === 'freeze' && mishap.side === 'before') {
        this.process.freeze(mishap.forMs)
        this.resume(leave)
      } else leave()
    })
  }
}

/** what tells nothing by itself */
const quiet = new Set(['redis.time', 'redis.hGetAll', 'redis.get', 'redis.xAdd', 'redis.exists', 'temporal.describe'])

type Outcome<T> = { value: T } | { error: unknown }

async function attempt<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error }
  }
}

const failing = () => ({ error: new Error('the connection was lost') })

const describe = (mishap: Mishap): string =>
  [mishap.kind, 'side' in mishap ? mishap.side : '', 'forMs' in mishap ? `${mishap.forMs} ms` : '']
    .filter((part) => part !== '')
    .join(' ')

/** Of a script's reply only the verdict. */
const short = (value: unknown): string | undefined => {
  const [first] = Array.isArray(value) ? value : [value]
  return typeof first === 'string' ? first.slice(0, 40) : undefined
}
