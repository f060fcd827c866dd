/**
 * Where a provider's endpoints are, as it says itself at its issuer: RFC 8414, and OpenID Connect Discovery before it.
 */
import { isSameSite } from '../providers/site.ts'
import type { Outcome } from './judge.ts'
import { type Members, membersOf, textOf } from './members.ts'
import { type Message, write } from './message.ts'

export interface Discovered {
  tokenEndpoint: string
  revocationEndpoint?: string
  introspectionEndpoint?: string
}

/** The places where an issuer describes itself, in the order in which they are asked. */
export function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

/**
 * Reads the metadata of an issuer. It has to be that issuer's own (RFC 8414 section 3.3), and so do its endpoints: what
 * is sent there are secrets.
 *
 * @returns the endpoints, or a sentence that says what is wrong
 */
export function discoveredIn(body: string, issuer: string): Discovered | string {
  const members = membersOf(parsed(body))
  if (members === undefined) return 'is no JSON object'
  if (withoutSlash(textOf(members.issuer) ?? '') !== withoutSlash(issuer)) return 'names another issuer'
  const wrong = endpointNames.find((name) => isElsewhere(members, name, issuer))
  if (wrong !== undefined) return `has a ${wrong} that is not https on the site of the issuer`
  const [tokenEndpoint, revocationEndpoint, introspectionEndpoint] = endpointNames.map((name) => textOf(members[name]))
  if (tokenEndpoint === undefined) return 'names no token_endpoint'
  return {
    tokenEndpoint,
    ...(revocationEndpoint !== undefined && { revocationEndpoint }),
    ...(introspectionEndpoint !== undefined && { introspectionEndpoint }),
  }
}

const endpointNames = ['token_endpoint', 'revocation_endpoint', 'introspection_endpoint'] as const

const withoutSlash = (url: string) => url.replace(/\/$/, '')

/** Its host is of the issuer's site, and its scheme that of the issuer, so that no request leaves https. */
function isElsewhere(members: Members, name: string, issuer: string): boolean {
  const endpoint = textOf(members[name])
  if (endpoint === undefined) return members[name] !== undefined
  if (!URL.canParse(endpoint)) return true
  const [there, here] = [new URL(endpoint), new URL(issuer)]
  return (
    !isSameSite(here.hostname, there.hostname) ||
    there.protocol !== here.protocol ||
    there.username + there.password !== ''
  )
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const freshForMs = 3600_000
/** while the provider does not say where it is, it is where it was */
const usableForMs = 24 * 3600_000

/** Remembers what was discovered, for this process: an hour, and a day where the issuer does not answer. */
export class Discovery {
  readonly #known = new Map<string, { atMs: number; found: Discovered }>()
  readonly #asking = new Map<string, Promise<Discovered | string>>()

  /** @param ask sends a message; its outcome may be anything */
  async at(issuer: string, ask: (message: Message) => Promise<Outcome>): Promise<Discovered | string> {
    const known = this.#known.get(issuer)
    if (known !== undefined && performance.now() - known.atMs < freshForMs) return known.found
    const asking = this.#asking.get(issuer) ?? this.#ask(issuer, ask).finally(() => this.#asking.delete(issuer))
    this.#asking.set(issuer, asking)
    const found = await asking
    if (typeof found !== 'string') this.#known.set(issuer, { atMs: performance.now(), found })
    else if (known !== undefined && performance.now() - known.atMs < usableForMs) return known.found
    return found
  }

  async #ask(issuer: string, ask: (message: Message) => Promise<Outcome>): Promise<Discovered | string> {
    const problems: string[] = []
    for (const url of metadataUrls(issuer)) {
      const outcome = await ask(
        write({ method: 'GET', endpoint: url, encoding: 'none', parameters: {}, headers: {}, secrets: [] }),
      )
      const found = readOutcome(outcome, issuer)
      if (typeof found !== 'string') return found
      problems.push(`${new URL(url).pathname} ${found}`)
    }
    return problems.join('; ')
  }
}

function readOutcome(outcome: Outcome, issuer: string): Discovered | string {
  if (outcome.kind !== 'answered') return `does not answer (${outcome.reason})`
  const { status, body } = outcome.answer
  return status === 200 ? discoveredIn(body, issuer) : `answers with HTTP ${status}`
}
