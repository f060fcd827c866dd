import {
  CredentialNotFound,
  CredentialRevoked,
  type ErrorDetails,
  InvalidArgument,
  type ReaderError,
  ReconnectRequired,
  TokenExpired,
  TokenPending,
  UnreadableValue,
} from './errors.ts'
import { type AccessDocument, accessKey, parseAccess, parseStatus, type StatusDocument, statusKey } from './format.ts'
import { open, type SealingKey, sealingKey } from './sealed.ts'
import { borrowedStore, connectingStore, type RedisCommands, type RedisOptions } from './store.ts'

export interface ReaderOptions {
  /**
   * An address (`redis://…`), options for a connection of the reader's own, or a client, cluster or sentinel of the
   * `redis` package that the caller connects and closes.
   */
  redis: string | RedisOptions | RedisCommands
  /**
   * The tenants' reader keys, base64url, in any order. Left out where tokens are stored plain; with keys, a token
   * that is not sealed is refused.
   */
  keys?: readonly (string | undefined)[]
}

export interface GetOptions {
  /** how long the token must still be valid; 0 unless given */
  minRemainingMs?: number
  signal?: AbortSignal
}

export interface AccessToken {
  accessToken: string
  tokenType: string
  scope?: string
  /** by the clock of Redis */
  expiresAt: Date
  generation: number
  family: string
  /** what the provider says beside the token, by the names of its entry; empty where it says nothing */
  values: Readonly<Record<string, string>>
}

export interface Reader {
  /**
   * The access token of a credential, valid for at least `minRemainingMs`.
   *
   * @throws CredentialNotFound, TokenPending, ReconnectRequired, CredentialRevoked or TokenExpired when there is no such
   * token (TokenExpired with the reason `min_remaining` when there is one that does not live long enough)
   * @throws StoreUnavailable when Redis does not answer within 2 s, and at once while an outage lasts
   * @throws UnreadableValue when what is stored cannot be opened or is not this credential's
   * @throws the reason of `signal` when it is aborted
   */
  get(id: string, options?: GetOptions): Promise<AccessToken>
  /** Ends the reader's own connection; a client that was handed in stays as it is. */
  close(): Promise<void>
}

/**
 * Reads the tokens that Perennial keeps fresh. Needs no Redis to return: it connects with the first `get`.
 *
 * @throws InvalidArgument when a key is not a key or the address is not one
 * @example
 * const tokens = createReader({ redis: 'redis://localhost:6379', keys: [process.env.PERENNIAL_READER_KEY] })
 * const { accessToken } = await tokens.get('acme/google-main/alice', { minRemainingMs: 60_000 })
 */
export function createReader({ redis, keys: texts }: ReaderOptions): Reader {
  if (texts?.length === 0) throw new InvalidArgument('keys is empty: leave it out where tokens are stored plain')
  const keys = texts?.map((text, index) => sealingKey(text, `keys[${index}]`))
  const store = isClient(redis)
    ? borrowedStore(redis)
    : connectingStore(typeof redis === 'string' ? { url: redis } : redis)
  return {
    async get(id, { minRemainingMs = 0, signal } = {}) {
      const { stored, status } = await store.run((commands) => look(commands, id), signal)
      if (stored === undefined) throw refusal(id, status)
      const document = parseAccess(unseal(stored.value, id, keys), id)
      const remainingMs = stored.remainingMs ?? Date.parse(document.expires_at) - Date.now()
      if (remainingMs <= 0) throw expired(id, document.expires_at, 'expired')
      if (remainingMs < minRemainingMs) throw tooShort(id, remainingMs, minRemainingMs)
      return toToken(document)
    },
    async close() {
      store.close()
    },
  }
}

const isClient = (redis: RedisOptions | RedisCommands | string): redis is RedisCommands =>
  typeof redis === 'object' && 'get' in redis && typeof redis.get === 'function'

interface Stored {
  value: string
  /** by the clock of Redis; absent when the key has no expiry */
  remainingMs?: number
}

async function look(redis: RedisCommands, id: string): Promise<{ stored?: Stored; status?: StatusDocument }> {
  const stored = await readAccess(redis, id)
  if (stored !== undefined) return { stored }
  const text = await redis.get(statusKey(id))
  if (text === null) return {}
  const status = parseStatus(text)
  // written between the two reads
  const again = status.status === 'active' ? await readAccess(redis, id) : undefined
  return again === undefined ? { status } : { stored: again, status }
}

async function readAccess(redis: RedisCommands, id: string): Promise<Stored | undefined> {
  const key = accessKey(id)
  // the lifetime first: where a write comes between, a token is thought older than it is, never younger
  const [lifetimeMs, value] = await Promise.all([redis.pTTL(key), redis.get(key)])
  if (value === null) return undefined
  return lifetimeMs >= 0 ? { value, remainingMs: lifetimeMs } : { value }
}

function unseal(value: string, id: string, keys: readonly SealingKey[] | undefined): string {
  if (keys !== undefined) return open(value, keys, { cred: id }).plaintext
  if (value.startsWith('{')) return value
  throw new UnreadableValue('unknown_key', `the access token of ${id} is sealed: createReader needs its tenant's key`)
}

function toToken(document: AccessDocument): AccessToken {
  return {
    accessToken: document.access_token,
    tokenType: document.token_type,
    ...(document.scope === undefined ? {} : { scope: document.scope }),
    expiresAt: new Date(document.expires_at),
    generation: document.generation,
    family: document.family,
    values: document.values ?? {},
  }
}

/** Why there is no valid access token, as the status document tells it. */
export function refusal(id: string, document: StatusDocument | undefined): ReaderError {
  if (document === undefined)
    return new CredentialNotFound(`nothing is stored for ${id}: begin it with "perennial start ${id}", or check the id`)
  const { status, reason = status, since } = document
  const details: ErrorDetails = { reason, since: new Date(since) }
  const because = `${reason}, since ${since}`
  if (status === 'pending') return new TokenPending(`${id} has no access token yet (${because})`, details)
  if (status === 'revoked')
    return new CredentialRevoked(`${id} was revoked (${because}): a new consent begins it again`, details)
  if (status === 'reconnect_required')
    return new ReconnectRequired(
      `${id} needs a new consent (${because}): ask the user, then "perennial reconnect ${id}"`,
      details,
    )
  return expired(id, document.accessExpiresAt ?? since, reason)
}

const expired = (id: string, since: string, reason: string) =>
  new TokenExpired(
    `the access token of ${id} expired at ${since} and there is no newer one yet (${reason}): try again later, or see "perennial show ${id}"`,
    { reason, since: new Date(since) },
  )

const tooShort = (id: string, remainingMs: number, minRemainingMs: number) =>
  new TokenExpired(
    `the access token of ${id} is valid for ${remainingMs} ms, less than the ${minRemainingMs} ms asked for`,
    { reason: 'min_remaining' },
  )
