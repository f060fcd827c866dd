/**
 * An authorization server that fails in the ways in which token hosts do, counts what reaches it, and lets refresh
 * tokens die of old age. It knows of a refresh token only how often its line was used: the rest stands in the token.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** `black_hole`: connections are taken and nothing is answered. `refused`: nobody listens. */
export type Weather = 'up' | 'black_hole' | 'unavailable' | 'refused'

export interface ProviderRules {
  tokenSeconds: number
  /** a refresh token dies when it is unused for so long, or so long after consent */
  idleSeconds?: number
  absoluteSeconds?: number
  /** whether answers say how long the refresh token lives */
  namesDeadline?: boolean
}

export type Outcome = 'granted' | 'reused' | 'died_idle' | 'died_absolute' | 'refused' | 'unanswered' | 'unavailable'

export interface RequestSeen {
  /** epoch */
  atMs: number
  /** the line of the refresh token, or the client where it needs none */
  line: string
  outcome: Outcome
}

interface RefreshToken {
  line: string
  use: number
  issuedAtMs: number
  consentAtMs: number
}

const padding = 'x'.repeat(64)

/** A token response as the provider gives it at consent. */
export const consent = (rules: ProviderRules, line: string, nowMs = Date.now()) =>
  answerOf(rules, { line, use: 0, issuedAtMs: nowMs, consentAtMs: nowMs }, nowMs)

export class TokenProvider {
  readonly requests: RequestSeen[] = []
  readonly #rules: ProviderRules
  readonly #used = new Map<string, number>()
  readonly #held = new Set<ServerResponse>()
  #server: Server
  #port = 0
  #weather: Weather = 'up'

  constructor(rules: ProviderRules) {
    this.#rules = rules
    this.#server = this.#create()
  }

  /** @returns its port, which stays the same */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    return this.#port
  }

  async become(weather: Weather): Promise<void> {
    const before = this.#weather
    this.#weather = weather
    // what nobody answered is cut, as when a server goes down
    for (const response of this.#held) response.destroy()
    this.#held.clear()
    if (weather === 'refused') await this.close()
    else if (before === 'refused') {
      this.#server = this.#create()
      await this.listen()
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #create(): Server {
    return createServer((request, response) => void this.#answer(request, response).catch(() => response.destroy()))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = Date.now()
    const form = new URLSearchParams(await text(request))
    const clientCredentials = form.get('grant_type') === 'client_credentials'
    const token = parseToken(form.get('refresh_token') ?? '')
    const line = clientCredentials ? clientOf(request) : token.line
    const note = (outcome: Outcome) => this.requests.push({ atMs, line, outcome })
    if (this.#weather === 'black_hole') {
      note('unanswered')
      this.#held.add(response)
      return
    }
    const reply = (status: number, body: object) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify(body))
    if (this.#weather === 'unavailable') {
      note('unavailable')
      reply(503, { error: 'temporarily_unavailable' })
      return
    }
    const outcome = clientCredentials ? 'granted' : this.#judge(token, atMs)
    note(outcome)
    if (outcome !== 'granted') reply(400, { error: 'invalid_grant', error_description: outcome })
    else if (clientCredentials)
      reply(200, { access_token: `access.${line}`, token_type: 'Bearer', expires_in: this.#rules.tokenSeconds })
    else reply(200, answerOf(this.#rules, { ...token, use: token.use + 1, issuedAtMs: atMs }, atMs))
  }

  #judge(token: RefreshToken, nowMs: number): Outcome {
    const { idleSeconds = Number.POSITIVE_INFINITY, absoluteSeconds = Number.POSITIVE_INFINITY } = this.#rules
    if (token.use !== (this.#used.get(token.line) ?? 0)) return 'reused'
    if (nowMs - token.consentAtMs > absoluteSeconds * 1000) return 'died_absolute'
    if (nowMs - token.issuedAtMs > idleSeconds * 1000) return 'died_idle'
    this.#used.set(token.line, token.use + 1)
    return 'granted'
  }
}

function answerOf(rules: ProviderRules, token: RefreshToken, nowMs: number) {
  const { tokenSeconds, idleSeconds, absoluteSeconds, namesDeadline } = rules
  const ends = [
    ...(idleSeconds === undefined ? [] : [idleSeconds]),
    ...(absoluteSeconds === undefined ? [] : [absoluteSeconds - (nowMs - token.consentAtMs) / 1000]),
  ]
  const named = namesDeadline && ends.length > 0 ? { refresh_token_expires_in: Math.floor(Math.min(...ends)) } : {}
  const { line, use, issuedAtMs, consentAtMs } = token
  return {
    access_token: `access.${line}.${use}.${padding}`,
    refresh_token: [line, use, issuedAtMs, consentAtMs, padding].join('.'),
    token_type: 'Bearer',
    expires_in: tokenSeconds,
    ...named,
  }
}

function parseToken(refreshToken: string): RefreshToken {
  const [line = '', use, issuedAtMs, consentAtMs] = refreshToken.split('.')
  return { line, use: Number(use), issuedAtMs: Number(issuedAtMs), consentAtMs: Number(consentAtMs) }
}

function clientOf({ headers }: IncomingMessage): string {
  const [, basic = ''] = headers.authorization?.split(' ') ?? []
  return Buffer.from(basic, 'base64').toString().split(':')[0] ?? ''
}
