import type { FamilyView, RequestRecord } from '../referee/index.ts'

/** From when until when, epoch milliseconds. */
export type Span = readonly [fromMs: number, toMs: number]

/** How long a span is covered by others, which may overlap each other. */
export function overlapMs([fromMs, toMs]: Span, others: readonly Span[]): number {
  let coveredMs = 0
  let atMs = fromMs
  for (const [start, end] of [...others].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(atMs, start)
    const to = Math.min(toMs, end)
    if (to <= from) continue
    coveredMs += to - from
    atMs = to
  }
  return coveredMs
}

/** When a user had an access token that the provider took and that had been delivered whole. */
export function validSpans(of: {
  requests: readonly RequestRecord[]
  consents: readonly { family: string; atMs: number }[]
  families: readonly FamilyView[]
  lifeMs: number
}): Span[] {
  const endOf = (id: string | undefined) => of.families.find((family) => family.id === id)?.ended?.atMs ?? Infinity
  const initial = of.consents.map(({ family, atMs }): Span => [atMs, Math.min(atMs + of.lifeMs, endOf(family))])
  const refreshed = of.requests.flatMap(({ carried, delivery, committedMs, answeredMs, family }): Span[] => {
    const arrived = carried.access && (delivery === 'complete' || delivery === 'cut')
    if (!arrived || committedMs === undefined || answeredMs === undefined) return []
    return [[answeredMs, Math.min(committedMs + of.lifeMs, endOf(family))]]
  })
  return [...initial, ...refreshed]
}
