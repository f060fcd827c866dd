import { setTimeout as sleep } from 'node:timers/promises'
import { type Exit, type RunningServer, signalGroup } from './child.ts'

/** Something that must run for as long as the stack does. */
export interface Service {
  name: string
  /** how long it may take to end */
  graceMs: number
  /** must tell the pid at once, before it is ready */
  start(onSpawn: (pid: number) => void): Promise<RunningServer>
}

export interface Observer {
  say(line: string): void
  began(pid: number): void
  ended(): void
}

export interface Supervised {
  stop(): Promise<void>
}

/** A child that lived shorter than this is started again only after a wait. */
const steadyMs = 10_000

/** Starts a service and starts it again whenever it ends, until told to stop. Rejects when the first start fails. */
export async function supervise(service: Service, observer: Observer): Promise<Supervised> {
  const supervision = new Supervision(service, observer)
  await supervision.begin()
  return supervision
}

class Supervision implements Supervised {
  readonly #service: Service
  readonly #observer: Observer
  readonly #stopping = new AbortController()
  #pid: number | undefined
  #loop: Promise<void> = Promise.resolve()
  #shortLives = 0

  constructor(service: Service, observer: Observer) {
    this.#service = service
    this.#observer = observer
  }

  async begin(): Promise<void> {
    try {
      this.#loop = this.#keepAlive(await this.#start())
    } catch (error) {
      this.#gone()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#pid !== undefined) signalGroup(this.#pid, 'SIGTERM')
    const timer = setTimeout(() => {
      this.#observer.say(`${this.#service.name} did not end within ${this.#service.graceMs / 1_000} s; killing it`)
      if (this.#pid !== undefined) signalGroup(this.#pid, 'SIGKILL')
    }, this.#service.graceMs)
    await this.#loop
    clearTimeout(timer)
  }

  async #keepAlive(first: RunningServer): Promise<void> {
    let server: RunningServer | undefined = first
    while (server !== undefined) {
      const began = performance.now()
      const exit = await server.exited
      this.#gone()
      if (this.#stopping.signal.aborted) return
      this.#shortLives = performance.now() - began < steadyMs ? this.#shortLives + 1 : 0
      this.#observer.say(`${this.#service.name} ended (${described(exit)}); starting it again`)
      server = await this.#restart()
    }
  }

  async #restart(): Promise<RunningServer | undefined> {
    for (;;) {
      const waitMs = this.#shortLives === 0 ? 0 : Math.min(250 * 2 ** this.#shortLives, 10_000)
      await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
      if (this.#stopping.signal.aborted) return undefined
      try {
        const server = await this.#start()
        this.#observer.say(`${this.#service.name} runs again`)
        return server
      } catch (error) {
        this.#gone()
        if (this.#stopping.signal.aborted) return undefined
        this.#shortLives += 1
        this.#observer.say(error instanceof Error ? error.message : String(error))
      }
    }
  }

  #start(): Promise<RunningServer> {
    return this.#service.start((pid) => {
      this.#pid = pid
      this.#observer.began(pid)
      // told to stop while the start was being prepared
      if (this.#stopping.signal.aborted) signalGroup(pid, 'SIGTERM')
    })
  }

  #gone(): void {
    this.#pid = undefined
    this.#observer.ended()
  }
}

const described = (exit: Exit): string => exit.signal ?? `exit code ${exit.code}`
