import type { Status } from '../credential.ts'

/** What operators are told of, in the stream `perennial:events`. */
export const eventNames = [
  /** a grant was taken over: a new family begins */
  'connected',
  'retrying',
  /** well again after any of the others */
  'recovered',
  'at_risk',
  'expired',
  /** of a client, once for all of its credentials */
  'misconfigured',
  /** the refresh token has an end that no refresh moves, and it is near */
  'reconnect_soon',
  'reconnect_required',
  'revoked',
] as const

export type EventName = (typeof eventNames)[number]

/** One change. Told at least once; `eventId` is the same whenever it is told again. Never holds a secret. */
export type LifecycleEvent = CredentialEvent | ClientEvent

export interface CredentialEvent {
  event: Exclude<EventName, 'misconfigured'>
  credential: string
  family: string
  generation: number
  /** the status that the credential has now */
  status: Status
  reason?: string
  /** tells events apart that a generation may have several of: for `reconnect_soon` the threshold, `14d` */
  mark?: string
}

/** Of a client, whichever of its credentials met it first. */
export interface ClientEvent {
  event: 'misconfigured' | 'recovered'
  client: string
  /** since when it is refused */
  sinceMs: number
  credential: string
  generation: number
  status: Status
  reason?: string
}

export function eventId(event: LifecycleEvent): string {
  if ('client' in event) return ['client', event.client, event.sinceMs, event.event].join('/')
  const { family, generation, mark } = event
  return [family, generation, event.event, ...(mark === undefined ? [] : [mark])].join('/')
}

/** What stands in the stream. Every field is there, so that a consumer need not ask. */
export const eventFields = (event: LifecycleEvent): Record<string, string> => ({
  id: eventId(event),
  event: event.event,
  credential: event.credential,
  client: 'client' in event ? event.client : '',
  generation: String(event.generation),
  status: event.status,
  reason: event.reason ?? '',
})
