import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { type Former, type Imported, type ImportOptions, importLines, type Servers } from './client/import/import.ts'
import { type Restored, type RestoreFilter, restore, unattended } from './client/restore.ts'
import { type ResyncProgress, resync } from './client/resync.ts'
import { checkParameters, clientFor, makeSeed } from './client/seed.ts'
import { ask, credentialWorkflows, openTemporal, type Temporal } from './client/temporal.ts'
import { attributes, type CredentialView, pendingRefresh, viewOf } from './client/view.ts'
import type { Config } from './config.ts'
import { credentialOf, needsPerson, parseCredentialId, type Status, workflowId } from './credential.ts'
import { PerennialError } from './errors.ts'
import { type Connection, connect, ready } from './store/connection.ts'
import { type GrantHash, Store } from './store/store.ts'
import type {
  Closed,
  CredentialInput,
  CredentialState,
  Message,
  Seed,
  StateView,
  Tuning,
} from './workflows/messages.ts'
import * as messages from './workflows/messages.ts'

export type { Imported, ImportOptions } from './client/import/import.ts'
export type { Restored, RestoreFilter } from './client/restore.ts'
export type { ResyncProgress } from './client/resync.ts'
export type { CredentialView } from './client/view.ts'

export interface Beginning {
  /** the token response as the provider gave it, parsed; none for client_credentials and jwt_bearer */
  tokenResponse?: unknown
  /** fills placeholders of the provider's endpoints and requests */
  parameters?: Record<string, string>
  /** for tests */
  tuning?: Partial<Tuning>
}

export interface Filter {
  status?: Status
  tenant?: string
  client?: string
  provider?: string
  /** whose refresh token dies within this time */
  expiringWithinMs?: number
}

/** What a workflow begins with, whatever else it is given. */
interface Life {
  parameters?: Record<string, string> | undefined
  tuning?: Partial<Tuning> | undefined
}

/** how long a caller is kept until the workflow has taken a new grant over; that it will is certain before */
const claimWithinMs = 8_000

/**
 * What programs of operators call: begins, renews, refreshes and ends credentials. Services that read tokens need
 * none of it.
 *
 * Every method throws PerennialError for what can be expected: `invalid_credential_id`, `unknown_client`,
 * `not_found`, `temporal_unavailable`, `store_unavailable` and what it says itself.
 *
 * @example
 * const perennial = await Perennial.open(await loadConfig('perennial.yaml'))
 * await perennial.connect('acme/google-main/alice', { tokenResponse })
 */
export class Perennial {
  readonly #config: Config
  readonly #temporal: Temporal
  readonly #redis: Connection
  readonly #store: Store

  private constructor(config: Config, temporal: Temporal, redis: Connection) {
    this.#config = config
    this.#temporal = temporal
    this.#redis = redis
    this.#store = new Store(redis)
  }

  /** Connections are made when they are needed: this neither fails nor waits where a server is away. */
  static async open(config: Config): Promise<Perennial> {
    return new Perennial(
      config,
      openTemporal(),
      connect(config.redis.url, 'perennial-client', () => {}),
    )
  }

