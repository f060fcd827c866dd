import type { RotationClass } from '../credential.ts'
import type { Behaviour, ClientAuthMethod } from './schema.ts'

export type { ClientAuthMethod }

/** An authorization server as one client meets it. What is absent is as the RFCs have it. */
export interface Provider
  extends Omit<
    Behaviour,
    | 'grant'
    | 'graceSeconds'
    | 'refreshTokenIdleSeconds'
    | 'refreshTokenAbsoluteSeconds'
    | 'refreshTokenLifetimeSeconds'
    | 'notBeforeSeconds'
    | 'minRefreshIntervalSeconds'
    | 'refreshBeforeExpirySeconds'
  > {
  name: string
  clientAuth: ClientAuthMethod
  rotation: RotationClass
  /** how long a used refresh token is still accepted; always there when `rotation` is `grace` */
  graceMs?: number
  /** a refresh token dies when it is unused for so long */
  refreshTokenIdleMs?: number
  /** it dies so long after consent, whatever is refreshed */
  refreshTokenAbsoluteMs?: number
  /** stated for each refresh token; a deadline unless the next one comes with a later one */
  refreshTokenLifetimeMs?: number
  /** a refresh is refused before the token is this old */
  notBeforeMs?: number
  /** a refresh sooner brings nothing new, or counts against a limit */
  minRefreshIntervalMs?: number
  /** how long before expiry the vendor asks for a refresh */
  refreshBeforeExpiryMs?: number
}
