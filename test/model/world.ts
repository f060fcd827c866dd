import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { type ActivityDeps, createActivities, type Keyring } from '../../src/activities/index.ts'
import { Perennial } from '../../src/client.ts'
import type { ClientConfig, Config } from '../../src/config.ts'
import type { GrantKind, RotationClass } from '../../src/credential.ts'
import type { Gate } from '../../src/store/gate.ts'
import { Store } from '../../src/store/store.ts'
import { credential, revocation } from '../../src/workflows/index.ts'
import type { Tuning } from '../../src/workflows/messages.ts'
import { Grants } from '../referee/grants.ts'
import { Ledger } from './ledger.ts'
import { currentTask, type Mishap, Process, Task } from './process.ts'
import { Provider } from './provider.ts'
import { RedisServer } from './redis.ts'
import type { scripts } from './scripts.ts'
import { type AttemptInfo, TemporalServer } from './temporal.ts'
import { temporalClient } from './temporal-client.ts'
import { VirtualTime } from './time.ts'

/** What kind of credential lives, and at what provider. */
export interface Holding {
  kind: GrantKind
  rotation: RotationClass
  tokenSeconds: number
  graceSeconds: number
  refreshesPerRun: number
}

/** Parts that do wrong, to see that somebody notices. */
export interface Broken {
  scripts?: Partial<typeof scripts>
  sendsLate?: boolean
}

export const subject = 'acme/app/alice'
const grantKey = `${'g'.repeat(42)}A`
const readerKey = `${'r'.repeat(42)}A`
export const keyring: Keyring = { grant: [sealingKey(grantKey)], reader: [sealingKey(readerKey)] }

let present: World | undefined

/** The world that is being tried; there is one at a time. */
export function theWorld(): World {
  if (present === undefined) throw new Error('there is no world')
  return present
}

/** Our system, real from the client down to the activities, and a model of everything around it. */
export class World {
  readonly holding: Holding
  readonly time: VirtualTime
  readonly redis: RedisServer
  readonly temporal: TemporalServer
  readonly provider: Provider
  readonly ledger: Ledger
  readonly trace: string[] = []
  readonly config: Config
  /** how many effects there were */
  effects = 0
  /** what befalls effects that are to come: after how many */
  readonly mishaps: { after: number; mishap: Mishap }[] = []
  readonly #infos = new WeakMap<Task, AttemptInfo>()
  readonly #activities = new WeakMap<Process, Record<string, (input: never) => Promise<unknown>>>()
  #workers: Process[]
  #processes = 0

  constructor(holding: Holding, seed: number, broken: Broken = {}) {
    present = this
    this.holding = holding
    this.time = new VirtualTime(seed)
    this.config = configOf(holding)
    this.ledger = new Ledger(this)
    this.redis = new RedisServer(this.time, broken.scripts ?? {}, (what) => this.ledger.redisChanged(what))
    this.provider = new Provider(this.time, new Grants([rulesOf(holding)]), this.ledger, !broken.sendsLate)
    this.temporal = new TemporalServer({
      time: this.time,
      trace: (text) => this.say(text),
      workers: () => this.#workers.filter(({ alive, frozen }) => alive && !frozen),
      workflows: { credential, revocation },
      attempt: (process, name, input, info) => this.#attempt(process, name, input, info),
      recorded: (name, value) => this.ledger.recorded(name, value),
      moved: (run) => this.ledger.moved(run),
    })
    this.#workers = [this.#newWorker(), this.#newWorker()]
  }

  say(text: string): void {
    this.trace.push(`${((this.time.nowMs - this.time.startMs) / 1000).toFixed(3).padStart(10)} ${text}`)
  }

