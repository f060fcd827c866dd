import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientConfig } from '../config.ts'
import { needsPerson } from '../credential.ts'
import { PerennialError } from '../errors.ts'
import { type Attempt, beginAttempt, type TokenRequest, type TokenSet, type Verdict } from '../oauth/index.ts'
import { filledEndpoint } from '../providers/parameters.ts'
import { sendsSecret } from '../providers/schema.ts'
import type { Admission, TokenHost } from '../store/gate.ts'
import { fingerprint } from '../store/sealing.ts'
import type { BeginVerdict, GrantHash } from '../store/store.ts'
import type { Refreshed, RefreshInput } from '../workflows/messages.ts'
import { AttemptFailed } from './attempt-failed.ts'
import { isWorthTelling, retryDelayMs } from './backoff.ts'
import { Clocks } from './clocks.ts'
import { type ActivityDeps, type Caller, clientOf, openGrant, partsOf } from './deps.ts'
import { discoveredFor, filledFor, identityOf, siteFor, valuesFor } from './endpoints.ts'
import type { Grant } from './grant.ts'
import { keep, within } from './keep.ts'
import { found, type Generation, newWriter, revokedBy, rotationOf, UnusableHash } from './token-set.ts'

/**
 * One attempt to get generation n+1, by the rules of "One refresh": look at the store, send once, read everything,
 * write fenced. Ends with the new generation, with one found, or with a failure that says whether the refresh token
 * may have been spent.
 */
export function refreshActivity(deps: ActivityDeps) {
  const secrets = new SecretOrder()
  return async (input: RefreshInput): Promise<Refreshed> => {
    const caller = deps.caller()
    const attempt = new RefreshAttempt(deps, input, caller, secrets)
    try {
      return await attempt.run()
    } catch (error) {
      throw await attempt.explain(error)
    }
  }
}

class RefreshAttempt {
  readonly #deps: ActivityDeps
  readonly #input: RefreshInput
  readonly #caller: Caller
  readonly #secrets: SecretOrder
  readonly #clocks: Clocks
  readonly #attempt: Attempt
  readonly #client: ClientConfig | undefined
  readonly #beganMs = performance.now()
  /** until a token is lost that a refresh would keep */
  #remainingMs = 0
  #hadToken = false
  /** whether something may have left: from then on an unforeseen error is an unknown end */
  #mayHaveSent = false

  constructor(deps: ActivityDeps, input: RefreshInput, caller: Caller, secrets: SecretOrder) {
    this.#deps = deps
    this.#input = input
    this.#caller = caller
    this.#secrets = secrets
    this.#clocks = new Clocks(caller)
    this.#client = clientOf(deps, input.credential)
    this.#attempt = beginAttempt(exchangeTimeoutMs(input, this.#client))
  }

