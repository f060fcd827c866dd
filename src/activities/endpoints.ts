import type { ClientConfig } from '../config.ts'
import { PerennialError } from '../errors.ts'
import { filledEndpoint, parametersOf } from '../providers/parameters.ts'

/** What fills the placeholders of one credential's requests. */
export const valuesFor = ({ provider, parameters }: ClientConfig, own: Readonly<Record<string, string>> = {}) =>
  parametersOf(provider, { client: parameters, own })

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