  /** A task of a process of its own, as an operator's command is. */
  operate(name: string, work: (perennial: Perennial) => Promise<string>): void {
    const task = new Task(name, this.#newProcess(name))
    task.resume(() => {
      const calling = async () => await work(await Perennial.open(this.config))
      calling().then(
        (said) => this.say(`${name}: ${said}`),
        (error: unknown) => this.say(`${name}: failed, ${error instanceof Error ? error.message : error}`),
      )
    })
  }

  tuning(): Partial<Tuning> {
    return { refreshesPerRun: this.holding.refreshesPerRun }
  }

  #newProcess(name: string): Process {
    return new Process(
      name,
      this.time,
      (task, effect) => this.#fate(task, effect),
      (text) => this.say(text),
    )
  }

  #newWorker(): Process {
    const worker = this.#newProcess(`worker-${++this.#processes}`)
    const deps: ActivityDeps = {
      config: this.config,
      keyring,
      store: new Store(this.redis.connection()),
      tokenEndpoint: this.provider,
      gate: openGate,
      caller: () => ({ namespace: 'default', ...this.#info() }),
      tellWorkflow: async (notice) => {
        const { run: runId } = this.#info()
        await currentTask().effect('tell', () => {
          const run = this.temporal.latest(`credential/${subject}`)
          if (run?.runId === runId && !this.temporal.isAway) this.temporal.signal(run, 'retrying', [notice])
        })
      },
      wakeClient: () => {},
      count: () => {},
      log: { info: () => {}, warn: () => {} },
    }
    this.#activities.set(worker, createActivities(deps))
    return worker
  }

  #info(): AttemptInfo {
    const info = this.#infos.get(currentTask())
    if (info === undefined) throw new Error('no attempt is running')
    return info
  }

  #attempt(process: Process, name: string, input: unknown, info: AttemptInfo): Promise<unknown> {
    this.#infos.set(currentTask(), info)
    const activity = this.#activities.get(process)?.[name]
    if (activity === undefined) throw new Error(`no activity ${name}`)
    return activity(input as never)
  }

  #fate(task: Task, effect: string): Mishap | undefined {
    this.effects++
    let befalls: Mishap | undefined
    for (const one of this.mishaps.splice(0)) {
      if (one.after > 0 || befalls !== undefined) this.mishaps.push({ ...one, after: Math.max(0, one.after - 1) })
      else befalls = one.mishap
    }
    if (befalls?.kind === 'crash') this.#replaceSoon(task.process)
    return befalls === undefined || effect === '' ? undefined : befalls
  }

  /** A supervisor starts the next one. */
  #replaceSoon(process: Process): void {
    if (!this.#workers.includes(process)) return
    this.time.after(this.time.between(500, 3_000), () => {
      this.#workers = this.#workers.map((worker) => (worker === process ? this.#newWorker() : worker))
    })
  }

  openTemporal() {
    return temporalClient(this.temporal)
  }
}

/** Every request goes out at once: budgets and outages of hosts are another test's. */
const openGate = {
  admit: () => currentTask().effect('redis.gate', () => ({ verdict: 'send', inMs: 0, mode: 'open', epoch: 0 })),
  report: async () => 'open',
} as unknown as Gate

const rulesOf = ({ kind, rotation, tokenSeconds, graceSeconds }: Holding) => ({
  id: 'app',
  grant: kind === 'client_credentials' ? kind : rotation,
  graceSeconds,
  tokenSeconds,
  revocation: 'by_token' as const,
})

function configOf({ kind, rotation, graceSeconds }: Holding): Config {
  const client: ClientConfig = {
    name: 'app',
    grant: kind,
    clientId: 'app',
    clientSecrets: [],
    parameters: {},
    request: {},
    provider: {
      name: 'orchard',
      tokenEndpoint: 'https://id.orchard.example/token',
      revocationEndpoint: 'https://id.orchard.example/revoke',
      clientAuth: 'none',
      rotation,
      ...(rotation === 'grace' ? { graceMs: graceSeconds * 1_000 } : {}),
    },
  }
  return {
    source: 'the model',
    redis: { url: 'redis://model' },
    keys: { grant: [grantKey], reader: [readerKey] },
    // sealing for readers decides nothing, and costs time
    readers: { sealed: false },
    warnings: { reconnectSoonMs: [] },
    metrics: {},
    clients: new Map([['app', client]]),
  }
}
