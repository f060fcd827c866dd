import type { ClientConfig } from '../config.ts'
import type { RefreshInput } from '../workflows/messages.ts'
import { type AttemptFailed, clientRefused, storeAway } from './attempt-failed.ts'
import { type ActivityDeps, partsOf } from './deps.ts'
import { siteFor } from './endpoints.ts'

/**
 * Whether a client is refused, as all workers together know it: while it is, one of its credentials at a time asks
 * again, and operators hear of the client once.
 */
export class ClientStanding {
  readonly #deps: ActivityDeps
  readonly #input: RefreshInput
  readonly #client: ClientConfig | undefined

  constructor(deps: ActivityDeps, input: RefreshInput, client: ClientConfig | undefined) {
    this.#deps = deps
    this.#input = input
    this.#client = client
  }

  /** What a refusal of the client holds for: where each credential has an endpoint of its own, for that one. */
  get registration(): string {
    const client = this.#client
    if (client === undefined) return partsOf(this.#input.credential).client
    const { name, provider } = client
    if (!(provider.tokenEndpoint ?? provider.issuer)?.includes('{')) return name
    const endpoint = siteFor(client, this.#input.parameters)
    return typeof endpoint === 'string' ? `${name}@${endpoint}` : name
  }

  /**
   * While a client is refused, one of its credentials at a time asks whether it still is.
   *
   * @throws AttemptFailed where that is another one
   */
  async beTheOneWhoTries({ name }: ClientConfig, refusedBefore: string | undefined): Promise<void> {
    if (refusedBefore === undefined || this.#input.forced) return
    const mine = await this.#deps.store
      .takeClientProbe(this.registration, this.#input.misconfiguredEveryMs)
      .catch((error: unknown) => {
        throw storeAway(error)
      })
    if (!mine) throw clientRefused(refusedBefore, `client ${name} is refused; another of its credentials asks again`)
  }

  async refused(reason: string): Promise<void> {
    await this.#deps.store
      .markClientRefused(this.registration, reason, this.#input.misconfiguredEveryMs)
      .catch(() => {})
  }

  /** Beside the way back: the tokens do not wait for it. */
  worksAgain(client: ClientConfig, wasRefused: boolean): void {
    const { store, wakeClient } = this.#deps
    const { registration } = this
    const clear = async () => {
      await store.recordClientRecovered(registration, this.#metBy())
      if (!wasRefused) return
      await store.clearClientRefused(registration, 'all')
      wakeClient(client.name)
    }
    // the next success does it again
    clear().catch(() => {})
  }

  /** Operators hear of a client once, not of each of its credentials. */
  async tell({ reason }: AttemptFailed['failure']): Promise<void> {
    // each of its credentials comes here once in that time
    const quietMs = 2 * this.#input.misconfiguredEveryMs + 60_000
    await this.#deps.store.recordClientRefused(this.registration, { ...this.#metBy(), reason }, quietMs)
  }

  #metBy() {
    const { credential, generation } = this.#input
    return { credential, generation }
  }
}
