import type { ProviderEntry } from '../schema.ts'
import { identityProducts } from './identity-products.ts'
import { identityServers } from './identity-servers.ts'
import { identityServices } from './identity-services.ts'
import { meta } from './meta.ts'
import { platforms } from './platforms.ts'

/** Providers by the name that a client uses, each as data with its sources. */
export const catalogue: Record<string, ProviderEntry> = {
  ...identityProducts,
  ...identityServers,
  ...identityServices,
  ...meta,
  ...platforms,
}
