import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common'
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  log,
  makeContinueAsNewFunc,
  patched,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import { storeWork, tellWork, tokenWork } from './activities.ts'
import { handOverDebts, payDebts } from './debts.ts'
import { type Ending, readEnding } from './ending.ts'
import { Bell, insist, Scopes, unless } from './interruptible.ts'
import type {
  Claim,
  Closed,
  CredentialInput,
  CredentialState,
  Message,
  Refreshed,
  RetryNotice,
  StateView,
  Tuning,
} from './messages.ts'
import * as messages from './messages.ts'
import { receive } from './receive.ts'
import { announceInput, claimInput, fenceInput, refreshInput, resyncInput, settleInput, view } from './requests.ts'
import { priorityKey } from './schedule.ts'
import { currentDetails, waitingFor } from './summary.ts'
import * as transitions from './transitions.ts'

/**
 * Keeps one credential alive, from its first grant until it is revoked. Temporal's "Request Cancellation", which can be
 * sent to a whole list, does not end it: readers would keep a token that nobody renews.
 */
export async function credential(input: CredentialInput): Promise<Closed> {
  const life = new Life(input)
  life.listen()
  CancellationScope.current().cancelRequested.catch(() =>
    log.warn('a request to cancel was ignored: perennial revoke ends a credential'),
  )
  return await CancellationScope.nonCancellable(() => life.run())
}

const statusAttribute = defineSearchAttributeKey(messages.searchAttributes.status, 'KEYWORD')
/** readers who could not be told of a status are told again */
const tellAgainMs = 60_000
/** between two exchanges that callers forced, however many they are */
const forceEveryMs = 10_000

class Life {
  readonly #input: CredentialInput
  readonly #state: CredentialState
  readonly #tuning: Tuning
  readonly #store = storeWork()
  readonly #tell = tellWork()
  readonly #provider: ReturnType<typeof tokenWork>
  readonly #previousOwner: string | undefined
  /** handlers only append, the loop takes */
  readonly #inbox: Message[]
  /** rung for every message, every caller and every end of an exchange */
  readonly #bell = new Bell()
  readonly #exchanges = new Scopes()
  /** callers of refreshNow, and how many of them have an outcome */
  #asked = 0
  #served = 0
  #forcedAtMs = 0
  /** the generation whose access token services were refused with, until a refresh was sent for that */
  #rejected: number | undefined
  #warnAgainAtMs = 0
  #refreshes = 0
  #shown: { status?: string; details: string } = { details: '' }

  constructor(input: CredentialInput) {
    this.#input = input
    this.#tuning = { ...messages.defaultTuning, ...input.tuning }
    this.#provider = tokenWork(input.provider, this.#tuning)
    this.#inbox = [...(input.inbox ?? [])]
    this.#previousOwner = input.state?.owner
    this.#state = input.state ?? transitions.newState(Date.now(), input.aboveGeneration ?? 0)
    this.#shown.status = this.#state.status
  }

  listen(): void {
    setHandler(messages.state, () => view(this.#input, this.#state), {
      description: 'status, generation and times; no secret',
    })
    // one handler for all: with one each, signals that wait for a run's first task are taken in the order in which
    // their handlers are set, and a revoke could overtake the grant that it was meant to end
    setDefaultSignalHandler((name, ...args) => {
      const message = receive(name, args, Date.now())
      if (message === undefined) return log.warn('a signal was not understood', { signal: name })
      this.#inbox.push(message)
      this.#bell.ring()
    })
    setHandler(messages.refreshNow, () => CancellationScope.nonCancellable(() => this.#answerRefreshNow()), {
      validator: () => this.#refuseHopeless(),
    })
  }

