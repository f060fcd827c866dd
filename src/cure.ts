import type { Status } from './credential.ts'

/** What is known of a credential that may need someone's hands. Times are ISO 8601 UTC. */
export interface Ailing {
  credential: string
  status: Status
  reason?: string
  provider?: string
  client?: string
  nextAttemptAt?: string
  /** when the grant ends, whatever is refreshed */
  reconnectBy?: string
  /** of a workflow that someone ended in Temporal */
  workflowStatus?: string
}

/**
 * What to do about the state of a credential: a sentence or two, with the command where there is one. The workflow
 * shows it in Temporal's Web UI, `perennial show` in the terminal.
 *
 * @example cure({ credential: 'acme/google-main/alice', status: 'reconnect_required', reason: 'invalid_grant' })
 */
export function cure(ailing: Ailing): string {
  if (ailing.workflowStatus !== undefined)
    return `Its workflow was ended in Temporal (${ailing.workflowStatus}), so nobody refreshes it: \`perennial restore\` starts it again from what stands in Redis.`
  switch (ailing.status) {
    case 'active':
      return ailing.reconnectBy === undefined ? 'Nothing to do.' : endsAt(ailing, ailing.reconnectBy)
    case 'pending':
      return `Nothing to do: the first access token is being fetched. If it stays away, check the worker with ${doctor}.`
    case 'retrying':
      return `${failing(ailing)} Readers still have a valid token. ${nextAttempt(ailing)}`
    case 'expired':
      return `${failing(ailing)} Readers have no valid token. ${nextAttempt(ailing)}`
    case 'at_risk':
      return `The answer to a refresh was lost, and the refresh token may be spent. ${nextAttempt(ailing)} If it is refused then, the status becomes reconnect_required; until then nothing needs to be done.`
    case 'misconfigured':
      return `${misconfigured(ailing)} No user has to reconnect. After a change of the configuration restart the workers; after one at the provider run ${command('refresh', ailing.credential)}.`
    case 'reconnect_required':
      return `${refused(ailing)} Send the user through the provider's consent again and hand over the new grant: ${command('reconnect', ailing.credential, '--from FILE')}.`
    case 'revoked':
      return revoked(ailing)
  }
}

const endsAt = (ailing: Ailing, at: string) =>
  `The grant ends at ${at}, whatever is refreshed: before that, send the user through the provider's consent again and hand over the new grant: ${command('reconnect', ailing.credential, '--from FILE')}.`

const doctor = '`perennial doctor`'

function failing(ailing: Ailing): string {
  const at = providerOf(ailing)
  switch (ailing.reason) {
    case undefined:
      return `The refresh at ${at} keeps failing.`
    case 'rate_limited':
    case 'throttled':
    case 'slow_down':
      return `${capital(at)} asks for fewer requests; a rateLimit in its entry of the configuration keeps below its limit.`
    case 'temporarily_unavailable':
    case 'server_error':
      return `${capital(at)} is out of order (${ailing.reason}); it has to be repaired there.`
    case 'provider_failing':
      return `${capital(at)} failed so often that it is asked only now and then, until it answers again; it has to be repaired there.`
    case 'over_budget':
      return `More refreshes are due at ${at} than the rateLimit in its entry of the configuration lets through.`
    case 'store_unavailable':
      return `Redis does not answer the workers; nothing was sent, the refresh token is safe. ${capital(doctor)} tells more.`
    case 'stored_grant_unknown_key':
    case 'grant_unreadable':
      return `No key of the workers opens the grant (${ailing.reason}): put the missing one back into keys.grant.`
    case 'stored_grant_tampered':
    case 'stored_grant_swapped':
    case 'stored_grant_misplaced':
      return `Redis holds a grant that no worker wrote there (${ailing.reason}); it is neither used nor overwritten. Find out who writes to this Redis; a new consent replaces it: ${command('reconnect', ailing.credential, '--from FILE')}.`
    case 'foreign_namespace':
      return 'Two Temporal namespaces use this Redis: end one of the two installations.'
    default:
      return `The refresh at ${at} keeps failing (${ailing.reason}); ${doctor} tells whether it can be reached from here.`
  }
}

function nextAttempt({ credential, nextAttemptAt }: Ailing): string {
  const at =
    nextAttemptAt === undefined ? 'The next attempt follows by itself' : `The next attempt is at ${nextAttemptAt}`
  return `${at}; to try now: ${command('refresh', credential)}.`
}

function misconfigured(ailing: Ailing): string {
  const entry = `clients.${clientOf(ailing)}`
  const at = providerOf(ailing)
  switch (ailing.reason) {
    case 'invalid_client':
      return `${capital(at)} refuses this client: compare clientId, clientSecrets and the provider's clientAuth of ${entry} with its registration there.`
    case 'unauthorized_client':
      return `${capital(at)} refuses this grant type or secret to this client: compare its registration there with ${entry}.`
    case 'invalid_scope':
      return `${capital(at)} refuses the scope: correct request.scope of ${entry}, or allow the scope there.`
    case 'invalid_target':
      return `${capital(at)} refuses the audience or resource: correct request of ${entry}, or allow it there.`
    case 'unsupported_grant_type':
      return `${capital(at)} does not support this grant type: correct grant of ${entry}, or the token endpoint of its provider.`
    case 'unknown_client':
      return `The configuration of the workers has no ${entry}: add it.`
    default:
      return `${capital(at)} refuses the request of this client${because(ailing)}: compare ${entry} and its provider's entry with the registration there.`
  }
}

function refused(ailing: Ailing): string {
  if (ailing.reason === 'answer_lost' || ailing.reason === 'timed_out')
    return `The refresh token was spent in a request whose answer never arrived${because(ailing)}.`
  if (ailing.reason === 'no_refresh_token')
    return `The grant came without a refresh token, so it ended with its access token; the consent request may have to ask for one: \`perennial providers\` with the name of the provider tells how.`
  return `The grant is no longer good at ${providerOf(ailing)}${because(ailing)}.`
}

function revoked({ credential, reason }: Ailing): string {
  if (reason === 'revocation_pending')
    return 'Readers can no longer use it. The provider has not confirmed the revocation yet and is asked until it does; nothing to do.'
  if (reason === 'revocation_failed')
    return 'Readers can no longer use it. The provider refused for a month to revoke it: revoke it there by hand.'
  return `Final. To begin anew: ${command('start', credential, '--from FILE')} with a new grant (client_credentials need none).`
}

const because = ({ reason }: Ailing) => (reason === undefined ? '' : ` (${reason})`)

const providerOf = ({ provider }: Ailing) => provider ?? 'the provider'

const clientOf = ({ client, credential }: Ailing) => client ?? credential.split('/')[1] ?? 'CLIENT'

const capital = (text: string) => (text.startsWith('the ') ? `T${text.slice(1)}` : text)

/** Quoted where the id holds what a shell would take for its own; an id never holds a quote. */
function command(verb: string, credential: string, rest?: string): string {
  const id = /^[A-Za-z0-9._/@%+-]+$/.test(credential) ? credential : `'${credential}'`
  return `\`perennial ${[verb, id, ...(rest === undefined ? [] : [rest])].join(' ')}\``
}
