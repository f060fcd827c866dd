import type { Config } from '../config.ts'
import { credentialOf, parseCredentialId } from '../credential.ts'
import type { Store } from '../store/store.ts'
import type { Closed } from '../workflows/messages.ts'
import * as messages from '../workflows/messages.ts'
import { ask, credentialWorkflows, type Temporal } from './temporal.ts'
import { attributes } from './view.ts'

/** How many refreshes a second of one provider a resync or an import causes, where its entry has no rateLimit. */
const refreshesPerSecond = 20

const signalsAtOnce = 32

export interface ResyncProgress {
  /** tombstones that were written again */
  fenced: number
  /** credentials that compare themselves with the store */
  asked: number
  /** workflows that ended meanwhile */
  gone: number
}

/**
 * Has every credential compared with the store, after Redis was emptied, replaced or rolled back: first the
 * tombstones of those that were revoked, then the living ones, which write what is missing and refresh what readers
 * have lost, each in its turn within its provider's budget. Harmless when repeated, and beside live workflows.
 *
 * @param goOn asked now and then; when it says no, the rest is left
 */
export async function resync(
  { temporal, store, config }: { temporal: Temporal; store: Store; config: Config },
  goOn: () => Promise<boolean> = async () => true,
  onProgress: (progress: ResyncProgress) => void = () => {},
): Promise<ResyncProgress> {
  const progress = { fenced: 0, asked: 0, gone: 0 }
  const { client, namespace } = temporal
  const living = new Set<string>()
  for await (const { workflowId } of credentialWorkflows(temporal, `ExecutionStatus = 'Running'`))
    living.add(workflowId)
  for await (const { workflowId, runId } of credentialWorkflows(temporal, `ExecutionStatus = 'Completed'`)) {
    if (living.has(workflowId)) continue
    const closed = (await ask(temporal, () => client.workflow.getHandle(workflowId, runId).result())) as Closed
    if (await fenceAgain(store, credentialOf(workflowId), closed, { namespace, run: runId })) progress.fenced++
    onProgress(progress)
  }
  const turns = new Map<string, number>()
  const told = async (workflowId: string, delayMs: number) => {
    try {
      await ask(temporal, () => client.workflow.getHandle(workflowId).signal(messages.resync, delayMs))
      progress.asked++
    } catch {
      // it ended meanwhile, or meets the store at its next refresh
      progress.gone++
    }
    onProgress(progress)
  }
  let batch: Promise<void>[] = []
  for await (const { workflowId, typedSearchAttributes } of credentialWorkflows(
    temporal,
    `ExecutionStatus = 'Running'`,
  )) {
    const provider = typedSearchAttributes.get(attributes.provider) ?? ''
    const turn = turns.get(provider) ?? 0
    turns.set(provider, turn + 1)
    batch.push(told(workflowId, Math.round((turn * 1000) / refreshesPerSecondOf(config, credentialOf(workflowId)))))
    if (batch.length < signalsAtOnce) continue
    await Promise.all(batch)
    batch = []
    if (!(await goOn())) break
  }
  await Promise.all(batch)
  return progress
}

/** Only what stands there as if it had never been revoked; a credential that began again is above it. */
async function fenceAgain(
  store: Store,
  credential: string,
  { generation, family = '' }: Closed,
  owner: { namespace: string; run: string },
): Promise<boolean> {
  const { hash, nowMs } = await store.read(credential)
  if (hash !== undefined && (hash.tombstone || hash.generation > generation)) return false
  const status = { status: 'revoked' as const, since: new Date(nowMs).toISOString(), generation }
  await store.fence({ credential, status, known: { family, generation, owner }, settled: true })
  return true
}

/** How many refreshes a second may be caused at the provider of a credential, where many are due at once. */
export function refreshesPerSecondOf({ clients }: Config, credential: string): number {
  const parts = parseCredentialId(credential)
  const limit = typeof parts === 'string' ? undefined : clients.get(parts.client)?.provider.rateLimit
  return limit === undefined ? refreshesPerSecond : limit.requests / limit.perSeconds
}
