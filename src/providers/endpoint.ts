/**
 * Where requests go: endpoints of a provider, with placeholders that parameters fill. What fills them comes from
 * whoever starts a credential, and a client secret is sent to the result, so a value may choose the account at a
 * site and never the site.
 */
import { PerennialError } from '../errors.ts'
import { isRegistry } from './site.ts'
import { placeholder, placeholders } from './template.ts'

/** What a parameter may be. No `.`, `..`, leading dot or hyphen can be made from it, in a host or in a path. */
export const parameterValue = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/

export const parameterRule = '1 to 253 letters, digits, dots and hyphens, with a letter or digit first and last'

/**
 * Says what is wrong with an endpoint of a configuration, if anything: it has to be https (http on loopback only),
 * free of credentials and fragment, and a placeholder in its host has to be followed by a dot and the site's name.
 *
 * @param mayNameSite whether a placeholder is filled by someone who may choose the site too: nobody, unless said
 * @example endpointProblem('https://{domain}.auth0.com/oauth/token') // undefined
 * @example endpointProblem('https://{domain}/oauth/token') // 'placeholder {domain} in the host must be …'
 */
export function endpointProblem(
  template: string,
  mayNameSite: (name: string) => boolean = () => false,
): string | undefined {
  if (!/^https?:\/\/[^/?#]/.test(template)) return 'must be a URL that begins with https:// and a host'
  // the URL parser takes a backslash for a slash and drops tabs and line breaks
  if (/[\s\\\p{Cc}]/u.test(template)) return 'must hold no spaces, backslashes or control characters'
  if (template.includes('#')) return 'must have no fragment (#)'
  const authority = authorityOf(template)
  if (authority.includes('@')) return 'must hold no credentials; they belong into clientId and clientSecrets'
  const hostProblem = placeholderInHostProblem(authority, mayNameSite)
  if (hostProblem !== undefined) return hostProblem
  const filled = template.replaceAll(placeholder, 'x')
  if (/[{}]/.test(filled)) return 'has a brace that belongs to no placeholder; a placeholder is a name: {domain}'
  const url = URL.canParse(filled) ? new URL(filled) : undefined
  if (url === undefined) return 'is not a URL'
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'must be https; http is for loopback only'
  return undefined
}

/** Says what is wrong with an issuer (RFC 8414 section 2): as an endpoint, and without a query. */
export function issuerProblem(template: string, mayNameSite?: (name: string) => boolean): string | undefined {
  return template.includes('?') ? 'must have no query (?)' : endpointProblem(template, mayNameSite)
}

/**
 * Fills the placeholders of an endpoint.
 *
 * @returns the URL, or a PerennialError `invalid_parameter` (returned, not thrown) that names the parameter
 * @example fillEndpoint('https://{domain}.auth0.com/oauth/token', { domain: 'acme.eu' })
 */
export function fillEndpoint(
  template: string,
  parameters: Readonly<Record<string, string>>,
  mayNameSite?: (name: string) => boolean,
): string | PerennialError {
  const problem = endpointProblem(template, mayNameSite)
  if (problem !== undefined) return refused(`endpoint ${problem}`)
  for (const name of placeholders(template)) {
    if (!Object.hasOwn(parameters, name))
      return refused(`parameter ${name} is missing; give it with the credential or under parameters of its client`)
    if (!parameterValue.test(parameters[name] ?? '')) return refused(`parameter ${name} must be ${parameterRule}`)
  }
  const filled = template.replaceAll(placeholder, (_, name: string) => parameters[name] ?? '')
  const host = URL.canParse(filled) ? new URL(filled).hostname : undefined
  // xn-- labels that do not decode, empty labels (a..b) and hosts of more than 253 characters end here
  if (host === undefined || host.length > 253 || host.split('.').includes('') || !host.endsWith(siteOf(template)))
    return refused('the parameters make no valid host name of the endpoint')
  return filled
}

/** The fixed end of the host that no parameter can change, in the spelling of the URL parser. */
function siteOf(template: string): string {
  const host = new URL(template.replaceAll(placeholder, 'x')).hostname
  const authority = authorityOf(template)
  return authority.includes('{') ? host.slice(host.length - afterLastPlaceholder(authority).length) : host
}

/** What follows the last placeholder that may not name the site has to be a site, whatever the others are filled with. */
function placeholderInHostProblem(authority: string, mayNameSite: (name: string) => boolean): string | undefined {
  const bound = authority.replaceAll(placeholder, (whole, name: string) => (mayNameSite(name) ? 'x' : whole))
  const name = /\{([^}]*)\}[^}]*$/.exec(bound)?.[1]
  if (name === undefined) return undefined
  const site = afterLastPlaceholder(bound)
  const isName = /^\.(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+$/.test(site) && !isRegistry(site.slice(1))
  if (isName || site === '.localhost') return undefined
  return `placeholder {${name}} in the host must be followed by a dot and the site's own name, as in https://{${name}}.example.com`
}

const authorityOf = (template: string) => /^https?:\/\/([^/?#]*)/.exec(template)?.[1] ?? ''

/** Without the port: `.auth0.com` of `{domain}.auth0.com:8443`. */
const afterLastPlaceholder = (authority: string) => authority.slice(authority.lastIndexOf('}') + 1).replace(/:\d*$/, '')

/** Whether an endpoint is on this machine as it is written, whatever fills it. */
export const isLoopbackEndpoint = (template: string): boolean => {
  const filled = template.replaceAll(placeholder, 'x')
  return URL.canParse(filled) && isLoopback(new URL(filled).hostname)
}

const isLoopback = (host: string) =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)

const refused = (message: string) => new PerennialError('invalid_parameter', message)
