import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  beginAttempt,
  createTokenEndpoint,
  type TokenEndpointOptions,
  type TokenRequest,
  type Verdict,
} from '../../src/oauth/index.ts'
import { httpAnswer, type RawServer, rawServer } from './raw-server.ts'

const clientSecret = 'client-secret-0123456789'
const refreshToken = 'refresh-token-0123456789'
const whole = '{"access_token":"access-1","token_type":"Bearer","expires_in":60,"refresh_token":"refresh-token-next"}'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serve(...handlers: Parameters<typeof rawServer>): Promise<RawServer> {
  const server = await rawServer(...handlers)
  closers.push(server.close)
  return server
}

function endpoint(options?: TokenEndpointOptions) {
  const tokens = createTokenEndpoint(options)
  closers.push(tokens.close)
  return tokens
}

const request = (url: string, more: Partial<TokenRequest> = {}): TokenRequest => ({
  endpoint: url,
  clientId: 'client',
  clientAuth: 'client_secret_post',
  clientSecret,
  grant: 'refresh_token',
  refreshToken,
  rotation: 'single_use',
  parameters: {},
  ...more,
})

const exchange = (url: string, timeoutMs = 5_000, more: Partial<TokenRequest> = {}) =>
  endpoint().exchange(request(url, more), beginAttempt(timeoutMs))

describe('nothing left this machine', () => {
  it('a closed port is unsent', async () => {
    const server = await rawServer(() => {})
    await server.close()
    expect(await exchange(server.url)).toMatchObject({ kind: 'unsent', reason: 'ECONNREFUSED' })
  })

  it('a name that does not resolve is unsent', async () => {
    const verdict = await exchange('https://no-such-host.invalid/token')
    expect(verdict).toMatchObject({ kind: 'unsent', reason: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) })
  })

  it('a connection reset during the TLS handshake is unsent, although its code is that of a lost answer', async () => {
    const server = await serve(
      () => {},
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
    )
    const verdict = await exchange(`https://127.0.0.1:${server.port}/token`)
    expect(verdict).toMatchObject({ kind: 'unsent', reason: 'ECONNRESET' })
  })

  it('a TLS handshake that never ends is unsent once the connect timeout has passed', async () => {
    const server = await serve(() => {})
    const tokens = endpoint({ connectTimeoutMs: 200 })
    const verdict = await tokens.exchange(request(`https://127.0.0.1:${server.port}/token`), beginAttempt(5_000))
    expect(verdict).toMatchObject({ kind: 'unsent', reason: 'UND_ERR_CONNECT_TIMEOUT' })
  })

  it('an attempt that ends before there is a connection is unsent', async () => {
    const server = await serve(() => {})
    const tokens = endpoint({ connectTimeoutMs: 600 })
    const verdict = await tokens.exchange(request(`https://127.0.0.1:${server.port}/token`), beginAttempt(150))
    expect(verdict).toMatchObject({ kind: 'unsent', reason: 'timeout' })
  })

  it('closing waits for what is under way', async () => {
    const server = await serve((socket) => setTimeout(() => socket.end(httpAnswer(200, whole)), 100))
    const tokens = createTokenEndpoint()
    let verdict: Verdict | undefined
    void tokens.exchange(request(server.url), beginAttempt(5_000)).then((ended) => {
      verdict = ended
    })
    await tokens.close()
    expect(verdict).toMatchObject({ kind: 'granted' })
  })

  it('a closed endpoint sends nothing', async () => {
    const server = await serve((socket) => socket.end(httpAnswer(200, whole)))
    const tokens = createTokenEndpoint()
    await tokens.close()
    await tokens.close()
    const verdict = await tokens.exchange(request(server.url), beginAttempt(1_000))
    expect(verdict).toMatchObject({ kind: 'unsent', reason: 'closed' })
    expect(server.connections()).toBe(0)
  })

  it.each([
    'http://id.example.com/token',
    'http://127.0.0.1.example.com/token',
    'http://localhost.example.com/token',
    'http://10.0.0.1/token',
    'ftp://127.0.0.1/token',
    'https://user:password@id.example.com/token',
    'not a url',
    '',
  ])('%j is refused as an endpoint without a connection', async (url) => {
    const verdict = await exchange(url)
    expect(verdict).toMatchObject({ kind: 'client_refused', reason: 'invalid_endpoint', secretRefused: false })
    expect(JSON.stringify(verdict)).not.toContain('password@')
  })

  it('a refresh without a refresh token is refused without a connection', async () => {
    const server = await serve((socket) => socket.end(httpAnswer(200, whole)))
    const verdict = await exchange(server.url, 1_000, { refreshToken: '' })
    expect(verdict).toMatchObject({ kind: 'grant_refused', reason: 'no_refresh_token' })
    expect(server.connections()).toBe(0)
  })
})

