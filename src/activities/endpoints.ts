import type { ClientConfig } from '../config.ts'
import { PerennialError } from '../errors.ts'
import { beginAttempt, type ClientIdentity, type Discovered, type TokenEndpoint } from '../oauth/index.ts'
import { isLoopbackEndpoint } from '../providers/endpoint.ts'
import { filledEndpoint, parametersOf } from '../providers/parameters.ts'

type Values = Readonly<Record<string, string>>

/**
 * Who asks at a provider; the secret that is tried is added for each try.
 *
 * @param template the endpoint as the entry has it; undefined where it is discovered
 */
export function identityOf(client: ClientConfig, template: string | undefined): ClientIdentity {
  const { clientId, provider, privateKey, keyId, certificate } = client
  return {
    clientId,
    clientAuth: provider.clientAuth,
    ...(privateKey !== undefined && { privateKey }),
    ...(keyId !== undefined && { keyId }),
    ...(certificate !== undefined && { certificate }),
    ...(provider.assertion !== undefined && { assertion: provider.assertion }),
    ...(publicOnly(client, template) && { publicOnly: true }),
  }
}

/**
 * Whether only public addresses are connected to: where a parameter or the provider's own metadata has a say in the
 * address, unless the configuration allows others. One that is on loopback as it is written was meant to be.
 */
function publicOnly({ provider, allowPrivateAddresses }: ClientConfig, template: string | undefined): boolean {
  const written = template ?? provider.issuer ?? ''
  const isOpen = template === undefined || template.includes('{')
  return isOpen && !allowPrivateAddresses && !isLoopbackEndpoint(written)
}

/** What fills the placeholders of one credential's requests. */
export const valuesFor = ({ provider, clientId, parameters }: ClientConfig, own: Values = {}) =>
  parametersOf(provider, { clientId, client: parameters, own })

/** An endpoint that a provider may have or not; undefined also where it cannot be filled. */
export function filledFor(
  { provider }: ClientConfig,
  template: string | undefined,
  values: Values = {},
): string | undefined {
  const filled = template === undefined ? undefined : filledEndpoint(provider, template, values)
  return typeof filled === 'string' ? filled : undefined
}

/** What stands for the place of a credential's provider: its token endpoint, or the issuer that knows it. */
export function siteFor(client: ClientConfig, own?: Values): string | PerennialError {
  const { tokenEndpoint, issuer = '' } = client.provider
  const values = valuesFor(client, own)
  return values instanceof PerennialError ? values : filledEndpoint(client.provider, tokenEndpoint ?? issuer, values)
}

const discoverWithinMs = 2_500

/**
 * What the provider says of itself at its issuer, for endpoints that its entry does not give.
 *
 * @returns nothing where there is no issuer; a sentence where the issuer is not to be had
 */
export async function discoveredFor(
  tokenEndpoint: TokenEndpoint,
  client: ClientConfig,
  values: Values,
): Promise<Partial<Discovered> | string> {
  const issuer = filledFor(client, client.provider.issuer, values)
  if (issuer === undefined) return {}
  const reach = { publicOnly: publicOnly(client, undefined) }
  const found = await tokenEndpoint.discover(issuer, reach, beginAttempt(discoverWithinMs))
  return typeof found === 'string' ? `the metadata of ${issuer}: ${found}` : found
}
