/**
 * What our workflows use of @temporalio/workflow, so that the real loop runs in virtual time. Kept to the SDK's own
 * rules (its worker-interface.js and cancellation-scope.js): conditions are looked at eagerly, and then after each job
 * of an activation; signals that wait for a run's first task come when their handler is set; an activity that is
 * cancelled with WAIT_CANCELLATION_COMPLETED ends with what the server says.
 */
import { CancelledFailure, type SearchAttributeUpdatePair } from '@temporalio/common'

export interface ActivityOptions {
  taskQueue?: string
  startToCloseTimeout?: string | number
  scheduleToCloseTimeout?: string | number
  retry?: {
    initialInterval?: string | number
    backoffCoefficient?: number
    maximumInterval?: string | number
    nonRetryableErrorTypes?: string[]
  }
}

/** What a run asks of the server. */
export type Command =
  | { type: 'activity'; seq: number; name: string; input: unknown; options: ActivityOptions }
  | { type: 'cancelActivity'; seq: number }
  | { type: 'timer'; seq: number; ms: number }
  | { type: 'cancelTimer'; seq: number }
  | { type: 'child'; seq: number; workflow: string; workflowId: string; input: unknown }
  | { type: 'attributes'; pairs: SearchAttributeUpdatePair[] }
  | { type: 'updated'; id: string; outcome: { value: unknown } | { error: unknown } }
  | { type: 'accepted'; id: string }
  | { type: 'completed'; value: unknown }
  | { type: 'failed'; error: unknown }
  | { type: 'continueAsNew'; input: unknown }

/** What a run is told. */
export type Job =
  | { type: 'signal'; name: string; args: unknown[] }
  | { type: 'update'; id: string; name: string }
  | { type: 'resolve'; seq: number; outcome: { value: unknown } | { error: unknown } }

export interface RunInfo {
  runId: string
  startTime: Date
}

interface UpdateHandler {
  run: () => Promise<unknown>
  validator?: (() => void) | undefined
}

class ContinueAsNew {
  readonly input: unknown

  constructor(input: unknown) {
    this.input = input
  }
}

/** The state of one run in the worker that has it in its cache. */
export class Runtime {
  readonly info: RunInfo
  random: () => number
  queries = new Map<string, () => unknown>()
  commands: Command[] = []
  seq = 0
  waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()
  conditions = new Map<number, { met: () => boolean; resolve: () => void }>()
  signalHandler: ((name: string, ...args: unknown[]) => void) | undefined
  updateHandler: UpdateHandler | undefined
  handlersRunning = 0
  readonly scopes: CancellationScope[] = []
  #buffered: Job[] = []
  #ended = false

  constructor(info: RunInfo, random: () => number) {
    this.info = info
    this.random = random
  }

  /** Carries out one workflow task. @param turn lets every promise settle */
  async activate(jobs: Job[], start: (() => Promise<unknown>) | undefined, turn: () => Promise<void>) {
    active = this
    this.commands = []
    for (const job of jobs) {
      this.#take(job)
      this.#unblock()
    }
    if (start !== undefined) this.#start(start)
    do await turn()
    while (this.#unblock())
    active = undefined
    return this.commands
  }

  signals(handler: (name: string, ...args: unknown[]) => void): void {
    this.signalHandler = handler
    this.#takeBuffered('signal')
  }

  updates(handler: UpdateHandler): void {
    this.updateHandler = handler
    this.#takeBuffered('update')
  }

  ask(command: Command): void {
    if (!this.#ended) this.commands.push(command)
  }

  result(seq: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.waiting.set(seq, { resolve, reject }))
  }

  #takeBuffered(type: Job['type']): void {
    const mine = this.#buffered.filter((job) => job.type === type)
    this.#buffered = this.#buffered.filter((job) => job.type !== type)
    for (const job of mine) this.#take(job)
  }

  #take(job: Job): void {
    if (job.type === 'resolve') {
      const waiting = this.waiting.get(job.seq)
      this.waiting.delete(job.seq)
      if ('value' in job.outcome) waiting?.resolve(structuredClone(job.outcome.value))
      else waiting?.reject(job.outcome.error)
    } else if (job.type === 'signal') {
      if (this.signalHandler === undefined) this.#buffered.push(job)
      else this.signalHandler(job.name, ...job.args)
    } else if (this.updateHandler === undefined) this.#buffered.push(job)
    else this.#update(this.updateHandler, job.id)
  }

  #update({ run, validator }: UpdateHandler, id: string): void {
    try {
      validator?.()
    } catch (error) {
      this.ask({ type: 'updated', id, outcome: { error } })
      return
    }
    this.ask({ type: 'accepted', id })
    this.handlersRunning++
    run()
      .then(
        (value) => this.ask({ type: 'updated', id, outcome: { value } }),
        (error: unknown) => this.ask({ type: 'updated', id, outcome: { error } }),
      )
      .finally(() => this.handlersRunning--)
  }

  #start(start: () => Promise<unknown>): void {
    const end = (command: Command) => {
      this.ask(command)
      this.#ended = true
    }
    start().then(
      (value) => end({ type: 'completed', value }),
      (error: unknown) =>
        end(error instanceof ContinueAsNew ? { type: 'continueAsNew', input: error.input } : { type: 'failed', error }),
    )
    this.#unblock()
  }

  #unblock(): boolean {
    let any = false
    for (let more = true; more; ) {
      more = false
      for (const [seq, { met, resolve }] of this.conditions) {
        if (!met()) continue
        this.conditions.delete(seq)
        resolve()
        any = more = true
      }
    }
    return any
  }
}

