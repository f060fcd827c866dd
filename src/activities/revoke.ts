import { ApplicationFailure } from '@temporalio/common'
import type { ClientConfig } from '../config.ts'
import { PerennialError } from '../errors.ts'
import { beginAttempt, type Revocation, type RevocationRequest } from '../oauth/index.ts'
import type { TokenSetWrite } from '../store/store.ts'
import type { RevokeTokensInput } from '../workflows/messages.ts'
import { backoffMs } from '../workflows/schedule.ts'
import { type Debt, debtOfWrite } from './debts.ts'
import { type ActivityDeps, clientOf, openGrant, type ProcessDeps } from './deps.ts'
import { discoveredFor, filledFor, identityOf, valuesFor } from './endpoints.ts'

const exchangeTimeoutMs = 10_000
const longestBackoffMs = 15 * 60_000

export interface Revoked {
  /** how many tokens the provider has confirmed */
  revoked: number
}

/**
 * Has a provider revoke the tokens of a credential that nobody may use any more: the refresh token first, which with
 * most takes the access token along (RFC 7009 section 2.1). Fails until the provider has confirmed; Temporal repeats
 * it, which is harmless.
 */
export const revokeTokensActivity =
  (deps: ProcessDeps) =>
  async ({ credential, debt, parameters }: RevokeTokensInput): Promise<Revoked> => {
    const client = clientOf(deps, credential)
    const endpoints = client === undefined ? undefined : await endpointsOf(deps, client, parameters ?? {})
    if (client === undefined || endpoints === undefined) return { revoked: 0 }
    const { attempt } = deps.caller()
    let revoked = 0
    for (const { token, hint } of tokensOf(openDebt(deps, debt, credential), client)) {
      const outcome = await revokeToken(deps, client, { ...endpoints, token, hint })
      if (outcome.kind === 'revoked') revoked++
      else if (outcome.kind !== 'unsupported') throw failure(client, outcome, attempt)
    }
    return { revoked }
  }

/** Tries the client's secrets, as its files have them now, and first the one that worked last. */
async function revokeToken(
  deps: ProcessDeps,
  client: ClientConfig,
  what: Pick<RevocationRequest, 'endpoint' | 'introspectionEndpoint' | 'token' | 'hint' | 'values'>,
): Promise<Revocation> {
  const { revocation, tokenResponse, errors } = client.provider
  await deps.secrets.reread(client)
  let outcome: Revocation = { kind: 'failed', reason: 'no_client_secret', detail: 'none is configured' }
  for (const [, clientSecret] of deps.secrets.inTurn(client)) {
    const request: RevocationRequest = {
      ...identityOf(client, client.provider.revocationEndpoint),
      ...what,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(revocation !== undefined && { revocation }),
      ...(tokenResponse !== undefined && { tokenResponse }),
      ...(errors !== undefined && { errors }),
    }
    outcome = await deps.tokenEndpoint.revoke(request, beginAttempt(exchangeTimeoutMs))
    if (outcome.kind !== 'secret_refused') return outcome
  }
  return outcome
}

/** A last try for tokens that an attempt obtained under a tombstone: the workflow revokes them again. */
export async function revokeOnce(
  deps: ProcessDeps,
  credential: string,
  debt: Debt,
  parameters: Record<string, string>,
) {
  const client = clientOf(deps, credential)
  const endpoints = client === undefined ? undefined : await endpointsOf(deps, client, parameters)
  if (client === undefined || endpoints === undefined) return
  for (const token of tokensOf(debt, client)) await revokeToken(deps, client, { ...endpoints, ...token })
}

/** Undefined where the provider has no way to revoke. */
export async function endpointsOf(deps: ActivityDeps, client: ClientConfig, own: Record<string, string>) {
  const { provider } = client
  const values = valuesFor(client, own)
  if (values instanceof PerennialError) return undefined
  const given = {
    revocationEndpoint: filledFor(client, provider.revocationEndpoint, values),
    introspectionEndpoint: filledFor(client, provider.introspectionEndpoint, values),
  }
  const found = given.revocationEndpoint === undefined ? await discoveredFor(deps.tokenEndpoint, client, values) : {}
  if (typeof found === 'string') throw notDiscovered(found)
  const { revocationEndpoint: endpoint = found.revocationEndpoint } = given
  const { introspectionEndpoint = found.introspectionEndpoint } = given
  if (endpoint === undefined) return undefined
  return { endpoint, values, ...(introspectionEndpoint === undefined ? {} : { introspectionEndpoint }) }
}

/** Of the kinds that the provider revokes. */
function tokensOf(
  { refresh_token, access_token, expires_at }: Debt,
  { provider }: ClientConfig,
): { token: string; hint: RevocationRequest['hint'] }[] {
  const lives = expires_at === undefined || Date.parse(expires_at) > Date.now()
  const known = [
    { token: refresh_token, hint: 'refresh_token' as const },
    { token: lives ? access_token : undefined, hint: 'access_token' as const },
  ]
  const kinds = provider.revocation?.tokens
  return known.flatMap(({ token, hint }) =>
    token === undefined || kinds?.includes(hint) === false ? [] : [{ token, hint }],
  )
}

function openDebt(deps: ActivityDeps, debt: string, credential: string): Debt {
  try {
    const opened = openGrant<Debt | TokenSetWrite>(deps.keyring, debt, credential)
    return 'writer' in opened ? debtOfWrite(deps, credential, opened) : opened
  } catch (error) {
    // heals when the key is configured again
    throw ApplicationFailure.create({
      type: 'GrantUnreadable',
      message: error instanceof Error ? error.message : 'the tokens cannot be opened',
      nextRetryDelay: longestBackoffMs,
    })
  }
}

/** Where it could revoke is not known now; it is asked again. */
const notDiscovered = (problem: string) =>
  ApplicationFailure.create({
    type: 'NotRevoked',
    message: `${problem}. Readers have lost the tokens already; the provider is asked again.`,
  })

function failure({ provider }: ClientConfig, outcome: Exclude<Revocation, { kind: 'revoked' }>, attempt: number) {
  const { reason, detail } = outcome
  const retryAfterMs = outcome.kind === 'failed' ? outcome.retryAfterMs : undefined
  return ApplicationFailure.create({
    type: 'NotRevoked',
    message: `${provider.name}: ${[reason, detail].filter((part) => part !== '').join(': ')}. Readers have lost the tokens already; the provider is asked again.`,
    nextRetryDelay: Math.round(retryAfterMs ?? backoffMs(attempt, longestBackoffMs, Math.random())),
  })
}
