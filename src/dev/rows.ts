import type { StatusDocument } from '../../packages/reader/src/format.ts'
import type { Status } from '../credential.ts'

/** A credential as the table shows it. */
export interface Row {
  credential: string
  status: Status
  reason?: string
  generation: number
  accessExpiresAtMs?: number
  nextRefreshAtMs?: number
  /** of the access token, as long as it was when this generation was first seen */
  lifetimeMs?: number
  /** also after it is over */
  lastFailure?: { reason: string; atMs: number }
}

/**
 * The rows after a look into the store, by id; pure.
 *
 * @param expected credentials that are shown even before they are in the store
 */
export function nextRows(
  previous: readonly Row[],
  documents: ReadonlyMap<string, StatusDocument>,
  expected: readonly string[],
  nowMs: number,
): Row[] {
  const before = new Map(previous.map((row) => [row.credential, row]))
  const ids = new Set([...documents.keys(), ...expected])
  return [...ids].sort().map((id) => nextRow(id, documents.get(id), before.get(id), nowMs))
}

function nextRow(
  credential: string,
  document: StatusDocument | undefined,
  before: Row | undefined,
  nowMs: number,
): Row {
  if (document === undefined) return { credential, status: 'pending', generation: 0 }
  const { status, reason, generation } = document
  const accessExpiresAtMs = timeMs(document.accessExpiresAt)
  const nextRefreshAtMs = timeMs(document.nextRefreshAt)
  const known = before?.generation === generation ? before.lifetimeMs : undefined
  const lifetimeMs = known ?? (accessExpiresAtMs === undefined ? undefined : accessExpiresAtMs - nowMs)
  const failing = reason !== undefined && status !== 'active' && status !== 'pending'
  const lastFailure = failing ? { reason, atMs: Date.parse(document.since) } : before?.lastFailure
  return {
    credential,
    status,
    generation,
    ...(reason === undefined ? {} : { reason }),
    ...(accessExpiresAtMs === undefined ? {} : { accessExpiresAtMs }),
    ...(nextRefreshAtMs === undefined ? {} : { nextRefreshAtMs }),
    ...(lifetimeMs === undefined || lifetimeMs <= 0 ? {} : { lifetimeMs }),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  }
}

const timeMs = (iso: string | undefined): number | undefined => (iso === undefined ? undefined : Date.parse(iso))

/** Rows whose status, reason or generation is another than before. */
export function changedRows(previous: readonly Row[], rows: readonly Row[]): Row[] {
  const before = new Map(previous.map((row) => [row.credential, row]))
  return rows.filter((row) => {
    const old = before.get(row.credential)
    return old?.status !== row.status || old.reason !== row.reason || old.generation !== row.generation
  })
}
