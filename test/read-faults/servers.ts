/** Redis servers that can be killed, hung and failed over, each on a port that it keeps. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { findRedis } from '../../src/dev/binaries.ts'
import { signalGroup } from '../../src/dev/child.ts'
import { freePort, type RunningServer, startWhenReady } from '../../src/dev/servers.ts'
import { aclFileLine, passwordHash, readerUser } from '../../src/store/acl.ts'

export const tenant = 'acme'
const readerPassword = 'reader-password'
/** what a service is given */
export const login = { username: `reader-${tenant}`, password: readerPassword }

const host = '127.0.0.1'

/** A server of one kind or the other. Its configuration is written once: a sentinel and what it moves keep theirs. */
export class Server {
  readonly port: number
  readonly #binary: string
  readonly #dir: string
  readonly #flags: string[]
  #running: RunningServer | undefined

  private constructor(binary: string, dir: string, port: number, flags: string[]) {
    this.#binary = binary
    this.#dir = dir
    this.port = port
    this.#flags = flags
  }

  /** A Redis, with the user of the tenant's services as `perennial acl` prints it. */
  static async redis(folder: string, name: string, lines: string[]): Promise<Server> {
    const user = aclFileLine(readerUser(tenant, [passwordHash(readerPassword)]))
    return await Server.#configured(folder, name, ['save ""', 'repl-diskless-sync-delay 0', user, ...lines], [])
  }

  static async sentinel(folder: string, master: { name: string; port: number }): Promise<Server> {
    const lines = [
      `sentinel monitor ${master.name} ${host} ${master.port} 1`,
      `sentinel down-after-milliseconds ${master.name} 1000`,
      `sentinel failover-timeout ${master.name} 3000`,
    ]
    return await Server.#configured(folder, 'sentinel', lines, ['--sentinel'])
  }

  static async #configured(folder: string, name: string, lines: string[], flags: string[]): Promise<Server> {
    const dir = join(folder, name)
    const port = await freePort()
    await mkdir(dir)
    const all = [`bind ${host}`, `port ${port}`, 'daemonize no', `dir ${JSON.stringify(dir)}`, ...lines]
    await writeFile(join(dir, 'server.conf'), `${all.join('\n')}\n`, { mode: 0o600 })
    return new Server(await findRedis(), dir, port, flags)
  }

  get url(): string {
    return `redis://${host}:${this.port}`
  }

  get node() {
    return { host, port: this.port }
  }

  async start(): Promise<void> {
    this.#running = await startWhenReady({
      name: 'Redis',
      command: { command: this.#binary, args: [join(this.#dir, 'server.conf'), ...this.#flags] },
      options: { logFile: join(this.#dir, 'server.log') },
      ready: () =>
        this.ask(['PING']).then(
          () => true,
          () => false,
        ),
    })
  }

  /** From one moment to the next. */
  async kill(): Promise<void> {
    if (this.#running === undefined) return
    signalGroup(this.#running.pid, 'SIGKILL')
    await this.#running.exited
  }

  /** It is there and does nothing, until {@link resume}. */
  hang(): void {
    if (this.#running !== undefined) signalGroup(this.#running.pid, 'SIGSTOP')
  }

  resume(): void {
    if (this.#running !== undefined) signalGroup(this.#running.pid, 'SIGCONT')
  }

  /** As an operator ends it. */
  async end(): Promise<void> {
    this.resume()
    await this.#running?.stop()
  }

  /** One command, on a connection of its own. */
  async ask(command: string[]): Promise<unknown> {
    const client = createClient({ url: this.url, socket: { connectTimeout: 1_000, reconnectStrategy: false } })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.sendCommand(command)
    } finally {
      client.destroy()
    }
  }
}

/** What a reader reads from, and what can happen to it. */
export interface Stand {
  name: string
  /** as `createReader` takes it */
  location: { url: string } | { sentinel: { name: string; nodes: { host: string; port: number }[] } }
  /** where is written */
  primaryUrl(): Promise<string>
  /** resolves when the next fault may begin */
  ready(): Promise<void>
  /** each begins, lasts, and is over: Redis is well again, and may have lost what it held */
  faults: Record<string, () => Promise<void>>
  stop(): Promise<void>
}

/** One server, whose data outlives it. */
export async function standAlone(): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-read-faults-'))
  const server = await Server.redis(folder, 'redis', ['appendonly yes', 'appendfsync everysec'])
  await server.start()
  const awayFor = async (ms: number) => {
    await sleep(ms)
    await server.start()
  }
  return {
    name: 'one server',
    location: { url: server.url },
    primaryUrl: async () => server.url,
    ready: async () => {},
    faults: {
      killed: async () => {
        await server.kill()
        await awayFor(4_000)
      },
      emptied: async () => void (await server.ask(['FLUSHALL'])),
      hung: async () => {
        server.hang()
        await sleep(4_000)
        server.resume()
      },
      restarted: async () => {
        await server.end()
        await awayFor(500)
      },
      // every token ends meanwhile
      'away for long': async () => {
        await server.kill()
        await awayFor(23_000)
      },
    },
    stop: async () => {
      await server.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const masterName = 'tokens'

/** Two servers that keep nothing on disk, and a sentinel that makes one of them the primary. */
export async function sentinelPair(): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-read-faults-'))
  const first = await Server.redis(folder, 'first', ['appendonly no'])
  const second = await Server.redis(folder, 'second', ['appendonly no', `replicaof 127.0.0.1 ${first.port}`])
  const sentinel = await Server.sentinel(folder, { name: masterName, port: first.port })
  for (const server of [first, second, sentinel]) await server.start()
  const primary = async () => {
    const [, port] = (await sentinel.ask(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName])) as string[]
    return [first, second].find((server) => server.port === Number(port)) ?? first
  }
  const pair = { sentinel, primary }
  return {
    name: 'two servers and a sentinel',
    location: { sentinel: { name: masterName, nodes: [sentinel.node] } },
    primaryUrl: async () => (await primary()).url,
    ready: () => replicated(pair),
    faults: {
      'failed over': () =>
        movedBy(pair, async () => {
          // what it knows of the replica may be ten seconds old
          await eventually('a failover', () => sentinel.ask(['SENTINEL', 'FAILOVER', masterName]).then(() => true))
          return async () => {}
        }),
      'primary killed': () =>
        movedBy(pair, async (was) => {
          await was.kill()
          return () => was.start()
        }),
      'primary hung': () =>
        movedBy(pair, async (was) => {
          was.hang()
          return async () => was.resume()
        }),
      emptied: async () => void (await (await primary()).ask(['FLUSHALL'])),
      'sentinel killed': async () => {
        await sentinel.kill()
        await sleep(1_500)
        await sentinel.start()
      },
    },
    stop: async () => {
      for (const server of [sentinel, first, second]) await server.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Pair {
  sentinel: Server
  primary(): Promise<Server>
}

/** Something moves the primary. What `strike` returns brings the former one back, which the sentinel makes a replica. */
async function movedBy(pair: Pair, strike: (was: Server) => Promise<() => Promise<void>>): Promise<void> {
  const was = await pair.primary()
  const heal = await strike(was)
  await eventually('another server is the primary', async () => (await pair.primary()) !== was)
  await heal()
}

/** The other server has what the primary has: a failover is possible. */
const replicated = (pair: Pair) =>
  eventually('the replica is there', async () =>
    /state=online/.test(String(await (await pair.primary()).ask(['INFO', 'replication']))),
  )

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`not within a minute: ${what}`)
    await sleep(100)
  }
}
