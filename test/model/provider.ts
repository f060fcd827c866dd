import {
  type Attempt,
  judge,
  type Revocation,
  type RevocationRequest,
  type TokenEndpoint,
  type TokenRequest,
  type Verdict,
} from '../../src/oauth/index.ts'
import type { Decision, Grants, Minted } from '../referee/grants.ts'
import { parseTokenId } from '../referee/tokens.ts'
import { currentTask } from './process.ts'
import type { VirtualTime } from './time.ts'

/** What the provider does with one request, beside what its rotation class says. */
export type ProviderFault =
  /** carried out, and no answer comes */
  | 'silent'
  /** carried out, and the connection ends */
  | 'lost'
  /** the connection ends before anything is carried out */
  | 'dropped'
  /** no connection */
  | 'unreachable'
  | 'http_500'
  /** carried out, and then something there fails */
  | 'http_500_committed'
  | 'http_503'
  | 'http_429'
  /** carried out, and a page of HTML comes */
  | 'garbage'
  /** carried out, and the answer ends behind the refresh token */
  | 'truncated'
  /** carried out, and the answer has a refresh token only */
  | 'no_access_token'
  | 'invalid_client'
  /** refused, though nothing is wrong with it */
  | 'invalid_grant'

/** One request, from the tick in which it left to the moment when the provider carried it out, or never will. */
export interface Send {
  task: string
  presented: string
  family: string
  leftMs: number
  endedMs?: number
  decision?: Decision
  /** a complete enough answer has reached the process, and it lived */
  arrivedMs?: number
  /** whether its process has since been killed or frozen */
  disturbed?: () => boolean
}

/** an attempt older than this is not sent: token-endpoint.ts */
const lateAfterMs = 3_000
const client = 'app'
const user = 'user'
export const tokenOf = (id: string) => `${id}.${'x'.repeat(24)}`
export const idOf = (token: string) => token.replace(/\.x+$/, '')

/** An authorization server of one user, and our way to it. It keeps the rules of the referee. */
export class Provider implements TokenEndpoint {
  readonly grants: Grants
  readonly sends: Send[] = []
  faults: ProviderFault[] = []
  /** revocation is refused until then */
  revokesFromMs = 0
  readonly #time: VirtualTime
  readonly #noticesLate: boolean
  readonly #watch: { left(send: Send): void; carriedOut(send: Send): void }

  constructor(
    time: VirtualTime,
    grants: Grants,
    watch: { left(send: Send): void; carriedOut(send: Send): void },
    noticesLate: boolean,
  ) {
    this.#time = time
    this.grants = grants
    this.#watch = watch
    this.#noticesLate = noticesLate
  }

