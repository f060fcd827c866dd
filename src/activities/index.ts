import type { ActivityDeps } from './deps.ts'
import { refreshActivity } from './refresh.ts'
import { announceActivity, claimActivity, fenceActivity, persistActivity, settleActivity } from './store-work.ts'

export type { ActivityDeps, Caller, Keyring, Log } from './deps.ts'

export type Activities = ReturnType<typeof createActivities>

/** The effects of the workflow: everything that it does to the world. */
export function createActivities(deps: ActivityDeps) {
  return {
    refresh: refreshActivity(deps),
    claim: claimActivity(deps),
    fence: fenceActivity(deps),
    settle: settleActivity(deps),
    persist: persistActivity(deps),
    announce: announceActivity(deps),
  }
}
