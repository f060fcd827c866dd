import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A line to a Redis that can be listened to, cut and held up. */
export interface Line {
  /** of the line, with the user of the Redis behind it */
  url: string
  /** how often a text was sent to Redis */
  sent(text: string): number
  /** does this, once, before what holds the text is passed on */
  onceSent(text: string, work: () => Promise<unknown>): void
  /** ends each connection; new ones are made */
  cut(): void
  /** nothing passes any more, in either direction, new connections included; until `free` */
  hold(): void
  free(): void
  close(): void
}

export async function openLine(target: URL): Promise<Line> {
  const pairs = new Set<[Socket, Socket]>()
  let log = ''
  let held = false
  let interruption: { text: string; work: () => Promise<unknown> } | undefined
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    near.on('data', async (data) => {
      const text = data.toString('latin1')
      log += text
      if (interruption !== undefined && text.includes(interruption.text)) {
        const { work } = interruption
        interruption = undefined
        near.pause()
        await work()
        if (!held) near.resume()
      }
      far.write(data)
    })
    far.on('data', (data) => near.write(data))
    if (held) for (const socket of pair) socket.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = new URL(target)
  url.port = String(typeof address === 'object' ? address?.port : '')
  const each = (act: (socket: Socket) => void) => {
    for (const socket of [...pairs].flat()) act(socket)
  }
  return {
    url: url.href,
    sent: (text) => log.split(text).length - 1,
    onceSent: (text, work) => {
      interruption = { text, work }
    },
    cut: () => each((socket) => void socket.destroy()),
    hold: () => {
      held = true
      each((socket) => void socket.pause())
    },
    free: () => {
      held = false
      each((socket) => void socket.resume())
    },
    close: () => {
      server.close()
      each((socket) => void socket.destroy())
    },
  }
}
