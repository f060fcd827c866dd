import type { ClientConfig } from '../config.ts'
import { needsPerson } from '../credential.ts'
import { type Attempt, beginAttempt, type TokenRequest, type TokenSet, type Verdict } from '../oauth/index.ts'
import { fingerprint } from '../store/sealing.ts'
import type { BeginVerdict, GrantHash } from '../store/store.ts'
import type { Refreshed, RefreshInput } from '../workflows/messages.ts'
import { AttemptFailed, clientRefused, storeAway } from './attempt-failed.ts'
import { isWorthTelling, retryDelayMs } from './backoff.ts'
import { ClientStanding } from './client-standing.ts'
import { Clocks } from './clocks.ts'
import { type Caller, clientOf, type ProcessDeps } from './deps.ts'
import { filledFor, identityOf } from './endpoints.ts'
import type { Grant } from './grant.ts'
import { keep, within } from './keep.ts'
import { tokenRequestFor } from './token-request.ts'
import { found, type Generation, newWriter, revokedBy, rotationOf, UnusableHash } from './token-set.ts'
import { TurnsAtHost } from './turn.ts'

/**
 * One attempt to get generation n+1, by the rules of "One refresh": look at the store, send once, read everything,
 * write fenced. Ends with the new generation, with one found, or with a failure that says whether the refresh token
 * may have been spent.
 */
export function refreshActivity(deps: ProcessDeps) {
  return async (input: RefreshInput): Promise<Refreshed> => {
    const attempt = new RefreshAttempt(deps, input, deps.caller())
    try {
      return await attempt.run()
    } catch (error) {
      throw await attempt.explain(error)
    }
  }
}

class RefreshAttempt {
  readonly #deps: ProcessDeps
  readonly #input: RefreshInput
  readonly #caller: Caller
  readonly #clocks: Clocks
  readonly #attempt: Attempt
  readonly #client: ClientConfig | undefined
  readonly #standing: ClientStanding
  readonly #beganMs = performance.now()
  /** until a token is lost that a refresh would keep */
  #remainingMs = 0
  #hadToken = false
  /** whether something may have left: from then on an unforeseen error is an unknown end */
  #mayHaveSent = false

  constructor(deps: ProcessDeps, input: RefreshInput, caller: Caller) {
    this.#deps = deps
    this.#input = input
    this.#caller = caller
    this.#clocks = new Clocks(caller)
    this.#client = clientOf(deps, input.credential)
    this.#standing = new ClientStanding(deps, input, this.#client)
    this.#attempt = beginAttempt(exchangeTimeoutMs(input, this.#client))
  }

