import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, accounts } from './account.ts'
import { eachOf } from './each-of.ts'
import { type Evidence, gather } from './evidence.ts'
import { Readers } from './readers.ts'
import { schedule } from './schedule.ts'
import { setStage, tokenSeconds } from './stage.ts'
import { Strikes } from './strikes.ts'
import { Users } from './users.ts'
import { Watch } from './watch.ts'

export interface ChaosOptions {
  faults: number
  credentials: number
  seed: number
  /** for the data and logs of the stack; new or empty */
  dataDir: string
  /** how long everything may take to come to rest behind the last fault */
  restWithinMs: number
  /** ends the run early; what was seen until then is reported */
  signal: AbortSignal
  say(line: string): void
}

const latencyMs: [number, number] = [20, 300]

/** Keeps credentials alive on real servers while everything fails around them, and says what was seen. */
export async function runChaos(options: ChaosOptions): Promise<Evidence> {
  const beganMs = Date.now()
  const { seed, signal, say } = options
  const stage = await setStage(options)
  const over = new AbortController()
  try {
    const users = new Users(stage, AbortSignal.any([signal, over.signal]))
    const everyone = accounts(options.credentials)
    await eachOf(everyone, 8, (account) => users.connect(account))
    await stage.referee.followPlan({ seed, latencyMs })
    say(`${everyone.length} credentials live; ${options.faults} faults follow`)
    const readers = new Readers(stage.redisUrl, stage.readerKey, everyone)
    const watch = new Watch(stage, users, everyone)
    const strikes = new Strikes(stage, users, everyone, seed)
    readers.start()
    const watching = watch.run(over.signal)
    await strikes.follow(schedule(options.faults, seed), signal)
    say('no more faults; waiting until everything rests')
    const unsettled = await rest(options, everyone, readers, watch)
    await readers.stop()
    await judgeAll(everyone, watch)
    over.abort()
    await watching
    return await gather(
      stage,
      { accounts: everyone, readers, watch, strikes },
      { seed, beganMs, endedEarly: signal.aborted, unsettled },
    )
  } finally {
    over.abort()
    await stage.stop()
  }
}

const restsForMs = 3_000
/** by then every credential has refreshed, and the last fault has met its request */
const everyoneRefreshedMs = (tokenSeconds / 2) * 1_000 + 2_000

/** Waits until every credential is active and readable for a while. @returns those that are not, and their status */
async function rest(
  { restWithinMs, signal }: ChaosOptions,
  everyone: readonly Account[],
  readers: Readers,
  watch: Watch,
): Promise<string[]> {
  const untilMs = Date.now() + restWithinMs
  let restsSinceMs = Date.now() + everyoneRefreshedMs - restsForMs
  for (;;) {
    const unreadable = new Set(readers.unreadable)
    const restless = everyone.filter((account) => unreadable.has(account) || account.busy || !isActive(account, watch))
    if (restless.length > 0) restsSinceMs = Math.max(restsSinceMs, Date.now())
    const over = Date.now() > untilMs || signal.aborted
    if (over || Date.now() - restsSinceMs > restsForMs) return restless.map((account) => stateOf(account, watch))
    await sleep(250)
  }
}

const isActive = ({ credential }: Account, { statuses }: Watch) => statuses.get(credential)?.status === 'active'

function stateOf({ credential, phase, busy }: Account, { statuses }: Watch): string {
  const { status = 'no status', reason = '' } = statuses.get(credential) ?? {}
  return `${credential} ${status} ${reason} (${phase}${busy ? ', busy' : ''})`
}

const looks = 4

/** What is lost without having been noticed. A token that is exchanged meanwhile is looked up again. */
async function judgeAll(everyone: readonly Account[], watch: Watch): Promise<void> {
  const living = everyone.filter(
    ({ client, phase, busy }) => client !== 'client_credentials' && phase === 'living' && !busy,
  )
  await eachOf(living, 8, async (account) => {
    const { user, credential, client } = account
    // the watch leaves it alone from now on: nothing is counted twice
    account.busy = true
    for (let look = 1; ; look++) {
      const [loss] = await watch.judgeHeld(user, credential)
      if (loss === undefined) return
      if (look === looks || loss.verdict !== 'avoidable') {
        watch.losses.push({ ...loss, credential, client, foundAtMs: Date.now(), sinceMs: Date.now() })
        return
      }
      await sleep(1_000)
    }
  })
}
