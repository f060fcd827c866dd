import type { ProviderEntry } from '../schema.ts'
import { accounting } from './accounting.ts'
import { commerce } from './commerce.ts'
import { communication } from './communication.ts'
import { developerPlatforms } from './developer-platforms.ts'
import { devices } from './devices.ts'
import { documents } from './documents.ts'
import { identityProducts } from './identity-products.ts'
import { identityServers } from './identity-servers.ts'
import { identityServices } from './identity-services.ts'
import { marketing } from './marketing.ts'
import { meta } from './meta.ts'
import { payments } from './payments.ts'
import { people } from './people.ts'
import { platforms } from './platforms.ts'
import { sales } from './sales.ts'
import { serviceDesks } from './service-desks.ts'
import { social } from './social.ts'
import { sourceCode } from './source-code.ts'
import { videoAndMusic } from './video-and-music.ts'
import { work } from './work.ts'

/** Providers by the name that a client uses, each as data with its sources. */
export const catalogue: Record<string, ProviderEntry> = {
  ...accounting,
  ...commerce,
  ...communication,
  ...developerPlatforms,
  ...devices,
  ...documents,
  ...identityProducts,
  ...identityServers,
  ...identityServices,
  ...marketing,
  ...meta,
  ...payments,
  ...people,
  ...platforms,
  ...sales,
  ...serviceDesks,
  ...social,
  ...sourceCode,
  ...videoAndMusic,
  ...work,
}
