import { type Bucket, busiest } from '../referee/index.ts'
import type { FlushEvidence } from './flush.ts'
import { type ClassName, classes } from './schedule.ts'

/** What a FLUSHALL cost. */
export interface FlushReport {
  credentials: number
  budgetPerSecond: number
  /** credentials of which readers without a token in memory got none for a while */
  unreadable: number
  /** for how long: the first, the half of them, and the last */
  firstSeconds: number
  medianSeconds: number
  longestSeconds: number
  /** still without one at the end */
  notServedAgain: string[]
  /** their refresh has an unknown end: a spent token is not sent again while the old access token may be in use */
  waitingAtRisk: string[]
  /** a service that had the tokens in memory asked for them so often, got none, or one that the provider refused */
  heldTokens: { looks: number; failed: Record<string, number>; refused: number }
  readsPerSecondPerCredential: number
  providers: Record<ClassName, ProviderRecovery>
}

export interface ProviderRecovery {
  credentials: number
  /** what the budget allows at best: credentials / budget */
  atBestSeconds: number
  longestSeconds: number
  /** of each second from the FLUSHALL on */
  requests: number[]
  busiestSecond: number
  busiestTenSeconds: number
  /** no window was busier than the budget allows */
  kept: boolean
}

export function flushReport(evidence: FlushEvidence): FlushReport {
  const { credentials, budgetPerSecond, flushedAtMs, held, unreadable, readsPerSecondEach } = evidence
  const lengths = lostFor(evidence)
  const sorted = [...lengths.values()].sort((a, b) => a - b)
  const ofClass = (client: ClassName): ProviderRecovery => {
    const mine = credentials.filter((one) => one.client === client)
    const buckets = (evidence.rates[client] ?? []).filter(({ second }) => second >= Math.floor(flushedAtMs / 1_000))
    const within = (perSeconds: number) => busiest(buckets, perSeconds)
    return {
      credentials: mine.length,
      atBestSeconds: seconds((mine.length / budgetPerSecond) * 1_000),
      longestSeconds: seconds(Math.max(0, ...mine.map(({ credential }) => lengths.get(credential) ?? 0))),
      requests: perSecond(buckets, evidence),
      busiestSecond: within(1),
      busiestTenSeconds: within(10),
      kept: windows.every((perSeconds) => within(perSeconds) <= (perSeconds + 1) * budgetPerSecond),
    }
  }
  return {
    credentials: credentials.length,
    budgetPerSecond,
    unreadable: lengths.size,
    firstSeconds: seconds(sorted[0] ?? 0),
    medianSeconds: seconds(sorted[Math.floor(sorted.length / 2)] ?? 0),
    longestSeconds: seconds(sorted.at(-1) ?? 0),
    notServedAgain: unreadable.filter(({ status }) => status !== 'at_risk').map(({ credential }) => credential),
    waitingAtRisk: unreadable.filter(({ status }) => status === 'at_risk').map(({ credential }) => credential),
    heldTokens: { ...held, refused: held.refused.length },
    readsPerSecondPerCredential: Math.round(readsPerSecondEach * 10) / 10,
    providers: Object.fromEntries(classes.map((client) => [client, ofClass(client)])) as FlushReport['providers'],
  }
}

/** A token bucket may spend in the first second what it has saved up in the one before: one second more than the window. */
const windows = [1, 2, 3, 5, 10, 20]

function perSecond(buckets: readonly Bucket[], { flushedAtMs, endedMs }: FlushEvidence): number[] {
  const first = Math.floor(flushedAtMs / 1_000)
  const counts = new Map(buckets.map(({ second, token }) => [second - first, token]))
  return Array.from({ length: Math.ceil(endedMs / 1_000) - first }, (_, second) => counts.get(second) ?? 0)
}

/** How long each credential that lost its token was without one, from the FLUSHALL on. */
function lostFor({ stretches, flushedAtMs }: FlushEvidence): Map<string, number> {
  const lengths = new Map<string, number>()
  for (const { credential, toMs } of stretches)
    if (toMs > flushedAtMs) lengths.set(credential, Math.max(lengths.get(credential) ?? 0, toMs - flushedAtMs))
  return lengths
}

/** The report for people. */
export function flushTable(report: FlushReport): string {
  const { providers, heldTokens, notServedAgain } = report
  const rows = [
    ['credentials', `${report.credentials}, at providers that allow ${report.budgetPerSecond} requests a second each`],
    [
      'without a token to read',
      `${report.unreadable}: the first for ${report.firstSeconds} s, half for ${report.medianSeconds} s, the last for ${report.longestSeconds} s`,
    ],
    ['not served again', [`${notServedAgain.length} (must be 0)`, ...notServedAgain].join(' ')],
    ['waiting, at_risk', [`${report.waitingAtRisk.length}`, ...report.waitingAtRisk].join(' ')],
    [
      'tokens held in memory',
      `of ${heldTokens.looks} asked for, ${failures(heldTokens)} not given and ${heldTokens.refused} refused by the provider (must be 0)`,
    ],
    ['reads', `${report.readsPerSecondPerCredential} a second and credential`],
    ...Object.entries(providers).map(([client, one]) => [
      client,
      `${one.credentials} served again after ${one.longestSeconds} s (at best ${one.atBestSeconds} s); ${one.requests.reduce((sum, requests) => sum + requests, 0)} requests, ` +
        `${one.busiestSecond} in the busiest second, ${one.busiestTenSeconds} in the busiest 10: budget ${one.kept ? 'kept' : 'NOT KEPT'}`,
    ]),
  ]
  const width = Math.max(...rows.map(([name = '']) => name.length))
  return rows.map(([name = '', value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

const failures = ({ failed }: FlushReport['heldTokens']) => Object.values(failed).reduce((sum, one) => sum + one, 0)

/** Whether it went as it must. */
export const flushPassed = ({ notServedAgain, heldTokens, providers, unreadable }: FlushReport): boolean =>
  notServedAgain.length === 0 &&
  heldTokens.refused + failures(heldTokens) === 0 &&
  unreadable > 0 &&
  Object.values(providers).every(({ kept }) => kept)

const seconds = (ms: number) => Math.round(ms / 100) / 10
