import { lookup as resolve } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'

/** What no provider on the internet has (RFC 6890 and its registries); v4 addresses written as v6 are these too. */
const notPublic = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  notPublic.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  notPublic.addSubnet(network, bits, 'ipv6')

/** In place of a connection: where it would have led is no place of a provider's. */
export class PrivateAddress extends Error {
  readonly code = 'PRIVATE_ADDRESS'
}

/**
 * Whether an address may be connected to, where someone outside of the configuration had a say in it. A host that is
 * written as an address is none of a provider, public or not.
 */
export const isPublicHost = (hostname: string): boolean => isIP(hostname.replace(/^\[|\]$/g, '')) === 0

export const isPublicAddress = (address: string): boolean =>
  !notPublic.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/**
 * Connects to names alone, and only where every address that they have is public. What was checked is what is connected
 * to: a name that answers differently the second time leads nowhere else.
 */
export function publicConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: checkedLookup })
  return (target, callback) => {
    if (isPublicHost(target.hostname)) connect(target, callback)
    else callback(new PrivateAddress('an address in the place of a name'), null)
  }
}

const checkedLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) callback(error, '')
    else if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address)))
      callback(new PrivateAddress('the name leads to a private address'), '')
    else if (options.all) callback(null, addresses)
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family)
  })
}
