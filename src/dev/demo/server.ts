/** The demo authorization server, a process of its own: `node server.ts SETTINGS.json`. */
import { timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createProvider, mintGrant } from './authorization.ts'
import { GrantStore } from './grants.ts'
import type { DemoSettings, Fault } from './settings.ts'

const settings: DemoSettings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const store = new GrantStore(settings.journalFile)
let faults: Fault[] = []
const provider = createProvider(settings, store, () => faults)
const authorize = provider.callback()

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (!url.pathname.startsWith('/admin/')) return authorize(request, response)
  administer(request, url, response).catch((error) => answer(response, 500, { error: String(error) }))
})
server.listen(settings.port, '127.0.0.1')

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })

async function administer(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
  if (!isAdmin(request)) return answer(response, 401, { error: 'the admin secret is missing or wrong' })
  const subject = url.searchParams.get('subject') ?? ''
  const client = url.searchParams.get('client') ?? ''
  switch (`${request.method} ${url.pathname}`) {
    case 'POST /admin/grants': {
      const tokens = await mintGrant(provider, settings, subject, client)
      if (tokens === undefined) return answer(response, 404, { error: `no client ${client}` })
      return answer(response, 201, tokens)
    }
    case 'DELETE /admin/grants':
      return answer(response, 200, { ended: store.revokeSubject(subject) })
    case 'DELETE /admin/access-tokens':
      return answer(response, 200, { ended: store.endAccessTokens(subject) })
    case 'PUT /admin/faults':
      faults = await readJson(request)
      return answer(response, 200, faults)
    case 'GET /admin/record':
      return answer(response, 200, { alive: store.alive(), exchanges: store.exchanges() })
    default:
      return answer(response, 404, { error: 'no such place' })
  }
}

function isAdmin(request: IncomingMessage): boolean {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${settings.adminSecret}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function readJson(request: IncomingMessage): Promise<Fault[]> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
