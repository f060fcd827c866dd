import { type ClientIdentity, proofOf } from '../../src/oauth/client-proof.ts'
import type { TokenResponse } from './authorization.ts'
import type { Referee } from './referee.ts'

/** An answer as a plain HTTP client gets it. */
export interface Asked {
  status: number
  headers: Headers
  text: string
  tokens: TokenResponse
  error?: string
}

export interface Question {
  clientId: string
  /** default: the right one */
  secret?: string
  /** default: as the client is registered */
  auth?: 'client_secret_basic' | 'client_secret_post'
  form: Record<string, string>
}

/** A form, sent by a client that proves who it is. */
export function formMessage(form: URLSearchParams, client: ClientIdentity) {
  const proof = proofOf(client, '')
  for (const [name, value] of Object.entries(proof.parameters)) form.set(name, value)
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...proof.headers }
  return { headers, body: form.toString() }
}

/** Sends a form to an endpoint as a client of the referee, and reads the answer whole; rejects when there is none. */
export async function post(referee: Referee, endpoint: string, question: Question): Promise<Asked> {
  const client = referee.clients.find(({ id }) => id === question.clientId)
  const message = formMessage(new URLSearchParams(question.form), {
    clientId: question.clientId,
    clientAuth: question.auth ?? client?.auth ?? 'client_secret_basic',
    clientSecret: question.secret ?? client?.secrets[0] ?? '',
  })
  const response = await fetch(endpoint, { method: 'POST', ...message })
  const text = await response.text()
  const body = response.headers.get('content-type')?.includes('json') ? parsed(text) : {}
  return { status: response.status, headers: response.headers, text, tokens: body as TokenResponse, ...body }
}

/** A refresh of a client that does everything right. */
export const refresh = (referee: Referee, clientId: string, refreshToken = ''): Promise<Asked> =>
  post(referee, referee.tokenEndpoint, {
    clientId,
    form: { grant_type: 'refresh_token', refresh_token: refreshToken },
  })

/** A revocation likewise. */
export const revoke = (referee: Referee, clientId: string, token = ''): Promise<Asked> =>
  post(referee, referee.revocationEndpoint, { clientId, form: { token } })

function parsed(text: string): { error?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Asks until something is there: what the referee learns from a connection's end comes right after the answer. */
export async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + 10_000
  for (;;) {
    const found = await ask()
    if (found !== undefined) return found
    if (performance.now() > endMs) throw new Error('it did not come within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
