import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common'
import type { AttemptFailure, FailureType, Refreshed } from './messages.ts'

/** How a refresh activity ended, as far as the refresh token is concerned. */
export type Ending =
  | { kind: 'obtained'; refreshed: Refreshed }
  | { kind: 'grant_refused' | 'client_refused'; failure: AttemptFailure }
  /** the refresh token may be spent, and what came of it is not known */
  | { kind: 'unknown'; how: 'answer_lost' | 'timed_out'; failure: AttemptFailure }
  /** it was not spent, and no further attempt is pending */
  | { kind: 'failed'; failure: AttemptFailure }
  /** cancelled between attempts */
  | { kind: 'cancelled' }

/** When another run sent the refresh token is not known: no window counts as open. */
const longAgoMs = 10 * 365 * 24 * 3600_000

/**
 * Reads the end of a refresh activity. A cancelled one can come back in four shapes, of which only one is a
 * cancellation; what counts is whether an attempt was running and what became of it.
 */
export function readEnding(error: unknown): Ending {
  const cause = error instanceof ActivityFailure ? error.cause : error
  if (cause instanceof CancelledFailure) return { kind: 'cancelled' }
  if (cause instanceof ApplicationFailure) {
    const failure = attemptFailure(cause)
    switch (cause.type as FailureType) {
      case 'GrantRefused':
        return { kind: 'grant_refused', failure }
      case 'ClientRefused':
        return { kind: 'client_refused', failure }
      case 'Unsent':
      case 'Throttled':
      case 'Unclear':
        return { kind: 'failed', failure }
      case 'Ambiguous':
        return { kind: 'unknown', how: 'answer_lost', failure }
      case 'ForeignRun':
        return { kind: 'unknown', how: 'timed_out', failure: { ...failure, sinceFirstUseMs: longAgoMs } }
    }
  }
  // a timeout, or something that nobody foresaw: the attempt may have sent
  const reason = cause instanceof TimeoutFailure ? 'timed_out' : 'unexpected_failure'
  const detail = cause instanceof TimeoutFailure ? 'no word of the attempt: was its worker killed?' : String(cause)
  return { kind: 'unknown', how: 'timed_out', failure: { reason, detail: detail.slice(0, 200) } }
}

function attemptFailure(cause: ApplicationFailure): AttemptFailure {
  const [failure] = (cause.details ?? []) as (AttemptFailure | undefined)[]
  return failure ?? { reason: cause.type ?? 'failed', detail: cause.message.slice(0, 200) }
}
