import type { ChaosReport, ExplainedLoss } from './report.ts'

/** The report for people: the numbers, then what has to be explained. */
export function table(report: ChaosReport): string {
  const { budget, faults } = report
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0)
  const rows: [string, string][] = [
    ['seconds', `${report.seconds}${report.endedEarly ? ', ended early' : ''}`],
    ['seed', `${report.seed}`],
    ['faults', `${total}: ${listed(faults)}`],
    ['requests that met one', listed(report.requestsMet)],
    ['credentials', `${report.credentials}`],
    ['refreshes', `${report.refreshes}`],
    ['lost avoidably', `${report.lostAvoidably} (must be 0)`],
    ['lost in the window', `${report.lostInWindow}`],
    ['lost unavoidably', `${report.lostUnavoidably}`],
    ['times at risk', `${report.atRisk}`],
    ['slowest reconnect', `${report.slowestReconnectSeconds} s`],
    ['revoked tokens read', `${report.revokedReadable} (must be 0)`],
    ['valid but not readable', `${report.unreadableSeconds} s over all credentials`],
    ['no token to read', listed(report.withoutTokenSeconds, ' s')],
    ['longest recovery', `${report.longestRecoverySeconds} s`],
    ['reads', `${report.readsPerSecondPerCredential} a second and credential`],
    ['overlapping requests', `${report.overlappingRequests} (must be 0)`],
    ['early second uses', `${report.earlySecondUses} (must be 0)`],
    [
      `budget of ${budget.client}`,
      `${budget.perSecond} a second; ${budget.busiestSecond} in the busiest, ${budget.busiestTenSeconds} in the busiest 10: ${budget.kept ? 'kept' : 'NOT KEPT'}`,
    ],
    ...report.flushes.map((flush): [string, string] => [
      `FLUSHALL at ${flush.at}`,
      `${flush.unreadable} had no token to read, all again after ${flush.allReadableAfterSeconds} s; at the provider ` +
        `${flush.busiestSecond.allClients} in the busiest second, ${budget.client} ${flush.busiestSecond.budgetedClient}`,
    ]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
  return [...lines, ...details(report)].join('\n')
}

const listed = (counts: Record<string, number>, unit = '') =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}${unit}`)
    .join(', ')

function details(report: ChaosReport): string[] {
  const longest = report.longest.map(
    ({ credential, at, seconds, codes, before, requests }) =>
      `  ${credential} from ${at} for ${seconds} s: ${Object.keys(codes).join(', ')}${[...before, ...requests].map((line) => `\n    ${line}`).join('')}`,
  )
  return [
    ...section('losses', report.losses.flatMap(lossLines)),
    ...section('longest without a token', longest),
    ...section(
      'revoked tokens read',
      report.revokedReads.map(({ credential, token }) => `  ${credential} ${token}`),
    ),
    ...section('revoked, and the provider still accepts a token', report.unrevokedAtProvider.map(indented)),
    ...section('not at rest at the end', report.unsettled.map(indented)),
    ...section('troubles', report.troubles.map(indented)),
  ]
}

const section = (title: string, lines: string[]) => (lines.length === 0 ? [] : ['', `${title}:`, ...lines])

const indented = (line: string) => `  ${line}`

function lossLines({ credential, verdict, because, foundAt, wasAtRisk, ...trails }: ExplainedLoss) {
  const { statuses, shown, requests, kills } = trails
  const head = `  ${credential} ${verdict} at ${foundAt}: ${because}${wasAtRisk ? '' : '; was never at_risk'}`
  const inWorkflow = shown.map((status) => `in Temporal: ${status}`)
  const trail = [...statuses, ...inWorkflow, ...requests.slice(-6), ...kills.map((kill) => `killed: ${kill}`)]
  return [head, ...trail.map((line) => `    ${line}`)]
}
