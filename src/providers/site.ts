/**
 * What belongs together on the internet: the name that its owner registered, and everything below it. Where that is,
 * `example.com` or `example.co.uk`, only the Public Suffix List tells (https://publicsuffix.org).
 */
import { getDomain } from 'tldts'

/**
 * Whether two hosts are of one site: the same, one below the other's, or both below one registered name. Where customers
 * of a host register names below it (github.io), each is a site of its own.
 *
 * @param here a host name as the URL parser spells it
 * @example isSameSite('login.example.com', 'api.example.com') // true
 */
export function isSameSite(here: string, there: string): boolean {
  if (there === here || there.endsWith(`.${here}`)) return true
  const site = getDomain(here, { allowPrivateDomains: true, extractHostname: false })
  return site !== null && site === getDomain(there, { allowPrivateDomains: true, extractHostname: false })
}

/** Whether anybody may register names below this one, as below `com` and `co.uk`: it names no site. */
export const isRegistry = (host: string): boolean => getDomain(host.toLowerCase(), { extractHostname: false }) === null