let active: Runtime | undefined

/** The run whose code is running, if any is. */
export const activeRuntime = (): Runtime | undefined => active

function here(): Runtime {
  if (active === undefined) throw new Error('workflow code runs outside of a workflow task')
  return active
}

// ---- the API

export class CancellationScope {
  readonly activities: number[] = []
  readonly timers: number[] = []
  /** nobody cancels our workflows */
  readonly cancelRequested = new Promise<never>(() => {})

  static current(): CancellationScope {
    return here().scopes.at(-1) ?? root
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }

  /** What is begun in the first tick of `work` belongs to this scope; our workflows begin nothing later. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { scopes } = here()
    scopes.push(this)
    const result = work()
    scopes.pop()
    return await result
  }

  cancel(): void {
    const runtime = here()
    for (const seq of this.activities.filter((seq) => runtime.waiting.has(seq)))
      runtime.ask({ type: 'cancelActivity', seq })
    for (const seq of this.timers.filter((seq) => runtime.waiting.has(seq))) {
      runtime.ask({ type: 'cancelTimer', seq })
      runtime.waiting.get(seq)?.reject(new CancelledFailure('cancelled'))
      runtime.waiting.delete(seq)
    }
  }
}

const root = new CancellationScope()

export function proxyActivities(options: ActivityOptions): unknown {
  const begin = (name: string, input: unknown) => {
    const runtime = here()
    const seq = ++runtime.seq
    runtime.scopes.at(-1)?.activities.push(seq)
    runtime.ask({ type: 'activity', seq, name, input, options })
    return runtime.result(seq)
  }
  return new Proxy(
    {},
    { get: (_, name: string) => ({ executeWithOptions: (_: object, [input]: [unknown]) => begin(name, input) }) },
  )
}

export async function condition(met: () => boolean, timeout?: number | string): Promise<boolean> {
  const runtime = here()
  const timer = new CancellationScope()
  const over = timeout === undefined ? undefined : timer.run(() => sleep(timeout))
  const seq = ++runtime.seq
  const holds = new Promise<boolean>((resolve) => {
    if (met()) resolve(true)
    else runtime.conditions.set(seq, { met, resolve: () => resolve(true) })
  })
  if (over === undefined) return await holds
  const isMet = await Promise.race([over.then(() => false), holds])
  runtime.conditions.delete(seq)
  over.catch(() => {})
  if (isMet) timer.cancel()
  return isMet
}

export function sleep(ms: number | string): Promise<unknown> {
  const runtime = here()
  const seq = ++runtime.seq
  runtime.scopes.at(-1)?.timers.push(seq)
  runtime.ask({ type: 'timer', seq, ms: milliseconds(ms) })
  return runtime.result(seq)
}

/** `10s`, `30d`: as our workflows write them. */
export function milliseconds(text: number | string): number {
  if (typeof text === 'number') return text
  const [, amount, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  if (amount === undefined) throw new Error(`the model does not know the duration ${text}`)
  return Number(amount) * (units[unit] ?? Number.NaN)
}

export function setHandler(
  definition: { type: string; name: string },
  run: () => unknown,
  options: { validator?: () => void } = {},
): void {
  const runtime = here()
  if (definition.type === 'query') runtime.queries.set(definition.name, run)
  else runtime.updates({ run: run as () => Promise<unknown>, validator: options.validator })
}

export const setDefaultSignalHandler = (handler: (name: string, ...args: unknown[]) => void) => here().signals(handler)
export const allHandlersFinished = () => here().handlersRunning === 0
export const workflowInfo = () => ({ ...here().info, continueAsNewSuggested: false })
export const upsertSearchAttributes = (pairs: SearchAttributeUpdatePair[]) => here().ask({ type: 'attributes', pairs })
/** histories of earlier code are replayed elsewhere */
export const patched = () => true
export const setCurrentDetails = () => {}
export const log = { warn: () => {}, info: () => {} }

export const makeContinueAsNewFunc = () => (input: unknown) => Promise.reject(new ContinueAsNew(input))

export function startChild(
  workflow: string,
  { workflowId, args: [input] }: { workflowId: string; args: unknown[] },
): Promise<unknown> {
  const runtime = here()
  const seq = ++runtime.seq
  runtime.ask({ type: 'child', seq, workflow, workflowId, input })
  return runtime.result(seq)
}

export const ParentClosePolicy = { ABANDON: 'ABANDON' } as const
export const defineSignal = (name: string) => ({ type: 'signal', name })
export const defineQuery = (name: string) => ({ type: 'query', name })
export const defineUpdate = (name: string) => ({ type: 'update', name })
