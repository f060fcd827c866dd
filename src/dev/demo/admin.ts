import { PerennialError } from '../../errors.ts'
import type { Exchange } from './grants.ts'
import type { DemoSettings, Fault, TokenResponse } from './settings.ts'

export type { Exchange } from './grants.ts'
export type { Fault, TokenResponse } from './settings.ts'

/** The admin side of a running demo authorization server. */
export interface DemoAdmin {
  /** a user's consent; a token response as the authorization code exchange would have given it */
  mintGrant(subject: string, client: string): Promise<TokenResponse>
  /** ends every grant of a user: from now on `invalid_grant` */
  revokeSubject(subject: string): Promise<void>
  /** ends a user's access tokens before their time; what they were obtained with lives on */
  endAccessTokens(subject: string): Promise<void>
  /** replaces all faults; none at all heals the server. A restart of the server forgets them. */
  setFaults(...faults: Fault[]): Promise<void>
  /** the refresh tokens that are alive, by user, and every answer of the token endpoint */
  record(): Promise<{ alive: Record<string, string[]>; exchanges: Exchange[] }>
}

/** 503 as a strict server sends it while it is being maintained: with an OAuth body, so that nothing was exchanged. */
export const unavailable: NonNullable<Fault['answer']> = {
  status: 503,
  headers: { 'retry-after': '5' },
  body: JSON.stringify({ error: 'temporarily_unavailable', error_description: 'maintenance' }),
}

/** What a server says whose client was deleted or whose secret was changed (RFC 6749 section 5.2). */
export const invalidClient: NonNullable<Fault['answer']> = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="demo"' },
  body: JSON.stringify({ error: 'invalid_client', error_description: 'client authentication failed' }),
}

/** Talks to the server that was started with these settings. */
export function demoAdmin(settings: Pick<DemoSettings, 'port' | 'adminSecret'>): DemoAdmin {
  const call = <Answer>(method: string, path: string, body?: unknown) => request<Answer>(settings, method, path, body)
  const grants = (parameters: Record<string, string>) => `grants?${new URLSearchParams(parameters)}`
  return {
    mintGrant: (subject, client) => call('POST', grants({ subject, client })),
    revokeSubject: async (subject) => {
      await call('DELETE', grants({ subject }))
    },
    endAccessTokens: async (subject) => {
      await call('DELETE', `access-tokens?${new URLSearchParams({ subject })}`)
    },
    setFaults: async (...faults) => {
      await call('PUT', 'faults', faults)
    },
    record: () => call('GET', 'record'),
  }
}

async function request<Answer>(
  settings: Pick<DemoSettings, 'port' | 'adminSecret'>,
  method: string,
  path: string,
  body: unknown,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${settings.port}/admin/${path}`, {
    method,
    headers: { authorization: `Bearer ${settings.adminSecret}` },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) {
    const message = `the demo authorization server answered ${response.status} to ${method} ${path}`
    throw new PerennialError('demo_refused', message)
  }
  return response.json() as Promise<Answer>
}