  async run(): Promise<Refreshed> {
    const client = this.#client
    if (client === undefined) throw clientRefused('unknown_client', 'the configuration of this worker does not have it')
    const [[begun, refusedBefore]] = await Promise.all([this.#look(), this.#deps.secrets.reread(client)])
    const { hash } = begun
    if (begun.verdict !== 'clear') return this.#instead(begun.verdict, hash)
    await this.#standing.beTheOneWhoTries(client, refusedBefore)
    const redisNowMs = this.#clocks.redisNowMs()
    const { request, held } = await tokenRequestFor(this.#deps, this.#input, client, hash, redisNowMs)
    const beganMs = this.#clocks.redisNowMs()
    const verdict = this.#asItIs(client, request) ?? (await this.#exchange(client, request))
    if (verdict.kind !== 'granted') return await this.#refused(client, request, verdict)
    const tokens = await this.#withExpiry(client, request, verdict.tokens)
    const refreshed = await this.#keep(tokens, { hash, held, beganMs })
    if (refusedBefore !== undefined || this.#input.activeSinceMs === undefined)
      this.#standing.worksAgain(client, refusedBefore !== undefined)
    return refreshed
  }

  /** The store first: nothing is sent while it cannot be asked what has become of this refresh token. */
  async #look() {
    const { credential, family, generation, previousOwner, send } = this.#input
    try {
      const looked = await Promise.all([
        this.#deps.store.begin(credential, {
          owner: this.#caller,
          family,
          generation,
          ...(previousOwner === undefined ? {} : { previousRun: previousOwner }),
          ...(send === undefined ? {} : { send }),
        }),
        this.#deps.store.clientRefused(this.#standing.registration),
      ])
      const [{ nowMs, hash }] = looked
      this.#clocks.redisSaid(nowMs)
      this.#remainingMs = this.#input.rejected ? 0 : untilLossMs(hash, nowMs)
      this.#hadToken = hash?.accessExpiresAtMs !== undefined
      this.#noteForeignGrant(hash)
      return looked
    } catch (error) {
      throw storeAway(error)
    }
  }

  #instead(verdict: Exclude<BeginVerdict, 'clear'>, hash: GrantHash | undefined): Refreshed {
    const { credential, kind, grant } = this.#input
    if (hash !== undefined && verdict === 'newer') return found(this.#deps, hash, kind, credential, this.#clocks, grant)
    if (hash !== undefined && verdict === 'tombstone') return revokedBy(hash, this.#clocks)
    // nobody waits for this attempt any more
    if (verdict === 'stale') throw new AttemptFailed('ForeignRun', { reason: 'given_up', detail: 'begun too late' })
    if (verdict === 'foreign_run')
      throw new AttemptFailed('ForeignRun', { reason: 'other_run', detail: `run ${hash?.run} stands in the store` })
    const detail = `namespace ${hash?.namespace} owns this credential in Redis; two Temporal servers share one Redis?`
    throw new AttemptFailed('Unsent', { reason: 'foreign_namespace', detail })
  }

  /** The workflow's grant is the truth; that another one stands in the store is replaced, but not in silence. */
  #noteForeignGrant(hash: GrantHash | undefined): void {
    const { credential, generation, grant } = this.#input
    if (hash?.grant === undefined || hash.tombstone || hash.generation > generation || hash.grant === grant) return
    const fields = { credential, generation, stored: hash.generation }
    this.#deps.log.warn(fields, 'Redis holds another grant than the workflow: rolled back, or changed by another hand')
  }

  /** A token that lives until it is revoked is exchanged for nothing: the store gets it again. */
  #asItIs({ provider }: ClientConfig, { grant, accessToken }: TokenRequest): Verdict | undefined {
    if (grant !== 'access_token' || !provider.accessTokenNeverExpires || accessToken === undefined) return undefined
    return { kind: 'granted', tokens: { accessToken } }
  }

  /** A replay that waited too long, in the provider's queue for one, is decided anew. */
  #insideWindow(): void {
    const { sendUntilMs } = this.#input
    if (sendUntilMs === undefined || this.#clocks.serverNowMs() < sendUntilMs) return
    throw new AttemptFailed('Ambiguous', { reason: 'window_over', detail: 'the replay came too late and was not sent' })
  }

  /** Sends, with the client's next secret where one is refused. A request that comes too late is not sent. */
  async #exchange(client: ClientConfig, request: TokenRequest): Promise<Verdict> {
    const { secrets, gate, reports, tokenEndpoint } = this.#deps
    const turns = new TurnsAtHost(gate, reports, client, request.endpoint)
    const order = secrets.inTurn(client)
    for (const [index, clientSecret] of order) {
      const admission = await turns.wait(this.#input.credential, this.#losesTokenAtMs())
      this.#insideWindow()
      this.#mayHaveSent = true
      const sent = clientSecret === undefined ? request : { ...request, clientSecret }
      const verdict = await tokenEndpoint.exchange(sent, this.#attempt)
      this.#mayHaveSent = verdict.kind === 'ambiguous' || verdict.kind === 'granted'
      turns.report(admission, verdict)
      if (verdict.kind === 'granted') secrets.worked(client, index)
      if (verdict.kind !== 'client_refused' || !verdict.secretRefused) return verdict
      secrets.refused(client, index)
      if (index === order.at(-1)?.[0]) return verdict
    }
    return { kind: 'client_refused', reason: 'no_client_secret', detail: 'none is configured', secretRefused: true }
  }

  /** Whoever loses a token soonest goes first; who is asked for by a person goes before all. */
  #losesTokenAtMs(): number {
    return this.#input.forced ? 0 : this.#clocks.redisNowMs() + this.#urgencyMs()
  }

