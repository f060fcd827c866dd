import { type JudgeContext, judge } from './judge.ts'
import { buildTokenMessage, secretsOf, type TokenMessage, type TokenRequest } from './request.ts'
import { type Revocation, type RevocationRequest, revoke } from './revocation.ts'
import { type Attempt, type Clock, createDispatcher, send, systemClock } from './send.ts'
import type { Verdict } from './verdict.ts'

/** Asks token endpoints, of any number of providers. */
export interface TokenEndpoint {
  /** Sends one request at most once and says what came of it; never rejects. */
  exchange(request: TokenRequest, attempt: Attempt): Promise<Verdict>
  /** Asks that a token be good no longer (RFC 7009); never rejects. Repeating it is harmless. */
  revoke(request: RevocationRequest, attempt: Attempt): Promise<Revocation>
  /** Waits for the exchanges under way, which their attempts bound; later ones end `unsent`. */
  close(): Promise<void>
}

export interface TokenEndpointOptions {
  /** DNS, TCP and TLS together; 3 s */
  connectTimeoutMs?: number
  /** sockets to one provider; unbounded, as whoever runs the attempts bounds them, and one that waits may become late */
  connections?: number
  /** an attempt older than this is not sent any more; 3 s */
  lateAfterMs?: number
  clock?: Clock
}

/**
 * Makes the one way out to token endpoints.
 *
 * @example
 * const tokens = createTokenEndpoint()
 * const verdict = await tokens.exchange(request, beginAttempt(10_000))
 * if (verdict.kind === 'granted') store(verdict.tokens)
 */
export function createTokenEndpoint(options: TokenEndpointOptions = {}): TokenEndpoint {
  const { connectTimeoutMs = 3_000, lateAfterMs = 3_000, clock = systemClock, connections } = options
  const dispatcher = createDispatcher({ connectTimeoutMs, ...(connections !== undefined && { connections }) })
  let closing: Promise<void> | undefined
  return {
    async exchange(request, attempt) {
      const refused = refusedUnsent(request)
      if (refused !== undefined) return refused
      const message = buildTokenMessage(request)
      const outcome = await send(dispatcher, new URL(request.endpoint), message, attempt, lateAfterMs, clock)
      return judge(outcome, contextOf(request, clock))
    },
    async revoke(request, attempt) {
      for (const endpoint of [request.endpoint, request.introspectionEndpoint]) {
        const wrong = endpoint === undefined ? undefined : endpointFault(endpoint)
        if (wrong !== undefined) return { kind: 'failed', reason: 'invalid_endpoint', detail: `an endpoint ${wrong}` }
      }
      // sent however late: what is being revoked is not wanted at any time
      const ask = (endpoint: string, message: TokenMessage) =>
        send(dispatcher, new URL(endpoint), message, attempt, Number.POSITIVE_INFINITY, clock)
      return await revoke(request, ask, clock.wallMs())
    },
    async close() {
      closing ??= dispatcher.close()
      await closing
    },
  }
}

function contextOf(request: TokenRequest, clock: Clock): JudgeContext {
  const { grant, rotation, refreshToken } = request
  const sent = grant === 'refresh_token' && refreshToken !== undefined && { sentRefreshToken: refreshToken }
  return { grant, rotation, secrets: secretsOf(request), nowMs: clock.wallMs(), ...sent }
}

/** What makes a request not worth sending, or unsafe to. */
function refusedUnsent(request: TokenRequest): Verdict | undefined {
  const wrong = endpointFault(request.endpoint)
  if (wrong !== undefined) {
    const detail = `the token endpoint ${wrong}; correct the provider's entry in the configuration; nothing was sent`
    return { kind: 'client_refused', reason: 'invalid_endpoint', detail, secretRefused: false }
  }
  if (request.grant !== 'refresh_token' || request.refreshToken) return undefined
  return { kind: 'grant_refused', reason: 'no_refresh_token', detail: 'there is no refresh token; nothing was sent' }
}

function endpointFault(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return 'is not a URL'
  const { protocol, hostname, username, password } = new URL(endpoint)
  if (username !== '' || password !== '') return 'must hold no user name or password'
  if (protocol === 'https:') return undefined
  if (protocol !== 'http:') return 'must be https'
  return isLoopback(hostname) ? undefined : 'must be https (http is for loopback only)'
}

/** The URL parser has already written every IPv4 spelling as four decimals. */
const isLoopback = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
