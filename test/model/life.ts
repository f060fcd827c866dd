import type { StateView } from '../../src/workflows/messages.ts'
import { Operators, type Wish } from './operators.ts'
import { idOf } from './provider.ts'
import type { Act, Scenario, Step } from './scenario.ts'
import type { Run } from './temporal.ts'
import { settled, under } from './time.ts'
import { activeRuntime } from './workflow-api.ts'
import { type Broken, subject, World } from './world.ts'

const hourMs = 3_600_000
const longestWaitMs = 48 * hourMs
/** within it everything has to come to rest, however it was disturbed */
const restWithinMs = 60 * hourMs
/** a life has some hundreds */
const mostEffects = 15_000
const workflowId = `credential/${subject}`

export interface Lived {
  /** what did not hold */
  violation?: string
  trace: string[]
  /** what it came to */
  end: string
  sends: number
}

/** Lives one scenario through, and then for as long as it takes to come to rest. */
export async function live(scenario: Scenario, broken: Broken = {}): Promise<Lived> {
  const world = new World(scenario.holding, scenario.seed, broken)
  const life = new Life(world)
  const random = () => (activeRuntime()?.random ?? world.time.random)()
  await under(world.time, random, () => life.run(scenario.steps))
  const { violation } = world.ledger
  return {
    ...(violation === undefined ? {} : { violation }),
    trace: world.trace,
    end: life.end,
    sends: world.provider.sends.length,
  }
}

class Life {
  readonly #world: World
  readonly #operators: Operators
  end = 'violated'

  constructor(world: World) {
    this.#world = world
    this.#operators = new Operators(world)
  }

  async run(steps: Step[]): Promise<void> {
    const { ledger } = this.#world
    this.#operators.connect()
    for (const { wait, does } of steps) {
      await this.#wait(wait)
      if (ledger.violation !== undefined) return
      const { act, ...rest } = does
      this.#world.say(`--- ${act} ${Object.keys(rest).length === 0 ? '' : JSON.stringify(rest)}`)
      await this.#act(does)
    }
    await this.#rest()
    if (ledger.violation === undefined) this.#judge()
  }

  async #wait(wait: Step['wait']): Promise<void> {
    await settled()
    const { time, ledger } = this.#world
    const untilMs = time.nowMs + ('ms' in wait ? wait.ms : longestWaitMs)
    const effects = this.#world.effects + ('ms' in wait ? Number.POSITIVE_INFINITY : wait.effects)
    const most = Math.min(effects, mostEffects)
    while (this.#world.effects < most && ledger.violation === undefined && (await time.step(untilMs)));
    if (this.#world.effects >= mostEffects) ledger.violate('it goes round and round')
    if ('ms' in wait) time.nowMs = untilMs
  }

  async #act(does: Act): Promise<void> {
    const { time, redis, temporal, provider, ledger } = this.#world
    switch (does.act) {
      case 'mishap':
        this.#world.mishaps.push({ after: does.after, mishap: does.mishap })
        return
      case 'provider':
        provider.faults.push(does.fault)
        return
      case 'redis':
        redis[does.is === 'away' ? 'awayUntilMs' : 'stalledUntilMs'] = time.nowMs + does.forMs
        return
      case 'temporal':
        temporal[does.is === 'away' ? 'awayUntilMs' : 'idleUntilMs'] = time.nowMs + does.forMs
        return
      case 'redisLoses':
        if (does.what === 'everything') redis.empty()
        else redis.rollBack()
        ledger.redisForgot()
        time.after(time.between(100, 5_000), () => this.#operators.resync())
        return
      case 'reset':
        await this.#reset(does.tasks)
        return
      case 'temporalLoses':
        this.#loseTemporal(does.what)
        return
      case 'withdraw':
        provider.grants.endConsent('user', undefined, time.nowMs)
        return
      case 'reject':
        this.#reject()
        return
      case 'reconnect':
        this.#operators.connect()
        return
      default:
        this.#operators[does.act]()
    }
  }

  /** As a worker tells it that has heard a reader speak of the generation that stands in Redis. */
  #reject(): void {
    const { temporal, ledger } = this.#world
    const run = temporal.running(workflowId)
    const standing = ledger.standing()
    if (run === undefined || standing === undefined || standing.tombstone) return
    if (standing.refresh !== undefined) ledger.rejected.add(standing.refresh)
    temporal.signal(run, 'rejected', [standing.generation])
  }

