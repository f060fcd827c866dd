import { cure } from '../cure.ts'
import type { CredentialState } from './messages.ts'

/** What operators read in the Web UI. The timeline is the page that they land on: every wait says what it is for. */
export function waitingFor(credential: string, provider: string, state: CredentialState): string {
  const { status, reason, generation, dueAtMs, risk, refreshEndsAtMs, warnedMs } = state
  const at = iso(dueAtMs)
  if (risk !== undefined && risk.replayAtMs === undefined)
    return `wait out the attempt at generation ${generation + 1}, until ${at}`
  switch (status) {
    case 'at_risk':
      return `at risk: ${reason ?? 'answer lost'}; the refresh token is sent again at ${at}`
    case 'reconnect_required':
      return `reconnect required: ${reason ?? 'refused'} at ${provider}; perennial reconnect ${credential}`
    case 'misconfigured':
      return `misconfigured: ${reason ?? 'client refused'} at ${provider}; asked again at ${at}`
    default:
      return refreshEndsAtMs === undefined || warnedMs === undefined
        ? `refresh generation ${generation + 1} at ${at}`
        : `refresh generation ${generation + 1} at ${at}; the grant ends at ${iso(refreshEndsAtMs)}: perennial reconnect ${credential}`
  }
}

/** Markdown for the workflow's details page, where something is wrong; empty where all is well. */
export function currentDetails(credential: string, provider: string, state: CredentialState): string {
  const { status, reason, detail, sinceMs, generation, dueAtMs, refreshEndsAtMs, warnedMs } = state
  const ends = refreshEndsAtMs !== undefined && warnedMs !== undefined
  if ((status === 'active' && !ends) || (status === 'pending' && reason === undefined)) return ''
  const nextAttemptAt = iso(dueAtMs)
  const lines = [
    `**${status}** since ${iso(sinceMs)}, at generation ${generation}`,
    reason === undefined ? '' : `${provider} said: ${[reason, detail].filter((part) => part).join(', ')}`,
    cure({
      credential,
      provider,
      status,
      nextAttemptAt,
      ...(reason === undefined ? {} : { reason }),
      ...(ends ? { reconnectBy: iso(refreshEndsAtMs) } : {}),
    }),
  ]
  return lines.filter((line) => line !== '').join('\n\n')
}

/** To the second, which is how exact a timer is. */
const iso = (atMs: number) => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z')
