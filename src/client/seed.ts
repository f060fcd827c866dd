import { randomUUID } from 'node:crypto'
import { type SealingKey, sealingKey } from '../../packages/reader/src/sealed.ts'
import type { ClientConfig, Config } from '../config.ts'
import { needsPerson, parseCredentialId } from '../credential.ts'
import { PerennialError } from '../errors.ts'
import { longestLifetimeMs, parseTokenResponse, type TokenSet } from '../oauth/index.ts'
import { beginning } from '../providers/parameters.ts'
import { seal } from '../store/sealing.ts'
import type { Seed } from '../workflows/messages.ts'

/**
 * The client of a credential.
 *
 * @throws PerennialError `invalid_credential_id`, `unknown_client`
 */
export function clientFor(config: Config, credential: string): ClientConfig & { tenant: string } {
  const parts = parseCredentialId(credential)
  if (typeof parts === 'string') throw new PerennialError('invalid_credential_id', parts)
  const client = config.clients.get(parts.client)
  if (client === undefined) {
    const known = [...config.clients.keys()].join(', ') || 'none'
    throw new PerennialError(
      'unknown_client',
      `client ${JSON.stringify(parts.client)} of ${credential} is not in ${config.source}; add it under clients (there: ${known})`,
    )
  }
  return { ...client, tenant: parts.tenant }
}

/**
 * Makes what the workflow takes over from a token response as the provider gave it, sealed so that no history holds
 * a token.
 *
 * @throws PerennialError `grant_needed`, `invalid_token_response`
 */
export function makeSeed(config: Config, credential: string, from: { tokenResponse?: unknown }): Seed {
  const client = clientFor(config, credential)
  const family = randomUUID()
  if (!needsPerson(client.grant)) {
    if (from.tokenResponse === undefined) return { family }
    throw new PerennialError(
      'invalid_token_response',
      `client ${client.name} has the grant ${client.grant}, which needs no token response; leave it out`,
    )
  }
  if (from.tokenResponse === undefined)
    throw new PerennialError(
      'grant_needed',
      `${credential} needs a grant: the provider's token response (JSON with refresh_token), with --from FILE or --from -`,
    )
  const { tokenResponse, accessTokenNeverExpires } = client.provider
  const tokens = parseTokenResponse(from.tokenResponse, Date.now(), tokenResponse)
  if (typeof tokens === 'string') throw new PerennialError('invalid_token_response', `${credential}: ${tokens}`)
  const missing = missingGrant(client, tokens)
  if (missing !== undefined) throw new PerennialError('invalid_token_response', `${credential}: ${missing}`)
  const { accessToken, refreshToken, tokenType, scope, values, refreshExpiresInMs } = tokens
  const expiresInMs = tokens.expiresInMs ?? (accessTokenNeverExpires ? longestLifetimeMs : undefined)
  const response = { access_token: accessToken, refresh_token: refreshToken, token_type: tokenType, scope, values }
  return {
    family,
    sealed: seal(JSON.stringify(response), grantKey(config), { cred: credential, family, gen: 0 }),
    ...(expiresInMs === undefined ? {} : { accessLivesMs: expiresInMs }),
    ...(refreshExpiresInMs === undefined ? {} : { refreshLivesMs: refreshExpiresInMs }),
  }
}

/** What a token response lacks of what this client goes on with. */
function missingGrant({ grant, provider }: ClientConfig, { accessToken, refreshToken }: TokenSet): string | undefined {
  if (grant === 'access_token' && accessToken === undefined)
    return 'the token response has no access_token, which is what this client renews'
  if (grant === 'refresh_token' && refreshToken === undefined && provider.consent !== undefined)
    return `the token response has no refresh_token: ask for ${provider.consent} at consent`
  return undefined
}

/**
 * Where the token requests of a credential go.
 *
 * @throws PerennialError `invalid_parameter` when the provider's endpoints and requests cannot be filled
 */
export function checkParameters(config: Config, credential: string, own: Record<string, string> = {}): string {
  const { provider, clientId, parameters } = clientFor(config, credential)
  const checked = beginning(provider, { clientId, client: parameters, own })
  if (typeof checked !== 'string') throw checked
  return checked
}

const grantKey = ({ keys }: Config): SealingKey => sealingKey(keys.grant[0], 'keys.grant')