describe('the request may have been read', () => {
  const endings: [string, (socket: Socket) => void, string][] = [
    ['a reset', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['a FIN', (socket) => socket.end(), 'UND_ERR_SOCKET'],
    ['no answer', () => {}, 'timeout'],
    ['an interim answer and a FIN', (socket) => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n'), 'UND_ERR_SOCKET'],
    ['a head and no more', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le'), 'timeout'],
    ['a body that stalls', (socket) => socket.write(httpAnswer(200, '{"acc', { 'Content-Length': '99' })), 'timeout'],
    [
      'a body cut by a FIN',
      (socket) => socket.end(httpAnswer(200, '{"acc', { 'Content-Length': '99' })),
      'UND_ERR_SOCKET',
    ],
    ['a body over 64 KB', (socket) => socket.end(httpAnswer(200, ' '.repeat(70_000))), 'UND_ERR_RES_EXCEEDED_MAX_SIZE'],
    [
      'headers over 16 KB',
      (socket) => socket.end(httpAnswer(200, '', { 'X-A': 'a'.repeat(17_000) })),
      'UND_ERR_HEADERS_OVERFLOW',
    ],
    ['garbage', (socket) => socket.end('220 smtp.example.com ESMTP\r\n'), 'connection_lost'],
    [
      'an upgrade nobody asked for',
      (socket) => socket.end('HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'),
      'UND_ERR_SOCKET',
    ],
  ]

  it.each(endings)('%s is ambiguous', async (_name, end, reason) => {
    const server = await serve(end)
    const verdict = await exchange(server.url, 600)
    expect(verdict).toMatchObject({ kind: 'ambiguous', reason })
    expect(server.requests).toHaveLength(1)
    expect(JSON.stringify(verdict)).not.toMatch(/token-0123|secret-0123/)
  })

  it('the bound of the exchange holds from when the attempt began, for a body that comes slowly too', async () => {
    let dripping: NodeJS.Timeout | undefined
    const server = await serve((socket) => {
      socket.write(httpAnswer(200, '{', { 'Content-Length': '5000' }))
      dripping = setInterval(() => socket.write(' '), 20)
    })
    const attempt = beginAttempt(800)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const startedMs = performance.now()
    const verdict = await endpoint().exchange(request(server.url), attempt)
    clearInterval(dripping)
    expect(verdict).toMatchObject({ kind: 'ambiguous', reason: 'timeout' })
    expect(performance.now() - startedMs).toBeLessThan(700)
  })

  it('a refresh token that came before the answer was cut off is kept', async () => {
    const cut = whole.slice(0, whole.length - 1)
    const server = await serve((socket) => socket.end(httpAnswer(200, cut, { 'Content-Length': '999' })))
    expect(await exchange(server.url)).toEqual({ kind: 'granted', tokens: { refreshToken: 'refresh-token-next' } })
  })

  it('a refresh token that was itself cut off is not', async () => {
    const cut = whole.slice(0, whole.length - 3)
    const server = await serve((socket) => socket.end(httpAnswer(200, cut, { 'Content-Length': '999' })))
    expect(await exchange(server.url)).toMatchObject({ kind: 'ambiguous' })
  })

  it('a whole answer whose connection then stays open is granted', async () => {
    const server = await serve((socket) => socket.write(httpAnswer(200, whole, { 'Content-Length': '999' })))
    expect(await exchange(server.url, 500)).toMatchObject({ kind: 'granted', tokens: { accessToken: 'access-1' } })
  })
})

describe('an answer came', () => {
  it('tokens are granted, on a connection of their own', async () => {
    const server = await serve((socket) => socket.end(httpAnswer(200, whole)))
    const tokens = endpoint()
    const expected = {
      kind: 'granted',
      tokens: { accessToken: 'access-1', tokenType: 'Bearer', expiresInMs: 60_000, refreshToken: 'refresh-token-next' },
    }
    expect(await tokens.exchange(request(server.url), beginAttempt(5_000))).toEqual(expected)
    expect(await tokens.exchange(request(server.url), beginAttempt(5_000))).toEqual(expected)
    expect(server.connections()).toBe(2)
    expect(server.requests[0]).toMatch(/^POST \/token HTTP\/1\.1\r\n/)
    expect(server.requests[0]).toMatch(/connection: close\r\n/)
    expect(server.requests[0]).toMatch(/user-agent: perennial\/\d/)
  })

  it('an endpoint keeps its path and query', async () => {
    const server = await serve((socket) => socket.end(httpAnswer(200, whole)))
    await exchange(`${server.url}?p=b2c_policy`)
    expect(server.requests[0]).toMatch(/^POST \/token\?p=b2c_policy HTTP/)
  })

  it('interim answers are passed over', async () => {
    const server = await serve((socket) => socket.end(`HTTP/1.1 103 Early Hints\r\n\r\n${httpAnswer(200, whole)}`))
    expect(await exchange(server.url)).toMatchObject({ kind: 'granted' })
  })

  it('a redirect is not followed', async () => {
    const elsewhere = await serve((socket) => socket.end(httpAnswer(200, whole)))
    const server = await serve((socket) => socket.end(httpAnswer(307, '', { Location: elsewhere.url })))
    expect(await exchange(server.url)).toMatchObject({ kind: 'unclear', reason: 'http_307' })
    expect(elsewhere.connections()).toBe(0)
  })

  it('Retry-After as a date counts from the Date of the answer', async () => {
    const headers = { Date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'Retry-After': 'Wed, 21 Oct 2015 07:28:30 GMT' }
    const server = await serve((socket) => socket.end(httpAnswer(429, '', headers)))
    expect(await exchange(server.url)).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 })
  })

  it('a 503 is sent once', async () => {
    const server = await serve((socket) => socket.end(httpAnswer(503, '')))
    expect(await exchange(server.url)).toMatchObject({ kind: 'ambiguous', reason: 'http_503' })
    expect(server.requests).toHaveLength(1)
  })
})
