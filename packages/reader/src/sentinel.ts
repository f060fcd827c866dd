/**
 * The master that the sentinels name, for as long as they do.
 */
import {
  at,
  type Client,
  type Connection,
  connected,
  newClient,
  type Open,
  type RedisOptions,
  type SentinelOptions,
  unavailable,
  within,
} from './connection.ts'

const answerLimitMs = 1_000

/** Opens a connection to the master; it ends when a sentinel tells of another one. */
export function openSentinel(options: RedisOptions, sentinel: SentinelOptions): Open {
  return async (onEnd) => {
    const watcher = await firstThatAnswers(sentinel)
    try {
      const connection = await toMaster(watcher, options, sentinel.name, onEnd)
      await watch(watcher, sentinel.name, onEnd)
      const destroy = () => {
        watcher.destroy()
        connection.destroy()
      }
      return { ...connection, destroy }
    } catch (error) {
      watcher.destroy()
      throw error
    }
  }
}

async function toMaster(
  watcher: Client,
  options: RedisOptions,
  name: string,
  onEnd: (why: string) => void,
): Promise<Connection> {
  const master = await within(watcher.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]), answerLimitMs)
  if (!Array.isArray(master)) throw unavailable(`the sentinels know no master ${JSON.stringify(name)}`)
  const [host, port] = master.map(String)
  const node = await connected(newClient(at({ host: host ?? '', port: Number(port) }, options)), onEnd)
  // a sentinel may not know yet that it was demoted
  const role = await within(roleOf(node), answerLimitMs)
  if (role === 'master') return { node, get: (key) => node.get(key), destroy: () => node.destroy() }
  node.destroy()
  throw unavailable('the server that the sentinels name is not a master')
}

/** HELLO without arguments tells of the server; it is the one command for that which a reader may send. */
async function roleOf(node: Client): Promise<unknown> {
  const hello: unknown = await node.sendCommand(['HELLO'])
  if (Array.isArray(hello)) return hello[hello.indexOf('role') + 1]
  return (hello as { role?: unknown }).role
}

/** A sentinel that goes away ends nothing: the master may be well, and the next failure asks another sentinel. */
async function watch(watcher: Client, name: string, onEnd: (why: string) => void): Promise<void> {
  const told = (message: string) => {
    if (message.startsWith(`${name} `)) onEnd('the sentinels have made another server the master')
  }
  await within(watcher.subscribe('+switch-master', told), answerLimitMs)
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