  async run(): Promise<Refreshed> {
    const client = this.#client
    if (client === undefined) throw clientRefused('unknown_client', 'the configuration of this worker does not have it')
    const [[begun, refusedBefore]] = await Promise.all([this.#look(client), this.#rereadSecrets(client)])
    const { hash } = begun
    if (begun.verdict !== 'clear') return this.#instead(begun.verdict, hash)
    await this.#beTheOneWhoTries(client, refusedBefore)
    const request = await this.#request(client, hash)
    const beganMs = this.#clocks.redisNowMs()
    const verdict = this.#asItIs(client, request) ?? (await this.#exchange(client, request))
    if (verdict.kind !== 'granted') return await this.#refused(client, request, verdict)
    const tokens = await this.#withExpiry(client, request, verdict.tokens)
    const refreshed = await this.#keep(tokens, hash, beganMs)
    if (refusedBefore !== undefined || this.#input.activeSinceMs === undefined)
      this.#clientWorksAgain(client, refusedBefore !== undefined)
    return refreshed
  }

  async #rereadSecrets({ name }: ClientConfig): Promise<void> {
    await this.#deps.config.rereadSecrets?.(name)
  }

  /** The store first: nothing is sent while it cannot be asked what has become of this refresh token. */
  async #look(client: ClientConfig) {
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
        this.#deps.store.clientRefused(this.#registration(client)),
      ])
      const [{ nowMs, hash }] = looked
      this.#clocks.redisSaid(nowMs)
      this.#remainingMs = untilLossMs(hash, nowMs)
      this.#hadToken = hash?.accessExpiresAtMs !== undefined
      this.#noteForeignGrant(hash)
      return looked
    } catch (error) {
      throw new AttemptFailed('Unsent', { reason: 'store_unavailable', detail: `Redis: ${messageOf(error)}` })
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

  /** What a refusal of the client holds for: where each credential has an endpoint of its own, for that one. */
  #registration(client: ClientConfig): string {
    const { name, provider } = client
    if (!(provider.tokenEndpoint ?? provider.issuer)?.includes('{')) return name
    const endpoint = siteFor(client, this.#input.parameters)
    return typeof endpoint === 'string' ? `${name}@${endpoint}` : name
  }

  /** While a client is refused, one of its credentials at a time asks whether it still is. */
  async #beTheOneWhoTries(client: ClientConfig, refusedBefore: string | undefined): Promise<void> {
    if (refusedBefore === undefined || this.#input.forced) return
    const mine = await this.#deps.store
      .takeClientProbe(this.#registration(client), this.#input.misconfiguredEveryMs)
      .catch((error: unknown) => {
        throw new AttemptFailed('Unsent', { reason: 'store_unavailable', detail: `Redis: ${messageOf(error)}` })
      })
    if (!mine)
      throw clientRefused(refusedBefore, `client ${client.name} is refused; another of its credentials asks again`)
  }

  async #request(client: ClientConfig, hash: GrantHash | undefined): Promise<TokenRequest> {
    const { kind, parameters } = this.#input
    const values = valuesFor(client, parameters)
    if (values instanceof PerennialError) throw clientRefused('invalid_parameter', values.message)
    const endpoint = await this.#endpoint(client, values)
    const { rotation, tokenRequest, tokenResponse, errors, neverAfterExpiry } = client.provider
    const { refresh_token, access_token } = this.#grant()
    const ended =
      hash?.generation === this.#input.generation &&
      (hash.accessExpiresAtMs ?? Number.POSITIVE_INFINITY) <= this.#clocks.redisNowMs()
    return {
      ...identityOf(client, client.provider.tokenEndpoint),
      endpoint,
      values,
      grant: kind,
      rotation,
      parameters: client.request,
      ...(tokenRequest !== undefined && { tokenRequest }),
      ...(tokenResponse !== undefined && { tokenResponse }),
      ...(errors !== undefined && { errors }),
      ...(refresh_token !== undefined && { refreshToken: refresh_token }),
      ...(access_token !== undefined && { accessToken: access_token }),
      ...(neverAfterExpiry && ended && { pastSaving: true }),
    }
  }

  /** Where tokens come from: as the entry says, or as the provider itself does at its issuer. */
  async #endpoint(client: ClientConfig, values: Readonly<Record<string, string>>): Promise<string> {
    if (client.provider.tokenEndpoint !== undefined) {
      const endpoint = filledEndpoint(client.provider, client.provider.tokenEndpoint, values)
      if (typeof endpoint === 'string') return endpoint
      throw clientRefused('invalid_endpoint', endpoint.message)
    }
    const found = await discoveredFor(this.#deps.tokenEndpoint, client, values)
    const problem = typeof found === 'string' ? found : 'there is no issuer either'
    if (typeof found !== 'string' && found.tokenEndpoint !== undefined) return found.tokenEndpoint
    throw new AttemptFailed('Unsent', { reason: 'discovery_failed', detail: problem })
  }

  /** What the request lives on; nothing where the client alone does. */
  #grant(): Grant {
    const { credential, kind, grant } = this.#input
    if (!needsPerson(kind)) return {}
    if (grant === undefined)
      throw new AttemptFailed('GrantRefused', { reason: 'no_refresh_token', detail: 'the grant came without one' })
    try {
      return openGrant<Grant>(this.#deps.keyring, grant, credential)
    } catch (error) {
      // heals when the key is configured again
      throw new AttemptFailed('Unsent', { reason: 'grant_unreadable', detail: messageOf(error) })
    }
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
    const order = this.#secrets.of(client)
    for (const [index, clientSecret] of order) {
      const admission = await this.#admitted(client, request)
      this.#insideWindow()
      this.#mayHaveSent = true
      const sent = clientSecret === undefined ? request : { ...request, clientSecret }
      const verdict = await this.#deps.tokenEndpoint.exchange(sent, this.#attempt)
      this.#mayHaveSent = verdict.kind === 'ambiguous' || verdict.kind === 'granted'
      this.#report(client, request, admission, verdict)
      if (verdict.kind === 'granted') this.#noteSecret(client, index)
      if (verdict.kind !== 'client_refused' || !verdict.secretRefused) return verdict
      this.#secrets.refused(client, index)
      if (index === order.at(-1)?.[0]) return verdict
    }
    return { kind: 'client_refused', reason: 'no_client_secret', detail: 'none is configured', secretRefused: true }
  }

  #noteSecret(client: ClientConfig, index: number): void {
    if (!this.#secrets.works(client, index) || index === 0) return
    const fields = { client: client.name, secret: index + 1, of: client.clientSecrets.length }
    this.#deps.log.warn(fields, 'not the first client secret is in use: the provider refuses those before it')
  }

  /**
   * Waits for the turn of this request at its host, or ends the attempt where that is far away: what is held back takes
   * no place from others. A Redis that has gone away since the look holds nobody back.
   */
  async #admitted(client: ClientConfig, request: TokenRequest): Promise<Admission | undefined> {
    const to = tokenHost(client, request)
    const losesTokenAtMs = this.#input.forced ? 0 : this.#clocks.redisNowMs() + this.#urgencyMs()
    const admission = await within(admitWithinMs, this.#deps.gate.admit(to, this.#input.credential, losesTokenAtMs))
    if (admission === undefined) return undefined
    if (admission.verdict === 'hold') throw heldBack(to.host, admission)
    if (admission.inMs > 0) await sleep(admission.inMs)
    return admission
  }

  /** Beside the way back. The next one tells it again. */
  #report(client: ClientConfig, request: TokenRequest, admission: Admission | undefined, verdict: Verdict): void {
    const outcome = outcomeOf(verdict)
    if (admission === undefined || outcome === undefined) return
    const retryAfterMs = verdict.kind === 'throttled' ? verdict.retryAfterMs : undefined
    this.#deps.gate.report(tokenHost(client, request), admission, outcome, retryAfterMs).catch(() => {})
  }

  /** One that never had a token has none to lose: there may be thousands of them at once, and nobody reads them yet. */
  #urgencyMs(): number {
    return this.#hadToken ? this.#untilLossMs() : firstTokenWithinMs
  }

  #untilLossMs(): number {
    return this.#remainingMs - (performance.now() - this.#beganMs)
  }

  async #keep(tokens: TokenSet, hash: GrantHash | undefined, beganMs: number): Promise<Refreshed> {
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
    const [[, clientSecret] = []] = this.#secrets.of(client)
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
        await this.#deps.store
          .markClientRefused(this.#registration(client), reason, this.#input.misconfiguredEveryMs)
          .catch(() => {})
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
    const [again] = await this.#look(client).catch(() => {
      const unknown = `${detail}; whether another attempt was faster is not known, for the store does not answer`
      throw new AttemptFailed('Unclear', { reason, detail: unknown })
    })
    if (again.verdict !== 'clear') return this.#instead(again.verdict, again.hash)
    const refused = fingerprint(this.#deps.keyring.grant[0], token)
    const forGood = client.provider.neverAskAgain ? { forGood: true } : {}
    throw new AttemptFailed('GrantRefused', { reason, detail, refused, ...forGood })
  }

  /** Beside the way back: the tokens do not wait for it. */
  #clientWorksAgain(client: ClientConfig, wasRefused: boolean): void {
    const { store, wakeClient } = this.#deps
    const registration = this.#registration(client)
    const clear = async () => {
      await store.recordClientRecovered(registration, this.#metBy())
      if (!wasRefused) return
      await store.clearClientRefused(registration, 'all')
      wakeClient(client.name)
    }
    // the next success does it again
    clear().catch(() => {})
  }

  /** Operators hear of a client once, not of each of its credentials. */
  async #tellOfClient({ reason }: AttemptFailed['failure']): Promise<void> {
    const { credential, misconfiguredEveryMs } = this.#input
    const registration = this.#client === undefined ? partsOf(credential).client : this.#registration(this.#client)
    // each of its credentials comes here once in that time
    const quietMs = 2 * misconfiguredEveryMs + 60_000
    await this.#deps.store.recordClientRefused(registration, { ...this.#metBy(), reason }, quietMs)
  }

  #metBy() {
    const { credential, generation } = this.#input
    return { credential, generation }
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
    if (failed.type === 'ClientRefused') await this.#tellOfClient(failed.failure).catch(() => {})
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

