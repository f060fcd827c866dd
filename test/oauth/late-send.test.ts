import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, expect, it } from 'vitest'
import { beginAttempt, type Clock, createTokenEndpoint, type TokenRequest } from '../../src/oauth/index.ts'
import { httpAnswer, rawServer } from './raw-server.ts'

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')
const answer = httpAnswer(200, '{"access_token":"access-1"}')

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serve(...handlers: Parameters<typeof rawServer>) {
  const server = await rawServer(...handlers)
  closers.push(server.close)
  return server
}

function endpoint(options: Parameters<typeof createTokenEndpoint>[0]) {
  const tokens = createTokenEndpoint(options)
  closers.push(tokens.close)
  return tokens
}

const request = (url: string): TokenRequest => ({
  endpoint: url,
  clientId: 'client',
  clientAuth: 'none',
  grant: 'refresh_token',
  refreshToken: 'refresh-token-0123456789',
  rotation: 'single_use',
  parameters: {},
})

/** A clock that stands still until it is moved. */
function movable() {
  const at = { wallMs: 1_700_000_000_000, monotonicMs: 5_000 }
  const clock: Clock = { wallMs: () => at.wallMs, monotonicMs: () => at.monotonicMs }
  return { at, clock }
}

it.each(['wallMs', 'monotonicMs'] as const)(
  'when %s passes the limit while connecting, the connected socket gets nothing',
  async (hand) => {
    const { at, clock } = movable()
    const server = await serve((socket) => socket.end(answer))
    const tokens = endpoint({ clock })
    const pending = tokens.exchange(request(server.url), beginAttempt(10_000, clock))
    at[hand] += 3_001
    expect(await pending).toMatchObject({ kind: 'unsent', reason: 'late' })
    await sleep(50)
    expect(server.connections()).toBe(1)
    expect(server.receivedBytes()).toBe(0)
  },
)

it('at the limit itself the request is sent, and a wall clock set back changes nothing', async () => {
  const { at, clock } = movable()
  const server = await serve((socket) => socket.end(answer))
  const tokens = endpoint({ clock })
  const pending = tokens.exchange(request(server.url), beginAttempt(10_000, clock))
  at.wallMs -= 3_600_000
  at.monotonicMs += 3_000
  expect(await pending).toMatchObject({ kind: 'granted' })
})

it('an attempt that is late already does not connect', async () => {
  const { at, clock } = movable()
  const server = await serve((socket) => socket.end(answer))
  const attempt = beginAttempt(10_000, clock)
  at.wallMs += 3_001
  expect(await endpoint({ clock }).exchange(request(server.url), attempt)).toMatchObject({
    kind: 'unsent',
    reason: 'late',
  })
  expect(server.connections()).toBe(0)
})

it('an event loop that stood still while the socket connected sends nothing', async () => {
  const server = await serve((socket) => socket.end(answer))
  const tokens = endpoint({ lateAfterMs: 60 })
  const pending = tokens.exchange(request(server.url), beginAttempt(10_000))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120)
  expect(await pending).toMatchObject({ kind: 'unsent', reason: 'late' })
  await sleep(50)
  expect(server.receivedBytes()).toBe(0)
})

/** A real TLS server that speaks HTTP/2 too, behind a TCP relay that holds the handshake back. */
async function slowTls(handshakeMs: number) {
  const bodies: string[] = []
  const resumed: boolean[] = []
  const server = createServer(
    { key: fixture('key.pem'), cert: fixture('cert.pem'), ALPNProtocols: ['h2', 'http/1.1'] },
    (incoming, response) => {
      incoming.on('data', (chunk) => bodies.push(String(chunk)))
      incoming.on('end', () => response.end('{"access_token":"access-1"}'))
    },
  )
  server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => void server.close())
  const { port } = server.address() as AddressInfo
  const relay = await serve(
    () => {},
    (socket) => {
      socket.pause()
      setTimeout(() => {
        const upstream = connect(port, '127.0.0.1').on('error', () => socket.destroy())
        socket.pipe(upstream).pipe(socket)
      }, handshakeMs)
    },
  )
  setDefaultCACertificates([...getCACertificates('default'), fixture('cert.pem')])
  return { url: `https://127.0.0.1:${relay.port}/token`, bodies, resumed }
}

it('a TLS handshake that took too long is followed by no request', async () => {
  const { url, bodies } = await slowTls(300)
  expect(await endpoint({ lateAfterMs: 200 }).exchange(request(url), beginAttempt(10_000))).toMatchObject({
    kind: 'unsent',
    reason: 'late',
  })
  await sleep(100)
  expect(bodies).toEqual([])
})

it('a TLS handshake that is quick enough is, over HTTP/1.1 although the server offers HTTP/2', async () => {
  const { url, bodies } = await slowTls(20)
  expect(await endpoint({}).exchange(request(url), beginAttempt(10_000))).toMatchObject({ kind: 'granted' })
  expect(bodies).toHaveLength(1)
})

it('an attempt given up by its timer is not sent later, even if the clocks saw no time pass', async () => {
  const { clock } = movable()
  const { url, bodies } = await slowTls(300)
  const tokens = endpoint({ clock })
  expect(await tokens.exchange(request(url), beginAttempt(100, clock))).toMatchObject({
    kind: 'unsent',
    reason: 'timeout',
  })
  await sleep(400)
  expect(bodies).toEqual([])
})

it('a connection takes up the TLS session of the one before', async () => {
  const { url, bodies, resumed } = await slowTls(0)
  const tokens = endpoint({})
  for (const _ of [1, 2]) await tokens.exchange(request(url), beginAttempt(10_000))
  expect(bodies).toHaveLength(2)
  expect(resumed).toEqual([false, true])
})
