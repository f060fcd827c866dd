import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from './activities/index.ts'
import { resync } from './client/resync.ts'
import type { Temporal } from './client/temporal.ts'
import type { Config } from './config.ts'
import type { Store } from './store/store.ts'

const lookEveryMs = 5_000
/** one worker compares at a time, and says so now and then; should it die, another takes over */
const resyncWithinMs = 15_000

/** One look at Redis: which server it is, and when everything was last compared with it. */
export interface Epoch {
  server: string
  mark: string | undefined
}

/**
 * Whether everything has to be compared with this Redis: it has no mark (emptied), an older mark than one that was
 * seen (rolled back), or it is another server or another replica's history (replaced, failed over) and nobody has
 * compared since.
 */
export function needsResync(seen: Epoch | undefined, now: Epoch): boolean {
  if (now.mark === undefined) return true
  if (seen?.mark === undefined) return false
  return now.mark < seen.mark || (now.server !== seen.server && now.mark === seen.mark)
}

/** Looks at Redis every few seconds, and has everything compared when it is not the one that it was. */
export async function watchEpoch(
  parts: { temporal: Temporal; store: Store; config: Config },
  log: Log,
  end: AbortSignal,
): Promise<void> {
  let seen: Epoch | undefined
  while (!end.aborted) {
    try {
      const now = await parts.store.epoch()
      if (needsResync(seen, now)) seen = await resyncOnce(parts, log, now)
      else seen = now
    } catch (error) {
      // Redis or Temporal is away; the next look comes soon
      log.info({ reason: error instanceof Error ? error.message : 'unknown' }, 'Redis was not looked at')
    }
    await sleep(lookEveryMs, undefined, { signal: end }).catch(() => {})
  }
}

/** @returns what counts as seen: unchanged while another worker is at it */
async function resyncOnce(
  parts: { temporal: Temporal; store: Store; config: Config },
  log: Log,
  now: Epoch,
): Promise<Epoch | undefined> {
  const { store } = parts
  const turn = await store.takeResync(resyncWithinMs)
  if (turn === undefined) return undefined
  log.warn({ server: now.server }, 'Redis was emptied, replaced or rolled back: comparing every credential')
  const progress = await resync(parts, () => store.keepResync(turn, resyncWithinMs))
  const mark = await store.markEpoch(turn)
  log.warn({ ...progress, marked: mark !== undefined }, 'every credential was asked to compare itself with Redis')
  // emptied again meanwhile: the next look begins anew
  return mark === undefined ? undefined : { server: now.server, mark }
}
