import { dueAfterMs } from '../../src/workflows/schedule.ts'
import type { RequestSeen } from './provider.ts'

/** What the servers counted, as numbers. Pure. */

/** The most requests in any window of so long. */
export function busiest(requests: readonly RequestSeen[], windowMs: number): number {
  const atMs = requests.map((request) => request.atMs).sort((a, b) => a - b)
  let most = 0
  let first = 0
  for (let last = 0; last < atMs.length; last++) {
    while ((atMs[last] ?? 0) - (atMs[first] ?? 0) >= windowMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

export const between = (requests: readonly RequestSeen[], fromMs: number, toMs: number) =>
  requests.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)

/** When each line got a token, oldest first; the first one at its consent. */
export function grants(requests: readonly RequestSeen[], began: ReadonlyMap<string, number>): Map<string, number[]> {
  const lines = new Map([...began].map(([line, atMs]) => [line, [atMs]]))
  for (const { line, atMs, outcome } of requests) if (outcome === 'granted') lines.get(line)?.push(atMs)
  return lines
}

/** How long after they were due the refreshes between two times came, in ms, shortest first. */
export function lateness(
  lines: ReadonlyMap<string, number[]>,
  { tokenMs, credentialOf, fromMs, toMs }: Life & { fromMs: number; toMs: number },
): number[] {
  const late: number[] = []
  for (const [line, atMs] of lines) {
    const dueAfter = dueAfterMs(tokenMs, 'refresh_token', credentialOf(line))
    for (const [i, at] of atMs.entries()) {
      const before = atMs[i - 1]
      if (before !== undefined && at >= fromMs && at < toMs) late.push(Math.max(0, at - before - dueAfter))
    }
  }
  return late.sort((a, b) => a - b)
}

export interface Life {
  tokenMs: number
  credentialOf(line: string): string
}

/** For each line how long it had no token at all, between two times. */
export function gaps(lines: ReadonlyMap<string, number[]>, tokenMs: number, untilMs: number): number[] {
  return [...lines.values()].map((atMs) =>
    [...atMs, untilMs].reduce((sum, at, i, all) => {
      const before = all[i - 1]
      return sum + (before === undefined ? 0 : Math.max(0, at - before - tokenMs))
    }, 0),
  )
}

/** Of numbers that are sorted; the nearest rank. */
export const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN

/** For each second: how many lines hold a token that is good. */
export function holding(lines: ReadonlyMap<string, number[]>, tokenMs: number, seconds: readonly number[]): number[] {
  const all = [...lines.values()]
  return seconds.map((at) => all.filter((atMs) => atMs.some((got) => got <= at && at < got + tokenMs)).length)
}