  /** A user consents: the token response that a person hands over. */
  consent(): Record<string, unknown> {
    return answerOf(this.grants.consent(user, client, this.#time.nowMs))
  }

  async exchange(request: TokenRequest, attempt: Attempt): Promise<Verdict> {
    const task = currentTask()
    const fault = this.faults.shift()
    const context = {
      grant: request.grant,
      rotation: request.rotation,
      secrets: [],
      nowMs: 0,
      ...(request.refreshToken === undefined ? {} : { sentRefreshToken: request.refreshToken }),
    }
    const unsent = (reason: string) => judge({ kind: 'unsent', reason, detail: 'nothing was sent' }, context)
    const connected = await task
      .effect('connect', () => fault !== 'unreachable', { ms: this.#time.between(1, 3) })
      .catch(() => false)
    if (!connected) return unsent('unreachable')
    const sinceMs = () => performance.now() - attempt.beganMonotonicMs
    let late = false
    const departs = () => {
      late = this.#noticesLate && sinceMs() > Math.min(lateAfterMs, attempt.timeoutMs)
      if (late) throw new Error('late')
      this.#leave(send)
    }
    const send: Send = { task: task.name, presented: idOf(request.refreshToken ?? ''), family: '', leftMs: 0 }
    try {
      const withinMs = Math.max(1, attempt.timeoutMs - sinceMs())
      const options = { ms: this.#time.between(1, 10), withinMs, departs }
      const answer = await task.effect('exchange', () => this.#carryOut(send, request, fault), options)
      if (fault === 'silent' || answer === undefined) {
        if (fault === 'silent') await task.sleep(Math.max(1, attempt.timeoutMs - sinceMs()))
        return judge({ kind: 'lost', reason: 'no_answer', detail: 'no answer' }, context)
      }
      this.#arrived(send, fault)
      if (fault !== 'truncated') return judge({ kind: 'answered', answer: { ...answer, complete: true } }, context)
      const partial = { ...answer, complete: false }
      return judge({ kind: 'lost', reason: 'cut', detail: 'the answer was cut', partial }, context)
    } catch {
      if (late) return unsent('late')
      send.endedMs ??= this.#time.nowMs
      return judge({ kind: 'lost', reason: 'timeout', detail: 'no answer' }, context)
    }
  }

  async discover(): Promise<string> {
    return 'its entry says where it is'
  }

  /** Every answer says how long its token lives. */
  async lookUp(): Promise<undefined> {}

  async revoke(request: RevocationRequest): Promise<Revocation> {
    const asked = currentTask().effect('revoke', () => {
      if (this.#time.nowMs < this.revokesFromMs) throw new Error('the provider is away')
      this.grants.revoke(client, idOf(request.token), this.#time.nowMs)
    })
    return await asked.then(
      () => ({ kind: 'revoked' as const }),
      () => ({ kind: 'failed' as const, reason: 'unreachable', detail: '' }),
    )
  }

  async close(): Promise<void> {}

  #leave(send: Send): void {
    send.leftMs = this.#time.nowMs
    send.family = parseTokenId(send.presented)?.family ?? 'client'
    this.sends.push(send)
    this.#watch.left(send)
  }

  /** At the provider. @returns what it answers, if anything */
  #carryOut(
    send: Send,
    request: TokenRequest,
    fault: ProviderFault | undefined,
  ): { status: number; body: string } | undefined {
    const nowMs = this.#time.nowMs
    send.endedMs = nowMs
    const refusal = fault === undefined ? undefined : refusals[fault]
    if (fault === 'dropped' || refusal !== undefined) return refusal
    const decision =
      request.grant === 'client_credentials'
        ? this.grants.clientCredentials(client, nowMs)
        : this.grants.refresh(client, send.presented, nowMs)
    send.decision = decision
    this.#watch.carriedOut(send)
    if (fault === 'lost') return undefined
    if (fault === 'http_500_committed') return { status: 500, body: 'oops' }
    if (fault === 'garbage') return { status: 200, body: '<html><title>hello</title></html>' }
    if (decision.kind !== 'granted') return refusals.invalid_grant
    const body = answerOf(decision.minted)
    if (fault === 'no_access_token' && decision.minted.refresh !== undefined) delete body.access_token
    const whole = JSON.stringify(body)
    return { status: 200, body: fault === 'truncated' ? whole.slice(0, whole.indexOf('"access_token"')) : whole }
  }

  #arrived(send: Send, fault: ProviderFault | undefined): void {
    if (send.decision?.kind !== 'granted' || fault === 'garbage' || fault === 'http_500_committed') return
    send.arrivedMs = this.#time.nowMs
    const { process } = currentTask()
    const { freezes } = process
    send.disturbed = () => !process.alive || process.freezes > freezes
  }
}

const refusals: Partial<Record<ProviderFault, { status: number; body: string; retryAfter?: string }>> = {
  http_500: { status: 500, body: 'oops' },
  http_503: { status: 503, body: 'later', retryAfter: '3' },
  http_429: { status: 429, body: 'later', retryAfter: '2' },
  invalid_client: { status: 401, body: '{"error":"invalid_client"}' },
  invalid_grant: { status: 400, body: '{"error":"invalid_grant"}' },
}

function answerOf({ access, expiresInSeconds, refresh }: Minted): Record<string, unknown> {
  return {
    ...(refresh === undefined ? {} : { refresh_token: tokenOf(refresh) }),
    access_token: tokenOf(access),
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
  }
}
