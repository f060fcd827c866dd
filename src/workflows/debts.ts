import { ParentClosePolicy, startChild } from '@temporalio/workflow'
import { revocationWork, storeWork } from './activities.ts'
import { insist, unless } from './interruptible.ts'
import type { CredentialInput, CredentialState, RevocationInput } from './messages.ts'
import { setStatus } from './transitions.ts'

/**
 * Has the provider revoke what a fenced credential still owes it, for as long as it takes; then the tombstone forgets
 * the tokens that it covered. Left off when something arrives, and taken up again.
 */
export async function payDebts(input: CredentialInput, state: CredentialState, arrived: () => boolean): Promise<void> {
  if (state.debts === undefined) return
  let failed = state.reason === 'revocation_failed'
  for (let [debt] = state.debts; debt !== undefined && !arrived(); [debt] = state.debts) {
    const paid = await pay(input, debt, arrived)
    if (paid === undefined && arrived()) return
    if (paid === undefined) failed = true
    state.debts = state.debts.slice(1)
  }
  if (arrived()) return
  delete state.debts
  const pending = state.reason === 'revocation_pending' ? undefined : state.reason
  await forgetTokens(input, state, failed ? 'revocation_failed' : pending)
}

async function pay({ credential, provider, parameters }: CredentialInput, debt: string, arrived: () => boolean) {
  const work = revocationWork(provider)
  const input = { credential, debt, ...(parameters === undefined ? {} : { parameters }) }
  return await unless(arrived, () =>
    work.revokeTokens.executeWithOptions({ summary: `revoke at ${provider}` }, [input]),
  )
}

async function forgetTokens({ credential }: CredentialInput, state: CredentialState, reason?: string): Promise<void> {
  const { family, generation } = state
  const input = { credential, family, generation, settled: reason === undefined ? {} : { reason } }
  const work = storeWork()
  await insist(
    () => false,
    () => work.fence.executeWithOptions({ summary: 'the tombstone forgets the tokens' }, [input]),
  )
  setStatus(state, Date.now(), 'revoked', reason)
  delete state.unannounced
}

/** A new grant begins at once; what is left to revoke of the old one becomes a workflow of its own. */
export async function handOverDebts(input: CredentialInput, state: CredentialState): Promise<void> {
  const { debts = [], endsConsent, generation } = state
  delete state.debts
  // where revoking a token ends the user's whole consent, it would end the new grant too
  if (debts.length === 0 || endsConsent) return
  const { credential, provider, parameters } = input
  const work: RevocationInput = { credential, provider, debts, ...(parameters === undefined ? {} : { parameters }) }
  await startChild('revocation', {
    // no two claims begin at one generation
    workflowId: `revocation/${credential}/${generation}`,
    args: [work],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `tokens of ${credential} that ${provider} has yet to revoke`,
  }).catch(() => undefined)
}
