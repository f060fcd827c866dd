import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client'
import { defineSearchAttributeKey } from '@temporalio/common'
import type { StatusDocument } from '../../packages/reader/src/format.ts'
import { type Status, statuses } from '../credential.ts'
import { searchAttributes } from '../workflows/messages.ts'

/** A credential as operators see it. Times are ISO 8601 UTC; what is not known is absent. */
export interface CredentialView {
  credential: string
  provider?: string
  status: Status
  reason?: string
  since?: string
  generation?: number
  family?: string
  accessExpiresAt?: string
  nextRefreshAt?: string
  refreshExpiresAt?: string
  /** when the grant ends, whatever is refreshed: the user has to reconnect before */
  reconnectBy?: string
  /** of the refresh under way, when it has failed */
  attempt?: number
  lastFailure?: string
  /** as Temporal names it, where someone ended the workflow but not the credential: nobody refreshes it */
  workflowStatus?: string
  workflowId: string
  runId?: string
}

export const attributes = {
  status: defineSearchAttributeKey(searchAttributes.status, 'KEYWORD'),
  provider: defineSearchAttributeKey(searchAttributes.provider, 'KEYWORD'),
  client: defineSearchAttributeKey(searchAttributes.client, 'KEYWORD'),
  tenant: defineSearchAttributeKey(searchAttributes.tenant, 'KEYWORD'),
} as const

/** What the store knows beside the workflow. */
export interface Stored {
  document?: StatusDocument | undefined
  family?: string | undefined
}

/** What a list and a description of a workflow have in common. */
type Shown = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'status' | 'typedSearchAttributes'>

/** Puts together what the workflow shows of itself, and what the store holds. */
export function viewOf(credential: string, workflow: Shown, stored: Stored): CredentialView {
  const { document, family } = stored
  const status = statusOf(workflow, document)
  const { reason, generation, accessExpiresAt, nextRefreshAt, refreshExpiresAt, reconnectBy, since } = document ?? {}
  // a document that tells another story is older than the workflow's
  const current = document?.status === status
  const ended = status === 'revoked'
  const left = workflow.status.name !== 'RUNNING' && workflow.status.name !== 'COMPLETED'
  return {
    credential,
    status,
    workflowId: workflow.workflowId,
    runId: workflow.runId,
    ...present({
      provider: workflow.typedSearchAttributes.get(attributes.provider),
      reason: current ? reason : undefined,
      since: current ? since : undefined,
      generation,
      family: family === '' ? undefined : family,
      accessExpiresAt: ended ? undefined : accessExpiresAt,
      nextRefreshAt: ended || left ? undefined : nextRefreshAt,
      refreshExpiresAt: ended ? undefined : refreshExpiresAt,
      reconnectBy: ended ? undefined : reconnectBy,
      workflowStatus: left ? workflow.status.name : undefined,
    }),
  }
}

/** A closed workflow has revoked its credential, unless an operator ended it. */
function statusOf(workflow: Shown, document: StatusDocument | undefined): Status {
  if (workflow.status.name === 'COMPLETED') return 'revoked'
  const shown = workflow.typedSearchAttributes.get(attributes.status)
  return statuses.find((one) => one === shown) ?? document?.status ?? 'pending'
}

/** The refresh that is pending: which attempt, what the last one said, when the next one is. */
export function pendingRefresh({ raw }: WorkflowExecutionDescription): Partial<CredentialView> {
  const refresh = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'refresh')
  if (refresh?.lastFailure == null) return {}
  const next = refresh.nextAttemptScheduleTime
  const nextMs = next?.seconds == null ? undefined : Number(next.seconds) * 1000 + (next.nanos ?? 0) / 1e6
  return present({
    attempt: refresh.attempt ?? undefined,
    lastFailure: refresh.lastFailure.message ?? undefined,
    nextRefreshAt: nextMs === undefined ? undefined : new Date(nextMs).toISOString(),
  })
}

function present(fields: { [K in keyof CredentialView]?: CredentialView[K] | undefined }): Partial<CredentialView> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
