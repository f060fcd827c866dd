import { createServer } from 'node:net'
import { PerennialError } from '../errors.ts'

/** A free port on loopback: the preferred one if it is free, else one that the system picks. */
export async function freePort(preferred?: number): Promise<number> {
  const port = preferred === undefined ? undefined : await bind(preferred)
  const found = port ?? (await bind(0))
  if (found === undefined) throw new PerennialError('no_free_port', 'no free port on 127.0.0.1')
  return found
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}
