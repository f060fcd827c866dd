import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { beginAttempt, createTokenEndpoint, type TokenRequest, type Verdict } from '../../src/oauth/index.ts'
import type { ClientAuthMethod } from '../../src/providers/provider.ts'

const clientSecret = 'secret with +%:/ in it, 0123456789'
const tokens = createTokenEndpoint()
const server = createServer()
let issuer: string
let provider: Provider

const clientOf = (clientAuth: ClientAuthMethod) => ({
  client_id: `client:${clientAuth}`,
  token_endpoint_auth_method: clientAuth,
  ...(clientAuth !== 'none' && { client_secret: clientSecret }),
  grant_types: ['authorization_code', 'refresh_token', ...(clientAuth === 'none' ? [] : ['client_credentials'])],
  scope: 'openid offline_access orders',
  redirect_uris: ['https://app.example/callback'],
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = new Provider(issuer, {
    clients: (['client_secret_basic', 'client_secret_post', 'none'] as const).map(clientOf),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'orders', 'email'],
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  })
  server.on('request', provider.callback())
})

afterAll(async () => {
  await tokens.close()
  await new Promise((resolve) => server.close(resolve))
})

async function consent(clientAuth: ClientAuthMethod): Promise<string> {
  const client = await provider.Client.find(`client:${clientAuth}`)
  if (client === undefined) throw new Error('no such client')
  const grant = new provider.Grant({ accountId: 'alice', clientId: `client:${clientAuth}` })
  grant.addOIDCScope('openid offline_access')
  const grantId = await grant.save()
  const token = new provider.RefreshToken({
    accountId: 'alice',
    client,
    grantId,
    gty: 'authorization_code',
    scope: 'openid offline_access',
    rotations: 0,
    iiat: Math.floor(Date.now() / 1000),
  })
  return token.save()
}

function ask(clientAuth: ClientAuthMethod, more: Partial<TokenRequest>): Promise<Verdict> {
  const request: TokenRequest = {
    endpoint: `${issuer}/token`,
    clientId: `client:${clientAuth}`,
    clientAuth,
    ...(clientAuth !== 'none' && { clientSecret }),
    grant: 'refresh_token',
    rotation: 'single_use',
    parameters: {},
    ...more,
  }
  return tokens.exchange(request, beginAttempt(10_000))
}

function grantedBy(verdict: Verdict): string {
  if (verdict.kind !== 'granted' || verdict.tokens.refreshToken === undefined) throw new Error(JSON.stringify(verdict))
  return verdict.tokens.refreshToken
}

it.each(['client_secret_basic', 'client_secret_post', 'none'] as const)(
  'a client that authenticates by %s refreshes and is given the next refresh token',
  async (clientAuth) => {
    const first = await consent(clientAuth)
    const verdict = await ask(clientAuth, { refreshToken: first })
    expect(verdict).toMatchObject({
      kind: 'granted',
      tokens: { accessToken: expect.any(String), tokenType: 'Bearer', expiresInMs: 3_600_000 },
    })
    const second = grantedBy(verdict)
    expect(second).not.toBe(first)
    expect(await ask(clientAuth, { refreshToken: second })).toMatchObject({ kind: 'granted' })
  },
)

it('a refresh token used again is refused, and with it the whole family', async () => {
  const first = await consent('client_secret_basic')
  const second = grantedBy(await ask('client_secret_basic', { refreshToken: first }))
  const refused = { kind: 'grant_refused', reason: 'invalid_grant' }
  expect(await ask('client_secret_basic', { refreshToken: first })).toMatchObject(refused)
  expect(await ask('client_secret_basic', { refreshToken: second })).toMatchObject(refused)
})

it.each(['client_secret_basic', 'client_secret_post'] as const)('client credentials by %s', async (clientAuth) => {
  const verdict = await ask(clientAuth, { grant: 'client_credentials', parameters: { scope: 'orders' } })
  expect(verdict).toMatchObject({ kind: 'granted', tokens: { accessToken: expect.any(String), scope: 'orders' } })
  expect(verdict).not.toHaveProperty('tokens.refreshToken')
})

it('a wrong secret is the client refused, and the refresh token stays good', async () => {
  const refreshToken = await consent('client_secret_post')
  const wrong = await ask('client_secret_post', { refreshToken, clientSecret: 'not the secret' })
  expect(wrong).toMatchObject({ kind: 'client_refused', reason: 'invalid_client', secretRefused: true })
  expect(await ask('client_secret_post', { refreshToken })).toMatchObject({ kind: 'granted' })
})

it('a scope that the client may not have is the client refused, with no other secret to try', async () => {
  const verdict = await ask('client_secret_basic', {
    grant: 'client_credentials',
    parameters: { scope: 'email' },
  })
  expect(verdict).toMatchObject({ kind: 'client_refused', reason: 'invalid_scope', secretRefused: false })
})
