import { setTimeout as sleep } from 'node:timers/promises'
import { PerennialError } from '../../src/errors.ts'
import { tokenIdOf } from '../referee/index.ts'
import { type Account, bury } from './account.ts'
import type { Stage } from './stage.ts'

/** What users and the programs that act for them do: they repeat a call until it was heard. */
export class Users {
  readonly #stage: Stage
  readonly #end: AbortSignal

  /** @param end no call is repeated after it */
  constructor(stage: Stage, end: AbortSignal) {
    this.#stage = stage
    this.#end = end
  }

  /** Begins a credential, or hands it a new consent: whichever is right. */
  async connect(account: Account): Promise<void> {
    const { referee, perennial } = this.#stage
    const { credential, client, user } = account
    if (client === 'client_credentials') return await this.#connectMachine(account)
    const tokenResponse = await referee.consent(user, client)
    account.consents.push({ family: tokenIdOf(tokenResponse.access_token).split('.')[0] ?? '', atMs: Date.now() })
    account.phase = 'living'
    await this.#insist(() => perennial.connect(credential, { tokenResponse }))
    account.excused = false
  }

  /** One that is still being revoked cannot be handed a grant: it begins anew when that is over. */
  async #connectMachine(account: Account): Promise<void> {
    const { perennial } = this.#stage
    await this.#insist(async () => {
      const view = await perennial.describe(account.credential)
      if (view?.status === 'revoked' && view.reason === 'revocation_pending') throw new StillRevoking()
      account.phase = 'living'
      const begun = await perennial.connect(account.credential)
      if (begun.status !== 'revoked') return
      account.phase = 'revoked'
      throw new StillRevoking()
    })
    account.excused = false
  }

  /** Resolves when readers have lost it and the workflow knows. */
  async revoke(account: Account): Promise<void> {
    account.excused = true
    await this.#insist(async () => {
      const { fenced, accepted } = await this.#stage.perennial.revoke(account.credential)
      if (fenced && account.phase === 'living') bury(account)
      if (!fenced || !accepted) throw new StillRevoking()
    })
  }

  async #insist(call: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await call()
        return
      } catch (error) {
        if (this.#end.aborted || !isWorthRepeating(error)) throw error
        await sleep(200)
      }
    }
  }
}

class StillRevoking extends Error {}

/** Servers are being killed: whatever is not our own refusal is a connection that broke. */
const isWorthRepeating = (error: unknown) =>
  !(error instanceof PerennialError) ||
  ['temporal_unavailable', 'store_unavailable', 'already_started', 'restore_needed', 'not_found'].includes(error.code)
