import { afterEach, describe, expect, it } from 'vitest'
import { beginAttempt, createTokenEndpoint, type LookupRequest } from '../../src/oauth/index.ts'
import { httpAnswer, type RawServer, rawServer } from './raw-server.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function ask(answer: string, changes: Partial<LookupRequest>): Promise<{ ms: number | undefined; sent: string }> {
  const server: RawServer = await rawServer((socket) => socket.end(answer))
  const tokens = createTokenEndpoint()
  closers.push(server.close, tokens.close)
  const request: LookupRequest = {
    endpoint: server.url,
    clientId: 'app',
    clientAuth: 'client_secret_post',
    clientSecret: 's',
    accessToken: 'at-1',
    by: 'bearer',
    rules: {},
    ...changes,
  }
  return { ms: await tokens.lookUp(request, beginAttempt(1_000)), sent: server.requests[0] ?? '' }
}

const json = (body: object, status = 200) => httpAnswer(status, JSON.stringify(body))

describe('the expiry of an access token', () => {
  it('is asked for with the token itself, by the word that the vendor has for it', async () => {
    const rules = { scheme: 'OAuth', expiresIn: 'expires_in', expiresInForm: 'seconds' } as const
    const { ms, sent } = await ask(json({ expires_in: 5520 }), { rules })
    expect(ms).toBe(5_520_000)
    expect(sent).toMatch(/^GET \/token HTTP/)
    expect(sent).toMatch(/authorization: OAuth at-1\r\n/)
  })

  it('is asked for by the client (RFC 7662)', async () => {
    const exp = Math.round(Date.now() / 1000) + 600
    const { ms = 0, sent } = await ask(json({ active: true, exp }), { by: 'introspection' })
    expect(ms).toBeGreaterThan(590_000)
    expect(ms).toBeLessThan(610_000)
    expect(sent).toMatch(/^POST \/token HTTP/)
    expect(sent).toMatch(/client_id=app&client_secret=s&token=at-1&token_type_hint=access_token$/)
  })

  it.each([
    ['a token that is not active', json({ active: false, exp: 4_000_000_000 })],
    ['an error', json({ exp: Math.round(Date.now() / 1000) + 600 }, 401)],
    ['HTML', httpAnswer(200, '<html>')],
    ['a time that has passed', json({ exp: Math.round(Date.now() / 1000) - 60 })],
    ['nothing', json({})],
  ])('is not known from %s', async (_, answer) => {
    expect((await ask(answer, { by: 'introspection' })).ms).toBeUndefined()
  })

  it('is not asked for over plain HTTP, or where nobody is', async () => {
    expect((await ask(json({}), { endpoint: 'http://id.example.com/' })).ms).toBeUndefined()
    expect((await ask(json({}), { endpoint: 'http://127.0.0.1:1/' })).ms).toBeUndefined()
  })
})
