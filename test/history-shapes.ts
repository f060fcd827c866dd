/** The lives of credentials that are recorded and replayed, each with what a history of it must hold. */

/** An event as Temporal's JSON has it. */
export interface HistoryEvent {
  eventType: string
  [attributes: string]: unknown
}

export interface RecordedHistory {
  events: HistoryEvent[]
}

type Mark = (history: RecordedHistory) => boolean

const all =
  (...marks: Mark[]): Mark =>
  (history) =>
    marks.every((mark) => mark(history))

/** At least so many events of a type whose attributes hold every text. */
const some =
  (type: string, texts: string[] = [], atLeast = 1): Mark =>
  ({ events }) =>
    events.filter((event) => event.eventType === `EVENT_TYPE_${type}` && texts.every((text) => says(event, text)))
      .length >= atLeast

const last =
  (type: string): Mark =>
  ({ events }) =>
    events.at(-1)?.eventType === `EVENT_TYPE_${type}`

const not =
  (mark: Mark): Mark =>
  (history) =>
    !mark(history)

/** An activity came to its end, well or not. */
const ran = (activity: string, end: 'COMPLETED' | 'FAILED' | 'TIMED_OUT' | 'CANCELED', atLeast = 1): Mark => {
  return ({ events }) => {
    const scheduled = new Set(
      events
        .filter((event) => event.eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED')
        .filter((event) => says(event, `"activityType":{"name":"${activity}"}`))
        .map(({ eventId }) => eventId),
    )
    const ended = events.filter(({ eventType }) => eventType === `EVENT_TYPE_ACTIVITY_TASK_${end}`)
    return ended.filter((event) => scheduled.has(scheduledBy(event))).length >= atLeast
  }
}

/** A status became visible to operators. */
const shown = (status: string): Mark => some('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', [`"${status}"`])

const failed = (type: string): Mark => some('ACTIVITY_TASK_FAILED', [`"type":"${type}"`])

const signalled = (name: string): Mark => some('WORKFLOW_EXECUTION_SIGNALED', [`"signalName":"${name}"`])

export const shapes = {
  sleeping: all(ran('claim', 'COMPLETED'), last('TIMER_STARTED'), not(some('TIMER_FIRED'))),
  refreshed: all(some('TIMER_FIRED', [], 2), ran('refresh', 'COMPLETED', 2)),
  'refreshed-now': all(some('WORKFLOW_EXECUTION_UPDATE_COMPLETED', [], 2), ran('refresh', 'COMPLETED')),
  'client-credentials': all(ran('refresh', 'COMPLETED', 2), some('WORKFLOW_EXECUTION_STARTED', ['client_credentials'])),
  retried: all(signalled('retrying'), shown('retrying'), ran('refresh', 'COMPLETED'), not(shown('expired'))),
  expired: all(signalled('retrying'), shown('expired'), ran('refresh', 'COMPLETED')),
  'forced-while-retrying': all(ran('refresh', 'CANCELED'), ran('refresh', 'COMPLETED')),
  'reconnect-required': all(failed('GrantRefused'), shown('reconnect_required'), last('TIMER_STARTED')),
  reconnected: all(shown('reconnect_required'), signalled('reconnect'), ran('claim', 'COMPLETED', 2)),
  'reconnected-in-flight': all(
    signalled('reconnect'),
    some('ACTIVITY_TASK_CANCEL_REQUESTED'),
    ran('claim', 'COMPLETED'),
  ),
  revoked: all(signalled('revoke'), ran('fence', 'COMPLETED'), last('WORKFLOW_EXECUTION_COMPLETED')),
  'revoked-in-flight': all(some('ACTIVITY_TASK_CANCEL_REQUESTED'), last('WORKFLOW_EXECUTION_COMPLETED')),
  continuing: last('WORKFLOW_EXECUTION_CONTINUED_AS_NEW'),
  continued: all(some('WORKFLOW_EXECUTION_STARTED', ['continuedExecutionRunId']), ran('refresh', 'COMPLETED')),
  misconfigured: all(failed('ClientRefused'), shown('misconfigured'), shown('active'), ran('refresh', 'COMPLETED')),
  'at-risk': all(failed('Ambiguous'), ran('settle', 'COMPLETED'), shown('at_risk'), ran('refresh', 'COMPLETED')),
  'timed-out-and-found': all(ran('refresh', 'TIMED_OUT'), ran('settle', 'COMPLETED'), not(shown('at_risk'))),
  'stored-later': all(ran('refresh', 'COMPLETED'), ran('persist', 'COMPLETED')),
  rejected: all(signalled('rejected'), some('MARKER_RECORDED'), ran('refresh', 'COMPLETED')),
  'asked-to-cancel': all(
    some('WORKFLOW_EXECUTION_CANCEL_REQUESTED'),
    not(some('ACTIVITY_TASK_CANCEL_REQUESTED')),
    ran('refresh', 'COMPLETED', 2),
  ),
  resynced: all(signalled('resync'), ran('resync', 'COMPLETED'), ran('refresh', 'COMPLETED')),
  'reconnected-while-revoking': all(
    signalled('reconnect'),
    some('START_CHILD_WORKFLOW_EXECUTION_INITIATED'),
    shown('revoked'),
    last('TIMER_STARTED'),
  ),
  'revoking-alone': all(ran('revokeTokens', 'COMPLETED'), last('WORKFLOW_EXECUTION_COMPLETED')),
} as const satisfies Record<string, Mark>

export type Shape = keyof typeof shapes

export const shapeNames = Object.keys(shapes) as Shape[]

/** Of `test/histories/<shape>.<n>.json`; undefined where no such shape is known. */
export function shapeOf(file: string): Shape | undefined {
  const [, name] = /^([a-z-]+)\.\d+\.json$/.exec(file) ?? []
  return shapeNames.find((shape) => shape === name)
}

/** An event as text, its payloads decoded. */
export function eventText(event: HistoryEvent): string {
  return JSON.stringify(event, (name, value: unknown) =>
    name === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
  ).replaceAll('\\"', '"')
}

const says = (event: HistoryEvent, text: string) => eventText(event).includes(text)

function scheduledBy(event: HistoryEvent): unknown {
  const attributes = Object.values(event).find((value) => typeof value === 'object' && value !== null)
  return attributes === undefined ? undefined : (attributes as { scheduledEventId?: unknown }).scheduledEventId
}
