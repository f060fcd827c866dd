import type { ClientConfig } from '../config.ts'
import { PerennialError } from '../errors.ts'
import type { ClientIdentity } from '../oauth/index.ts'
import { filledEndpoint, parametersOf } from '../providers/parameters.ts'

/** Who asks at a provider; the secret that is tried is added for each try. */
export function identityOf({ clientId, provider, privateKey, keyId, certificate }: ClientConfig): ClientIdentity {
  return {
    clientId,
    clientAuth: provider.clientAuth,
    ...(privateKey !== undefined && { privateKey }),
    ...(keyId !== undefined && { keyId }),
    ...(certificate !== undefined && { certificate }),
    ...(provider.assertion !== undefined && { assertion: provider.assertion }),
  }
}

/** What fills the placeholders of one credential's requests. */
export const valuesFor = (
  { provider, clientId, parameters }: ClientConfig,
  own: Readonly<Record<string, string>> = {},
) => parametersOf(provider, { clientId, client: parameters, own })

/** An endpoint that a provider may have or not; undefined also where it cannot be filled. */
export function filledFor(
  { provider }: ClientConfig,
  template: string | undefined,
  values: Readonly<Record<string, string>> = {},
): string | undefined {
  const filled = template === undefined ? undefined : filledEndpoint(provider, template, values)
  return typeof filled === 'string' ? filled : undefined
}

/** Where a credential's tokens come from; a PerennialError that says what is missing. */
export function tokenEndpointFor(
  client: ClientConfig,
  own?: Readonly<Record<string, string>>,
): string | PerennialError {
  const { tokenEndpoint, name } = client.provider
  const values = valuesFor(client, own)
  if (values instanceof PerennialError) return values
  if (tokenEndpoint === undefined)
    return new PerennialError('invalid_endpoint', `provider ${name} has no tokenEndpoint`)
  return filledEndpoint(client.provider, tokenEndpoint, values)
}
