import type { Bucket, FamilyView, Kill, RequestRecord } from '../referee/index.ts'
import type { Account } from './account.ts'
import type { Readers, RevokedRead, Stretch } from './readers.ts'
import { budgeted, type Stage } from './stage.ts'
import type { Made, Revoked, Strikes } from './strikes.ts'
import type { FoundLoss, StatusEvent, Watch } from './watch.ts'

/** Everything that was seen, from which the report is made. Times are epoch milliseconds. */
export interface Evidence {
  seed: number
  beganMs: number
  endedMs: number
  /** a limit or a signal came first */
  endedEarly: boolean
  credentials: number
  users: Record<string, string>
  /** credentials that did not come to rest, and why */
  unsettled: string[]
  made: Made[]
  /** requests that met a fault, by its kind at the referee */
  requestsMet: Record<string, number>
  kills: Kill[]
  flushedAtMs: number[]
  revoked: Revoked[]
  losses: FoundLoss[]
  events: StatusEvent[]
  stretches: Stretch[]
  revokedReads: RevokedRead[]
  readsPerSecondEach: number
  consents: { user: string; family: string; atMs: number }[]
  requests: RequestRecord[]
  families: FamilyView[]
  rates: Record<string, Bucket[]>
  budget: { client: string; perSecond: number }
  troubles: string[]
}

/** Asks the referee for its side of it, and puts both together. */
export async function gather(
  stage: Stage,
  seen: { accounts: readonly Account[]; readers: Readers; watch: Watch; strikes: Strikes },
  run: Pick<Evidence, 'seed' | 'beganMs' | 'endedEarly' | 'unsettled'>,
): Promise<Evidence> {
  const { accounts, readers, watch, strikes } = seen
  const { referee } = stage
  return {
    ...run,
    endedMs: Date.now(),
    credentials: accounts.length,
    users: Object.fromEntries(accounts.map(({ credential, user }) => [credential, user])),
    made: strikes.made,
    requestsMet: await referee.faultsMade(),
    kills: stage.kills,
    flushedAtMs: strikes.flushedAtMs,
    revoked: strikes.revoked,
    losses: watch.losses,
    events: watch.events,
    stretches: readers.stretches,
    revokedReads: readers.revokedReads,
    readsPerSecondEach: readers.readsPerSecondEach,
    consents: accounts.flatMap(({ user, consents }) => consents.map((consent) => ({ user, ...consent }))),
    requests: await referee.requests(),
    families: await referee.families(),
    rates: await referee.rates(),
    budget: { client: budgeted, perSecond: stage.budgetPerSecond },
    troubles: [...watch.troubles, ...strikes.troubles],
  }
}
