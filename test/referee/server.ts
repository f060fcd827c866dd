/** The referee, a process of its own: `node server.ts`, settings as the first line of stdin. Ends with its stdin. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { administer, adminOf } from './admin.ts'
import { Authorization } from './authorization.ts'
import { FaultBook } from './fault-book.ts'
import { Grants } from './grants.ts'
import type { RefereeAddress, RefereeSettings } from './protocol.ts'
import { RequestLog } from './request-log.ts'
import { isResource, Resource } from './resource.ts'
import { serve } from './service.ts'
import { TokenMint } from './tokens.ts'

const input = createInterface({ input: process.stdin })
const [line] = await once(input, 'line')
const settings: RefereeSettings = JSON.parse(String(line))
// whoever started this keeps the pipe open: when it dies, however it dies, so does the referee
input.once('close', () => process.exit(0))

const authorization = new Authorization(settings.clients, new Grants(settings.clients), new TokenMint(randomBytes(32)))
const resource = new Resource(authorization)
const service = {
  authorization,
  faults: new FaultBook(),
  log: new RequestLog(),
}
const verbs = adminOf(service, resource)
const publicSide = createServer((request, response) => {
  const served = isResource(request.url) ? resource.serve(request, response) : serve(request, service)
  served.catch((error) => {
    // a fault of the referee itself must never look like one that was asked for
    console.error(error)
    process.exit(1)
  })
})
// without a listener node answers such errors itself, into a connection whose end is being watched
publicSide.on('clientError', (error, socket) => socket.destroy(error))
const adminSide = createServer((request, response) => {
  administer(request, response, verbs, settings.adminSecret).catch((error) => console.error(error))
})
const address: RefereeAddress = {
  port: await listen(publicSide, settings.port),
  adminPort: await listen(adminSide, 0),
}
console.log(JSON.stringify(address))

async function listen(server: Server, port: number): Promise<number> {
  server.listen({ port, host: '127.0.0.1', backlog: 2_048 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
