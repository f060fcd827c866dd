import { pauseMs } from '../workflows/schedule.ts'

const second = 1000

/**
 * When a refresh that certainly did not spend its token is tried again.
 *
 * @param retryAfterMs what the provider asked for; it is obeyed, a little later for each credential
 * @param accessRemainingMs until the access token ends; 0 or less when it has
 * @returns at least 1000: the server takes a delay of 0 for a permanent failure
 */
export function retryDelayMs(
  failing: { attempt: number; accessRemainingMs: number; retryAfterMs?: number },
  random: number,
): number {
  const { attempt, accessRemainingMs, retryAfterMs } = failing
  if (retryAfterMs !== undefined) return Math.round(Math.max(second, retryAfterMs * (1 + random / 10)))
  return Math.round(pauseMs(attempt, accessRemainingMs, random))
}

/**
 * Whether a failing attempt is told to the workflow, so that status, search attributes and readers know. Rarely, for
 * each time costs the workflow five events: at the third attempt and at each doubling, and early when the next
 * attempt is far away or someone waits for this one. One that only waits for its turn within the budget is not failing,
 * unless it waits too long.
 */
export function isWorthTelling(failing: {
  attempt: number
  delayMs: number
  accessRemainingMs: number
  forced: boolean
  waitsItsTurn?: boolean
}): boolean {
  const { attempt, delayMs, accessRemainingMs, forced, waitsItsTurn = false } = failing
  const presses = forced || delayMs >= accessRemainingMs
  if (attempt < 3) return presses || (delayMs >= 30 * second && !waitsItsTurn)
  return (presses || !waitsItsTurn) && Number.isInteger(Math.log2(attempt / 3))
}
