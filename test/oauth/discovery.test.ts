import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { discoveredIn, metadataUrls } from '../../src/oauth/discovery.ts'
import { beginAttempt, createTokenEndpoint } from '../../src/oauth/index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Answers by path; what is not there is a 404. */
async function serve(answers: (origin: string) => Record<string, unknown>) {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const answer = answers(origin)[request.url ?? '']
    response.statusCode = answer === undefined ? 404 : 200
    response.end(JSON.stringify(answer ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokens = createTokenEndpoint()
  closers.push(() => server.close(), tokens.close)
  return {
    origin,
    asked,
    server,
    discover: (issuer: string) => tokens.discover(issuer, { publicOnly: false }, beginAttempt(1_000)),
  }
}

describe('an issuer', () => {
  it('describes itself at the places of RFC 8414 and of OpenID', () => {
    expect(metadataUrls('https://id.example.com/realms/main')).toEqual([
      'https://id.example.com/.well-known/oauth-authorization-server/realms/main',
      'https://id.example.com/realms/main/.well-known/openid-configuration',
    ])
    expect(metadataUrls('https://id.example.com/')).toEqual([
      'https://id.example.com/.well-known/oauth-authorization-server',
      'https://id.example.com/.well-known/openid-configuration',
    ])
  })

  it('is asked once, at the second place where the first knows nothing, and remembered', async () => {
    const { origin, asked, discover } = await serve((here) => ({
      '/a/.well-known/openid-configuration': { issuer: `${here}/a`, token_endpoint: `${here}/a/token` },
    }))
    const expected = { tokenEndpoint: `${origin}/a/token` }
    expect(await Promise.all([discover(`${origin}/a`), discover(`${origin}/a`)])).toEqual([expected, expected])
    expect(await discover(`${origin}/a`)).toEqual(expected)
    expect(asked).toEqual(['/.well-known/oauth-authorization-server/a', '/a/.well-known/openid-configuration'])
  })

  it('that is not to be had says so, and is asked again', async () => {
    const { origin, asked, discover } = await serve(() => ({}))
    expect(await discover(origin)).toMatch(/oauth-authorization-server answers with HTTP 404; .*openid-configuration/)
    await discover(origin)
    expect(asked).toHaveLength(4)
    expect(await discover('http://id.example.com')).toMatch(/must be https/)
  })
})

describe('the metadata of an issuer', () => {
  const issuer = 'https://id.example.com'
  const read = (members: object) => discoveredIn(JSON.stringify({ issuer, ...members }), issuer)

  it('names endpoints on its site', () => {
    expect(
      read({
        token_endpoint: `${issuer}/token`,
        revocation_endpoint: 'https://api.id.example.com/revoke',
        introspection_endpoint: `${issuer}:8443/introspect`,
      }),
    ).toEqual({
      tokenEndpoint: `${issuer}/token`,
      revocationEndpoint: 'https://api.id.example.com/revoke',
      introspectionEndpoint: `${issuer}:8443/introspect`,
    })
    expect(discoveredIn(JSON.stringify({ issuer: `${issuer}/`, token_endpoint: `${issuer}/t` }), issuer)).toEqual({
      tokenEndpoint: `${issuer}/t`,
    })
  })

  it.each([
    ['https://login.example.com', 'https://api.example.com/token'],
    ['https://login.example.co.uk', 'https://api.example.co.uk/token'],
    ['https://example.com/realms/main', 'https://login.example.com/token'],
    ['https://id.corp.internal', 'https://tokens.corp.internal/token'],
    ['https://keycloak', 'https://keycloak/token'],
    ['https://acme.github.io', 'https://acme.github.io/token'],
  ])('%s may name %s', (issuer, token_endpoint) => {
    expect(discoveredIn(JSON.stringify({ issuer, token_endpoint }), issuer)).toEqual({ tokenEndpoint: token_endpoint })
  })

  it.each([
    ['https://login.example.co.uk', 'https://evil.co.uk/token'],
    ['https://accounts.google.com', 'https://oauth2.googleapis.com/token'],
    ['https://acme.github.io', 'https://evil.github.io/token'],
    ['https://keycloak', 'https://evil/token'],
    ['https://10.1.2.3', 'https://10.1.2.4/token'],
    ['https://[fd00::1]', 'https://[fd00::2]/token'],
    ['https://example.com', 'https://example.com.evil.org/token'],
  ])('%s may not name %s', (issuer, token_endpoint) => {
    expect(discoveredIn(JSON.stringify({ issuer, token_endpoint }), issuer)).toMatch(/not https on the site/)
  })

  it.each([
    ['another issuer', { issuer: 'https://evil.example', token_endpoint: `${issuer}/token` }, /another issuer/],
    ['another site', { token_endpoint: 'https://evil.example/token' }, /token_endpoint that is not https on the site/],
    ['a site that ends alike', { token_endpoint: 'https://evilexample.com/token' }, /not https on the site/],
    ['plain HTTP', { token_endpoint: 'http://id.example.com/token' }, /not https on the site/],
    ['credentials', { token_endpoint: 'https://u:p@id.example.com/token' }, /not https on the site/],
    ['no URL', { token_endpoint: 'token' }, /not https on the site/],
    ['no text', { token_endpoint: 7 }, /not https on the site/],
    [
      'a revocation elsewhere',
      { token_endpoint: `${issuer}/t`, revocation_endpoint: 'https://evil.example' },
      /revocation/,
    ],
    ['nothing', {}, /names no token_endpoint/],
  ])('that names %s is refused', (_, members, why) => {
    expect(read(members)).toMatch(why)
  })

  it('that is no JSON is refused', () => {
    expect(discoveredIn('<html>', issuer)).toBe('is no JSON object')
    expect(discoveredIn('[]', issuer)).toBe('is no JSON object')
  })
})
