import { WorkflowNotFoundError } from '@temporalio/client'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { type GrantProblem, grantProblem, type Keyring } from '../activities/index.ts'
import type { ClientConfig, Config } from '../config.ts'
import { type CredentialParts, parseCredentialId, workflowId } from '../credential.ts'
import type { GrantHash, Store } from '../store/store.ts'
import type { Closed, CredentialState } from '../workflows/messages.ts'
import { dueWithinMs } from '../workflows/schedule.ts'
import { ask, credentialWorkflows, type Temporal } from './temporal.ts'

export interface RestoreFilter {
  tenant?: string
  client?: string
  provider?: string
}

export interface Restored {
  credential: string
  /**
   * `unknown_client`: the configuration does not have its client, so it cannot be refreshed. `refused`: what stands
   * there is not what a worker wrote; it was left as it is
   */
  outcome: 'restored' | 'running' | 'revoked' | 'unknown_client' | 'refused'
  generation: number
  /** of `refused` */
  reason?: GrantProblem['reason']
  detail?: string
}

/** Between the first refreshes of credentials whose access token has ended meanwhile. */
const spreadMs = 50

/**
 * Brings back the workflows of credentials that stand in the store, after Temporal's data was lost. Temporal is asked
 * first: what lives there is left alone. A restored credential keeps family and generation, and treats what was under
 * way before as an attempt whose end is unknown.
 */
export async function* restore(
  { temporal, store, config }: { temporal: Temporal; store: Store; config: Config },
  begin: {
    living(credential: string, hash: GrantHash, state: CredentialState): Promise<void>
    revoking(credential: string, hash: GrantHash): Promise<void>
  },
  filter: RestoreFilter = {},
): AsyncIterable<Restored> {
  const [sealing, ...earlier] = config.keys.grant
  const keyring: Pick<Keyring, 'grant'> = { grant: [sealingKey(sealing), ...earlier.map((key) => sealingKey(key))] }
  let turn = 0
  for await (const credential of store.credentials()) {
    const parts = parseCredentialId(credential)
    if (typeof parts === 'string' || !matches(config, parts, filter)) continue
    const { hash, nowMs } = await store.read(credential)
    if (hash === undefined) continue
    const { generation } = hash
    const client = config.clients.get(parts.client)
    const life = await lifeOf(temporal, credential)
    if (life === 'running' || client === undefined) {
      yield { credential, outcome: life === 'running' ? life : 'unknown_client', generation }
      continue
    }
    // revoked, as far as one of the two knows: what is left of that is done
    if (hash.tombstone || life >= generation) {
      if (!hash.tombstone || hash.grant !== undefined) await begin.revoking(credential, hash)
      yield { credential, outcome: 'revoked', generation }
      continue
    }
    const problem = hash.grant === undefined ? undefined : grantProblem(keyring, hash.grant, credential, hash)
    if (problem !== undefined) {
      yield { credential, outcome: 'refused', generation, ...problem }
      continue
    }
    const state = stateOf(hash, nowMs, credential, client, turn * spreadMs)
    if (state.status === 'pending') turn++
    await begin.living(credential, hash, state)
    yield { credential, outcome: 'restored', generation }
  }
}

/** The credentials of the store that no workflow looks after, though they were not revoked. */
export async function* unattended({ temporal, store }: { temporal: Temporal; store: Store }): AsyncIterable<string> {
  const attended = new Set<string>()
  for await (const running of credentialWorkflows(temporal, `ExecutionStatus = 'Running'`))
    attended.add(running.workflowId)
  for await (const credential of store.credentials()) {
    if (attended.has(workflowId(credential))) continue
    const { hash } = await store.read(credential)
    if (hash === undefined || hash.tombstone) continue
    // the list is a little behind: it may have begun since, or been revoked
    const life = await lifeOf(temporal, credential)
    if (life !== 'running' && life < hash.generation) yield credential
  }
}

function matches({ clients }: Config, { tenant, client }: CredentialParts, filter: RestoreFilter): boolean {
  const provider = clients.get(client)?.provider.name
  const wanted = (value: string | undefined, one: string | undefined) => one === undefined || one === value
  return wanted(tenant, filter.tenant) && wanted(client, filter.client) && wanted(provider, filter.provider)
}

/** Whether a credential lives in Temporal, else the generation at which it was revoked there, -1 if it was not. */
async function lifeOf(temporal: Temporal, credential: string): Promise<'running' | number> {
  const handle = temporal.client.workflow.getHandle(workflowId(credential))
  try {
    const { status } = await ask(temporal, () => handle.describe())
    if (status.name === 'RUNNING') return 'running'
    if (status.name !== 'COMPLETED') return -1
    return ((await ask(temporal, () => handle.result())) as Closed).generation
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return -1
    throw error
  }
}

/** The state that a workflow would have that had read all of this from its own history. */
function stateOf(
  hash: GrantHash,
  redisMs: number,
  credential: string,
  { grant: kind, provider }: ClientConfig,
  delayMs: number,
): CredentialState {
  const nowMs = Date.now()
  const left = (atMs: number | undefined) => (atMs === undefined ? undefined : atMs - redisMs)
  const accessLeftMs = left(hash.accessExpiresAtMs) ?? 0
  const refreshLeftMs = left(hash.refreshExpiresAtMs)
  const endsInMs = left(hash.refreshEndsAtMs)
  const deadlines = {
    ...(refreshLeftMs === undefined ? {} : { livesMs: refreshLeftMs }),
    ...(endsInMs === undefined ? {} : { endsInMs }),
  }
  const readable = accessLeftMs > 0
  return {
    status: readable ? 'active' : 'pending',
    sinceMs: nowMs,
    generation: hash.generation,
    family: hash.family,
    seeds: hash.seeds,
    dueAtMs: Math.round(
      nowMs + (readable ? dueWithinMs(accessLeftMs, kind, credential, deadlines, provider) : delayMs),
    ),
    ...(hash.grant === undefined ? {} : { grant: hash.grant }),
    ...(readable ? { accessExpiresAtMs: nowMs + accessLeftMs } : {}),
    ...(refreshLeftMs === undefined ? {} : { refreshExpiresAtMs: nowMs + refreshLeftMs }),
    ...(endsInMs === undefined ? {} : { refreshEndsAtMs: nowMs + endsInMs }),
  }
}
