import type { Connection } from './connection.ts'
import { script } from './script.ts'

const gate = script('gate')

/** Where requests go that share a budget and an outage: the hosts of one provider, each by itself. */
export interface TokenHost {
  provider: string
  /** with its port */
  host: string
  /** requests a second that it allows, all workers together; absent where it has not said */
  budget?: number
}

/**
 * `open`: requests go out, within the budget. `probing`: the host fails, and one goes out now and then. `ramp`: it
 * answers again, and they become more by and by.
 */
export type GateMode = 'open' | 'probing' | 'ramp'

export interface Admission {
  /** `send`: after `inMs`, a second at most. `hold`: not now; ask again after `inMs`. */
  verdict: 'send' | 'hold'
  inMs: number
  mode: GateMode
  /** names the time between two changes of mode, for the report */
  epoch: number
}

/**
 * Stands before every request to a token host, for all workers together: eight workers are not eight probes, and not
 * eight budgets. Those who are nearest to losing their token go first. Every method fails when Redis does not answer.
 */
export class Gate {
  readonly #redis: Connection
  readonly #clock: () => number | undefined

  /** @param clock epoch milliseconds, for tests; the clock of Redis unless given */
  constructor(redis: Connection, clock: () => number | undefined = () => undefined) {
    this.#redis = redis
    this.#clock = clock
  }

  /** @param losesTokenAtMs Redis clock; in the past for one that has lost it already */
  async admit(to: TokenHost, credential: string, losesTokenAtMs: number): Promise<Admission> {
    const asked = [credential, String(Math.round(losesTokenAtMs))]
    const reply = await gate(this.#redis, keysOf(to), ['admit', this.#now(), budgetOf(to), ...asked])
    const [verdict, inMs, mode, epoch] = reply as [Admission['verdict'], number, GateMode, number]
    return { verdict, inMs, mode, epoch }
  }

  /** What came of a request. Any answer that a working server gives is `alive`, a refusal too. */
  async report(
    to: TokenHost,
    { epoch }: Pick<Admission, 'epoch'>,
    outcome: 'alive' | 'failing',
    retryAfterMs?: number,
  ): Promise<GateMode> {
    const told = [outcome, String(epoch), retryAfterMs === undefined ? '' : String(retryAfterMs)]
    const [mode] = (await gate(this.#redis, keysOf(to), ['report', this.#now(), budgetOf(to), ...told])) as [GateMode]
    return mode
  }

  #now(): string {
    return String(this.#clock() ?? '')
  }
}

/** how late the gate may learn that a host which is open answers, as it should */
const aliveWithinMs = 500

/**
 * Tells a gate what requests came to, beside the way back: what cannot be told is told by the next. Failures, and all
 * that an outage waits for, are told at once; that a host goes on answering is told once for many requests.
 */
export class Reports {
  readonly #gate: Gate
  readonly #alive = new Map<string, { timer: NodeJS.Timeout; tell(): void }>()

  constructor(gate: Gate) {
    this.#gate = gate
  }

  report(to: TokenHost, admission: Admission, outcome: 'alive' | 'failing', retryAfterMs?: number): void {
    const name = `${to.provider}/${to.host}`
    const waiting = this.#alive.get(name)
    const tell = (): void => {
      this.#gate.report(to, admission, outcome, retryAfterMs).catch(() => {})
    }
    if (outcome === 'alive' && admission.mode === 'open') {
      if (waiting !== undefined) return
      const timer = setTimeout(() => this.#tellAlive(name), aliveWithinMs)
      timer.unref()
      this.#alive.set(name, { timer, tell })
      return
    }
    // in their order: failures count while no success comes between them
    if (waiting !== undefined) this.#tellAlive(name)
    tell()
  }

  #tellAlive(name: string): void {
    const waiting = this.#alive.get(name)
    clearTimeout(waiting?.timer)
    this.#alive.delete(name)
    waiting?.tell()
  }
}

const budgetOf = ({ budget }: TokenHost) => (budget === undefined ? '' : String(budget))

function keysOf({ provider, host }: TokenHost): string[] {
  const key = `perennial:gate:{${provider}/${host}}`
  return [key, `${key}:held`, `${key}:back`]
}
