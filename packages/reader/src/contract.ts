/**
 * What services call, as types.
 */
import type { AccessToken } from './cache.ts'
import type { RedisLocation } from './connection.ts'
import type { ReaderMetrics } from './metrics.ts'

export interface ReaderOptions {
  /**
   * An address (`redis://…`, `rediss://…`) or the options of a connection; with `cluster` or `sentinel` among them, the
   * servers to ask first. Missing, as where an environment has no such variable, it is refused.
   */
  redis: string | RedisLocation | undefined
  /**
   * The tenants' reader keys, base64url, in any order; the one that a token is sealed with is found by its `kid`. Left
   * out where tokens are stored plain; with keys, a token that is not sealed is refused.
   */
  keys?: readonly (string | undefined)[]
  /** how many tokens are kept in memory; 10 000 unless given, and 0 for none */
  maxEntries?: number
  /** how long a valid token is served while Redis is away; 300 000 unless given */
  maxStaleMs?: number
  /** told what happens, for metrics */
  metrics?: ReaderMetrics
}

export interface GetOptions {
  /** how long the token must still be valid; 0 unless given */
  minRemainingMs?: number
  /**
   * how long to wait for a token that is due, while there is none that is valid for `minRemainingMs`, or Redis is away;
   * 0 unless given. When it ends, `get` throws what it would have thrown without it: never a shorter token.
   */
  waitMs?: number
  /** read Redis, whatever is in memory; there is no stale token then */
  fresh?: boolean
  signal?: AbortSignal
}

export interface RejectOptions {
  /** how long to wait for a newer token; 1 000 unless given */
  waitMs?: number
  signal?: AbortSignal
}

export interface Change {
  credential: string
  /** absent when notices may have been missed: the reader was cut off and is back */
  generation?: number
}

export interface Reader {
  /**
   * The access token of a credential, valid for at least `minRemainingMs`: from memory while change notices are heard,
   * else from Redis, and from memory again (`stale`) while Redis is away. What it returns is shared and frozen.
   *
   * @throws CredentialNotFound, TokenPending, ReconnectRequired, CredentialRevoked or TokenExpired when there is no such
   * token (TokenExpired with the reason `min_remaining` when there is one that does not live long enough)
   * @throws StoreUnavailable when Redis does not answer within 2 s, and at once while an outage lasts
   * @throws UnreadableValue when what is stored cannot be opened, is not this credential's or is older than what was read
   * @throws the reason of `signal` when it is aborted
   */
  get(id: string, options?: GetOptions): Promise<AccessToken>
  /**
   * Calls `listener` whenever a credential was written, fenced, or may have been; until the function that it returns is
   * called or the signal is aborted. The token itself comes from {@link get}.
   */
  onChange(id: string, listener: (change: Change) => void, options?: { signal?: AbortSignal }): () => void
  /**
   * Says that a token was refused (401) before its time, so that a worker replaces it: once for a generation, however
   * often it is called. Resolves to a newer token, at once if there is one, else as soon as it comes within `waitMs`,
   * and to undefined when none came. Only the first call for a generation waits; those beside it share its wait.
   *
   * @throws as {@link get} does when there will be none, or Redis is away
   */
  reject(id: string, generation: number, options?: RejectOptions): Promise<AccessToken | undefined>
  /** Ends the connection and forgets the tokens; what is under way and what comes after is refused. */
  close(): Promise<void>
}
