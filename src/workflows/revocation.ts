import { revocationWork } from './activities.ts'
import type { RevocationInput } from './messages.ts'

/**
 * Revokes tokens at their provider, after the credential that they belonged to has begun a new life with a new grant.
 * What a provider refuses for a month is given up.
 */
export async function revocation({ credential, provider, debts, parameters }: RevocationInput): Promise<void> {
  const { revokeTokens } = revocationWork(provider)
  for (const debt of debts) {
    const input = { credential, debt, ...(parameters === undefined ? {} : { parameters }) }
    await revokeTokens.executeWithOptions({ summary: `revoke at ${provider}` }, [input]).catch(() => undefined)
  }
}
