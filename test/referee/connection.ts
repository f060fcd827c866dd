import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FakeAnswer } from './faults.ts'
import type { Delivery } from './request-log.ts'

/** How a connection ended; `clientLeft`: before there was an answer. */
export interface Ending {
  delivery: Delivery
  clientLeft: boolean
}

/**
 * One request's connection. Answers go to the socket itself, which is then only half closed: that way the referee sees
 * how the client ends its side. A client that has read everything says goodbye (FIN); one that was killed with the
 * answer unread makes its kernel reset the connection.
 */
export class Connection {
  readonly #socket: Socket
  readonly #closed: Promise<Ending>
  #dropped = false
  #written: 'nothing' | 'part' | 'all' = 'nothing'

  constructor(socket: Socket) {
    this.#socket = socket
    this.#closed = new Promise((resolve) => {
      socket.once('close', (hadError) => {
        const clientLeft = this.#written === 'nothing' && !this.#dropped
        resolve({ delivery: this.#delivery(hadError), clientLeft })
      })
    })
  }

  /** What the client got, once its side is closed too. */
  get closed(): Promise<Ending> {
    return this.#closed
  }

  /** Whether an answer would still reach someone. */
  get isOpen(): boolean {
    return this.#socket.writable && !this.#socket.readableEnded
  }

  /** Ends the connection without (another) word. */
  drop(): void {
    this.#dropped ||= this.isOpen
    this.#socket.destroy()
  }

  /**
   * Writes a whole answer, or the part `sent` of its body, and closes our side.
   *
   * @param announced whether Content-Length names the whole body
   */
  answer(answer: FakeAnswer, sent: string = answer.body, announced = true): void {
    if (!this.isOpen) return
    const headers = {
      date: new Date().toUTCString(),
      'cache-control': 'no-store',
      ...answer.headers,
      ...(announced && { 'content-length': String(Buffer.byteLength(answer.body)) }),
      connection: 'close',
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}\r\n${lines.join('')}\r\n`
    this.#written = sent === answer.body ? 'all' : 'part'
    this.#socket.end(head + sent)
  }

  #delivery(hadError: boolean): Delivery {
    if (this.#written === 'nothing') return 'none'
    if (hadError) return 'reset'
    return this.#written === 'all' ? 'complete' : 'cut'
  }
}
