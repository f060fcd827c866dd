/**
 * The master that the sentinels name, for as long as they do.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  at,
  type Client,
  type Connection,
  connected,
  type Node,
  newClient,
  type Open,
  type RedisOptions,
  type SentinelOptions,
  unavailable,
  within,
} from './connection.ts'

const answerLimitMs = 1_000
/** what a sentinel tells of a new master may be lost with the sentinel: it is asked as often as this too */
const askAgainMs = 2_000

/** Opens a connection to the master; it ends when a sentinel tells of another one. */
export function openSentinel(options: RedisOptions, sentinel: SentinelOptions): Open {
  return async (onEnd) => {
    const watch = new Watch(sentinel, () => onEnd('the sentinels have made another server the master'))
    try {
      const connection = await toMaster(await watch.begin(), options, onEnd)
      const destroy = () => {
        watch.end()
        connection.destroy()
      }
      return { ...connection, destroy }
    } catch (error) {
      watch.end()
      throw error
    }
  }
}

async function toMaster(master: Node, options: RedisOptions, onEnd: (why: string) => void): Promise<Connection> {
  const node = await connected(newClient(at(master, options)), onEnd)
  try {
    // a sentinel may not know yet that it was demoted
    const role = await within(roleOf(node), answerLimitMs)
    if (role !== 'master') throw unavailable('the server that the sentinels name is not a master')
  } catch (error) {
    node.destroy()
    throw error
  }
  return { node, get: (key) => node.get(key), destroy: () => node.destroy() }
}

/** HELLO without arguments tells of the server; it is the one command for that which a reader may send. */
async function roleOf(node: Client): Promise<unknown> {
  const hello: unknown = await node.sendCommand(['HELLO'])
  if (Array.isArray(hello)) return hello[hello.indexOf('role') + 1]
  return (hello as { role?: unknown }).role
}

/**
 * Follows which server is the master. A sentinel that goes away ends nothing, for the master may be well: the next one that
 * answers is followed.
 */
class Watch {
  readonly #sentinel: SentinelOptions
  readonly #onMoved: () => void
  #watcher: Client | undefined
  #over = false

  constructor(sentinel: SentinelOptions, onMoved: () => void) {
    this.#sentinel = sentinel
    this.#onMoved = onMoved
  }

  async begin(): Promise<Node> {
    const master = await this.#ask()
    void this.#keepAsking(master)
    return master
  }

  end(): void {
    this.#over = true
    this.#watcher?.destroy()
  }

  /** Listens before it asks: what changes meanwhile is told, or is in the answer. */
  async #ask(): Promise<Node> {
    const { name } = this.#sentinel
    this.#watcher ??= await this.#listen(name)
    const master = await within(this.#watcher.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]), answerLimitMs)
    if (!Array.isArray(master)) throw unavailable(`the sentinels know no master ${JSON.stringify(name)}`)
    const [host = '', port] = master.map(String)
    return { host, port: Number(port) }
  }

  async #listen(name: string): Promise<Client> {
    const watcher = await firstThatAnswers(this.#sentinel)
    try {
      const told = (message: string) => {
        if (message.startsWith(`${name} `)) this.#onMoved()
      }
      await within(watcher.subscribe('+switch-master', told), answerLimitMs)
      return watcher
    } catch (error) {
      watcher.destroy()
      throw error
    }
  }

  async #keepAsking({ host, port }: Node): Promise<void> {
    for (;;) {
      await sleep(askAgainMs, undefined, { ref: false })
      if (this.#over) break
      try {
        const master = await this.#ask()
        if (master.host !== host || master.port !== port) return this.#onMoved()
      } catch {
        this.#watcher?.destroy()
        this.#watcher = undefined
      }
    }
    // one that was found meanwhile
    this.#watcher?.destroy()
  }
}

async function firstThatAnswers({ nodes, username, password, tls }: SentinelOptions): Promise<Client> {
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === true ? { socket: { tls: true as const, host: '' } } : {}),
  }
  let failure: unknown = unavailable('no sentinel was named')
  for (const node of nodes) {
    try {
      return await connected(newClient(at(node, login)), () => undefined)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
