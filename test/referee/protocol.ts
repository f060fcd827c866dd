import type { TokenResponse } from './authorization.ts'
import type { RefereeClient } from './clients.ts'
import type { FaultRule } from './faults.ts'
import type { FamilyView } from './grants.ts'
import type { Plan } from './plan.ts'
import type { Bucket, RequestFilter, RequestRecord } from './request-log.ts'
import type { Visit } from './resource.ts'

/** The first line that the referee's process reads from stdin: it holds secrets, so it is no argument. */
export interface RefereeSettings {
  /** of the public side; 0 for any */
  port: number
  adminSecret: string
  clients: RefereeClient[]
}

/** The one line that it writes to stdout, when both ports listen. */
export interface RefereeAddress {
  port: number
  adminPort: number
}

/** A living grant, with its tokens as clients know them. */
export interface Alive {
  family: string
  user: string
  client: string
  /** every refresh token that the provider would accept now */
  accepted: string[]
  /** the one of the latest answer; absent for client_credentials */
  living?: string
}

/** What the admin side does: POST /<verb> with the arguments as a JSON array, answered with JSON. */
export interface Verbs {
  /** a user consents at a client: the token response that the authorization code exchange would have given */
  consent(user: string, client: string): TokenResponse
  /** the user withdraws, at one client or (null) at all; says how many families ended */
  endConsent(user: string, client: string | null): number
  /** the secrets of a client from now on */
  setSecrets(client: string, secrets: string[]): null
  addFaults(rules: FaultRule[]): null
  clearFaults(): null
  followPlan(plan: Plan | null): null
  /** how many faults of each kind were made so far */
  faultsMade(): Record<string, number>
  alive(user: string | null): Alive[]
  /** whether this refresh token would be accepted now */
  accepts(refreshToken: string): boolean
  /** how long this access token is still accepted; 0 when it is not */
  accessRemainingMs(accessToken: string): number
  families(user: string | null): FamilyView[]
  requests(filter: RequestFilter): RequestRecord[]
  /** requests per client and second */
  rates(): Record<string, Bucket[]>
  /** all calls of the API, in the order in which they were judged */
  visits(): Visit[]
}
