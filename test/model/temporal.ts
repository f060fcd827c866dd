import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common'
import { type Process, Task } from './process.ts'
import { randomFrom, settled, type VirtualTime } from './time.ts'
import { type ActivityOptions, type Command, type Job, milliseconds, Runtime } from './workflow-api.ts'

type Outcome = { value: unknown } | { error: unknown }
type Status = 'RUNNING' | 'COMPLETED' | 'CONTINUED_AS_NEW' | 'TERMINATED' | 'FAILED'

/** What an attempt is told of itself. */
export interface AttemptInfo {
  run: string
  attempt: number
  activityId: string
  scheduledAtMs: number
}

interface Activity {
  seq: number
  name: string
  input: unknown
  options: ActivityOptions
  attempt: number
  started: boolean
  cancelRequested: boolean
  firstScheduledMs: number
  /** calls off what is to come next: a start, or a timeout */
  callOff: () => void
}

export interface Run {
  runId: string
  workflowId: string
  type: string
  input: unknown
  startMs: number
  status: Status
  result?: unknown
  attributes: Map<string, unknown>
  runtime: Runtime
  seed: number
  jobs: Job[]
  taskPending: boolean
  /** of this run, and of what it was reset from: what it was told, and when */
  history: { atMs: number; jobs: Job[] }[]
  activities: Map<number, Activity>
  timers: Map<number, () => void>
  next?: string
}

export interface Site {
  time: VirtualTime
  trace(text: string): void
  /** those that take work now */
  workers(): Process[]
  workflows: Record<string, (input: never) => Promise<unknown>>
  /** an attempt at an activity, in a worker */
  attempt(process: Process, name: string, input: unknown, info: AttemptInfo): Promise<unknown>
  /** an end that the server has taken down */
  recorded(name: string, value: unknown): void
  /** a run has gone on: its state may be looked at */
  moved(run: Run): void
}

const copy = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T))

/** A Temporal service: runs, their signals, timers and activities, by the rules that we rely on. */
export class TemporalServer {
  readonly #site: Site
  /** the runs of each workflow id, the last one last */
  executions = new Map<string, Run[]>()
  awayUntilMs = 0
  /** no worker takes workflow tasks */
  idleUntilMs = 0
  #runs = 0
  #tasks = 0
  readonly #updates = new Map<string, (outcome: Outcome) => void>()

  constructor(site: Site) {
    this.#site = site
  }

  get isAway(): boolean {
    return this.#site.time.nowMs < this.awayUntilMs
  }

  latest(workflowId: string): Run | undefined {
    return this.executions.get(workflowId)?.at(-1)
  }

  running(workflowId: string): Run | undefined {
    const run = this.latest(workflowId)
    return run?.status === 'RUNNING' ? run : undefined
  }

  start(workflowId: string, type: string, input: unknown, attributes: Map<string, unknown> = new Map()): Run {
    const run = this.#newRun({ workflowId, type, input: copy(input), attributes })
    this.#wantTask(run)
    return run
  }

  signal(run: Run, name: string, args: unknown[]): void {
    this.#tell(run, { type: 'signal', name, args: copy(args) })
  }

  /** @param answered hears of the outcome; a run that closes before it answers is one */
  update(run: Run, name: string, answered: (outcome: Outcome) => void): void {
    const id = `${run.runId}/${this.#updates.size}`
    this.#updates.set(id, answered)
    this.#tell(run, { type: 'update', id, name })
  }

  /** Ends a run, whatever it is doing. Attempts under way know nothing of it. */
  terminate(run: Run, status: Status = 'TERMINATED'): void {
    run.status = status
    for (const activity of run.activities.values()) activity.callOff()
    for (const callOff of run.timers.values()) callOff()
    run.activities.clear()
    run.timers.clear()
    for (const [id, answered] of this.#updates) {
      if (!id.startsWith(`${run.runId}/`)) continue
      this.#updates.delete(id)
      answered({ error: ApplicationFailure.nonRetryable('the run ended', 'AcceptedUpdateCompletedWorkflow') })
    }
  }

  loseEverything(): void {
    for (const runs of this.executions.values()) for (const run of runs) this.terminate(run)
    this.executions = new Map()
  }

