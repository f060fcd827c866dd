import { createServer } from 'node:net'
import { PerennialError } from '../errors.ts'

/**
 * Below the ports that systems give to outgoing connections (Linux 32768 to 60999, macOS from 49152): one of those may
 * be taken for a moment by any connection, just when a server wants it back.
 */
const lowest = 20_000
const highest = 32_000
const tries = 100

/** A free port on loopback: the preferred one if it is free, else any that no outgoing connection can take. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred
  for (let i = 0; i < tries; i++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (await isFree(port)) return port
  }
  throw new PerennialError('no_free_port', `no free port on 127.0.0.1 between ${lowest} and ${highest}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
