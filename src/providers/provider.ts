import type { RotationClass } from '../credential.ts'

/** How a client proves who it is at the token endpoint (RFC 6749 section 2.3). */
export const clientAuthMethods = ['client_secret_basic', 'client_secret_post', 'none'] as const

export type ClientAuthMethod = (typeof clientAuthMethods)[number]

/** An authorization server: where it is, and how it behaves. */
export interface Provider {
  name: string
  tokenEndpoint: string
  /** RFC 7009; without it a revoke ends at our own fence */
  revocationEndpoint?: string
  /** RFC 7662; asked whether a revocation that was answered with 200 has revoked anything */
  introspectionEndpoint?: string
  /** revoking one token ends the whole consent, a newer grant of the same user included */
  revocationEndsConsent?: boolean
  clientAuth: ClientAuthMethod
  rotation: RotationClass
  /** how long a used refresh token is still accepted; set exactly when `rotation` is `grace` */
  graceMs?: number
  /** a refresh token dies when it is unused for so long */
  refreshTokenIdleMs?: number
  /** it dies so long after consent, whatever is refreshed */
  refreshTokenAbsoluteMs?: number
  /** stated for each refresh token; a deadline unless the next one comes with a later one */
  refreshTokenLifetimeMs?: number
  /** requests that the provider allows, all workers together */
  rateLimit?: { requests: number; perSeconds: number }
}
