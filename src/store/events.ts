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
export interface LifecycleEvent {
  event: EventName
  credential: string
  family: string
  generation: number
  /** the status that the credential has now */
  status: Status
  reason?: string
  /** tells events apart that a generation may have several of: for `reconnect_soon` the threshold, `14d` */
  mark?: string
}

export const eventId = ({ family, generation, event, mark }: LifecycleEvent): string =>
  [family, generation, event, ...(mark === undefined ? [] : [mark])].join('/')

/** What stands in the stream. Every field is there, so that a consumer need not ask. */
export const eventFields = (event: LifecycleEvent): Record<string, string> => ({
  id: eventId(event),
  event: event.event,
  credential: event.credential,
  generation: String(event.generation),
  status: event.status,
  reason: event.reason ?? '',
})

/** The event that tells of a status which comes without a token set; undefined for one that is nothing new to anyone. */
export function eventOf(status: Status, reason: string | undefined): EventName | undefined {
  if (status === 'active') return 'recovered'
  if (status !== 'pending') return status
  // one that waits for its first token, or for its turn, is well; one that does not get it is not
  return reason === undefined || reason === 'store_lost_it' ? undefined : 'retrying'
}
