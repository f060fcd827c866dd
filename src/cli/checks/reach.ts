import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { patienceMs } from './check.ts'

/** Connects, checks the certificate if there should be one, and hangs up. Rejects with what went wrong. */
export async function reach(place: { host: string; port: number; secure: boolean }): Promise<void> {
  const { port, secure } = place
  const host = place.host.replace(/^\[|\]$/g, '')
  const socket: Socket = secure ? connectTls({ host, port, servername: serverName(host) }) : connectTcp({ host, port })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(patienceMs, () => reject(new Error(`no answer within ${patienceMs / 1000} s`)))
      socket.once(secure ? 'secureConnect' : 'connect', resolve)
      socket.once('error', reject)
    })
  } finally {
    socket.destroy()
  }
}

/** RFC 6066 section 3: an address is no server name. */
const serverName = (host: string) => (/^[\d.]+$|:/.test(host) ? '' : host)