/** Redis has answered a moment ago */
const admitWithinMs = 250
const firstTokenWithinMs = 300_000

function tokenHost({ provider }: ClientConfig, { endpoint }: TokenRequest): TokenHost {
  const { name, rateLimit } = provider
  const budget = rateLimit === undefined ? {} : { budget: rateLimit.requests / rateLimit.perSeconds }
  return { provider: name, host: new URL(endpoint).host, ...budget }
}

function heldBack(host: string, { mode, inMs }: Admission): AttemptFailed {
  if (mode === 'open') {
    const detail = `the rateLimit of ${host} is used up for the moment, and others need a token sooner`
    return new AttemptFailed('Unsent', { reason: 'over_budget', detail }, inMs, true)
  }
  const asked =
    mode === 'probing'
      ? 'requests there keep failing, and one in some seconds finds out whether they still do'
      : 'it answers again, and is asked more by and by'
  return new AttemptFailed('Unsent', { reason: 'provider_failing', detail: `${host}: ${asked}` }, inMs)
}

/** What an answer says of its host; undefined where it was not asked. Refused is answered, and no fault of the host. */
function outcomeOf(verdict: Verdict): 'alive' | 'failing' | undefined {
  switch (verdict.kind) {
    case 'granted':
    case 'too_early':
    case 'grant_refused':
    case 'client_refused':
      return 'alive'
    case 'unsent':
      // that was this machine
      return verdict.reason === 'late' ? undefined : 'failing'
    case 'ambiguous':
    case 'throttled':
    case 'unclear':
      return 'failing'
  }
}