  /** Begins again after the first `tasks` workflow tasks of a run; signals that came later are told again. */
  async reset(base: Run, tasks: number): Promise<Run> {
    const runs = this.executions.get(base.workflowId) ?? []
    const later = runs.slice(runs.indexOf(base) + 1).flatMap((run) => [...run.history.flatMap(jobsOf), ...run.jobs])
    const signals = [...base.history.slice(tasks).flatMap(jobsOf), ...base.jobs, ...later].filter(isSignal)
    for (const run of runs) if (run.status === 'RUNNING') this.terminate(run)
    const { workflowId, type, input, startMs, seed, attributes } = base
    const run = this.#newRun({ workflowId, type, input, attributes: new Map(attributes), startMs, seed })
    await this.#replay(run, base.history.slice(0, tasks))
    for (const signal of signals) this.#tell(run, signal)
    return run
  }

  // ---- runs

  #newRun(of: Pick<Run, 'workflowId' | 'type' | 'input' | 'attributes'> & { startMs?: number; seed?: number }): Run {
    const { time } = this.#site
    const { startMs = time.nowMs, seed = time.between(0, 2 ** 30) } = of
    const runId = `run-${++this.#runs}`
    const runtime = new Runtime({ runId, startTime: new Date(startMs) }, randomFrom(seed))
    const empty = { jobs: [], taskPending: false, history: [], activities: new Map(), timers: new Map() }
    const run: Run = { ...of, ...empty, runId, startMs, seed, runtime, status: 'RUNNING' }
    this.executions.set(of.workflowId, [...(this.executions.get(of.workflowId) ?? []), run])
    return run
  }

  #tell(run: Run, job: Job): void {
    if (run.status !== 'RUNNING') return
    run.jobs.push(job)
    this.#wantTask(run)
  }

  #wantTask(run: Run): void {
    if (run.taskPending) return
    run.taskPending = true
    const { time } = this.#site
    const untilMs = Math.max(this.awayUntilMs, this.idleUntilMs)
    time.after(Math.max(time.between(1, 3), untilMs - time.nowMs), async () => {
      run.taskPending = false
      if (run.status !== 'RUNNING') return
      if (Math.max(this.awayUntilMs, this.idleUntilMs) > time.nowMs) this.#wantTask(run)
      else await this.#workflowTask(run)
    })
  }

  async #workflowTask(run: Run): Promise<void> {
    const jobs = [
      ...run.jobs.filter((job) => job.type !== 'resolve'),
      ...run.jobs.filter((job) => !isSignal(job) && job.type !== 'update'),
    ]
    run.jobs = []
    const commands = await run.runtime.activate(jobs, this.#beginning(run), settled)
    run.history.push({ atMs: this.#site.time.nowMs, jobs })
    for (const command of commands) this.#obey(run, command)
    this.#site.moved(run)
  }

  #beginning(run: Run): (() => Promise<unknown>) | undefined {
    if (run.history.length > 0) return undefined
    const workflow = this.#site.workflows[run.type]
    if (workflow === undefined) throw new Error(`no workflow ${run.type}`)
    return () => workflow(copy(run.input) as never)
  }

  #obey(run: Run, command: Command): void {
    const { time } = this.#site
    switch (command.type) {
      case 'activity':
        this.#schedule(run, command, time.nowMs)
        return
      case 'cancelActivity':
        this.#cancelActivity(run, command.seq)
        return
      case 'timer':
        this.#startTimer(run, command.seq, command.ms)
        return
      case 'cancelTimer':
        run.timers.get(command.seq)?.()
        run.timers.delete(command.seq)
        return
      case 'child':
        this.#startChild(run, command)
        return
      case 'attributes':
        for (const { key, value } of command.pairs) run.attributes.set(key.name, value)
        return
      case 'accepted':
        return
      case 'updated':
        this.#updates.get(command.id)?.(command.outcome)
        this.#updates.delete(command.id)
        return
      case 'completed':
        run.result = copy(command.value)
        this.terminate(run, 'COMPLETED')
        return
      case 'failed':
        throw new Error('a workflow failed', { cause: command.error })
      case 'continueAsNew':
        this.terminate(run, 'CONTINUED_AS_NEW')
        this.start(run.workflowId, run.type, command.input, run.attributes)
    }
  }

  #startTimer(run: Run, seq: number, ms: number): void {
    const fire = () => {
      run.timers.delete(seq)
      this.#tell(run, { type: 'resolve', seq, outcome: { value: undefined } })
    }
    run.timers.set(seq, this.#site.time.after(Math.max(1, ms), fire))
  }

  #startChild(run: Run, { seq, workflow, workflowId, input }: Command & { type: 'child' }): void {
    const started = this.latest(workflowId) === undefined
    if (started) this.start(workflowId, workflow, input)
    const error = new Error('workflow execution already started')
    this.#tell(run, { type: 'resolve', seq, outcome: started ? { value: undefined } : { error } })
  }

  /** Brings a new run to where another one stood; what had been asked for and had not come is asked for again. */
  async #replay(run: Run, history: Run['history']): Promise<void> {
    const { time } = this.#site
    const nowMs = time.nowMs
    const pending = new Map<number, { command: Command; atMs: number }>()
    const cancelled = new Set<number>()
    for (const { atMs, jobs } of history) {
      time.nowMs = atMs
      for (const job of jobs) if (job.type === 'resolve') pending.delete(job.seq)
      for (const command of await run.runtime.activate(jobs, this.#beginning(run), settled)) {
        if (command.type === 'activity' || command.type === 'timer') pending.set(command.seq, { command, atMs })
        else if (command.type === 'cancelTimer') pending.delete(command.seq)
        else if (command.type === 'cancelActivity') cancelled.add(command.seq)
      }
      run.history.push({ atMs, jobs })
    }
    time.nowMs = nowMs
    run.runtime.random = randomFrom(time.between(0, 2 ** 30))
    for (const { command, atMs } of pending.values()) {
      if (command.type === 'timer') this.#startTimer(run, command.seq, command.ms - (nowMs - atMs))
      else if (command.type === 'activity') this.#schedule(run, command, nowMs)
    }
    for (const seq of cancelled) this.#cancelActivity(run, seq)
  }

  // ---- activities

  #schedule(run: Run, { seq, name, input, options }: Command & { type: 'activity' }, nowMs: number): void {
    const activity: Activity = {
      ...{ seq, name, input: copy(input), options, attempt: 1, started: false, cancelRequested: false },
      firstScheduledMs: nowMs,
      callOff: () => {},
    }
    run.activities.set(seq, activity)
    this.#startSoon(run, activity, 0)
    const { scheduleToCloseTimeout } = options
    if (scheduleToCloseTimeout === undefined) return
    this.#site.time.after(milliseconds(scheduleToCloseTimeout), () => {
      if (run.activities.get(seq) === activity) this.#end(run, activity, timedOut(TimeoutType.SCHEDULE_TO_CLOSE))
    })
  }

  #startSoon(run: Run, activity: Activity, inMs: number): void {
    const { time } = this.#site
    activity.started = false
    const begin = () => {
      const workers = this.#site.workers()
      const worker = workers[time.between(0, workers.length - 1)]
      if (this.isAway || worker === undefined) this.#startSoon(run, activity, 500)
      else this.#start(run, activity, worker)
    }
    activity.callOff = time.after(inMs + time.between(1, 3), begin)
  }

  #start(run: Run, activity: Activity, worker: Process): void {
    const { time, attempt, trace } = this.#site
    const { name, input, seq, options } = activity
    const scheduledAtMs = time.nowMs
    activity.started = true
    const began = activity.attempt
    const task = new Task(`${name}-${++this.#tasks}`, worker)
    trace(`${task.name} starts at ${worker.name}: ${run.runId}, attempt ${began}`)
    activity.callOff = time.after(milliseconds(options.startToCloseTimeout ?? '10s'), () =>
      this.#failed(run, activity, timedOut(TimeoutType.START_TO_CLOSE)),
    )
    const info = { run: run.runId, attempt: began, activityId: String(seq), scheduledAtMs }
    task.resume(() => void this.#work(task, () => attempt(worker, name, copy(input), info), run, activity, began))
  }

  /** In the worker: the attempt, and the way of its end to the server, which is tried for a while. */
  async #work(task: Task, work: () => Promise<unknown>, run: Run, activity: Activity, attempt: number) {
    await task.effect('start', () => undefined).catch(() => {})
    const outcome: Outcome = await work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    for (let tries = 0; tries < 60; tries++) {
      const told = await task
        .effect('complete', () => this.#completed(run, activity, attempt, outcome))
        .then(
          () => true,
          () => false,
        )
      if (told) return
      await task.sleep(1_000)
    }
  }

  #completed(run: Run, activity: Activity, attempt: number, outcome: Outcome): string {
    if (this.isAway) throw new Error('Temporal is away')
    const awaited = run.status === 'RUNNING' && run.activities.get(activity.seq) === activity
    if (!awaited || !activity.started || activity.attempt !== attempt) return 'nobody waits for it'
    if ('error' in outcome) {
      this.#failed(run, activity, asFailure(outcome.error))
      return `ended with ${asFailure(outcome.error).message}`
    }
    this.#site.recorded(activity.name, outcome.value)
    this.#end(run, activity, undefined, copy(outcome.value))
    return `ended with ${JSON.stringify(outcome.value)?.slice(0, 80)}`
  }

  #failed(run: Run, activity: Activity, failure: ApplicationFailure | TimeoutFailure): void {
    const { time, trace } = this.#site
    const { retry = {}, scheduleToCloseTimeout } = activity.options
    const isTimeout = failure instanceof TimeoutFailure
    if (isTimeout) trace(`${activity.name} of ${run.runId} timed out, attempt ${activity.attempt}`)
    const type = isTimeout ? 'TemporalTimeout:StartToClose' : (failure.type ?? '')
    const final = (!isTimeout && failure.nonRetryable) || retry.nonRetryableErrorTypes?.includes(type)
    const { initialInterval = '1s', backoffCoefficient = 2, maximumInterval = '100s' } = retry
    const backoffMs = milliseconds(initialInterval) * backoffCoefficient ** (activity.attempt - 1)
    const asked = isTimeout ? undefined : failure.nextRetryDelay
    const delayMs = asked === undefined ? Math.min(backoffMs, milliseconds(maximumInterval)) : Number(asked)
    const deadlineMs =
      scheduleToCloseTimeout === undefined ? Number.POSITIVE_INFINITY : milliseconds(scheduleToCloseTimeout)
    const tooLate = time.nowMs + delayMs - activity.firstScheduledMs > deadlineMs
    activity.callOff()
    if (final || activity.cancelRequested || tooLate) {
      this.#end(run, activity, failure)
      return
    }
    activity.attempt++
    this.#startSoon(run, activity, delayMs)
  }

  /** One that runs goes on: it is waited for. */
  #cancelActivity(run: Run, seq: number): void {
    const activity = run.activities.get(seq)
    if (activity === undefined) return
    activity.cancelRequested = true
    if (!activity.started) this.#end(run, activity, new CancelledFailure('cancelled'))
  }

  #end(run: Run, activity: Activity, cause?: Error, value?: unknown): void {
    activity.callOff()
    run.activities.delete(activity.seq)
    const { seq, name } = activity
    const failure = () =>
      new ActivityFailure(cause?.message, name, String(seq), RetryState.RETRY_STATE_UNSPECIFIED, undefined, cause)
    this.#tell(run, { type: 'resolve', seq, outcome: cause === undefined ? { value } : { error: failure() } })
  }
}

const jobsOf = ({ jobs }: { jobs: Job[] }) => jobs
const isSignal = (job: Job) => job.type === 'signal'

const timedOut = (type: TimeoutType) => new TimeoutFailure('activity timed out', undefined, type)

/** As it is after the way over the wire. */
function asFailure(error: unknown): ApplicationFailure {
  if (!(error instanceof ApplicationFailure)) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) }
    return ApplicationFailure.create({ type: name, message })
  }
  const { type, message, nonRetryable, details, nextRetryDelay } = error
  return ApplicationFailure.create({
    message,
    ...(type == null ? {} : { type }),
    ...(nonRetryable == null ? {} : { nonRetryable }),
    ...(details == null ? {} : { details: copy(details) }),
    ...(nextRetryDelay == null ? {} : { nextRetryDelay }),
  })
}
