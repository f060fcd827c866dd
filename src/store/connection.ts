import { once } from 'node:events'
import { createClient } from 'redis'

/** The Redis connection of a worker or an ops process: reconnects for ever, queues nothing while it is away. */
export type Connection = ReturnType<typeof connect>

/**
 * Begins to connect, in the background. A command while Redis is away fails at once, a hung one after three seconds.
 *
 * @param onTrouble told once each time the connection is lost, with the reason
 */
export function connect(url: string, name: string, onTrouble: (reason: string) => void) {
  const client = createClient({
    url,
    name,
    // the client's own timeout never fires for a command that was written, and costs half the throughput
    commandOptions: { timeout: 0 },
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // keeps an idle connection below socketTimeout, which would otherwise close it
    pingInterval: 1000,
    socket: {
      connectTimeout: 1000,
      socketTimeout: 3000,
      // its own default gives up for good after a socket timeout
      reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 10), 1000) + Math.random() * 100,
    },
  })
  let troubled = false
  client.on('ready', () => {
    troubled = false
  })
  client.on('error', (error: Error) => {
    if (troubled) return
    troubled = true
    onTrouble(error.message)
  })
  // with a reconnect strategy that never gives up this settles when connected, or when the client is closed
  client.connect().catch(() => {})
  return client
}

/** Waits until commands can be sent; rejects when Redis refuses or does not answer within `withinMs`. */
export async function ready(redis: Connection, withinMs = 3_000): Promise<void> {
  if (redis.isReady) return
  // rejects at the first error, which says why
  await once(redis, 'ready', { signal: AbortSignal.timeout(withinMs) })
}