  /**
   * Begins a credential.
   *
   * @throws PerennialError also `already_started`, `grant_needed`, `invalid_token_response`, `invalid_parameter`,
   * `restore_needed`
   */
  async start(credential: string, beginning: Beginning = {}): Promise<CredentialView> {
    const seed = makeSeed(this.#config, credential, beginning)
    checkParameters(this.#config, credential, beginning.parameters)
    const [workflow, hash] = await Promise.all([this.#describe(credential), this.#hash(credential)])
    if (workflow?.status.name === 'RUNNING') throw this.#alreadyStarted(credential)
    await this.#beginAbove(credential, { ...beginning, seed }, { workflow, hash })
    return await this.#claimed(credential, seed.family)
  }

  /**
   * Hands a new grant to a credential that lives. A call that is repeated, or comes with a refresh token that was
   * handed over before, changes nothing.
   */
  async reconnect(credential: string, { tokenResponse }: Pick<Beginning, 'tokenResponse'>): Promise<CredentialView> {
    const { grant, name } = clientFor(this.#config, credential)
    if (!needsPerson(grant))
      throw new PerennialError(
        'invalid_token_response',
        `client ${name} has the grant ${grant}: there is nothing to reconnect; perennial refresh ${credential} asks for a new token`,
      )
    const seed = makeSeed(this.#config, credential, { tokenResponse })
    try {
      await this.#ask(() => this.#handle(credential).signal(messages.reconnect, seed))
    } catch (error) {
      throw error instanceof WorkflowNotFoundError ? notStarted(credential) : error
    }
    return await this.#claimed(credential, seed.family)
  }

  /** Start or reconnect, for an OAuth callback that cannot know which. */
  async connect(credential: string, beginning: Beginning = {}): Promise<CredentialView> {
    const { grant } = clientFor(this.#config, credential)
    // what is wrong with the grant is said before any server is asked
    if (needsPerson(grant) || beginning.tokenResponse !== undefined) makeSeed(this.#config, credential, beginning)
    const workflow = await this.#describe(credential)
    if (workflow?.status.name !== 'RUNNING') {
      try {
        return await this.start(credential, beginning)
      } catch (error) {
        if (!(error instanceof PerennialError && error.code === 'already_started')) throw error
      }
    }
    if (!needsPerson(grant)) return await this.#beginAgain(credential)
    return await this.reconnect(credential, beginning)
  }

  /**
   * Refreshes now and waits for the outcome; joins a refresh that is under way, so that many callers cause one.
   *
   * @throws PerennialError also `refresh_failed` with the reason, `refresh_pending` when it goes on
   */
  async refreshNow(credential: string, { timeoutMs = 40_000 }: { timeoutMs?: number } = {}): Promise<CredentialView> {
    clientFor(this.#config, credential)
    const untilMs = Date.now() + timeoutMs
    for (;;) {
      try {
        const state = await this.#ask(() => this.#update(credential), Math.max(1, untilMs - Date.now()))
        const view = (await this.describe(credential)) ?? missing(credential)
        // the workflow knows it first; the store may be a moment behind
        return view.generation === state.generation ? view : { ...view, ...shownState(state) }
      } catch (error) {
        // the run ended between taking the call and answering it: the next one takes it again
        if (Date.now() < untilMs && isUnanswered(error)) continue
        throw refreshError(credential, error)
      }
    }
  }

  /**
   * Ends a credential: readers lose it at once, no refresh in flight brings it back, and the provider is asked to
   * revoke its tokens for as long as that takes.
   *
   * @returns what of it holds already. `fenced`: readers have lost it; the workflow sees to it when Redis was away.
   * `accepted`: the workflow knows; it meets the fence at its next refresh when Temporal was away.
   */
  async revoke(credential: string): Promise<{ credential: string; fenced: boolean; accepted: boolean }> {
    clientFor(this.#config, credential)
    // the fence first and in any case: what the workflow does can wait
    const fencing = this.#fence(credential)
    const [fence, accepted] = await Promise.allSettled([fencing, this.#endLifeBeside(fencing, credential)])
    const fenced = fence.status === 'fulfilled'
    if (accepted.status === 'fulfilled') return { credential, fenced, accepted: true }
    const error: unknown = accepted.reason
    const away = error instanceof PerennialError && error.code === 'temporal_unavailable'
    if (!(away && fence.status === 'fulfilled' && fence.value !== 'missing')) throw error
    return { credential, fenced, accepted: false }
  }

  /** undefined when there is no such credential */
  async describe(credential: string): Promise<CredentialView | undefined> {
    const parts = parseCredentialId(credential)
    if (typeof parts === 'string') throw new PerennialError('invalid_credential_id', parts)
    const [workflow, stored] = await Promise.all([this.#describe(credential), this.#stored(credential)])
    if (workflow === undefined) return undefined
    const pending = workflow.status.name === 'RUNNING' ? pendingRefresh(workflow) : {}
    return { ...viewOf(credential, workflow, stored), ...pending }
  }

  /** The fleet, in no order. Revoked credentials are in it only where they are asked for. */
  async *list(filter: Filter = {}): AsyncIterable<CredentialView> {
    for await (const workflow of credentialWorkflows(this.#temporal, conditionOf(filter))) {
      const view = await this.#listed(workflow)
      if (isExpiring(view, filter.expiringWithinMs)) yield view
    }
  }

  /**
   * Compares every credential with the store, after Redis was emptied, replaced or rolled back. Workers do it by
   * themselves when they notice.
   */
  async resync(onProgress?: (progress: ResyncProgress) => void): Promise<ResyncProgress> {
    return await this.#stores(async (store) => {
      return await resync({ temporal: this.#temporal, store, config: this.#config }, undefined, onProgress)
    })
  }

  /** Starts the workflows of credentials again that stand in the store, after Temporal's data was lost. */
  async *restore(filter: RestoreFilter = {}): AsyncIterable<Restored> {
    await this.#stores((store) => store.ping())
    const parts = { temporal: this.#temporal, store: this.#store, config: this.#config }
    const begin = {
      living: (credential: string, { parameters }: GrantHash, state: CredentialState) =>
        this.#begin(credential, { aboveGeneration: 0, inbox: [], parameters, state }),
      revoking: (credential: string, { generation, parameters }: GrantHash) =>
        this.#begin(credential, { aboveGeneration: generation, inbox: [], parameters }, messages.revoke),
    }
    yield* restore(parts, begin, filter)
  }

  /** Credentials that stand in the store without a workflow that refreshes them: restore() brings them back. */
  async *unattended(): AsyncIterable<string> {
    await this.#stores((store) => store.ping())
    yield* unattended({ temporal: this.#temporal, store: this.#store })
  }

  /**
   * Begins many credentials, or gives them new grants, from JSON lines: each a token response with `credential` and,
   * where the endpoints have placeholders, `parameters`. What was imported before is left as it is, so that an import
   * that broke off is run again from the top. Tells what became of each line, in no order; the lines are durable in
   * Temporal then, and their tokens follow.
   *
   * @throws PerennialError `temporal_unavailable`, `store_unavailable` when a server stays away for half a minute
   * @example for await (const { line, outcome } of perennial.import(createReadStream('grants.jsonl'))) …
   */
  async *import(chunks: AsyncIterable<Uint8Array>, options: ImportOptions = {}): AsyncIterable<Imported> {
    const servers: Servers = {
      hash: (credential) => this.#hash(credential),
      describe: (credential) => this.#describe(credential),
      beginFirst: ({ credential, seed, parameters }) =>
        this.#begin(credential, {
          parameters,
          aboveGeneration: 0,
          inbox: [{ type: 'reconnect', seed }],
          isFirst: true,
        }),
      beginAbove: (entry, former) => this.#beginAbove(entry.credential, entry, former),
      reconnect: (credential, seed) => this.#ask(() => this.#handle(credential).signal(messages.reconnect, seed)),
    }
    yield* importLines(this.#config, servers, chunks, options)
  }

  async close(): Promise<void> {
    this.#redis.destroy()
    await this.#temporal.client.connection.close()
  }

  /** A client's own credential that is being revoked begins anew at once; one that lives is left as it is. */
  async #beginAgain(credential: string): Promise<CredentialView> {
    const hash = await this.#hash(credential).catch(() => undefined)
    const view = (await this.describe(credential)) ?? missing(credential)
    // the workflow may not have come to a revoke yet that it was told of: then nothing living stands in the store, and
    // it takes the two in their order
    if (view.status !== 'revoked' && hash !== undefined && !hash.tombstone) return view
    const seed = makeSeed(this.#config, credential, {})
    await this.#ask(() => this.#handle(credential).signal(messages.reconnect, seed))
    return await this.#claimed(credential, seed.family)
  }

  // ---- Temporal

  #ask<T>(call: () => Promise<T>, withinMs?: number): Promise<T> {
    return ask(this.#temporal, call, withinMs)
  }

  #handle(credential: string) {
    return this.#temporal.client.workflow.getHandle(workflowId(credential))
  }

  #alreadyStarted(credential: string): PerennialError {
    const { grant } = clientFor(this.#config, credential)
    const instead = needsPerson(grant)
      ? `perennial reconnect ${credential} hands it a new grant`
      : `perennial refresh ${credential} asks for a new token`
    return new PerennialError('already_started', `${credential} lives already; ${instead}`)
  }

  async #describe(credential: string): Promise<WorkflowExecutionDescription | undefined> {
    try {
      return await this.#ask(() => this.#handle(credential).describe())
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined
      throw error
    }
  }

  /** Begins one that has no workflow, above every generation of its former life. */
  async #beginAbove(credential: string, life: Life & { seed: Seed }, { workflow, hash }: Former): Promise<void> {
    if (hash !== undefined && !hash.tombstone)
      throw new PerennialError(
        'restore_needed',
        `${credential} stands in Redis (generation ${hash.generation}) and has no workflow; perennial restore brings it back, perennial revoke ends it so that it can begin anew`,
      )
    // no life begins at the generation of a tombstone, were it 0
    const revokedAt = hash === undefined ? 0 : Math.max(1, hash.generation)
    const aboveGeneration = Math.max(revokedAt, await this.#closedGeneration(credential, workflow))
    const { parameters, tuning, seed } = life
    await this.#begin(credential, { parameters, tuning, aboveGeneration, inbox: [{ type: 'reconnect', seed }] })
  }

  async #begin(
    credential: string,
    life: Life & {
      aboveGeneration: number
      inbox: Message[]
      state?: CredentialState
      /** refused where there ever was one */
      isFirst?: boolean
    },
    signal?: typeof messages.revoke,
  ): Promise<void> {
    const { provider, grant, name, tenant } = clientFor(this.#config, credential)
    const { parameters, tuning, aboveGeneration, inbox, state } = life
    const input: CredentialInput = {
      credential,
      provider: provider.name,
      kind: grant,
      inbox,
      ...(aboveGeneration === 0 ? {} : { aboveGeneration }),
      ...(parameters === undefined ? {} : { parameters }),
      ...(state === undefined ? {} : { state }),
      ...(tuning === undefined ? {} : { tuning }),
    }
    const options = {
      workflowId: workflowId(credential),
      taskQueue: messages.workflowQueue,
      args: [input] as [CredentialInput],
      typedSearchAttributes: [
        { key: attributes.status, value: state?.status ?? 'pending' },
        { key: attributes.provider, value: provider.name },
        { key: attributes.client, value: name },
        { key: attributes.tenant, value: tenant },
      ],
      priority: { fairnessKey: fairnessKey(tenant) },
      ...(life.isFirst ? { workflowIdReusePolicy: 'REJECT_DUPLICATE' as const } : {}),
    }
    try {
      if (signal === undefined) await this.#ask(() => this.#temporal.client.workflow.start('credential', options))
      else await this.#ask(() => this.#temporal.client.workflow.signalWithStart('credential', { ...options, signal }))
    } catch (error) {
      throw error instanceof WorkflowExecutionAlreadyStartedError ? this.#alreadyStarted(credential) : error
    }
  }

  /** How far an earlier life of this credential came; a workflow that was ended by force still answers a query. */
  async #closedGeneration(credential: string, workflow: WorkflowExecutionDescription | undefined): Promise<number> {
    if (workflow === undefined) return 0
    try {
      if (workflow.status.name === 'COMPLETED')
        return ((await this.#ask(() => this.#handle(credential).result())) as Closed).generation
      return (await this.#ask(() => this.#handle(credential).query(messages.state), 3_000)).generation
    } catch {
      // no worker to answer, or a history that is gone; the hash is the other witness
      return 0
    }
  }

  async #update(credential: string): Promise<StateView> {
    const handle = await this.#handle(credential).startUpdate(messages.refreshNow, {
      waitForStage: 'ACCEPTED',
      updateId: randomUUID(),
    })
    return await handle.result()
  }

  /** A credential that begins at this moment is met by the fence first, and then is there to be told. */
  async #endLifeBeside(fencing: Promise<string>, credential: string): Promise<void> {
    try {
      await this.#endLife(credential)
    } catch (error) {
      const isMissing = error instanceof PerennialError && error.code === 'not_found'
      if (!isMissing || (await fencing.catch(() => 'missing')) === 'missing') throw error
      await this.#endLife(credential)
    }
  }

  /** Signals the workflow; a credential whose workflow is gone gets one, to be revoked from its hash. */
  async #endLife(credential: string): Promise<void> {
    const hash = this.#hash(credential).catch(() => undefined)
    const workflow = await this.#describe(credential)
    if (workflow?.status.name === 'RUNNING') {
      await this.#begin(credential, { aboveGeneration: 0, inbox: [] }, messages.revoke)
      return
    }
    const held = await hash
    if (held === undefined && workflow === undefined) throw notStarted(credential)
    // one whose tombstone has been settled, or that was revoked so long ago that it is gone, has nothing left to do
    if (held === undefined || (held.tombstone && held.grant === undefined)) return
    await this.#begin(credential, { aboveGeneration: held.generation, inbox: [] }, messages.revoke)
  }

  async #listed(execution: WorkflowExecutionInfo): Promise<CredentialView> {
    const credential = credentialOf(execution.workflowId)
    const view = viewOf(credential, execution, await this.#stored(credential))
    const failing = !['active', 'pending', 'revoked'].includes(view.status)
    return failing ? ((await this.describe(credential)) ?? view) : view
  }

  // ---- Redis

  /** @throws PerennialError `store_unavailable` */
  async #hash(credential: string): Promise<GrantHash | undefined> {
    return (await this.#stores((store) => store.read(credential))).hash
  }

  /** What readers and workers see; nothing where Redis is away, for the workflow knows the status too. */
  async #stored(credential: string) {
    try {
      return await this.#stores(async (store) => {
        const [[document], { hash }] = await Promise.all([store.statuses([credential]), store.read(credential)])
        return { document, family: hash?.family }
      })
    } catch {
      return {}
    }
  }

  /** @returns `missing` when there is nothing to fence */
  async #fence(credential: string): Promise<string> {
    const status = { status: 'revoked' as const, since: new Date().toISOString(), generation: 0 }
    for (;;) {
      const { verdict } = await this.#stores(async (store) =>
        store.fence({ credential, status, askedAtMs: await store.nowMs() }),
      )
      // a grant was handed over in between; this revoke is not over, and means that one too
      if (verdict !== 'stale') return verdict
    }
  }

  async #stores<T>(work: (store: Store) => Promise<T>): Promise<T> {
    try {
      await ready(this.#redis)
      return await work(this.#store)
    } catch (error) {
      if (error instanceof PerennialError) throw error
      const where = new URL(this.#config.redis.url).host
      const why = error instanceof Error ? error.message.split('\n')[0] : 'no answer'
      throw new PerennialError(
        'store_unavailable',
        `Redis at ${where} does not answer (${why}); is it running, and is redis.url right?`,
      )
    }
  }

  /** Waits a moment for the workflow to take the grant over, so that what is returned tells of it. */
  async #claimed(credential: string, family: string): Promise<CredentialView> {
    const untilMs = performance.now() + claimWithinMs
    while (performance.now() < untilMs) {
      const hash = await this.#hash(credential).catch(() => undefined)
      const view = hash?.family === family ? await this.describe(credential) : undefined
      // the workflow and the store tell the same story
      if (view?.since !== undefined) return view
      await sleep(50)
    }
    return (await this.describe(credential)) ?? missing(credential)
  }
}

/** Among whom a provider's queue is shared. The server takes 64 bytes; a tenant may be longer. */
const fairnessKey = (tenant: string) =>
  tenant.length <= 64 ? tenant : createHash('sha256').update(tenant).digest('base64url')

function conditionOf(filter: Filter): string {
  // closed workflows are of credentials that were revoked, and of their earlier runs
  const conditions = [filter.status === 'revoked' ? `ExecutionStatus = 'Completed'` : `ExecutionStatus = 'Running'`]
  for (const name of ['status', 'tenant', 'client', 'provider'] as const) {
    const value = filter[name]
    if (value === undefined) continue
    if (!/^[A-Za-z0-9._~@|+=%-]+$/.test(value))
      throw new PerennialError(
        'invalid_filter',
        `${name} ${JSON.stringify(value)} holds characters that no ${name} has`,
      )
    conditions.push(`${messages.searchAttributes[name]} = '${value}'`)
  }
  return conditions.join(' AND ')
}

function isExpiring({ refreshExpiresAt }: CredentialView, withinMs: number | undefined): boolean {
  if (withinMs === undefined) return true
  return refreshExpiresAt !== undefined && Date.parse(refreshExpiresAt) - Date.now() <= withinMs
}

function shownState({ status, generation, family, accessExpiresAtMs, dueAtMs }: StateView): Partial<CredentialView> {
  const iso = (atMs: number) => new Date(atMs).toISOString()
  const accessExpiresAt = accessExpiresAtMs === undefined ? {} : { accessExpiresAt: iso(accessExpiresAtMs) }
  return { status, generation, family, nextRefreshAt: iso(dueAtMs), ...accessExpiresAt }
}

const isUnanswered = (error: unknown) =>
  error instanceof WorkflowUpdateFailedError &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === 'AcceptedUpdateCompletedWorkflow'

function refreshError(credential: string, error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) return notStarted(credential)
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return new PerennialError(
      'refresh_pending',
      `${credential}: no answer in time; is a worker running? perennial doctor`,
    )
  if (!(error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)) return error
  const code = error.cause.type === 'RefreshPending' ? 'refresh_pending' : 'refresh_failed'
  return new PerennialError(code, `${credential}: ${error.cause.message}`)
}

const notStarted = (credential: string) =>
  new PerennialError('not_found', `${credential} was not started, or was revoked; perennial start begins it`)

function missing(credential: string): never {
  throw notStarted(credential)
}
