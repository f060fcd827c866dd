import type { Fenced, FenceInput } from '../workflows/messages.ts'
import { isoTime } from './clocks.ts'
import { debtsOf } from './debts.ts'
import { type ActivityDeps, clientOf } from './deps.ts'
import { ForeignNamespace } from './keep.ts'

/**
 * Ends the credential for readers and for every write in flight, and says what its provider has to revoke. Once the
 * provider has, or never will, the last fence lets the tombstone forget the tokens.
 */
export const fenceActivity =
  (deps: ActivityDeps) =>
  async (input: FenceInput): Promise<Fenced> => {
    const { credential, family, generation, grant, unstored, settled } = input
    const owner = deps.caller()
    const provider = clientOf(deps, credential)?.provider
    const reason = settled === undefined ? reasonFor(provider?.revocationEndpoint ?? provider?.issuer) : settled.reason
    const { verdict, hash } = await deps.store.fence({
      credential,
      status: {
        status: 'revoked',
        since: isoTime(await deps.store.nowMs()),
        generation,
        ...(reason === undefined ? {} : { reason }),
      },
      known: { family, generation, owner, ...(grant === undefined ? {} : { grant }) },
      settled: settled !== undefined,
    })
    if (verdict === 'foreign_namespace') throw new ForeignNamespace()
    // carried out after a new grant was handed over: what stands there is not this fence's
    if (verdict === 'stale') return { family, generation }
    if (settled === undefined)
      await deps.store.record({ event: 'revoked', credential, family, generation, status: 'revoked' })
    const revocable = settled === undefined && (provider?.revocationEndpoint ?? provider?.issuer) !== undefined
    const known = { ...(grant === undefined ? {} : { grant }), ...(unstored === undefined ? {} : { unstored }) }
    return {
      family: hash?.family ?? family,
      generation: Math.max(generation, hash?.generation ?? 0),
      endsConsent: provider?.revocation?.endsConsent ?? false,
      ...(reason === undefined ? {} : { reason }),
      ...(revocable ? { debts: debtsOf(deps, credential, known, hash) } : {}),
    }
  }

const reasonFor = (revocationEndpoint: string | undefined) =>
  revocationEndpoint === undefined ? 'no_revocation_endpoint' : 'revocation_pending'
