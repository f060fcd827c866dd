/**
 * An interceptor for undici (7 or newer): each request carries the token of a credential, and one that is refused for
 * its token is sent once more with a newer one.
 */
import type { Reader } from './contract.ts'

export interface BearerOptions {
  /** the least that a token must still live when a request begins; 0 unless given */
  minRemainingMs?: number
  /** how long to wait for a token that is due; 0 unless given */
  waitMs?: number
  /**
   * The only origins that get the token (`https://api.example.com`); requests to others go out as they are. Without it
   * every request through the dispatcher carries it, one that follows a redirect to another host included.
   */
  origins?: readonly string[]
}

// undici's own types, as far as they matter here: the package needs no undici
interface RequestOptions {
  origin?: string | URL
  headers?: unknown
  body?: unknown
}

interface Controller {
  readonly aborted: boolean
  readonly paused: boolean
  readonly reason: Error | null
  rawHeaders?: unknown
  rawTrailers?: unknown
  abort(reason: Error): void
  pause(): void
  resume(): void
}

interface Handler {
  onRequestStart?(controller: Controller, context: unknown): void
  onRequestUpgrade?(controller: Controller, statusCode: number, headers: unknown, socket: unknown): void
  onRequestSent?(): void
  onBodySent?(chunk: unknown): void
  onResponseStart?(controller: Controller, statusCode: number, headers: unknown, statusMessage?: string): void
  onResponseData?(controller: Controller, chunk: unknown): void
  onResponseEnd?(controller: Controller, trailers: unknown): void
  onResponseError?(controller: Controller, error: Error): void
}

type Dispatch = (options: RequestOptions, handler: Handler) => boolean

/** What `compose` of an undici dispatcher takes, whatever the version of its types. */
export type Interceptor = <D extends (options: never, handler: never) => boolean>(dispatch: D) => D

/**
 * Sets `authorization` on every request. After a 401 it rejects the token's generation, waits at most a second for a
 * newer token (once for a generation), and sends the request once more. A body that cannot be sent twice (a stream,
 * FormData, and every body of `fetch`) is not: the caller gets the 401, and the next request the newer token.
 *
 * What `get` throws reaches the caller as the error of the request.
 *
 * @example
 * const api = new Agent().compose(bearer(tokens, 'acme/google-main/alice', { origins: ['https://api.example.com'] }))
 * const { body } = await request('https://api.example.com/me', { dispatcher: api })
 */
export function bearer(
  reader: Pick<Reader, 'get' | 'reject'>,
  id: string,
  { minRemainingMs = 0, waitMs = 0, origins }: BearerOptions = {},
): Interceptor {
  const allowed = origins === undefined ? undefined : new Set(origins.map((origin) => new URL(origin).origin))
  const intercept = (dispatch: Dispatch) => (options: RequestOptions, handler: Handler) => {
    if (allowed !== undefined && !allowed.has(originOf(options))) return dispatch(options, handler)
    void new Call(dispatch, options, handler, {
      get: (signal) => reader.get(id, { minRemainingMs, waitMs, signal }),
      replace: (generation, signal) => reader.reject(id, generation, { signal }),
    }).begin()
    return true
  }
  return intercept as unknown as Interceptor
}

interface Token {
  accessToken: string
  generation: number
}

interface Source {
  get(signal: AbortSignal): Promise<Token>
  replace(generation: number, signal: AbortSignal): Promise<Token | undefined>
}

/**
 * One request, of one or two attempts. To its handler it is one, with one controller; that of the attempt under way is
 * behind it.
 */
class Call implements Controller {
  readonly #dispatch: Dispatch
  readonly #options: RequestOptions
  readonly #handler: Handler
  readonly #source: Source
  readonly #ending = new AbortController()
  #attempt: Controller | undefined
  #paused = false
  #over = false

  constructor(dispatch: Dispatch, options: RequestOptions, handler: Handler, source: Source) {
    this.#dispatch = dispatch
    this.#options = options
    this.#handler = handler
    this.#source = source
  }

  async begin(): Promise<void> {
    try {
      // now, and not when the token is there: from here on the caller can abort
      this.#handler.onRequestStart?.(this, {})
      const token = await this.#source.get(this.#ending.signal)
      this.#send(token, true)
    } catch (error) {
      this.#fail(error)
    }
  }

  get aborted(): boolean {
    return this.#ending.signal.aborted
  }

