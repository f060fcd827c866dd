import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TokenResponse } from './authorization.ts'
import { oneClientPerClass, type RefereeClient } from './clients.ts'
import type { FaultRule } from './faults.ts'
import type { FamilyView } from './grants.ts'
import { classifyLosses, type Kill, type Loss } from './losses.ts'
import type { Plan } from './plan.ts'
import type { Alive, RefereeAddress, RefereeSettings, Verbs } from './protocol.ts'
import type { Bucket, RequestFilter, RequestRecord } from './request-log.ts'
import type { Visit } from './resource.ts'
import { tokenIdOf } from './tokens.ts'

export interface RefereeOptions {
  /** default: one per rotation class, named after it, and `client_credentials` */
  clients?: RefereeClient[]
  /** of the default clients; default 3600 */
  tokenSeconds?: number
  /** of the default client `grace`; default 60 */
  graceSeconds?: number
  /** of the public side; default any that is free */
  port?: number
}

/** Where the admin side of a running referee is. */
export interface AdminAddress {
  adminUrl: string
  adminSecret: string
}

/** What a test asks of a referee, and does to it. Every call rejects when the referee is gone. */
export interface RefereeAdmin {
  /** a user consents at a client: the token response that the authorization code exchange would have given */
  consent(user: string, client: string): Promise<TokenResponse>
  /** the user withdraws, at one client or at all; says how many families ended */
  endConsent(user: string, client?: string): Promise<number>
  /** the secrets of a client from now on */
  setSecrets(client: string, secrets: string[]): Promise<void>
  /** faults for the next requests that fit, before any plan */
  addFaults(...rules: FaultRule[]): Promise<void>
  /** forgets what `addFaults` was given; a plan stays */
  clearFaults(): Promise<void>
  /** random latency and faults from now on; without a plan none */
  followPlan(plan?: Plan): Promise<void>
  /** how many faults of each kind were made so far */
  faultsMade(): Promise<Record<string, number>>
  /** the living grants, of one user or all */
  alive(user?: string): Promise<Alive[]>
  /** whether this refresh token would be accepted now */
  accepts(refreshToken: string): Promise<boolean>
  /** how long this access token is still accepted; 0 when it is not */
  accessRemainingMs(accessToken: string): Promise<number>
  families(user?: string): Promise<FamilyView[]>
  /** all requests that fit, oldest first */
  requests(filter?: Omit<RequestFilter, 'limit'>): Promise<RequestRecord[]>
  /** requests per client and second */
  rates(): Promise<Record<string, Bucket[]>>
  /** all calls of the API, in the order in which they were judged */
  visits(): Promise<Visit[]>
  /**
   * what of the refresh tokens held by the system under test is lost, and whose fault that is; a token that was
   * exchanged since it was looked up counts as lost, so look it up again before believing an `avoidable` one
   */
  losses(held: Record<string, string | undefined>, kills?: Kill[], windowMs?: number): Promise<Loss[]>
}

/** A running referee. */
export interface Referee extends RefereeAdmin, AdminAddress {
  pid: number
  clients: RefereeClient[]
  tokenEndpoint: string
  revocationEndpoint: string
  /** the API that the tokens are for */
  resource: string
  stop(): Promise<void>
}

/**
 * Starts an authorization server in a process of its own. It ends with `stop`, or with this process.
 *
 * @example
 * const referee = await startReferee({ tokenSeconds: 20 })
 * const tokenResponse = await referee.consent('alice', 'single_use')
 * await referee.addFaults({ user: 'alice', fault: { kind: 'drop_after_commit' } })
 */
export async function startReferee(options: RefereeOptions = {}): Promise<Referee> {
  const clients = options.clients ?? oneClientPerClass(options.tokenSeconds ?? 3_600, options.graceSeconds ?? 60)
  const adminSecret = randomBytes(24).toString('base64url')
  const settings: RefereeSettings = { port: options.port ?? 0, adminSecret, clients }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(settings)}\n`)
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text)),
    exited.then(([code]) => Promise.reject(new Error(`the referee ended with ${code} before it listened`))),
  ])
  const { port, adminPort }: RefereeAddress = JSON.parse(line)
  const address = { adminUrl: `http://127.0.0.1:${adminPort}`, adminSecret }
  return {
    ...connectReferee(address),
    ...address,
    pid: child.pid ?? Number.NaN,
    clients,
    tokenEndpoint: `http://127.0.0.1:${port}/token`,
    revocationEndpoint: `http://127.0.0.1:${port}/revoke`,
    resource: `http://127.0.0.1:${port}/resource`,
    stop: async () => {
      child.stdin.end()
      await exited
    },
  }
}

/** Talks to a referee that another process has started. */
export function connectReferee(address: AdminAddress): RefereeAdmin {
  const ask = <Verb extends keyof Verbs>(verb: Verb, ...args: Parameters<Verbs[Verb]>) =>
    post<ReturnType<Verbs[Verb]>>(address, verb, args)
  const requests: RefereeAdmin['requests'] = async (filter = {}) => {
    const all: RequestRecord[] = []
    for (;;) {
      const page = await ask('requests', { ...filter, afterId: all.at(-1)?.id ?? filter.afterId ?? 0 })
      if (page.length === 0) return all
      all.push(...page)
    }
  }
  const families = (user?: string) => ask('families', user ?? null)
  return {
    consent: (user, client) => ask('consent', user, client),
    endConsent: (user, client) => ask('endConsent', user, client ?? null),
    setSecrets: async (client, secrets) => void (await ask('setSecrets', client, secrets)),
    addFaults: async (...rules) => void (await ask('addFaults', rules)),
    clearFaults: async () => void (await ask('clearFaults')),
    followPlan: async (plan) => void (await ask('followPlan', plan ?? null)),
    faultsMade: () => ask('faultsMade'),
    alive: (user) => ask('alive', user ?? null),
    accepts: (token) => ask('accepts', token),
    accessRemainingMs: (token) => ask('accessRemainingMs', token),
    families,
    requests,
    rates: () => ask('rates'),
    visits: () => ask('visits'),
    losses: async (held, kills = [], windowMs) => {
      const ids = Object.fromEntries(Object.entries(held).map(([user, token]) => [user, token && tokenIdOf(token)]))
      // families before requests: what is no longer accepted has then been used in a request that is known
      const evidence = { held: ids, families: await families(), kills, ...(windowMs !== undefined && { windowMs }) }
      const suspects = classifyLosses({ ...evidence, requests: [] }).map(({ user }) => user)
      const asked = await Promise.all(suspects.map((user) => requests({ user })))
      return classifyLosses({ ...evidence, requests: asked.flat() })
    },
  }
}

async function post<Answer>(address: AdminAddress, verb: string, args: unknown[]): Promise<Answer> {
  const response = await fetch(`${address.adminUrl}/${verb}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${address.adminSecret}` },
    body: JSON.stringify(args),
    signal: AbortSignal.timeout(30_000),
  })
  const body: unknown = await response.json()
  if (response.ok) return body as Answer
  throw new Error(`the referee refused ${verb}: ${JSON.stringify(body)}`)
}
