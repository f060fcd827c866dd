import type { Account } from './run.ts'

/** What a run came to, for people. */
export function table({ stand, seconds, faults, judge, counts, written, unserved, exit, troubles }: Account): string {
  const rows: [string, string][] = [
    ['seconds', `${seconds}`],
    ['faults', listed(faults)],
    ['token sets written', `${written}`],
    ['calls', `${counts.calls}; without an answer ${counts.unsettled} (must be 0)`],
    [
      'handed out',
      `${judge.handedOut}, ${judge.handedOutStale} of them stale; by the reader's count ${listed(counts.served)}`,
    ],
    ['least left', `${judge.leastRemainingMs} ms`],
    ...(['expired', 'short', 'foreign', 'older', 'outdated', 'refused', 'untyped'] as const).map(
      (wrong): [string, string] => [
        wrong,
        `${judge.violations.filter((violation) => violation.wrong === wrong).length} (must be 0)`,
      ],
    ),
    ['unhandled', `${counts.unhandled.length} (must be 0)`],
    ['errors', `${judge.errorsInAll}`],
    ...Object.entries(judge.errors).map(([fault, codes]): [string, string] => [`  ${fault}`, listed(codes)]),
    ['reads of Redis', listed(counts.reads)],
    ['connections', `${counts.connections.up}; lost: ${listed(counts.connections.down)}`],
    ['unserved at the end', `${unserved.length} (must be 0)`],
    ['exit', exit],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const details = [
    ...judge.violations
      .slice(0, 20)
      .map(
        ({ wrong, why, call }) =>
          `  ${wrong}: ${why}; ${JSON.stringify({ ...call, token: call.token && { ...call.token, accessToken: '…' } })}`,
      ),
    ...counts.unhandled.slice(0, 5).map((line) => `  ${line}`),
    ...troubles.slice(0, 5).map((line) => `  the writer: ${line}`),
  ]
  return [`${stand}:`, ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ...details].join('\n')
}

/** Whether everything held that must. */
export const passed = ({ judge, counts, unserved, exit, troubles }: Account) =>
  judge.violations.length + counts.unhandled.length + counts.unsettled + unserved.length + troubles.length === 0 &&
  exit === '0'

const listed = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'