  async #reset(tasks: number): Promise<void> {
    const { temporal, ledger } = this.#world
    const runs = temporal.executions.get(workflowId) ?? []
    // of a run that has just begun, the one before it
    const base = runs.findLast(({ history, status }) => history.length > 1 && status !== 'COMPLETED')
    if (base === undefined || base.status === 'TERMINATED' || temporal.running(workflowId) === undefined) return
    ledger.temporalForgot()
    await temporal.reset(base, Math.max(1, base.history.length - tasks))
  }

  #loseTemporal(what: 'everything' | 'the run'): void {
    const { temporal, ledger, time } = this.#world
    const run = temporal.running(workflowId)
    if (what === 'everything') temporal.loseEverything()
    else if (run !== undefined) temporal.terminate(run)
    ledger.temporalForgot()
    time.after(time.between(100, 20_000), () => this.#operators.restore())
  }

  // ---- the end

  /** Nothing disturbs it any more. */
  async #rest(): Promise<void> {
    const { time, ledger, provider } = this.#world
    this.#world.say('--- rest')
    this.#world.mishaps.length = 0
    provider.faults = []
    const untilMs = time.nowMs + restWithinMs
    // whatever is under way from outside, a frozen process included
    await this.#wait({ ms: 60_000 })
    // who was killed at it begins again; harmless where nobody was
    if (ledger.temporalLost) this.#operators.restore()
    await this.#wait({ ms: 10_000 })
    if (ledger.redisLost) this.#operators.resync()
    await this.#wait({ ms: 20_000 })
    const generation = this.#state()?.generation ?? 0
    while (ledger.violation === undefined && !this.#rests(generation)) {
      if (this.#world.effects < mostEffects && (await time.step(untilMs))) continue
      const { status, reason, dueAtMs = 0 } = this.#state() ?? {}
      const due = ((dueAtMs - time.startMs) / 1_000).toFixed()
      ledger.violate(`it does not come to rest: ${status ?? 'no workflow'} ${reason ?? ''}, due at ${due}`)
    }
  }

  #state(): StateView | undefined {
    return this.#run()?.runtime.queries.get('state')?.() as StateView | undefined
  }

  #run(): Run | undefined {
    return this.#world.temporal.running(workflowId)
  }

  /** Two more generations, or an end. */
  #rests(since: number): boolean {
    const state = this.#state()
    if (state === undefined) return this.#run() === undefined
    if (state.status === 'reconnect_required') return state.family === '' || this.#isGone()
    return state.status === 'active' && state.generation >= since + 2
  }

  /** Whether what stands in Redis would buy another token set. */
  #isAccepted(): boolean {
    const { provider, ledger, time } = this.#world
    const refresh = ledger.standing()?.refresh
    return refresh !== undefined && provider.grants.accepts(refresh, time.nowMs)
  }

  /** Whether the provider has ended what stands in Redis, or both copies are lost. */
  #isGone(): boolean {
    const { provider, ledger, time } = this.#world
    const held = ledger.familyOf(ledger.standing()?.refresh)
    if (held === undefined) return ledger.redisLost && ledger.temporalLost
    const family = provider.grants.families({ user: 'user' }, time.nowMs).find(({ id }) => id === held)
    return family?.ended !== undefined
  }

  #judge(): void {
    const { ledger } = this.#world
    const state = this.#state()
    this.end = state?.status ?? (this.#world.temporal.latest(workflowId) === undefined ? 'nothing' : 'closed')
    if (state === undefined) this.#judgeEnded()
    else if (state.status === 'active') this.#judgeActive(state)
    else this.#judgeLost(state)
    // what both copies have lost, nobody can want back
    if (!ledger.temporalLost && !ledger.redisLost) this.#judgeWish(state)
  }

  #judgeEnded(): void {
    const { ledger } = this.#world
    const stands = ledger.standing()
    if (stands !== undefined && !stands.tombstone)
      ledger.violate('there is no workflow, and Redis holds a living grant')
    if (stands?.refresh !== undefined) ledger.violate('the tombstone remembers tokens')
    if (ledger.access() !== undefined) ledger.violate('readers find a token of a credential that has ended')
  }

  #judgeActive({ family, generation }: StateView): void {
    const { ledger, provider, time, holding } = this.#world
    const stands = ledger.standing()
    const access = ledger.access()
    if (stands?.family !== family || stands.generation !== generation)
      ledger.violate(`the workflow has generation ${generation} of ${family}, Redis ${JSON.stringify(stands)}`)
    if (access === undefined || provider.grants.accessRemainingMs(idOf(access.access_token), time.nowMs) === 0)
      ledger.violate('readers have no token that the provider accepts')
    if (holding.kind === 'refresh_token' && !this.#isAccepted())
      ledger.violate(`the refresh token ${stands?.refresh} that is held is not accepted`)
  }

  /** A person has to help: because the provider has ended it. */
  #judgeLost(state: StateView): void {
    const { ledger, holding } = this.#world
    if (holding.kind !== 'refresh_token') ledger.violate(`given up, though its client lives: ${state.reason}`)
    if (state.family !== '' && !this.#isGone()) ledger.violate('given up, though the provider has not')
  }

  #judgeWish(state: StateView | undefined): void {
    const { ledger } = this.#world
    const wanted = this.#operators.wanted()
    // calls that failed may all have come to nothing
    if (!wanted.some(({ certain }) => certain) || wanted.some((wish) => this.#isFulfilled(wish, state))) return
    const names = wanted.map(({ wants, family }) => `${wants} ${family ?? ''}`.trim())
    ledger.violate(
      `wanted is ${names.join(' or ')}, and it is ${this.end} ${ledger.familyOf(ledger.standing()?.refresh)}`,
    )
  }

  #isFulfilled({ wants, family }: Wish, state: StateView | undefined): boolean {
    const { ledger } = this.#world
    if (wants === 'whatever') return true
    if (wants === 'revoked') return state === undefined
    return state !== undefined && (family === undefined || ledger.familyOf(ledger.standing()?.refresh) === family)
  }
}