  async run(): Promise<Closed> {
    for (;;) {
      // what has nothing to do is not awaited: each promise of a workflow costs its worker the stack trace of it
      if (this.#inbox.length > 0) await this.#readInbox()
      if (this.#state.unstored !== undefined) await this.#catchUpWithStore()
      this.#show()
      if (this.#isUntold()) await this.#announce(() => this.#inbox.length > 0)
      if (transitions.warningDue(this.#state, Date.now()) !== undefined) await this.#warn()
      if (this.#state.status === 'revoked') {
        await payDebts(this.#input, this.#state, () => this.#inbox.length > 0)
        this.#show()
        if (await this.#everyoneAnswered()) return this.#closed()
        continue
      }
      if (this.#runIsFull() && (await this.#everyoneAnswered()))
        await makeContinueAsNewFunc<typeof credential>()({ ...this.#input, state: this.#state, inbox: this.#inbox })
      if (!(await this.#untilDue())) continue
      if (this.#unsettled()) await this.#settle()
      else await this.#refresh()
    }
  }

  // ---- what arrives

  async #readInbox(): Promise<void> {
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      if (message.type === 'reconnect') await this.#claim(message)
      else if (message.type === 'revoke') await this.#fence()
      // one that follows asks the same: a store that keeps being emptied is compared once
      else if (message.type === 'resync' && !this.#arrived('resync')) await this.#resync(message.delayMs)
      else if (message.type === 'rejected') this.#noteRejection(message.generation)
      else if (message.type === 'wake' && this.#state.status === 'misconfigured') this.#state.dueAtMs = Date.now()
      // a `retrying` that is read here belongs to a refresh that has meanwhile ended
    }
  }

  #arrived(...types: Message['type'][]): boolean {
    return this.#inbox.some(({ type }) => types.includes(type))
  }

  #refuseHopeless(): void {
    const { status } = this.#state
    if (status === 'revoked' || status === 'reconnect_required' || status === 'at_risk') throw this.#notRefreshed()
  }

  async #answerRefreshNow(): Promise<StateView> {
    const ticket = ++this.#asked
    this.#bell.ring()
    const { generation } = this.#state
    const options = { summary: 'a caller of refreshNow waits' }
    if (!(await condition(() => this.#served >= ticket, this.#tuning.refreshNowWaitMs, options)))
      throw ApplicationFailure.nonRetryable(
        'the refresh goes on; ask again later',
        'RefreshPending',
        view(this.#input, this.#state),
      )
    if (this.#state.generation === generation || this.#state.status !== 'active') throw this.#notRefreshed()
    return view(this.#input, this.#state)
  }

  #notRefreshed(): ApplicationFailure {
    const { status, reason, detail } = this.#state
    const why = [status, reason, detail].filter((part) => part).join(': ')
    return ApplicationFailure.nonRetryable(
      `not refreshed, the credential is ${why}`,
      'NotRefreshed',
      view(this.#input, this.#state),
    )
  }

  /** Lets callers take their answers; the look and what follows it are one synchronous step. */
  async #everyoneAnswered(): Promise<boolean> {
    if (this.#state.status === 'revoked') this.#served = this.#asked
    await condition(() => this.#asked > this.#served || this.#inbox.length > 0 || allHandlersFinished())
    return this.#asked === this.#served && this.#inbox.length === 0
  }

  #runIsFull(): boolean {
    return this.#refreshes >= this.#tuning.refreshesPerRun || workflowInfo().continueAsNewSuggested
  }

  // ---- the sleep

  /** Waits for the next step. False when something else has to be looked at first. */
  async #untilDue(): Promise<boolean> {
    if (this.#isWanted()) return true
    const { status, dueAtMs, accessExpiresAtMs = dueAtMs } = this.#state
    const toldAgainAtMs = this.#isUntold() ? Date.now() + tellAgainMs : dueAtMs
    const expiryAtMs = status === 'retrying' ? accessExpiresAtMs : dueAtMs
    const untilMs = Math.min(dueAtMs, toldAgainAtMs, expiryAtMs, this.#warningAtMs() ?? dueAtMs)
    const waitMs = Math.ceil(untilMs - Date.now())
    if (this.#inbox.length > 0) return false
    if (waitMs > 0) {
      const summary = waitingFor(this.#input.credential, this.#input.provider, this.#state)
      if (await this.#bell.rungWithin(waitMs, summary)) return false
    }
    transitions.noteExpiry(this.#state, this.#moment())
    return this.#inbox.length === 0 && dueAtMs <= Date.now()
  }

  /** A caller of refreshNow waits for an exchange. */
  #isWanted(): boolean {
    return this.#asked > this.#served && !this.#unsettled()
  }

  /** An attempt ended in the dark, and the store was not looked at since. */
  #unsettled(): boolean {
    return this.#state.risk !== undefined && this.#state.risk.replayAtMs === undefined
  }

  // ---- the exchange

  async #refresh(): Promise<void> {
    this.#refreshes++
    const result: { ending?: Ending } = {}
    const ended = () => result.ending !== undefined
    const exchange = this.#exchanges
      .run(() => this.#exchange())
      .then(
        (refreshed) => {
          result.ending = { kind: 'obtained', refreshed }
          this.#bell.ring()
        },
        (error) => {
          result.ending = readEnding(error)
          this.#bell.ring()
        },
      )
    while (!ended()) {
      if (!this.#hasNews()) await this.#untilNews()
      if (!ended()) await this.#besideExchange(ended)
      const interrupted = this.#arrived('revoke', 'reconnect') || this.#mayForce()
      if (ended() || !interrupted) continue
      // at once between two attempts; a running one is waited for and its result kept
      this.#exchanges.cancel()
      if (this.#arrived('revoke')) await this.#fence()
      await exchange
    }
    if (result.ending !== undefined) this.#apply(result.ending)
  }

  #exchange(): Promise<Refreshed> {
    const summary = `generation ${this.#state.generation + 1} at ${this.#input.provider}`
    const forced = this.#asked > this.#served
    this.#rejected = undefined
    this.#state.sends = (this.#state.sends ?? 0) + 1
    const how = { tuning: this.#tuning, previousOwner: this.#previousOwner, forced }
    this.#state.owner = workflowInfo().runId
    const priority = this.#priority(forced)
    return this.#provider.refresh.executeWithOptions({ summary, priority }, [
      refreshInput(this.#input, this.#state, how),
    ])
  }

  /** Whoever is nearer to losing a token goes first; tenants share what is left, as the workflow was started. */
  #priority(forced: boolean) {
    const { accessExpiresAtMs, refreshExpiresAtMs, risk } = this.#state
    const nowMs = Date.now()
    const remainingMs = accessExpiresAtMs === undefined ? undefined : accessExpiresAtMs - nowMs
    const refreshRemainingMs = (refreshExpiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs
    const urgent = forced || risk !== undefined
    return { ...workflowInfo().priority, priorityKey: priorityKey(remainingMs, urgent, refreshRemainingMs) }
  }

  #hasNews(): boolean {
    return (
      this.#arrived('revoke', 'reconnect', 'retrying') || this.#mayForce() || this.#inbox.some((m) => this.#isOfNow(m))
    )
  }

  /** Waits beside a refresh until it ends or something arrives. */
  #untilNews(): Promise<boolean> {
    const { status, accessExpiresAtMs = 0 } = this.#state
    if (status !== 'retrying') return this.#bell.rung()
    return this.#bell.rungWithin(Math.max(1, Math.ceil(accessExpiresAtMs - Date.now())), 'the access token expires')
  }

  /** Tells readers and operators what a refresh under way reports. */
  async #besideExchange(ended: () => boolean): Promise<void> {
    if (this.#arrived('revoke', 'reconnect')) return
    // the rest waits for the exchange
    for (const message of this.#inbox.splice(0)) {
      if (message.type === 'retrying') this.#noteRetry(message.notice)
      else if (message.type === 'rejected' && this.#isOfNow(message)) this.#noteRejection(message.generation)
      else this.#inbox.push(message)
    }
    transitions.noteExpiry(this.#state, this.#moment())
    this.#show()
    if (this.#isUntold()) await this.#announce(ended)
  }

  #noteRetry(notice: RetryNotice): void {
    if (notice.generation !== this.#state.generation) return
    transitions.noteRetry(this.#state, notice, this.#moment())
    // callers hear that it fails; the refresh goes on
    this.#served = this.#asked
  }

  /** Not of the generation that a refresh under way is about to bring: a service may be faster than the way back. */
  #isOfNow(message: Message): boolean {
    return message.type === 'rejected' && message.generation <= this.#state.generation
  }

  /** Of a credential that is failing, a refresh is wanted before its backoff is over. */
  #noteRejection(generation: number): void {
    // a worker from before readers were heard has let such a signal go by
    if (patched('hear of refused tokens') && transitions.reject(this.#state, generation, this.#moment()))
      this.#rejected = generation
  }

  /** Neither a caller of refreshNow nor a service without a token waits for the backoff of a refresh that keeps failing. */
  #mayForce(): boolean {
    const failing = this.#state.status === 'retrying' || this.#state.status === 'expired'
    const wanted = this.#asked > this.#served || this.#rejected === this.#state.generation
    return failing && wanted && Date.now() - this.#forcedAtMs >= forceEveryMs
  }

  #apply(ending: Ending): void {
    if (this.#arrived('revoke') || this.#state.status === 'revoked') {
      this.#applyAfterRevoke(ending)
      return
    }
    const moment = this.#moment()
    switch (ending.kind) {
      case 'cancelled':
        this.#forcedAtMs = moment.nowMs
        this.#state.dueAtMs = moment.nowMs
        return
      case 'unknown':
        transitions.endUnknown(this.#state, ending, this.#tuning.startToCloseMs, moment)
        return
      case 'obtained':
        this.#take(ending.refreshed)
        break
      case 'grant_refused':
        transitions.refuseGrant(this.#state, ending.failure, moment)
        break
      case 'client_refused':
        transitions.refuseClient(this.#state, ending.failure, this.#tuning.misconfiguredEveryMs, moment)
        break
      case 'failed':
        transitions.fail(this.#state, ending.failure, moment)
    }
    // everyone who asked while this exchange ran shares its outcome
    this.#served = this.#asked
  }

  /** Goes on with a generation, of this exchange or found in the store. A tombstone there is a revoke too. */
  #take(found: Refreshed): void {
    if (!found.revoked) {
      transitions.adopt(this.#state, found, this.#moment())
      // in histories from before operators were told of it, nothing follows
      if (this.#state.news === 'recovered' && !patched('tell recovered')) delete this.#state.news
      return
    }
    this.#state.generation = Math.max(this.#state.generation, found.generation)
    if (found.minted !== undefined) this.#state.debts = [...(this.#state.debts ?? []), found.minted]
    this.#inbox.unshift({ type: 'revoke' })
  }

  /** What a refresh in flight still obtained is to be revoked too; a later life begins above it. */
  #applyAfterRevoke(ending: Ending): void {
    const state = this.#state
    if (ending.kind !== 'obtained') {
      state.generation += 1
      return
    }
    const { generation, grant, minted, unstored } = ending.refreshed
    state.generation = Math.max(state.generation, generation)
    if (grant !== undefined && state.status !== 'revoked') state.grant = grant
    // fenced already: the fence did not know of these
    const late = state.status === 'revoked' ? [minted, unstored, grant] : [minted, unstored]
    const debts = late.filter((debt) => debt !== undefined)
    if (debts.length > 0) state.debts = [...(state.debts ?? []), ...debts]
  }

  // ---- the store

  async #claim({ seed, receivedAtMs }: Message & { type: 'reconnect' }): Promise<void> {
    // one that needs no person lives on its client: there is nothing to take over from a second call
    if (seed.sealed === undefined && this.#state.family !== '' && this.#state.status !== 'revoked') return
    // not wanted any more; nor is its generation: the fence would stand on it, and cover the set before this one only
    if (this.#arrived('revoke')) return
    this.#state.owner = workflowInfo().runId
    const sinceMs = receivedAtMs ?? workflowInfo().startTime.getTime()
    for (;;) {
      const input = claimInput(this.#input, this.#state, seed, Date.now() - sinceMs)
      const claim = await insist(
        () => this.#arrived('revoke'),
        () => this.#store.claim.executeWithOptions({ summary: 'take over the new grant' }, [input]),
      )
      // an attempt that was given up may still write at that generation: what comes now stands above it
      const reached = claim === undefined ? input.atLeastGeneration : 'above' in claim ? claim.above : 0
      this.#state.generation = Math.max(this.#state.generation, reached)
      if (claim === undefined || !('above' in claim)) return await this.#begin(claim)
    }
  }

  /** A new family; what the provider has yet to revoke of an old one is not waited for. */
  async #begin(claim: Claim | undefined): Promise<void> {
    if (claim === undefined) return
    if ('revoked' in claim) {
      this.#take(claim)
      return
    }
    if (!('repeated' in claim) && !('unusable' in claim)) await handOverDebts(this.#input, this.#state)
    transitions.claimed(this.#state, claim, this.#moment())
    this.#show()
  }

  async #fence(): Promise<void> {
    // it answers every revoke that has arrived, and a grant that came before one of them is not wanted any more
    const lastRevoke = this.#inbox.findLastIndex(({ type }) => type === 'revoke')
    this.#inbox.splice(0, lastRevoke + 1)
    const state = this.#state
    if (state.status === 'revoked') return
    const input = fenceInput(this.#input, state)
    transitions.setStatus(state, Date.now(), 'revoked', 'revocation_pending')
    this.#show()
    const summary = 'fence: no reader gets a token any more'
    const fenced = await insist(
      () => false,
      () => this.#store.fence.executeWithOptions({ summary }, [input]),
    )
    transitions.revoked(state, fenced, this.#moment())
    this.#show()
  }

  #closed(): Closed {
    const { generation, family } = this.#state
    return { status: 'revoked', generation, family }
  }

  async #settle(): Promise<void> {
    this.#state.owner = workflowInfo().runId
    const input = settleInput(this.#input, this.#state, this.#previousOwner)
    const summary = `look for what generation ${input.generation + 1} may have left`
    const settled = await insist(
      () => this.#arrived('revoke', 'reconnect'),
      () => this.#store.settle.executeWithOptions({ summary }, [input]),
    )
    if (settled === undefined) return
    if (settled.found !== undefined) this.#take(settled.found)
    else transitions.settle(this.#state, settled, this.#tuning.settleAfterMs, this.#moment())
    if (settled.found !== undefined || this.#state.status === 'at_risk') this.#served = this.#asked
  }

  /** The store was emptied or replaced. What is written into it again is what this workflow knows. */
  async #resync(delayMs: number): Promise<void> {
    if (this.#state.status === 'revoked' || this.#state.family === '') return
    const input = resyncInput(this.#input, this.#state, { nowMs: Date.now(), previousOwner: this.#previousOwner })
    this.#state.owner = workflowInfo().runId
    const resynced = await insist(
      () => this.#arrived('revoke', 'reconnect'),
      () => this.#store.resync.executeWithOptions({ summary: 'compare with the store' }, [input]),
    )
    if (resynced?.found !== undefined) this.#take(resynced.found)
    else if (resynced !== undefined) transitions.resynced(this.#state, resynced, delayMs, this.#moment())
  }

  /** The store gets what it has not taken yet. */
  async #catchUpWithStore(): Promise<void> {
    const { unstored, status } = this.#state
    if (unstored === undefined || status === 'revoked') return
    this.#state.owner = workflowInfo().runId
    const { credential, kind } = this.#input
    const summary = 'Redis did not take the tokens: try again'
    const persisted = await insist(
      () => this.#arrived('revoke', 'reconnect'),
      () => this.#store.persist.executeWithOptions({ summary }, [{ credential, kind, sealed: unstored }]),
    )
    if (persisted === undefined) return
    delete this.#state.unstored
    if (persisted.found !== undefined) this.#take(persisted.found)
  }

  /** Readers or operators; a fence has told both itself. */
  #isUntold(): boolean {
    const { unannounced, news, status } = this.#state
    return (unannounced === true || news !== undefined) && status !== 'revoked'
  }

  /** Tells operators and readers of the status; at the next step when it cannot be done now. */
  async #announce(pointless: () => boolean): Promise<void> {
    const { status } = this.#state
    const input = announceInput(this.#input, this.#state, Date.now())
    const told = await unless(pointless, () =>
      this.#tell.announce.executeWithOptions({ summary: `tell readers: ${status}` }, [input]),
    )
    if (told === undefined) return
    delete this.#state.unannounced
    delete this.#state.news
  }

  /** Tells that the user will have to reconnect, once for each of the times before the end that were asked for. */
  async #warn(): Promise<void> {
    const nowMs = Date.now()
    const beforeMs = transitions.warningDue(this.#state, nowMs)
    if (beforeMs === undefined || nowMs < this.#warnAgainAtMs) return
    const summary = 'tell that the grant comes to its end'
    const input = announceInput(this.#input, this.#state, nowMs, beforeMs)
    const told = await unless(
      () => this.#inbox.length > 0,
      () => this.#tell.announce.executeWithOptions({ summary }, [input]),
    )
    if (told === undefined) this.#warnAgainAtMs = nowMs + tellAgainMs
    else this.#state.warnedMs = beforeMs
    this.#show()
  }

  #warningAtMs(): number | undefined {
    const atMs = transitions.warningAtMs(this.#state)
    return atMs === undefined ? undefined : Math.max(atMs, this.#warnAgainAtMs)
  }

  // ---- what operators see

  #show(): void {
    const { status } = this.#state
    if (status !== this.#shown.status) upsertSearchAttributes([{ key: statusAttribute, value: status }])
    const details = currentDetails(this.#input.credential, this.#input.provider, this.#state)
    if (details !== this.#shown.details) setCurrentDetails(details)
    this.#shown = { status, details }
  }

  #moment(): transitions.Moment {
    return { nowMs: Date.now(), random: Math.random() }
  }
}