/** The access token, or a refresh token that dies unused before. */
function untilLossMs(hash: GrantHash | undefined, nowMs: number): number {
  const accessMs = (hash?.accessExpiresAtMs ?? 0) - nowMs
  const refreshMs = (hash?.refreshExpiresAtMs ?? 0) - nowMs
  return refreshMs > 0 ? Math.min(accessMs, refreshMs) : accessMs
}

/** Which of a client's secrets was refused last, so that a later attempt begins with the next. */
class SecretOrder {
  readonly #first = new Map<string, { index: number; of: string[] }>()
  readonly #told = new Map<string, number>()

  of({ name, clientSecrets, provider }: ClientConfig): (readonly [number, string | undefined])[] {
    if (clientSecrets.length === 0 && !sendsSecret(provider.clientAuth)) return [[0, undefined]]
    const known = this.#first.get(name)
    // secrets that were replaced are tried in their order
    const first = known?.of.every((secret, i) => secret === clientSecrets[i]) ? known.index : 0
    return clientSecrets.map((_, offset) => {
      const index = (first + offset) % clientSecrets.length
      return [index, clientSecrets[index]] as const
    })
  }

  refused({ name, clientSecrets }: ClientConfig, index: number): void {
    this.#first.set(name, { index: (index + 1) % clientSecrets.length, of: [...clientSecrets] })
  }

  /** @returns whether it is news that this one works */
  works({ name }: ClientConfig, index: number): boolean {
    const isNews = (this.#told.get(name) ?? 0) !== index
    this.#told.set(name, index)
    return isNews
  }
}

/** A window from the first use has to leave room for a second. */
function exchangeTimeoutMs(input: RefreshInput, client: ClientConfig | undefined): number {
  const graceMs = client?.provider.graceMs
  return graceMs === undefined ? input.exchangeTimeoutMs : Math.min(input.exchangeTimeoutMs, graceMs / 3)
}

const clientRefused = (reason: string, detail: string) => new AttemptFailed('ClientRefused', { reason, detail })

/** Of Redis and of sealing: their messages name keys and addresses, never values. */
const messageOf = (error: unknown) => (error instanceof Error ? error.message.slice(0, 200) : 'no answer')