  get reason(): Error | null {
    return this.aborted ? asError(this.#ending.signal.reason) : null
  }

  get paused(): boolean {
    return this.#paused
  }

  get rawHeaders(): unknown {
    return this.#attempt?.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.#attempt?.rawTrailers
  }

  pause(): void {
    this.#paused = true
    this.#attempt?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#attempt?.resume()
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.#ending.abort(reason)
    // an attempt under way reports the error itself; without one the wait for the token ends with it
    this.#attempt?.abort(reason)
  }

  #send(token: Token, isFirst: boolean): void {
    const headers = withAuthorization(this.#options.headers, `Bearer ${token.accessToken}`)
    this.#dispatch({ ...this.#options, headers }, this.#attemptOf(token, isFirst))
  }

  #attemptOf(token: Token, isFirst: boolean): Handler {
    const handler = this.#handler
    const mayRepeat = isFirst && canRepeat(this.#options.body)
    let refused: Refused | undefined
    return {
      onRequestStart: (controller) => {
        this.#attempt = controller
        if (this.aborted) controller.abort(asError(this.#ending.signal.reason))
        else if (this.#paused) controller.pause()
      },
      onRequestUpgrade: (_, statusCode, headers, socket) =>
        handler.onRequestUpgrade?.(this, statusCode, headers, socket),
      onRequestSent: () => handler.onRequestSent?.(),
      onBodySent: (chunk) => handler.onBodySent?.(chunk),
      onResponseStart: (controller, statusCode, headers, statusMessage) => {
        if (statusCode !== 401 || !mayRepeat) {
          handler.onResponseStart?.(this, statusCode, headers, statusMessage)
          if (statusCode === 401 && isFirst)
            this.#source.replace(token.generation, this.#ending.signal).catch(() => undefined)
          return
        }
        refused = new Refused(controller)
        refused.keep(() => handler.onResponseStart?.(this, statusCode, headers, statusMessage))
        void this.#decide(token, refused)
      },
      onResponseData: (_, chunk) => {
        if (refused === undefined) handler.onResponseData?.(this, chunk)
        else refused.keep(() => handler.onResponseData?.(this, chunk))
      },
      onResponseEnd: (_, trailers) => {
        if (refused === undefined) this.#end(trailers)
        else refused.end(() => this.#end(trailers))
      },
      onResponseError: (_, error) => {
        if (refused?.isDropped === true) refused.end(() => undefined)
        else this.#fail(error)
      },
    }
  }

  /** The refused answer waits: it is dropped when there is a newer token to try with, and handed on when there is none. */
  async #decide(token: Token, refused: Refused): Promise<void> {
    const newer = await this.#source.replace(token.generation, this.#ending.signal).catch(() => undefined)
    if (this.aborted || this.#over) return
    try {
      if (newer === undefined) refused.handOn(() => this.#paused)
      else refused.drop(() => !this.aborted && this.#trySend(newer))
    } catch (error) {
      this.#fail(error)
    }
  }

  #trySend(token: Token): void {
    try {
      this.#send(token, false)
    } catch (error) {
      this.#fail(error)
    }
  }

  #end(trailers: unknown): void {
    this.#over = true
    this.#handler.onResponseEnd?.(this, trailers)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#handler.onResponseError?.(this, asError(error))
  }
}

/** A 401 that is held back: read no further than it was, until it is known what becomes of it. */
class Refused {
  readonly #controller: Controller
  #kept: (() => void)[] = []
  #onEnd: (() => void) | undefined
  #state: 'held' | 'dropped' | 'handed on' = 'held'
  #ended = false

  constructor(controller: Controller) {
    this.#controller = controller
    controller.pause()
  }

  get isDropped(): boolean {
    return this.#state === 'dropped'
  }

  keep(step: () => void): void {
    if (this.#state === 'held') this.#kept.push(step)
    else if (this.#state === 'handed on') step()
  }

  end(step: () => void): void {
    this.#ended = true
    if (this.#state === 'held') this.#kept.push(step)
    else if (this.#state === 'handed on') step()
    else this.#onEnd?.()
  }

  handOn(isPaused: () => boolean): void {
    this.#state = 'handed on'
    for (const step of this.#kept.splice(0)) step()
    if (!isPaused()) this.#controller.resume()
  }

  /** Reads what is left of it, which frees its connection, and then goes on. */
  drop(next: () => void): void {
    this.#state = 'dropped'
    this.#kept = []
    if (this.#ended) {
      next()
      return
    }
    this.#onEnd = () => {
      this.#onEnd = undefined
      next()
    }
    this.#controller.resume()
  }
}

const canRepeat = (body: unknown) =>
  body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)))

function originOf({ origin }: RequestOptions): string {
  try {
    return new URL(String(origin)).origin
  } catch {
    return ''
  }
}

/** Headers are an object, a flat list of names and values, or anything that gives pairs; here always a flat list. */
function withAuthorization(headers: unknown, value: string): string[] {
  const flat: string[] = []
  for (const [name, values] of pairsOf(headers)) {
    if (name.toLowerCase() === 'authorization') continue
    for (const one of Array.isArray(values) ? values : [values])
      if (one !== undefined && one !== null) flat.push(name, String(one))
  }
  return [...flat, 'authorization', value]
}

function pairsOf(headers: unknown): Iterable<[string, unknown]> {
  if (headers === null || typeof headers !== 'object') return []
  if (!(Symbol.iterator in headers)) return Object.entries(headers)
  if (!Array.isArray(headers) || Array.isArray(headers[0])) return headers as Iterable<[string, unknown]>
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[String(name), headers[at + 1]] as [string, unknown]] : []))
}
