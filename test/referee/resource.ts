import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authorization } from './authorization.ts'

/** A call of the API, as it was judged. */
export interface Visit {
  /** what the caller calls it: the header `x-call` */
  call: string
  /** the token that it came with, by id; absent where it is none of ours */
  token?: string
  atMs: number
  accepted: boolean
}

/**
 * The API that the tokens are for: takes a token that is alive at this moment, and no other. `GET /resource`; with
 * `?delayMs=N` the request is so long under way before it is judged.
 */
export class Resource {
  readonly visits: Visit[] = []
  readonly #authorization: Authorization

  constructor(authorization: Authorization) {
    this.#authorization = authorization
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const delayMs = Number(new URL(request.url ?? '', 'http://referee').searchParams.get('delayMs'))
    if (delayMs > 0) await sleep(delayMs)
    const atMs = Date.now()
    const token = this.#authorization.idOf(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '')
    const accepted = token !== undefined && this.#authorization.grants.accessRemainingMs(token, atMs) > 0
    this.visits.push({ call: String(request.headers['x-call']), ...(token !== undefined && { token }), atMs, accepted })
    if (accepted) response.writeHead(200).end('welcome')
    // RFC 6750 section 3.1
    else response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
  }
}

export const isResource = (url = ''): boolean => /^\/resource(\?|$)/.test(url)
