import { siteFor } from '../../activities/endpoints.ts'
import type { Config } from '../../config.ts'
import { type Check, fail, ok, reasonOf, warn } from './check.ts'
import { reach } from './reach.ts'

/** Whether the token endpoints can be reached: a connection, no request. */
export function checkProviders(config: Config): Promise<Check[]> {
  const endpoints = new Map<string, { provider: string; url: URL | string }>()
  for (const client of config.clients.values()) {
    const { provider } = client
    const filled = siteFor(client)
    const url = typeof filled === 'string' ? new URL(filled) : (provider.tokenEndpoint ?? provider.issuer ?? '')
    endpoints.set(`${provider.name} ${typeof url === 'string' ? url : url.origin}`, { provider: provider.name, url })
  }
  return Promise.all(
    [...endpoints.values()].map(({ provider, url }) =>
      typeof url === 'string'
        ? warn(
            `provider ${provider}`,
            `${url} was not tried: each credential brings its own parameters`,
            'give parameters under the client where all of its credentials share them',
          )
        : checkReachable(`provider ${provider}`, url),
    ),
  )
}

async function checkReachable(check: string, url: URL): Promise<Check> {
  const secure = url.protocol === 'https:'
  try {
    await reach({ host: url.hostname, port: Number(url.port) || (secure ? 443 : 80), secure })
    return ok(check, `${url.host} can be reached${secure ? ', its certificate is good' : ''}`)
  } catch (error) {
    const fix = 'check name resolution, network, firewall and certificates between here and the provider'
    return fail(check, `${url.host} cannot be reached: ${reasonOf(error)}`, fix)
  }
}
