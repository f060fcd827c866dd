import { ApplicationFailure } from '@temporalio/common'
import type { AttemptFailure, FailureType } from '../workflows/messages.ts'

/** Why an attempt brought no tokens, in words that an operator reads in the Web UI. No secret, no cause. */
export class AttemptFailed extends Error {
  readonly type: FailureType
  readonly failure: AttemptFailure
  readonly retryAfterMs: number | undefined
  /** nothing fails: it is not its turn */
  readonly waitsItsTurn: boolean

  constructor(type: FailureType, failure: AttemptFailure, retryAfterMs?: number, waitsItsTurn = false) {
    super(`${failure.reason}${failure.detail === '' ? '' : `: ${failure.detail}`}`)
    this.type = type
    this.failure = failure
    this.retryAfterMs = retryAfterMs
    this.waitsItsTurn = waitsItsTurn
  }

  /** Temporal repeats these by itself; everything else comes to the workflow. */
  get repeatable(): boolean {
    return this.type === 'Unsent' || this.type === 'Throttled' || this.type === 'Unclear'
  }

  /** @param nextRetryDelayMs for what Temporal repeats */
  toActivityFailure(provider: string, nextRetryDelayMs?: number): ApplicationFailure {
    return ApplicationFailure.create({
      type: this.type,
      message: `${provider}: ${this.message}. ${sentence(this.type)}`,
      nonRetryable: !this.repeatable,
      details: [nextRetryDelayMs === undefined ? this.failure : { ...this.failure, retryInMs: nextRetryDelayMs }],
      ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: nextRetryDelayMs }),
    })
  }
}

function sentence(type: FailureType): string {
  switch (type) {
    case 'Unsent':
      return 'The request did not leave, the refresh token is unspent; it is tried again.'
    case 'Throttled':
    case 'Unclear':
      return 'The refresh token is unspent as far as the answer tells; it is tried again.'
    case 'Ambiguous':
      return 'The request may have been carried out; whether it may be repeated depends on how the provider rotates.'
    case 'GrantRefused':
      return 'The grant is no longer good: the user has to reconnect.'
    case 'ClientRefused':
      return 'The client is refused, not the user: correct its configuration; nobody has to reconnect.'
    case 'ForeignRun':
      return 'Another run of this workflow may have sent the refresh token: it is waited for first.'
  }
}

export const clientRefused = (reason: string, detail: string) => new AttemptFailed('ClientRefused', { reason, detail })

/** Nothing is sent while the store cannot be asked. */
export const storeAway = (error: unknown) =>
  new AttemptFailed('Unsent', { reason: 'store_unavailable', detail: `Redis: ${messageOf(error)}` })

/** Of Redis and of sealing: their messages name keys and addresses, never values. */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message.slice(0, 200) : 'no answer')
