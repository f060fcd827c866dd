import type { ClientConfig } from '../config.ts'
import { needsPerson } from '../credential.ts'
import { PerennialError } from '../errors.ts'
import type { TokenRequest } from '../oauth/index.ts'
import { filledEndpoint } from '../providers/parameters.ts'
import type { GrantHash } from '../store/store.ts'
import type { RefreshInput } from '../workflows/messages.ts'
import { AttemptFailed, clientRefused, messageOf } from './attempt-failed.ts'
import { type ActivityDeps, openGrant } from './deps.ts'
import { discoveredFor, identityOf, valuesFor } from './endpoints.ts'
import type { Grant } from './grant.ts'

/**
 * What is asked of a provider for the next generation, as its entry and the client have it; the secret is added for
 * each try.
 *
 * @param hash what stands in the store
 * @param nowMs by the clock of the store
 * @returns the request, and the grant that it is made with
 * @throws AttemptFailed where it cannot be asked
 */
export async function tokenRequestFor(
  deps: ActivityDeps,
  input: RefreshInput,
  client: ClientConfig,
  hash: GrantHash | undefined,
  nowMs: number,
): Promise<{ request: TokenRequest; held: Grant }> {
  const values = valuesFor(client, input.parameters)
  if (values instanceof PerennialError) throw clientRefused('invalid_parameter', values.message)
  const endpoint = await endpointFor(deps, client, values)
  const { rotation, tokenRequest, tokenResponse, errors, neverAfterExpiry } = client.provider
  const held = heldGrant(deps, input)
  const { refresh_token, access_token } = held
  const ended = hash?.generation === input.generation && (hash.accessExpiresAtMs ?? Number.POSITIVE_INFINITY) <= nowMs
  const request: TokenRequest = {
    ...identityOf(client, client.provider.tokenEndpoint),
    endpoint,
    values,
    grant: input.kind,
    rotation,
    parameters: client.request,
    ...(tokenRequest !== undefined && { tokenRequest }),
    ...(tokenResponse !== undefined && { tokenResponse }),
    ...(errors !== undefined && { errors }),
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    ...(access_token !== undefined && { accessToken: access_token }),
    ...(neverAfterExpiry && ended && { pastSaving: true }),
  }
  return { request, held }
}

/** Where tokens come from: as the entry says, or as the provider itself does at its issuer. */
async function endpointFor(
  deps: ActivityDeps,
  client: ClientConfig,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  if (client.provider.tokenEndpoint !== undefined) {
    const endpoint = filledEndpoint(client.provider, client.provider.tokenEndpoint, values)
    if (typeof endpoint === 'string') return endpoint
    throw clientRefused('invalid_endpoint', endpoint.message)
  }
  const found = await discoveredFor(deps.tokenEndpoint, client, values)
  const problem = typeof found === 'string' ? found : 'there is no issuer either'
  if (typeof found !== 'string' && found.tokenEndpoint !== undefined) return found.tokenEndpoint
  throw new AttemptFailed('Unsent', { reason: 'discovery_failed', detail: problem })
}

/** What the request lives on; nothing where the client alone does. */
function heldGrant(deps: ActivityDeps, { credential, kind, grant }: RefreshInput): Grant {
  if (!needsPerson(kind)) return {}
  if (grant === undefined)
    throw new AttemptFailed('GrantRefused', { reason: 'no_refresh_token', detail: 'the grant came without one' })
  try {
    return openGrant<Grant>(deps.keyring, grant, credential)
  } catch (error) {
    // heals when the key is configured again
    throw new AttemptFailed('Unsent', { reason: 'grant_unreadable', detail: messageOf(error) })
  }
}
