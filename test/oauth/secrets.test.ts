import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GrantKind, grantKinds } from '../../src/credential.ts'
import { beginAttempt, createTokenEndpoint, type TokenEndpoint, type TokenRequest } from '../../src/oauth/index.ts'
import { clientAuthMethods } from '../../src/providers/schema.ts'
import { type Secret, searchFor } from '../live/secret-search.ts'
import { httpAnswer, type RawServer, rawServer } from './raw-server.ts'

/**
 * Servers that repeat the whole request that they got, in every way there is, for every way in which a client proves
 * who it is, every grant, and every place where a provider wants the parameters. No verdict may hold a piece of a
 * secret, and the request that was repeated has to have held them.
 */

/** Lower case: one that looks like a token is removed from texts even where nobody knows it. */
const random = (name: string) => `${name}-${randomBytes(24).toString('base64url').toLowerCase()}`
const sent = {
  clientSecret: random('client'),
  refreshToken: random('refresh'),
  accessToken: random('access'),
  password: random('password'),
}
const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const search = searchFor(
  [...Object.entries(sent), ['privateKey', privateKey]].map(([name = '', value = '']) => ({ name, value })),
)

type Encoding = NonNullable<NonNullable<TokenRequest['tokenRequest']>['encoding']>
const places: { method: 'POST' | 'GET'; encoding: Encoding }[] = [
  { method: 'POST', encoding: 'form' },
  { method: 'POST', encoding: 'json' },
  { method: 'POST', encoding: 'query' },
  { method: 'GET', encoding: 'query' },
]

