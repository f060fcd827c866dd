import { Reports } from '../store/gate.ts'
import { ClientSecrets } from './client-secrets.ts'
import type { ActivityDeps } from './deps.ts'
import { fenceActivity } from './fence.ts'
import { refreshActivity } from './refresh.ts'
import { resyncActivity } from './resync.ts'
import { revokeTokensActivity } from './revoke.ts'
import { announceActivity, claimActivity, persistActivity, settleActivity } from './store-work.ts'

export {
  type ActivityDeps,
  type Caller,
  type Counter,
  counters,
  type GrantProblem,
  grantProblem,
  type Keyring,
  type Log,
} from './deps.ts'

export type Activities = ReturnType<typeof createActivities>

/** The effects of the workflow: everything that it does to the world. */
export function createActivities(deps: ActivityDeps) {
  const exchanging = { ...deps, secrets: new ClientSecrets(deps), reports: new Reports(deps.gate) }
  return {
    refresh: refreshActivity(exchanging),
    claim: claimActivity(deps),
    fence: fenceActivity(deps),
    revokeTokens: revokeTokensActivity(exchanging),
    settle: settleActivity(deps),
    resync: resyncActivity(deps),
    persist: persistActivity(deps),
    announce: announceActivity(deps),
  }
}
