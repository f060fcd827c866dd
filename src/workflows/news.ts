import type { CredentialEvent } from '../store/events.ts'
import type { CredentialState } from './messages.ts'

/**
 * What operators are told of a status: each trouble once, and that it is over. Nothing is told of a credential that
 * waits for its first token or for its turn; a client that is refused is told of by whoever asked the provider, once
 * for all of its credentials; and a revoke by the fence.
 */
export function noteNews(state: CredentialState): void {
  const trouble = troubleOf(state)
  if (trouble === undefined) {
    // with a trouble that was never told, its end is of no interest either
    if (state.status !== 'active' || state.trouble === undefined) return
    delete state.trouble
    state.news = 'recovered'
    return
  }
  if (trouble === state.trouble) return
  state.trouble = trouble
  state.news = trouble
}

/** Something else ends the trouble, and tells of itself. */
export function forgetNews(state: CredentialState): void {
  delete state.trouble
  delete state.news
}

function troubleOf({ status, reason }: CredentialState): CredentialEvent['event'] | undefined {
  switch (status) {
    case 'retrying':
    case 'expired':
    case 'at_risk':
    case 'reconnect_required':
      return status
    case 'pending':
      return reason === undefined || reason === 'store_lost_it' ? undefined : 'retrying'
    default:
      return undefined
  }
}
