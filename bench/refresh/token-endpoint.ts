/**
 * A bare token endpoint, in a process of its own: tokens of two seconds, refresh tokens that are good for one use.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { answerSamples } from './sampled.ts'
import { issue, spend } from './tokens.ts'

const counts = { cycles: 0, failures: 0 }
/** how often each line of refresh tokens was used */
const used = new Map<string, number>()

const server = createServer(async (request, response) => {
  const form = new URLSearchParams(await text(request))
  const spent = spend(form.get('refresh_token') ?? '')
  const authenticated = request.headers.authorization?.startsWith('Basic ') === true
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  if (authenticated && form.get('grant_type') === 'refresh_token' && spent.use === (used.get(spent.line) ?? 0)) {
    counts.cycles++
    used.set(spent.line, spent.use + 1)
    response.writeHead(200, headers).end(JSON.stringify(issue(spent.line, spent.use + 1)))
  } else {
    counts.failures++
    response.writeHead(400, headers).end('{"error":"invalid_grant"}')
  }
})

server.listen(0, '127.0.0.1', () => answerSamples(counts, { port: (server.address() as AddressInfo).port }))