  /** One that never had a token has none to lose: there may be thousands of them at once, and nobody reads them yet. */
  #urgencyMs(): number {
    return this.#hadToken ? this.#untilLossMs() : firstTokenWithinMs
  }

  #untilLossMs(): number {
    return this.#remainingMs - (performance.now() - this.#beganMs)
  }

  async #keep(
    tokens: TokenSet,
    { hash, held, beganMs }: { hash: GrantHash | undefined; held: Grant; beganMs: number },
  ): Promise<Refreshed> {
    const { credential, kind, family, generation, grant, seeds, parameters, activeSinceMs } = this.#input
    return await keep(this.#deps, this.#caller, this.#clocks, {
      credential,
      kind,
      family,
      generation: generation + 1,
      writer: newWriter(),
      beganMs,
      tokens,
      seeds: seeds.length > 0 ? seeds : (hash?.seeds ?? []),
      parameters: parameters ?? {},
      before: this.#deadlinesBefore(hash),
      held,
      ...(grant === undefined ? {} : { heldGrant: grant }),
      ...(activeSinceMs === undefined ? {} : { activeSinceMs }),
    })
  }

  /** An expiry that the answer does not say may be found elsewhere; without it the tokens are kept all the same. */
  async #withExpiry(client: ClientConfig, request: TokenRequest, tokens: TokenSet): Promise<TokenSet> {
    const { expiryLookup: rules, introspectionEndpoint } = client.provider
    const { accessToken, expiresInMs } = tokens
    if (rules === undefined || accessToken === undefined || expiresInMs !== undefined) return tokens
    const endpoint = filledFor(client, rules.endpoint ?? introspectionEndpoint, request.values)
    if (endpoint === undefined) return tokens
    const [[, clientSecret] = []] = this.#deps.secrets.inTurn(client)
    const by = rules.endpoint === undefined ? ('introspection' as const) : ('bearer' as const)
    const asked = {
      ...identityOf(client, rules.endpoint ?? introspectionEndpoint),
      ...(clientSecret !== undefined && { clientSecret }),
    }
    const lookUp = this.#deps.tokenEndpoint.lookUp(
      { ...asked, endpoint, accessToken, by, rules },
      beginAttempt(lookUpWithinMs),
    )
    const foundMs = await within(lookUpWithinMs, lookUp)
    return foundMs === undefined ? tokens : { ...tokens, expiresInMs: foundMs }
  }

  /** What is known of the end of the refresh token that was sent. */
  #deadlinesBefore(hash: GrantHash | undefined): NonNullable<Generation['before']> {
    const { generation, refreshExpiresAtMs, refreshEndsAtMs } = this.#input
    const nowMs = this.#clocks.serverNowMs()
    const beganMs = hash?.generation === generation && hash.writer !== undefined ? hash.beganMs : undefined
    return {
      ageMs: beganMs === undefined ? undefined : this.#clocks.redisNowMs() - beganMs,
      ...(refreshExpiresAtMs === undefined ? {} : { livesMs: refreshExpiresAtMs - nowMs }),
      ...(refreshEndsAtMs === undefined ? {} : { endsInMs: refreshEndsAtMs - nowMs }),
    }
  }

  async #refused(
    client: ClientConfig,
    request: TokenRequest,
    verdict: Exclude<Verdict, { kind: 'granted' }>,
  ): Promise<Refreshed> {
    const { reason, detail } = verdict
    switch (verdict.kind) {
      case 'unsent':
        throw new AttemptFailed('Unsent', { reason, detail })
      case 'throttled':
        throw new AttemptFailed('Throttled', { reason, detail }, verdict.retryAfterMs)
      case 'unclear':
        throw new AttemptFailed('Unclear', { reason, detail })
      case 'too_early':
        throw this.#tooEarly(reason, detail)
      case 'ambiguous':
        throw this.#ambiguous(client, reason, detail)
      case 'client_refused':
        await this.#standing.refused(reason)
        throw clientRefused(reason, detail)
      case 'grant_refused':
        return await this.#grantRefused(client, request, reason, detail)
    }
  }

  /** Asked again when half of what is left of the token has passed: that comes as near to its end as need be. */
  #tooEarly(reason: string, detail: string): AttemptFailed {
    const remainingMs = this.#untilLossMs()
    const inMs = remainingMs > 0 ? Math.max(1_000, remainingMs / 2) : undefined
    return new AttemptFailed('Throttled', { reason, detail }, inMs, remainingMs > 0)
  }

  #ambiguous({ provider }: ClientConfig, reason: string, detail: string): AttemptFailed {
    const rotation = rotationOf(this.#input.kind, provider)
    // the same refresh token is taken again, or there is none to spend: the server may repeat the attempt
    if (rotation === 'none' || rotation === 'rotates_old_valid') return new AttemptFailed('Unclear', { reason, detail })
    return new AttemptFailed('Ambiguous', { reason, detail, ...this.#firstUse() })
  }

  #firstUse() {
    const sinceFirstUseMs = performance.now() - this.#beganMs
    return { sinceFirstUseMs, firstUseAtMs: this.#clocks.serverNowMs() - Math.round(sinceFirstUseMs) }
  }

  /** Refused may mean that another attempt was faster: what it wrote counts. */
  async #grantRefused(client: ClientConfig, request: TokenRequest, reason: string, detail: string): Promise<Refreshed> {
    const token = request.refreshToken ?? request.accessToken
    if (!needsPerson(request.grant) || token === undefined) throw clientRefused(reason, detail)
    const [again] = await this.#look().catch(() => {
      const unknown = `${detail}; whether another attempt was faster is not known, for the store does not answer`
      throw new AttemptFailed('Unclear', { reason, detail: unknown })
    })
    if (again.verdict !== 'clear') return this.#instead(again.verdict, again.hash)
    const refused = fingerprint(this.#deps.keyring.grant[0], token)
    const forGood = client.provider.neverAskAgain ? { forGood: true } : {}
    throw new AttemptFailed('GrantRefused', { reason, detail, refused, ...forGood })
  }

  /** Every failure leaves here as one of our own: a library's error may carry what was sent. */
  async explain(error: unknown): Promise<Error> {
    const failed = error instanceof AttemptFailed ? error : this.#unforeseen(error)
    const provider = this.#client?.provider.name ?? this.#input.credential
    const { attempt } = this.#caller
    const { forced = false, generation, credential } = this.#input
    this.#deps.log.warn(
      { credential, generation, attempt, type: failed.type, reason: failed.failure.reason },
      'refresh failed',
    )
    // the next of its credentials tells it again
    if (failed.type === 'ClientRefused') await this.#standing.tell(failed.failure).catch(() => {})
    if (!failed.repeatable) return failed.toActivityFailure(provider)
    const { retryAfterMs, waitsItsTurn } = failed
    const accessRemainingMs = this.#untilLossMs()
    const delayMs = retryDelayMs(
      { attempt, accessRemainingMs, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
      Math.random(),
    )
    if (isWorthTelling({ attempt, delayMs, accessRemainingMs, forced, waitsItsTurn })) {
      const notice = { generation, attempt, ...failed.failure, nextAttemptInMs: delayMs }
      // the next attempt tells it again
      await this.#deps.tellWorkflow(notice).catch(() => {})
    }
    return failed.toActivityFailure(provider, delayMs)
  }

  #unforeseen(error: unknown): AttemptFailed {
    if (error instanceof UnusableHash && !this.#mayHaveSent)
      return new AttemptFailed('Unsent', { reason: error.reason, detail: error.message })
    const reason = 'internal_error'
    const detail = error instanceof Error ? error.name : 'unknown'
    return this.#mayHaveSent
      ? new AttemptFailed('Ambiguous', { reason, detail, ...this.#firstUse() })
      : new AttemptFailed('Unsent', { reason, detail })
  }
}

/** tokens that are obtained and not yet stored do not wait long */
const lookUpWithinMs = 2_000

const firstTokenWithinMs = 300_000

/** The access token, or a refresh token that dies unused before. */
function untilLossMs(hash: GrantHash | undefined, nowMs: number): number {
  const accessMs = (hash?.accessExpiresAtMs ?? 0) - nowMs
  const refreshMs = (hash?.refreshExpiresAtMs ?? 0) - nowMs
  return refreshMs > 0 ? Math.min(accessMs, refreshMs) : accessMs
}

/** A window from the first use has to leave room for a second. */
function exchangeTimeoutMs(input: RefreshInput, client: ClientConfig | undefined): number {
  const graceMs = client?.provider.graceMs
  return graceMs === undefined ? input.exchangeTimeoutMs : Math.min(input.exchangeTimeoutMs, graceMs / 3)
}
