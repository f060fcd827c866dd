import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Config } from '../../config.ts'
import { fillEndpoint } from '../../providers/endpoint.ts'
import { type Check, fail, ok, patienceMs, reasonOf, warn } from './check.ts'

/** Whether the token endpoints can be reached: a connection, no request. */
export function checkProviders(config: Config): Promise<Check[]> {
  const endpoints = new Map<string, { provider: string; url: URL | string }>()
  for (const { provider, parameters } of config.clients.values()) {
    const filled = fillEndpoint(provider.tokenEndpoint, parameters)
    const url = typeof filled === 'string' ? new URL(filled) : provider.tokenEndpoint
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
  try {
    await reach(url)
    return ok(check, `${url.host} can be reached${url.protocol === 'https:' ? ', its certificate is good' : ''}`)
  } catch (error) {
    const fix = 'check name resolution, network, firewall and certificates between here and the provider'
    return fail(check, `${url.host} cannot be reached: ${reasonOf(error)}`, fix)
  }
}

async function reach(url: URL): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const port = Number(url.port) || (secure ? 443 : 80)
  const socket: Socket = secure ? connectTls({ host, port, servername: serverName(host) }) : connectTcp({ host, port })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(patienceMs, () => reject(new Error(`no answer within ${patienceMs / 1000} s`)))
      socket.once(secure ? 'secureConnect' : 'connect', resolve)
      socket.once('error', reject)
    })
  } finally {
    socket.destroy()
  }
}

/** RFC 6066 section 3: an address is no server name. */
const serverName = (host: string) => (/^[\d.]+$|:/.test(host) ? '' : host)
