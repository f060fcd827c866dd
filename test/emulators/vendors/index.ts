import type { Profile } from '../profile.ts'
import { business } from './business.ts'
import { crm } from './crm.ts'
import { developer } from './developer.ts'
import { devices } from './devices.ts'
import { identityServers } from './identity-servers.ts'
import { productivity } from './productivity.ts'
import { social } from './social.ts'

/** Every vendor that is emulated, by name. */
export const profiles: ReadonlyMap<string, Profile> = new Map(
  [identityServers, developer, crm, productivity, business, social, devices].flat().map((one) => [one.name, one]),
)

export function profileOf(name: string): Profile {
  const profile = profiles.get(name)
  if (profile === undefined) throw new Error(`no vendor is called ${name}`)
  return profile
}
