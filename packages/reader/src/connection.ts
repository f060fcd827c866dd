/**
 * One connection to Redis, with settings that were measured: no queue while it is away, no timer for each command.
 */
import { createClient, type RedisClientOptions } from 'redis'
import { InvalidArgument, ReaderError, StoreUnavailable } from './errors.ts'

/** As the `redis` package has them. */
export type RedisOptions = Pick<
  RedisClientOptions,
  'url' | 'username' | 'password' | 'credentialsProvider' | 'database' | 'name' | 'socket'
>

/** What a reader reads from; all of its servers are reached with the same user and TLS settings. */
export type RedisLocation =
  | RedisOptions
  | (RedisOptions & { cluster: readonly Node[] })
  | (RedisOptions & { sentinel: SentinelOptions })

export interface Node {
  host: string
  port: number
}

export interface SentinelOptions {
  /** of the master, as the sentinels know it */
  name: string
  nodes: readonly Node[]
  username?: string
  password?: string
  tls?: boolean
}

/** A client of the `redis` package that was made here. */
export type Client = ReturnType<typeof newClient>

/** A live connection. Whoever opened it destroys it. */
export interface Connection {
  get(key: string): Promise<string | null>
  /** the server that tells the time and brings the notices */
  node: Client
  destroy(): void
}

/** Opens a connection; `onEnd` is told once when it is no longer of use. */
export type Open = (onEnd: (why: string) => void) => Promise<Connection>

const connectLimitMs = 1_500

export const commonSettings = {
  RESP: 3 as const,
  // a timer for each command halves the throughput, and never fires for one that was written
  commandOptions: { timeout: 0 },
  disableOfflineQueue: true,
  // these send commands that the ACL of a reader does not name
  disableClientInfo: true,
  maintNotifications: 'disabled' as const,
}

/** A client that connects once; {@link Link} makes another when it is lost. */
export function newClient(options: RedisOptions) {
  try {
    return createClient({
      ...commonSettings,
      name: 'perennial-reader',
      ...options,
      socket: { ...options.socket, connectTimeout: 1_000, reconnectStrategy: false } as RedisOptions['socket'] & object,
    })
  } catch {
    // what was thrown may quote the address, and with it the password
    throw new InvalidArgument('the address of Redis cannot be used; it looks like redis://user:password@host:6379')
  }
}

/** Connects a client that has no listener yet; rejects within 1.5 s. */
export async function connected(client: Client, onEnd: (why: string) => void): Promise<Client> {
  client.on('error', (error: unknown) => onEnd(explain(error)))
  client.on('end', () => onEnd('the connection was closed'))
  try {
    await within(client.connect(), connectLimitMs)
    return client
  } catch (error) {
    client.destroy()
    throw error
  }
}

/** A single server. */
export const openServer =
  (options: RedisOptions): Open =>
  async (onEnd) => {
    const node = await connected(newClient(options), onEnd)
    return { node, get: (key) => node.get(key), destroy: () => node.destroy() }
  }

/** The same options for another address. */
export function at({ host, port }: Node, { url: _, ...options }: RedisOptions): RedisOptions {
  return { ...options, socket: { ...options.socket, host, port } as RedisOptions['socket'] & object }
}

/** Rejects when `work` is not done in time. */
export async function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable('no answer in time')), limitMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

const refusals = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS'])

export const unavailable = (why: string) => new StoreUnavailable(`Redis cannot be read: ${why}`)

/** An error reply is cut to its code: servers quote arguments in the rest, those of AUTH among them. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  if (error instanceof ReaderError) return error.message.replace(/^Redis cannot be read: /, '')
  const reply = /^([A-Z]{2,}) /.exec(error.message)?.[1]
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (reply !== undefined) return refusals.has(reply) ? `${reply}, the server refuses this reader` : reply
  return error.message === '' ? (code ?? error.name) : error.message
}
