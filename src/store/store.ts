import { randomUUID } from 'node:crypto'
import { accessKey, changedChannel, type StatusDocument, statusKey } from '../../packages/reader/src/format.ts'
import { type CredentialParts, parseCredentialId } from '../credential.ts'
import { PerennialError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { type ClientEvent, eventFields, type LifecycleEvent } from './events.ts'
import { script } from './script.ts'

const begin = script('begin')
const write = script('write')
const fence = script('fence')
const announce = script('announce')
const mark = script('mark')

const eventsKey = 'perennial:events'
const keptEvents = 100_000
const epochKey = 'perennial:epoch'
const resyncKey = `${epochKey}:resync`
const grantPrefix = 'perennial:grant:'

/** How long the tombstone of a revoked credential stands, and what is told of it. */
const tombstoneMs = 30 * 24 * 3600_000

/** The grant hash: the second durable copy of what the workflow holds. Times are of the Redis clock. */
export interface GrantHash {
  family: string
  generation: number
  writer?: string
  grant?: string
  accessExpiresAtMs?: number
  refreshExpiresAtMs?: number
  /** the end that no refresh moves */
  refreshEndsAtMs?: number
  /** when the attempt that wrote the set began */
  beganMs?: number
  seeds: string[]
  namespace?: string
  run?: string
  tombstone: boolean
  /** when it was fenced */
  tombstoneAtMs?: number
  /** number of the last refresh that may have sent */
  send?: number
  /** of a tombstone: the access value that it took from readers */
  access?: string
  parameters: Record<string, string>
}

/** Who asks: a run of a workflow in a namespace. */
export interface Owner {
  namespace: string
  run: string
}

export type BeginVerdict = 'clear' | 'newer' | 'tombstone' | 'foreign_run' | 'foreign_namespace' | 'stale'

export type WriteVerdict =
  | 'written'
  /** this writer's earlier try did it */
  | 'same'
  | 'newer'
  /** the same generation of the same family, from an earlier send: write again one higher */
  | 'tie'
  | 'tombstone'
  | 'tombstone_own'
  | 'foreign_namespace'

/** One token set, as it goes into the store. Plain data: it may wait, sealed, in a workflow until Redis is back. */
export interface TokenSetWrite {
  credential: string
  family: string
  generation: number
  writer: string
  /** when the attempt began, Redis clock */
  beganMs: number
  /** what readers get; absent when the answer held no access token */
  access?: { value: string; expiresAtMs: number }
  /** sealed */
  grant?: string
  refreshExpiresAtMs?: number
  refreshEndsAtMs?: number
  seeds: string[]
  parameters: Record<string, string>
  status: StatusDocument
  /** of a new family: how long ago it was handed over */
  waitedMs?: number
}

export interface Fence {
  credential: string
  status: StatusDocument
  /** what the caller knows; a caller outside the workflow knows nothing */
  known?: { family: string; generation: number; grant?: string; owner: Owner }
  /** when a caller who knows nothing asked, by the clock there: a family handed over since is not meant */
  askedAtMs?: number
  /** nothing is left to revoke: the tombstone need not hold tokens */
  settled?: boolean
}

/** The credential by which it was found out, and why. */
export type MetRefusal = Pick<ClientEvent, 'credential' | 'generation' | 'reason'>

/**
 * The credentials in Redis. Every change is one script that refuses what is stale and says why, and every method
 * fails when Redis does not answer: nothing is queued, nothing is repeated here.
 */
export class Store {
  readonly #redis: Connection

  constructor(redis: Connection) {
    this.#redis = redis
  }

  /** The time there, in epoch milliseconds. */
  async nowMs(): Promise<number> {
    return redisTimeMs(await this.#redis.time())
  }

  /** What the hash holds, if anything, and the time there. */
  async read(credential: string): Promise<{ nowMs: number; hash: GrantHash | undefined }> {
    const [now, hash] = await Promise.all([this.#redis.time(), this.#redis.hGetAll(keys(credential).grant)])
    return { nowMs: redisTimeMs(now), hash: Object.keys(hash).length === 0 ? undefined : parseHash(hash) }
  }

  /**
   * Asks whether the refresh token of `generation` may be sent by this run, and takes note of the run.
   *
   * @param previousRun the run that this one continues, and that may therefore stand in the hash
   * @param send the number of this refresh; none for one who will not send
   * @param take own the hash whichever run stands in it, after an attempt whose end is unknown has been waited out
   */
  async begin(
    credential: string,
    request: {
      owner: Owner
      previousRun?: string
      family: string
      generation: number
      send?: number
      take?: boolean
    },
  ): Promise<{ verdict: BeginVerdict; nowMs: number; hash: GrantHash | undefined }> {
    const { owner, previousRun = '', family, generation, send = '', take } = request
    return parseReply<BeginVerdict>(
      await begin(
        this.#redis,
        [keys(credential).grant],
        [owner.namespace, owner.run, previousRun, family, String(generation), String(send), take ? '1' : ''],
      ),
    )
  }

  async write(owner: Owner, set: TokenSetWrite): Promise<{ verdict: WriteVerdict; nowMs: number; hash?: GrantHash }> {
    const key = keys(set.credential)
    const { verdict, nowMs, hash } = parseReply<WriteVerdict>(
      await write(
        this.#redis,
        [key.grant, key.access, key.status],
        [
          set.family,
          String(set.generation),
          set.writer,
          String(set.beganMs),
          set.access === undefined ? '' : String(Math.round(set.access.expiresAtMs)),
          set.access?.value ?? '',
          set.grant ?? '',
          set.seeds.join(' '),
          owner.namespace,
          owner.run,
          JSON.stringify(set.parameters),
          set.refreshExpiresAtMs === undefined ? '' : String(Math.round(set.refreshExpiresAtMs)),
          JSON.stringify(set.status),
          key.channel,
          key.subject,
          String(set.waitedMs === undefined ? '' : Math.max(0, Math.floor(set.waitedMs))),
          set.refreshEndsAtMs === undefined ? '' : String(Math.round(set.refreshEndsAtMs)),
        ],
      ),
    )
    return { verdict, nowMs, ...(hash === undefined ? {} : { hash }) }
  }

  /** Ends a credential for readers and for every write in flight. `hash` is the tombstone. */
  async fence(
    request: Fence,
  ): Promise<{ verdict: 'fenced' | 'newer' | 'missing' | 'stale' | 'foreign_namespace'; hash: GrantHash | undefined }> {
    const key = keys(request.credential)
    const { known } = request
    return parseReply(
      await fence(
        this.#redis,
        [key.grant, key.access, key.status],
        [
          known?.family ?? '',
          known === undefined ? '' : String(known.generation),
          known?.grant ?? '',
          known?.owner.namespace ?? '',
          known?.owner.run ?? '',
          JSON.stringify(request.status),
          key.channel,
          key.subject,
          String(tombstoneMs),
          request.settled ? '1' : '',
          String(request.askedAtMs ?? ''),
        ],
      ),
    )
  }

  /** Tells readers of a status that comes without a token set. */
  async announce(
    credential: string,
    at: { namespace: string; family: string; generation: number; status: StatusDocument },
  ): Promise<'written' | 'newer' | 'tombstone' | 'foreign_namespace'> {
    const key = keys(credential)
    const verdict = await announce(
      this.#redis,
      [key.grant, key.status],
      [at.family, String(at.generation), JSON.stringify(at.status), at.namespace],
    )
    return verdict as 'written' | 'newer' | 'tombstone' | 'foreign_namespace'
  }

  /** Adds a change to the stream that operators follow, which keeps about the last 100,000. */
  async record(event: LifecycleEvent): Promise<void> {
    await this.#redis.xAdd(eventsKey, '*', eventFields(event), {
      TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: keptEvents },
    })
  }

  /** The status documents of some credentials, in their order; undefined where there is none. */
  async statuses(credentials: readonly string[]): Promise<(StatusDocument | undefined)[]> {
    // one GET each, pipelined: the keys of a cluster live in different slots
    const values = await Promise.all(credentials.map((credential) => this.#redis.get(statusKey(credential))))
    return values.map((value) => (value === null ? undefined : (JSON.parse(value) as StatusDocument)))
  }

  /** Whether readers find an access token. */
  async isReadable(credential: string): Promise<boolean> {
    return (await this.#redis.exists(accessKey(credential))) === 1
  }

  /** The ids of all credentials that have a grant hash, tombstones included. Of one server, not of a cluster. */
  async *credentials(): AsyncIterable<string> {
    for await (const found of this.#redis.scanIterator({ MATCH: `${grantPrefix}*`, COUNT: 1_000 })) {
      for (const key of found) {
        const [, tenant, rest] = /^([^:]+):\{(.+)\}$/.exec(key.slice(grantPrefix.length)) ?? []
        if (tenant !== undefined && rest !== undefined) yield `${tenant}/${rest}`
      }
    }
  }

  /**
   * What tells one life of a Redis from the next: the ids of the server, and the mark of the last resync, which an
   * emptied server has lost and a rolled back one has an older one of.
   */
  async epoch(): Promise<{ server: string; mark: string | undefined }> {
    const [server, replication, mark] = await Promise.all([
      this.#redis.info('server'),
      this.#redis.info('replication'),
      this.#redis.get(epochKey),
    ])
    const field = (text: string, name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
    return { server: `${field(server, 'run_id')}/${field(replication, 'master_replid')}`, mark: mark ?? undefined }
  }

  /**
   * Whether this caller is the one that compares everything, for a while.
   *
   * @returns what keepResync and markEpoch are called with; undefined while another one does
   */
  async takeResync(forMs: number): Promise<string | undefined> {
    const turn = randomUUID()
    return (await this.#redis.set(resyncKey, turn, { NX: true, PX: forMs })) === 'OK' ? turn : undefined
  }

  /** Goes on with it. False when Redis was emptied meanwhile: what was compared before counts for nothing. */
  async keepResync(turn: string, forMs: number): Promise<boolean> {
    return (await mark(this.#redis, [resyncKey, epochKey], [turn, String(forMs), ''])) === 1
  }

  /** Everything was compared. Marks sort by time. @returns undefined when Redis was emptied meanwhile */
  async markEpoch(turn: string): Promise<string | undefined> {
    const epoch = `${await this.nowMs()}-${randomUUID()}`
    return (await mark(this.#redis, [resyncKey, epochKey], [turn, '0', epoch])) === 1 ? epoch : undefined
  }

  /** Why this client is being refused, if it is: one word for all of its credentials. */
  async clientRefused(client: string): Promise<string | undefined> {
    return (await this.#redis.get(clientKey(client, 'refused'))) ?? undefined
  }

  /** Whether this caller is the one that may try a refused client, once in `everyMs`. */
  async takeClientProbe(client: string, everyMs: number): Promise<boolean> {
    return (await this.#redis.set(clientKey(client, 'probe'), '1', { NX: true, PX: everyMs })) === 'OK'
  }

  async markClientRefused(client: string, reason: string, probeEveryMs: number): Promise<void> {
    await Promise.all([
      this.#redis.set(clientKey(client, 'refused'), reason),
      this.#redis.set(clientKey(client, 'probe'), '1', { PX: probeEveryMs }),
    ])
  }

  /** The client works again, or may: `probe` only lets the next attempt through at once. */
  async clearClientRefused(client: string, what: 'all' | 'probe'): Promise<void> {
    await this.#redis.del(clientKey(client, 'probe'))
    if (what === 'all') await this.#redis.del(clientKey(client, 'refused'))
  }

  /**
   * Tells operators that a client is refused, once, however many of its credentials are and however often: for as long
   * as at least one of them is told so again within `quietMs`.
   */
  async recordClientRefused(client: string, met: MetRefusal, quietMs: number): Promise<void> {
    const key = clientKey(client, 'told')
    const nowMs = await this.nowMs()
    const held = await this.#redis.set(key, String(nowMs), { NX: true, GET: true, PX: quietMs })
    const sinceMs = Number(held?.split(' ')[0] ?? nowMs)
    if (held !== null) await this.#redis.pExpire(key, quietMs)
    // another one tells it just now, unless it died over that
    const isTold = held !== null && (held.endsWith(told) || nowMs - sinceMs < 1_000)
    if (isTold) return
    await this.record({ event: 'misconfigured', status: 'misconfigured', client, sinceMs, ...met })
    await this.#redis.set(key, `${sinceMs}${told}`, { PX: quietMs })
  }

  /** Tells operators that a client which they know to be refused works again. */
  async recordClientRecovered(client: string, met: MetRefusal): Promise<void> {
    const key = clientKey(client, 'told')
    const held = await this.#redis.get(key)
    if (held === null) return
    const sinceMs = Number(held.split(' ')[0])
    if (held.endsWith(told)) await this.record({ event: 'recovered', status: 'active', client, sinceMs, ...met })
    await this.#redis.del(key)
  }

  async ping(): Promise<void> {
    await this.#redis.ping()
  }

  close(): void {
    this.#redis.destroy()
  }
}

const redisTimeMs = ([seconds, micros]: readonly string[]) => Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)

const told = ' told'

const clientKey = (client: string, what: 'refused' | 'probe' | 'told') => `perennial:client:${client}:${what}`

function keys(credential: string) {
  const parts = parseCredentialId(credential)
  if (typeof parts === 'string') throw new PerennialError('invalid_credential_id', parts)
  const { tenant, client, subject }: CredentialParts = parts
  return {
    grant: `${grantPrefix}${tenant}:{${client}/${subject}}`,
    access: accessKey(credential),
    status: statusKey(credential),
    channel: changedChannel(tenant),
    subject: `${client}/${subject}`,
  }
}

function parseReply<V extends string>(reply: unknown): { verdict: V; nowMs: number; hash: GrantHash | undefined } {
  const [verdict, nowMs, flat] = reply as [V, number, string[]]
  const fields: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) fields[flat[i] as string] = flat[i + 1] as string
  return { verdict, nowMs: Number(nowMs), hash: flat.length === 0 ? undefined : parseHash(fields) }
}

function parseHash(fields: Record<string, string>): GrantHash {
  const {
    family = '',
    gen = '0',
    writer,
    grant,
    expires,
    refreshExpires,
    refreshEnds,
    began,
    seeds,
    namespace,
    run,
    tombstone,
    parameters,
  } = fields
  return {
    family,
    generation: Number(gen),
    seeds: seeds ? seeds.split(' ') : [],
    tombstone: tombstone !== undefined,
    parameters: parameters ? (JSON.parse(parameters) as Record<string, string>) : {},
    ...(writer ? { writer } : {}),
    ...(grant ? { grant } : {}),
    ...(fields.access ? { access: fields.access } : {}),
    ...(fields.send ? { send: Number(fields.send) } : {}),
    ...(tombstone ? { tombstoneAtMs: Number(tombstone) } : {}),
    ...(expires ? { accessExpiresAtMs: Number(expires) } : {}),
    ...(refreshExpires ? { refreshExpiresAtMs: Number(refreshExpires) } : {}),
    ...(refreshEnds ? { refreshEndsAtMs: Number(refreshEnds) } : {}),
    ...(began ? { beganMs: Number(began) } : {}),
    ...(namespace ? { namespace } : {}),
    ...(run ? { run } : {}),
  }
}
