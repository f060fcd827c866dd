import { setTimeout as sleep } from 'node:timers/promises'
import { signalGroup } from './child.ts'
import { type DataFolder, readIfPresent } from './folder.ts'
import { freePort } from './ports.ts'
import { isRunning, type ProcessIdentity, startTime } from './processes.ts'

export type ChildName = 'worker' | 'demo' | 'temporal' | 'redis'

/** What the children are called where people read it. */
export const labels: Record<ChildName, string> = {
  worker: 'the worker',
  demo: 'the demo authorization server',
  temporal: 'Temporal',
  redis: 'Redis',
}

/** The order in which children end: the worker drains while everything that it needs is still there. */
export const stopOrder: readonly ChildName[] = ['worker', 'demo', 'temporal', 'redis']

/** How long each may take to end. The worker lets exchanges under way finish, which takes up to 20 s. */
export const graceMs: Record<ChildName, number> = { worker: 25_000, demo: 10_000, temporal: 10_000, redis: 10_000 }

export type PortName = 'temporal' | 'ui' | 'redis' | 'demo'

interface Recorded {
  ports: Partial<Record<PortName, number>>
  children: Partial<Record<ChildName, ProcessIdentity>>
}

/** What outlives the stack: its ports, and its children as long as they run. Kept in stack.json. */
export class StackState {
  readonly #folder: DataFolder
  readonly #recorded: Recorded

  constructor(folder: DataFolder) {
    this.#folder = folder
    const text = readIfPresent(folder.path('stack.json'))
    this.#recorded = { ports: {}, children: {}, ...JSON.parse(text ?? '{}') }
    this.#save()
  }

  /** The port of last time if it is free, so that addresses stay what they were. */
  async port(name: PortName): Promise<number> {
    const port = await freePort(this.#recorded.ports[name])
    this.#recorded.ports[name] = port
    this.#save()
    return port
  }

  began(name: ChildName, pid: number): void {
    const started = startTime(pid)
    if (started === undefined) return
    this.#recorded.children[name] = { pid, started }
    this.#save()
  }

  ended(name: ChildName): void {
    delete this.#recorded.children[name]
    this.#save()
  }

  /** Ends what a killed stack left running, in order, each with its grace. A recycled pid is never touched. */
  async endOrphans(say: (line: string) => void): Promise<void> {
    for (const name of stopOrder) {
      const child = this.#recorded.children[name]
      if (child === undefined) continue
      if (isRunning(child)) {
        say(`ending ${labels[name]} (pid ${child.pid}) that an earlier perennial dev left running …`)
        await endProcess(child, graceMs[name])
      }
      this.ended(name)
    }
  }

  #save(): void {
    this.#folder.write('stack.json', `${JSON.stringify(this.#recorded, null, 2)}\n`)
  }
}

async function endProcess(child: ProcessIdentity, graceMs: number): Promise<void> {
  signalGroup(child.pid, 'SIGTERM')
  const deadline = performance.now() + graceMs
  while (isRunning(child)) {
    if (performance.now() > deadline) signalGroup(child.pid, 'SIGKILL')
    await sleep(50)
  }
}
