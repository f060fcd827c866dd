import type { CredentialView } from '../client.ts'
import type { Status } from '../credential.ts'
import { cure } from '../cure.ts'
import { fromNow } from './duration.ts'
import { print, printable, printJson, type Style, styled } from './output.ts'

const styles: Record<Status, Style> = {
  active: 'green',
  pending: 'yellow',
  retrying: 'yellow',
  at_risk: 'yellow',
  expired: 'red',
  misconfigured: 'red',
  reconnect_required: 'red',
  revoked: 'dim',
}

/** A status as people see it. */
export const statusText = (status: Status, width = 0) => styled(styles[status], status.padEnd(width))

/** What is known of a credential, a pair of label and value for each thing that is; the status is not among them. */
export function details(view: CredentialView, nowMs: number): [label: string, value: string][] {
  const moment = (at: string | undefined) => (at === undefined ? undefined : `${at} (${fromNow(at, nowMs)})`)
  const lines: [string, string | undefined][] = [
    ['reason', view.reason],
    ['since', moment(view.since)],
    ['provider', view.provider],
    ['generation', view.generation?.toString()],
    ['token expires', moment(view.accessExpiresAt)],
    ['next refresh', moment(view.nextRefreshAt)],
    ['refresh token expires', moment(view.refreshExpiresAt)],
    ['reconnect by', moment(view.reconnectBy)],
    ['attempt', view.attempt?.toString()],
    ['last failure', view.lastFailure],
    ['workflow', view.runId === undefined ? view.workflowId : `${view.workflowId} (run ${view.runId})`],
    ['workflow status', view.workflowStatus],
    ['what to do', cureOf(view)],
  ]
  return lines.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]))
}

function cureOf(view: CredentialView): string {
  const { credential, status, reason, provider, nextRefreshAt, reconnectBy, workflowStatus } = view
  return cure({
    credential,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(provider === undefined ? {} : { provider }),
    ...(nextRefreshAt === undefined ? {} : { nextAttemptAt: nextRefreshAt }),
    ...(reconnectBy === undefined ? {} : { reconnectBy }),
    ...(workflowStatus === undefined ? {} : { workflowStatus }),
  })
}

/** Prints one credential, for people or as one JSON object. */
export function printView(view: CredentialView, { json = false }: { json?: boolean | undefined }): void {
  if (json) {
    printJson(view)
    return
  }
  const label = (text: string) => `  ${text.padEnd(22)} `
  print(styled('bold', view.credential))
  print(`${label('status')}${statusText(view.status)}`)
  for (const [name, value] of details(view, Date.now())) print(`${label(name)}${printable(value)}`)
}
