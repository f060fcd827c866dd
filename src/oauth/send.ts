import { Buffer } from 'node:buffer'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { publicConnector } from './addresses.ts'
import { bodyText } from './body.ts'
import type { Answer, Outcome } from './judge.ts'
import type { Message } from './message.ts'

/** One attempt at a token endpoint: when it began, by both clocks, and how long the whole exchange may take. */
export interface Attempt {
  beganWallMs: number
  beganMonotonicMs: number
  timeoutMs: number
}

/** The wall clock goes on while a machine is suspended, the monotonic one never jumps. */
export interface Clock {
  wallMs(): number
  monotonicMs(): number
}

export const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

/** Begins an attempt now: to be called first thing, before anything that can take time. */
export function beginAttempt(timeoutMs: number, clock: Clock = systemClock): Attempt {
  return { beganWallMs: clock.wallMs(), beganMonotonicMs: clock.monotonicMs(), timeoutMs }
}

function elapsedMs(attempt: Attempt, clock: Clock): number {
  return Math.max(clock.wallMs() - attempt.beganWallMs, clock.monotonicMs() - attempt.beganMonotonicMs)
}

/** What a client shows in the TLS handshake (RFC 8705), PEM. */
export interface TlsIdentity {
  key: string
  cert: string
}

/**
 * Opens a connection for each request and never repeats one: HTTP/2 re-sends a POST after REFUSED_STREAM, and a
 * kept-alive connection may be closed by the server in the moment of sending. TLS sessions are taken up again.
 */
export class Connections {
  readonly #options: Client.Options

  constructor(options: { connectTimeoutMs: number; tls?: TlsIdentity; publicOnly?: boolean }) {
    const connect = { timeout: options.connectTimeoutMs, ...options.tls, allowH2: false }
    this.#options = {
      allowH2: false,
      pipelining: 0,
      // one that was given up before it was connected
      keepAliveTimeout: 1,
      connect: options.publicOnly ? publicConnector(connect) : buildConnector(connect),
      maxResponseSize: 64 * 1024,
      maxHeaderSize: 16 * 1024,
    }
  }

  to(origin: string): Dispatcher {
    return new Client(origin, this.#options)
  }
}

/**
 * Sends a message at most once, follows nothing, and says how it ended; never rejects. What a library throws stays
 * here, its code aside: such errors carry what was sent and received.
 *
 * @param lateAfterMs an attempt older than this is not sent any more
 */
export function send(
  connections: Connections,
  message: Message,
  attempt: Attempt,
  lateAfterMs: number,
  clock: Clock,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const { host, origin, pathname, search } = new URL(message.url)
    const exchange = new Exchange(host, attempt, lateAfterMs, clock, resolve)
    if (!exchange.mayLeave()) return
    try {
      connections.to(origin).dispatch(
        {
          path: pathname + search,
          method: message.method,
          headers: message.headers,
          ...(message.body !== undefined && { body: message.body }),
          // the attempt's own bound comes first; these free the socket should it ever not
          headersTimeout: attempt.timeoutMs,
          bodyTimeout: attempt.timeoutMs,
        },
        exchange,
      )
    } catch (error) {
      exchange.onResponseError(undefined, error)
    }
  })
}

/** Follows one request from the queue to its end. Only its phase decides whether it was sent, never an error's code. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #host: string
  readonly #attempt: Attempt
  readonly #lateAfterMs: number
  readonly #clock: Clock
  readonly #resolve: (outcome: Outcome) => void
  readonly #timer: NodeJS.Timeout
  readonly #chunks: Buffer[] = []
  #head: Omit<Answer, 'body' | 'complete'> | undefined
  #encoding: string | undefined
  /** set in the tick of the write: from here on the request may have left */
  #started: Dispatcher.DispatchController | undefined
  #over = false

  constructor(host: string, attempt: Attempt, lateAfterMs: number, clock: Clock, resolve: (outcome: Outcome) => void) {
    this.#host = host
    this.#attempt = attempt
    this.#lateAfterMs = lateAfterMs
    this.#clock = clock
    this.#resolve = resolve
    this.#timer = setTimeout(() => this.#giveUp(), Math.max(0, attempt.timeoutMs - elapsedMs(attempt, clock)))
  }

  /** Whether the attempt is young enough to be sent; if not, it ends here. */
  mayLeave(): boolean {
    const sinceMs = elapsedMs(this.#attempt, this.#clock)
    if (sinceMs <= Math.min(this.#lateAfterMs, this.#attempt.timeoutMs)) return !this.#over
    const detail = `the attempt began ${Math.round(sinceMs)} ms ago, too long for a request to be sent; nothing was sent`
    this.#end({ kind: 'unsent', reason: 'late', detail })
    return false
  }

  /** undici calls this in the same tick as the write to the connected socket, and writes nothing after an abort. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    const again = this.#started !== undefined
    if (again || !this.mayLeave()) controller.abort(new Error('not to be sent'))
    else this.#started = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    const retryAfter = first(headers['retry-after'])
    const date = first(headers.date)
    this.#encoding = first(headers['content-encoding'])
    this.#head = { status, ...(retryAfter !== undefined && { retryAfter }), ...(date !== undefined && { date }) }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk))
  }

  onResponseEnd(): void {
    const answer = this.#answer(true)
    if (answer === undefined) this.#lose('no_answer')
    else this.#end({ kind: 'answered', answer })
  }

  onResponseError(_controller: unknown, error: unknown): void {
    const code = codeOf(error)
    if (code === 'PRIVATE_ADDRESS')
      this.#end({ kind: 'unsent', reason: 'private_address', detail: forbidden(this.#host) })
    else if (this.#started === undefined) this.#neverSent(code ?? 'connection_failed', `(${code ?? 'no reason given'})`)
    else this.#lose(code ?? 'connection_lost')
  }

  #giveUp(): void {
    const started = this.#started
    if (started === undefined) this.#neverSent('timeout', `within ${this.#attempt.timeoutMs} ms`)
    else this.#lose('timeout')
    started?.abort(new Error('given up'))
  }

  #neverSent(reason: string, how: string): void {
    this.#end({ kind: 'unsent', reason, detail: `no connection to ${this.#host} ${how}; nothing was sent` })
  }

  #lose(reason: string): void {
    const detail = `the request may have reached ${this.#host}, and no complete answer came (${reason})`
    const partial = this.#answer(false)
    this.#end({ kind: 'lost', reason, detail, ...(partial !== undefined && { partial }) })
  }

  #answer(complete: boolean): Answer | undefined {
    return this.#head && { ...this.#head, body: bodyText(Buffer.concat(this.#chunks), this.#encoding), complete }
  }

  #end(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#resolve(outcome)
  }
}

const forbidden = (host: string) =>
  `${host} is, or leads to, a private address; say allowPrivateAddresses: true under the client if that is meant; nothing was sent`

const first = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header)

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, `HPE_INVALID_CONSTANT`: the only part of a library's error that is safe to show. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : undefined
}
