import type { ClientIdentity } from './client-proof.ts'
import { type Discovered, Discovery } from './discovery.ts'
import { type JudgeContext, judge, type Outcome } from './judge.ts'
import { type LookupRequest, lookedUpMs, lookupMessage } from './lookup.ts'
import type { Message } from './message.ts'
import { buildTokenMessage, secretsOf, type TokenRequest } from './request.ts'
import { type Revocation, type RevocationRequest, revoke } from './revocation.ts'
import { type Attempt, type Clock, Connections, send, systemClock, type TlsIdentity } from './send.ts'
import type { Verdict } from './verdict.ts'

/** Asks token endpoints, of any number of providers. */
export interface TokenEndpoint {
  /** Sends one request at most once and says what came of it; never rejects. */
  exchange(request: TokenRequest, attempt: Attempt): Promise<Verdict>
  /**
   * The endpoints that an issuer names (RFC 8414), from memory for an hour; a sentence where it names none. Never rejects.
   */
  discover(issuer: string, reach: { publicOnly: boolean }, attempt: Attempt): Promise<Discovered | string>
  /** Asks how long an access token lives, in milliseconds; undefined where no answer says it. Never rejects. */
  lookUp(request: LookupRequest, attempt: Attempt): Promise<number | undefined>
  /** Asks that a token be good no longer (RFC 7009); never rejects. Repeating it is harmless. */
  revoke(request: RevocationRequest, attempt: Attempt): Promise<Revocation>
  /** Waits for the exchanges under way, which their attempts bound; later ones end `unsent`. */
  close(): Promise<void>
}

export interface TokenEndpointOptions {
  /** DNS, TCP and TLS together; 3 s */
  connectTimeoutMs?: number
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
  const { connectTimeoutMs = 3_000, lateAfterMs = 3_000, clock = systemClock } = options
  const out = new WayOut({ connectTimeoutMs, clock })
  const discovery = new Discovery()
  return {
    async exchange(request, attempt) {
      const refused = refusedUnsent(request)
      if (refused !== undefined) return refused
      const message = buildTokenMessage(request)
      const outcome = await out.send(request, message, attempt, lateAfterMs)
      return judge(outcome, contextOf(request, message, clock))
    },
    async discover(issuer, { publicOnly }, attempt) {
      const wrong = endpointFault(issuer)
      if (wrong !== undefined) return wrong
      const anyone = { clientAuth: 'none', clientId: '', publicOnly } as const
      return await discovery.at(issuer, (message) => out.send(anyone, message, attempt))
    },
    async lookUp(request, attempt) {
      if (endpointFault(request.endpoint) !== undefined) return undefined
      const message = lookupMessage(request)
      const outcome = await out.send(request, message, attempt)
      return lookedUpMs(outcome, request, clock.wallMs())
    },
    async revoke(request, attempt) {
      for (const endpoint of [request.endpoint, request.introspectionEndpoint]) {
        const wrong = endpoint === undefined ? undefined : endpointFault(endpoint)
        if (wrong !== undefined) return { kind: 'failed', reason: 'invalid_endpoint', detail: `an endpoint ${wrong}` }
      }
      // sent however late: what is being revoked is not wanted at any time
      return await revoke(request, (message) => out.send(request, message, attempt), clock.wallMs())
    },
    async close() {
      await out.close()
    },
  }
}

type Shown = Pick<ClientIdentity, 'clientAuth' | 'clientId' | 'privateKey' | 'certificate' | 'publicOnly'>

/** The one way out. Its connections are the same for all clients, but for those that show a certificate. */
class WayOut {
  readonly #options: { connectTimeoutMs: number; clock: Clock }
  readonly #connections = new Map<string, { tls: TlsIdentity | undefined; to: Connections }>()
  readonly #underWay = new Set<Promise<Outcome>>()
  #closed = false

  constructor(options: { connectTimeoutMs: number; clock: Clock }) {
    this.#options = options
  }

  /** @param lateAfterMs an attempt older than this is not sent any more; however late unless given */
  async send(
    client: Shown,
    message: Message,
    attempt: Attempt,
    lateAfterMs = Number.POSITIVE_INFINITY,
  ): Promise<Outcome> {
    if (this.#closed) return { kind: 'unsent', reason: 'closed', detail: 'this process is ending; nothing was sent' }
    const sending = send(this.#connectionsOf(client), message, attempt, lateAfterMs, this.#options.clock)
    this.#underWay.add(sending)
    const outcome = await sending
    this.#underWay.delete(sending)
    return outcome
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#underWay)
  }

  #connectionsOf({ clientAuth, clientId, privateKey, certificate, publicOnly = false }: Shown): Connections {
    const shows = clientAuth === 'tls_client_auth' && privateKey !== undefined && certificate !== undefined
    const tls = shows ? { key: privateKey, cert: certificate } : undefined
    const name = `${publicOnly} ${shows ? clientId : ''}`
    const known = this.#connections.get(name)
    if (known !== undefined && known.tls?.cert === tls?.cert && known.tls?.key === tls?.key) return known.to
    const { connectTimeoutMs } = this.#options
    // a certificate may have been replaced; what is under way with the old one comes to its end
    const to = new Connections({ connectTimeoutMs, publicOnly, ...(tls !== undefined && { tls }) })
    this.#connections.set(name, { tls, to })
    return to
  }
}

function contextOf(request: TokenRequest, message: Message, clock: Clock): JudgeContext {
  const { grant, rotation, refreshToken, tokenResponse, errors, pastSaving } = request
  return {
    grant,
    rotation,
    secrets: [...secretsOf(request), ...message.secrets],
    nowMs: clock.wallMs(),
    ...(grant === 'refresh_token' && refreshToken !== undefined && { sentRefreshToken: refreshToken }),
    ...(tokenResponse !== undefined && { tokenResponse }),
    ...(errors !== undefined && { errors }),
    ...(pastSaving !== undefined && { pastSaving }),
  }
}

/** What makes a request not worth sending, or unsafe to. */
function refusedUnsent(request: TokenRequest): Verdict | undefined {
  const wrong = endpointFault(request.endpoint)
  if (wrong !== undefined) {
    const detail = `the token endpoint ${wrong}; correct the provider's entry in the configuration; nothing was sent`
    return { kind: 'client_refused', reason: 'invalid_endpoint', detail, secretRefused: false }
  }
  const sent = { refresh_token: request.refreshToken, access_token: request.accessToken }
  const { grant } = request
  if (!(grant in sent) || sent[grant as keyof typeof sent]) return undefined
  const missing = grant.replace('_', ' ')
  return { kind: 'grant_refused', reason: `no_${grant}`, detail: `there is no ${missing}; nothing was sent` }
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
