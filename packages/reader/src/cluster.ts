/**
 * A cluster: each key is read where it is; the notices come from any one of its masters, for they go to all of them.
 */
import { createCluster } from 'redis'
import {
  at,
  commonSettings,
  connected,
  type Node,
  newClient,
  type Open,
  type RedisOptions,
  unavailable,
  within,
} from './connection.ts'
import { StoreUnavailable } from './errors.ts'

const patienceMs = 2_000
const anewAtMostEveryMs = 10_000

export function openCluster(options: RedisOptions, nodes: readonly Node[]): Open {
  let anewMs = Number.NEGATIVE_INFINITY
  // one that hangs cannot be told from one that was failed over meanwhile: the cluster is asked anew, but not again and
  // again for one that is gone for good, because the notices of all the others end with it
  const askAnew = (onEnd: (why: string) => void) => {
    if (performance.now() < anewMs + anewAtMostEveryMs) return
    anewMs = performance.now()
    onEnd('a node does not answer')
  }
  return async (onEnd) => {
    const cluster = newCluster(options, nodes)
    // of single nodes; what matters is whether a read is answered
    cluster.on('error', () => undefined)
    try {
      await within(cluster.connect(), patienceMs)
      const masters = cluster.masters.map(({ host, port }) => ({ host, port }))
      const master = masters[Math.floor(Math.random() * masters.length)]
      if (master === undefined) throw unavailable('the cluster has no master')
      const node = await connected(newClient(at(master, options)), onEnd)
      const destroy = () => {
        node.destroy()
        cluster.destroy()
      }
      const get = (key: string) =>
        within(cluster.get(key), patienceMs).catch((error: unknown) => {
          if (error instanceof StoreUnavailable) askAnew(onEnd)
          throw error
        })
      return { node, get, destroy }
    } catch (error) {
      cluster.destroy()
      throw error
    }
  }
}

function newCluster({ url: _, name = 'perennial-reader', ...options }: RedisOptions, nodes: readonly Node[]) {
  const { RESP, commandOptions, ...ofClients } = commonSettings
  return createCluster({
    RESP,
    commandOptions,
    // to connect to all at first would wait for one that is down
    minimizeConnections: true,
    rootNodes: nodes.map((node) => ({ socket: { host: node.host, port: node.port } })),
    defaults: {
      ...ofClients,
      ...options,
      name,
      pingInterval: 1_000,
      socket: {
        ...options.socket,
        connectTimeout: 1_000,
        // above pingInterval: an idle connection stays up
        socketTimeout: 3_000,
        // the strategy that the package comes with gives up for ever after a socket timeout
        reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 1_000) + Math.random() * 100,
      } as RedisOptions['socket'] & object,
    },
  })
}
