import type { Endpoint, Fault, FaultRule } from './faults.ts'
import { followPlan, type Plan } from './plan.ts'

/** A fault that was chosen for a request; `name` is for the record. */
export interface Chosen {
  fault: Fault
  name: string
}

export interface Asked {
  endpoint: Endpoint
  user?: string
  client?: string
}

/** Which fault meets which request: explicit rules first, in the order in which they came, then the plan. */
export class FaultBook {
  #rules: { rule: FaultRule; left: number; untilMs: number }[] = []
  #next: ReturnType<typeof followPlan> = () => undefined
  readonly #made = new Map<string, number>()

  add(rules: readonly FaultRule[], nowMs: number): void {
    const entries = rules.map((rule) => ({
      rule,
      left: rule.count ?? (rule.forMs === undefined ? 1 : Number.POSITIVE_INFINITY),
      untilMs: nowMs + (rule.forMs ?? Number.POSITIVE_INFINITY),
    }))
    this.#rules.push(...entries)
  }

  /** Forgets all rules; the plan stays. */
  clear(): void {
    this.#rules = []
  }

  /** Random faults from now on, or none of them. */
  follow(plan: Plan | undefined): void {
    this.#next = plan === undefined ? () => undefined : followPlan(plan)
  }

  choose(asked: Asked, nowMs: number): Chosen | undefined {
    this.#rules = this.#rules.filter(({ left, untilMs }) => left > 0 && nowMs < untilMs)
    const entry = this.#rules.find(({ rule }) => fits(rule, asked))
    if (entry !== undefined) {
      entry.left--
      return this.#count(entry.rule.fault, entry.rule.fault.kind)
    }
    const drawn = asked.endpoint === 'token' ? this.#next() : undefined
    return drawn && this.#count(drawn.fault, drawn.planned ?? drawn.fault.kind)
  }

  /** How many faults of each kind were made; plain latency is none. */
  made(): Record<string, number> {
    return Object.fromEntries(this.#made)
  }

  #count(fault: Fault, name: string): Chosen {
    if (fault.kind !== 'slow') this.#made.set(name, (this.#made.get(name) ?? 0) + 1)
    return { fault, name }
  }
}

const fits = (rule: FaultRule, asked: Asked): boolean =>
  (rule.endpoint ?? 'token') === asked.endpoint &&
  (rule.user === undefined || rule.user === asked.user) &&
  (rule.client === undefined || rule.client === asked.client)
