import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A TCP server on loopback that answers a whole HTTP request with whatever it is told to, and keeps what it got. */
export interface RawServer {
  url: string
  port: number
  /** the complete requests that were read, head and body */
  requests: string[]
  /** every byte that arrived */
  receivedBytes(): number
  connections(): number
  close(): Promise<void>
}

export async function rawServer(
  onRequest: (socket: Socket, request: string) => void,
  onConnection: (socket: Socket) => void = () => {},
): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  let receivedBytes = 0
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      receivedBytes += chunk.length
      text += chunk.toString('latin1')
      if (!isWhole(text)) return
      requests.push(text)
      onRequest(socket, text)
      text = ''
    })
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/token`,
    port,
    requests,
    receivedBytes: () => receivedBytes,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function isWhole(request: string): boolean {
  const headEnd = request.indexOf('\r\n\r\n')
  const length = Number(request.match(/content-length: (\d+)/i)?.[1] ?? 0)
  return headEnd >= 0 && request.length >= headEnd + 4 + length
}

/** A whole HTTP/1.1 answer; Content-Length is the body's unless `headers` says otherwise. */
export function httpAnswer(status: number, body: string, headers: Record<string, string> = {}): string {
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n${body}`
}
