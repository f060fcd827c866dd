import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Decision, Emulator } from './emulator.ts'
import type { Profile, Reply } from './profile.ts'
import { register } from './registration.ts'
import { receive } from './request.ts'

/** All the vendors of a test, behind one port. */
export interface Emulators {
  origin: string
  /** a vendor with a client, and if need be a clock, of its own; the same profile may be opened many times */
  open(profile: Profile, now?: () => number): Opened
  close(): Promise<void>
}

export interface Opened {
  /** no other has it */
  serial: number
  emulator: Emulator
  /**
   * Where the vendor's address is found here: scheme and host go into the path, placeholders stay.
   *
   * @example
   * opened.at('https://{shop}.myshopify.com/admin/oauth/access_token')
   * // http://127.0.0.1:40001/7/{shop}.myshopify.com/admin/oauth/access_token
   */
  at(vendorUrl: string): string
  /** what the vendor made of the last request */
  last(): Decision
}

/**
 * Starts the vendors on loopback.
 *
 * @param now what the vendors' clocks say, epoch milliseconds; their answers carry it as Date
 */
export async function startEmulators(now: () => number = Date.now): Promise<Emulators> {
  const emulators: Emulator[] = []
  const server = createServer((incoming, response) => {
    answer(emulators, incoming).then(
      ({ reply, nowMs }) => {
        // the vendor has done its work, and nobody hears of it
        if (reply === undefined) incoming.socket.destroy()
        else send(response, reply, nowMs)
      },
      (error: unknown) => send(response, { status: 500, body: String(error) }, now()),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    open(profile, ownNow = now) {
      const serial = emulators.length
      const at = (vendorUrl: string) => `${origin}/${serial}/${vendorUrl.replace(/^https:\/\//, '')}`
      const emulator = new Emulator(profile, register(serial, profile), ownNow, at)
      emulators.push(emulator)
      return { serial, emulator, at, last: () => lastOf(emulator) }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function lastOf({ decisions, profile }: Emulator): Decision {
  const last = decisions.at(-1)
  if (last === undefined) throw new Error(`${profile.name} was never asked`)
  return last
}

async function answer(emulators: readonly Emulator[], incoming: IncomingMessage) {
  const [, serial = '', rest = ''] = incoming.url?.match(/^\/(\d+)\/(.*)$/) ?? []
  const emulator = emulators[Number(serial)]
  if (emulator === undefined) return { reply: { status: 404, body: 'no such vendor' }, nowMs: Date.now() }
  const { reply } = emulator.answer(await receive(incoming, new URL(`https://${rest}`)))
  return { reply, nowMs: emulator.now() }
}

function send(response: ServerResponse, { status, headers = {}, body }: Reply, nowMs: number): void {
  response.writeHead(status, {
    date: new Date(nowMs).toUTCString(),
    'cache-control': 'no-store',
    ...(typeof body === 'object' && { 'content-type': 'application/json; charset=utf-8' }),
    ...headers,
  })
  response.end(typeof body === 'object' ? JSON.stringify(body) : body)
}
