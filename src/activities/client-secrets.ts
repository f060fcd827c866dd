import type { ClientConfig } from '../config.ts'
import { sendsSecret } from '../providers/schema.ts'
import type { ActivityDeps } from './deps.ts'

/**
 * The secrets of the clients as this process knows them: read again where a file has changed, and in an order that
 * begins with the one that worked last.
 */
export class ClientSecrets {
  readonly #deps: Pick<ActivityDeps, 'config' | 'count' | 'log'>
  readonly #first = new Map<string, { index: number; of: string[] }>()
  readonly #told = new Map<string, number>()

  constructor(deps: Pick<ActivityDeps, 'config' | 'count' | 'log'>) {
    this.#deps = deps
  }

  /** Takes over what has changed in the client's files, its keys and certificates included. */
  async reread({ name }: ClientConfig): Promise<void> {
    await this.#deps.config.rereadSecrets?.(name)
  }

  /** The secrets to try, each with its place in the configuration; one try without where the client sends none. */
  inTurn({ name, clientSecrets, provider }: ClientConfig): (readonly [number, string | undefined])[] {
    if (clientSecrets.length === 0 && !sendsSecret(provider.clientAuth)) return [[0, undefined]]
    const known = this.#first.get(name)
    // secrets that were replaced are tried in their order
    const first = known?.of.every((secret, i) => secret === clientSecrets[i]) ? known.index : 0
    return clientSecrets.map((_, offset) => {
      const index = (first + offset) % clientSecrets.length
      return [index, clientSecrets[index]] as const
    })
  }

  /** The provider has refused this one: a later attempt begins with the next. */
  refused({ name, clientSecrets }: ClientConfig, index: number): void {
    this.#first.set(name, { index: (index + 1) % clientSecrets.length, of: [...clientSecrets] })
  }

  /** The provider has taken this one. Where it is not the first, each use is counted, and the first is logged. */
  worked({ name, clientSecrets, provider }: ClientConfig, index: number): void {
    const isNews = (this.#told.get(name) ?? 0) !== index
    this.#told.set(name, index)
    if (index === 0) return
    this.#deps.count('client_secret_fallbacks', { client: name, provider: provider.name, secret: `${index + 1}` })
    if (!isNews) return
    const fields = { client: name, secret: index + 1, of: clientSecrets.length }
    this.#deps.log.warn(fields, 'not the first client secret is in use: the provider refuses those before it')
  }
}