/** How a server repeats a request: its first line, its body, all of it. */
const echoes: Record<string, (target: string, body: string, all: string) => string> = {
  'as a description': (_target, _body, all) =>
    httpAnswer(400, JSON.stringify({ error: 'nope', error_description: all })),
  'word by word, the last first': (_target, _body, all) =>
    httpAnswer(
      400,
      JSON.stringify({
        error: 'nope',
        message: all
          .split(/[&?=",{}:\s]+/)
          .reverse()
          .join(' '),
      }),
    ),
  'as a message in base64': (_target, _body, all) =>
    httpAnswer(429, JSON.stringify({ message: Buffer.from(all).toString('base64') })),
  'as the error code': (target, body) => httpAnswer(400, JSON.stringify({ error: body || target })),
  'in a list of errors': (target, body) =>
    httpAnswer(422, JSON.stringify({ errors: [{ code: target, message: body, detail: target }] })),
  'as a form': (_target, _body, all) =>
    httpAnswer(400, `${new URLSearchParams({ error: all, error_description: all })}`),
  'as a page': (target, body) =>
    httpAnswer(404, `<title>Cannot POST ${target}</title><pre>${body}</pre>`, { 'Content-Type': 'text/html' }),
  'as a line of text': (target) => httpAnswer(500, `no route ${target}`, { 'Content-Type': 'text/plain' }),
  'as a redirection': (target) => httpAnswer(302, '', { Location: `http://127.0.0.1:1${target}` }),
  'in headers': (target) =>
    httpAnswer(503, '', { 'Retry-After': target, 'WWW-Authenticate': `Basic realm="${target}"` }),
  'instead of tokens': (_target, _body, all) => httpAnswer(200, JSON.stringify({ echo: all, error_uri: all })),
  'and dies': (_target, _body, all) => httpAnswer(500, JSON.stringify({ message: all }), { 'Content-Length': '65000' }),
}

let server: RawServer
let endpoint: TokenEndpoint
const ways = Object.values(echoes)

beforeAll(async () => {
  server = await rawServer((socket: Socket, all) => {
    const target = all.split(' ')[1] ?? ''
    const echo = ways[Number(target.split('/')[1])] ?? (() => '')
    const body = all.slice(all.indexOf('\r\n\r\n') + 4)
    socket.end(echo(target, body, all))
  })
  endpoint = createTokenEndpoint()
})

afterAll(async () => {
  await endpoint.close()
  await server.close()
})

const requestBy = (
  clientAuth: TokenRequest['clientAuth'],
  grant: GrantKind,
  { method, encoding }: (typeof places)[number],
  way: number | 'silent',
): TokenRequest => ({
  endpoint: `http://127.0.0.1:${server.port}/${way}/token?tenant=acme`,
  clientId: 'client-1',
  clientAuth,
  clientSecret: sent.clientSecret,
  privateKey,
  assertion: { algorithm: 'ES256' },
  grant,
  rotation: 'single_use',
  refreshToken: sent.refreshToken,
  accessToken: sent.accessToken,
  parameters: { scope: 'read', password: sent.password },
  tokenRequest: {
    method,
    encoding,
    ...(grant === 'access_token' && { add: { access_token: '{access_token}' } }),
  },
})

/** Of each JWT that was signed for a request, what makes it one: the signature. */
const signedIn = (request: string): Secret[] =>
  [...decodeURIComponent(request).matchAll(/eyJ[\w-]+\.[\w-]+\.([\w-]{86})/g)].map(([, value = ''], index) => ({
    name: `jwt ${index}`,
    value,
  }))

/** What the request must have held, for the search to prove anything. */
function carried(clientAuth: TokenRequest['clientAuth'], grant: GrantKind): string[] {
  const bySecret = ['client_secret_basic', 'client_secret_basic_raw', 'secret_as_username', 'client_secret_post']
  const byJwt = ['private_key_jwt', 'signed_client_secret']
  return [
    'password',
    ...(bySecret.includes(clientAuth) ? ['clientSecret'] : []),
    ...(byJwt.includes(clientAuth) || grant === 'jwt_bearer' ? ['jwt 0'] : []),
    ...(byJwt.includes(clientAuth) && grant === 'jwt_bearer' ? ['jwt 1'] : []),
    ...(grant === 'refresh_token' ? ['refreshToken'] : []),
    ...(grant === 'access_token' ? ['accessToken'] : []),
  ]
}

const named = (found: { secret: string }[]) => [...new Set(found.map(({ secret }) => secret))].sort()

describe.each(clientAuthMethods)('a client that proves itself by %s', (clientAuth) => {
  it.each(grantKinds.flatMap((grant) => places.map((place) => ({ grant, ...place }))))(
    'asks by $grant, $method with $encoding, and no verdict repeats a secret',
    async ({ grant, ...place }) => {
      const before = server.requests.length
      const ask = (_: unknown, way: number) =>
        endpoint.exchange(requestBy(clientAuth, grant, place, way), beginAttempt(5_000))
      const verdicts = await Promise.all(ways.map(ask))
      for (const verdict of verdicts) expect(verdict).not.toMatchObject({ kind: 'granted' })
      const requests = server.requests.slice(before)
      expect(requests).toHaveLength(ways.length)
      for (const request of requests) {
        const held = [...search.find(request), ...signedIn(request).map(({ name }) => ({ secret: name }))]
        expect(named(held)).toEqual(carried(clientAuth, grant).sort())
      }
      const shown = JSON.stringify(verdicts)
      expect(search.find(shown)).toEqual([])
      expect(searchFor(requests.flatMap(signedIn)).find(shown)).toEqual([])
    },
  )
})

/** Where the token goes, and who asks, by recipes that vendors have for revoking. */
const recipes: NonNullable<Parameters<TokenEndpoint['revoke']>[0]['revocation']>[] = [
  {},
  { encoding: 'json' },
  { method: 'GET' },
  { method: 'POST', encoding: 'query', tokenParameter: 'revoke' },
  { method: 'DELETE', encoding: 'none', auth: 'access_token' },
  { encoding: 'json', add: { secret: '{client_secret}' }, headers: { 'x-client': '{client_id}:{client_secret}' } },
]

describe.each(['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const)(
  'a revocation by %s',
  (clientAuth) => {
    it.each(recipes)('%j repeats no secret', async (revocation) => {
      const before = server.requests.length
      const ask = (_: unknown, way: number) => {
        const request = requestBy(clientAuth, 'refresh_token', { method: 'POST', encoding: 'form' }, way)
        const what = { token: sent.refreshToken, hint: 'refresh_token' as const, revocation }
        return endpoint.revoke({ ...request, ...what }, beginAttempt(5_000))
      }
      const answers = await Promise.all(ways.map(ask))
      for (const request of server.requests.slice(before)) expect(named(search.find(request))).toContain('refreshToken')
      expect(search.find(JSON.stringify(answers))).toEqual([])
    })
  },
)

it.each(places)(
  'a request that is lost or never leaves names the host and nothing else: $method, $encoding',
  async (place) => {
    const request = requestBy('client_secret_post', 'refresh_token', place, 'silent')
    const lost = await endpoint.exchange(request, beginAttempt(5_000))
    expect(lost).toMatchObject({ kind: 'ambiguous', detail: expect.stringContaining(`127.0.0.1:${server.port}`) })
    const nowhere = await rawServer(() => {})
    await nowhere.close()
    const unsent = await endpoint.exchange({ ...request, endpoint: nowhere.url }, beginAttempt(5_000))
    expect(unsent).toMatchObject({ kind: 'unsent', detail: expect.stringContaining(`127.0.0.1:${nowhere.port}`) })
    expect(search.find(JSON.stringify([lost, unsent]))).toEqual([])
  },
)
