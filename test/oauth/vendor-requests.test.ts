import { Buffer } from 'node:buffer'
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { SigningAlgorithm } from '../../src/oauth/jwt.ts'
import { buildTokenMessage, type TokenRequest } from '../../src/oauth/request.ts'

const endpoint = 'https://id.example.com/token'
const refresh: TokenRequest = {
  endpoint,
  clientId: 'app',
  clientAuth: 'client_secret_post',
  clientSecret: 'se+cret',
  grant: 'refresh_token',
  refreshToken: 'rt-1',
  rotation: 'single_use',
  parameters: {},
}
const asked = (changes: Partial<TokenRequest>) => buildTokenMessage({ ...refresh, ...changes })
const formOf = (changes: Partial<TokenRequest>) => Object.fromEntries(new URLSearchParams(asked(changes).body))

function keys(algorithm: SigningAlgorithm) {
  const pair =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
const rsa = keys('RS256')

describe('where a request differs from RFC 6749', () => {
  it('its parameters are a JSON body, with numbers as numbers', () => {
    const { headers, body } = asked({ tokenRequest: { encoding: 'json', add: { expires_in: 1800, live: true } } })
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body ?? '')).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-1',
      client_id: 'app',
      client_secret: 'se+cret',
      expires_in: 1800,
      live: true,
    })
  })

  it.each(['POST', 'GET'] as const)('they are in the query of a %s, beside what the endpoint has there', (method) => {
    const message = asked({ endpoint: `${endpoint}?a=b`, tokenRequest: { method, encoding: 'query' } })
    expect(message).toMatchObject({ method })
    expect(message).not.toHaveProperty('body')
    expect(message.headers).not.toHaveProperty('content-type')
    const url = new URL(message.url)
    expect(url.origin + url.pathname).toBe(endpoint)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      a: 'b',
      grant_type: 'refresh_token',
      refresh_token: 'rt-1',
      client_id: 'app',
      client_secret: 'se+cret',
    })
  })

  it('a GET has its parameters in the query without being told', () => {
    expect(new URL(asked({ tokenRequest: { method: 'GET' } }).url).searchParams.get('refresh_token')).toBe('rt-1')
  })

  it('standard parameters have other names, or are left out, and those of the entry are added', () => {
    const tokenRequest = {
      grantType: 'renew',
      rename: { client_id: 'client_key' },
      remove: ['client_secret'],
      add: { shop: '{shop}', who: 'app {client_id}' },
    }
    expect(formOf({ tokenRequest, values: { shop: 'acme' } })).toEqual({
      grant_type: 'renew',
      refresh_token: 'rt-1',
      client_key: 'app',
      shop: 'acme',
      who: 'app app',
    })
  })

  it('what the client asks for stands over what the entry adds, and under the grant', () => {
    const tokenRequest = { add: { scope: 'offline', refresh_token: 'x' } }
    expect(formOf({ tokenRequest, parameters: { scope: 'mail', client_secret: 'x' } })).toMatchObject({
      scope: 'mail',
      refresh_token: 'rt-1',
      client_secret: 'se+cret',
    })
  })

  it('an entry’s headers stand in the place of ours, whatever their case', () => {
    const headers = { 'User-Agent': 'perennial ({client_id})', Authorization: 'Bearer {refresh_token}' }
    const message = asked({ clientAuth: 'client_secret_basic', tokenRequest: { headers, remove: ['refresh_token'] } })
    expect(message.headers).toMatchObject({ 'user-agent': 'perennial (app)', authorization: 'Bearer rt-1' })
    expect(message.body).toBe('grant_type=refresh_token')
  })

  it('a value that holds braces is not filled again', () => {
    expect(formOf({ tokenRequest: { add: { a: '{a}' } }, values: { a: '{client_secret}' } }).a).toBe('{client_secret}')
  })
})

describe('a client proves itself', () => {
  it.each([
    ['client_secret_basic', 'app:se%2Bcret'],
    ['client_secret_basic_raw', 'app:se+cret'],
    ['secret_as_username', 'se+cret:'],
  ] as const)('by %s', (clientAuth, pair) => {
    const { headers, body } = asked({ clientAuth })
    expect(headers.authorization).toBe(`Basic ${Buffer.from(pair).toString('base64')}`)
    expect(body).not.toContain('client_')
  })

  it('by its certificate alone, naming itself', () => {
    expect(formOf({ clientAuth: 'tls_client_auth' })).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-1',
      client_id: 'app',
    })
  })

  it.each(['RS256', 'PS256', 'ES256'] as const)('by an assertion signed with %s (RFC 7523)', async (algorithm) => {
    const { publicKey, privateKey } = keys(algorithm)
    const message = asked({ clientAuth: 'private_key_jwt', privateKey, keyId: 'k1', assertion: { algorithm } })
    const form = Object.fromEntries(new URLSearchParams(message.body))
    expect(form).toMatchObject({
      client_id: 'app',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    expect(form).not.toHaveProperty('client_secret')
    const jwt = form.client_assertion ?? ''
    const verified = await jwtVerify(jwt, await importSPKI(publicKey, algorithm), {
      issuer: 'app',
      subject: 'app',
      audience: endpoint,
      maxTokenAge: '2 minutes',
      requiredClaims: ['jti', 'exp'],
    })
    expect(verified.protectedHeader).toMatchObject({ alg: algorithm, kid: 'k1' })
    expect(message.secrets).toEqual([jwt])
    const again = new URLSearchParams(
      asked({ clientAuth: 'private_key_jwt', privateKey, assertion: { algorithm } }).body,
    )
    expect(decodeJwt(again.get('client_assertion') ?? '').jti).not.toBe(verified.payload.jti)
  })

  it('by a secret that it signs (Apple)', () => {
    const { privateKey } = keys('ES256')
    const assertion = {
      algorithm: 'ES256',
      issuer: '{team}',
      audience: 'https://appleid.apple.com',
      lifetimeSeconds: 300,
    } as const
    const form = formOf({ clientAuth: 'signed_client_secret', privateKey, assertion, values: { team: 'T1' } })
    const { exp = 0, iat = 0, ...claims } = decodeJwt(form.client_secret ?? '')
    expect(claims).toMatchObject({ iss: 'T1', sub: 'app', aud: 'https://appleid.apple.com' })
    expect(exp - iat).toBe(300)
    expect(form).toMatchObject({ client_id: 'app', refresh_token: 'rt-1' })
  })

  it('by an assertion that names its certificate (Microsoft)', () => {
    const certificate = readFileSync(new URL('./fixtures/cert.pem', import.meta.url), 'utf8')
    const form = formOf({
      clientAuth: 'private_key_jwt',
      privateKey: rsa.privateKey,
      certificate,
      assertion: { certificateThumbprint: true },
    })
    expect(decodeProtectedHeader(form.client_assertion ?? '')['x5t#S256']).toBe(
      createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url'),
    )
  })
})

describe('a grant', () => {
  it('is an assertion about whom the entry says, with its claims', () => {
    const assertion = { subject: '{user}', audience: 'https://login.example', claims: { scope: '{scope}' } }
    const form = formOf({
      grant: 'jwt_bearer',
      clientAuth: 'none',
      privateKey: rsa.privateKey,
      assertion,
      values: { user: 'alice', scope: 'mail' },
      tokenRequest: { remove: ['client_id'] },
    })
    expect(Object.keys(form).sort()).toEqual(['assertion', 'grant_type'])
    expect(form.grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    expect(decodeJwt(form.assertion ?? '')).toMatchObject({
      iss: 'app',
      sub: 'alice',
      aud: 'https://login.example',
      scope: 'mail',
    })
  })

  it('is an assertion in the Authorization header, without a body (GitHub)', () => {
    const message = asked({
      grant: 'jwt_bearer',
      clientAuth: 'none',
      privateKey: rsa.privateKey,
      assertion: { sentAs: 'bearer' },
      tokenRequest: { remove: ['grant_type', 'client_id'] },
    })
    const [scheme, jwt = ''] = message.headers.authorization?.split(' ') ?? []
    expect(scheme).toBe('Bearer')
    expect(decodeJwt(jwt)).not.toHaveProperty('aud')
    expect(decodeJwt(jwt)).not.toHaveProperty('sub')
    expect(message.body).toBe('')
    expect(message.secrets).toEqual([jwt])
  })

  it('is the access token in use (Instagram)', () => {
    const tokenRequest = {
      method: 'GET',
      grantType: 'ig_refresh_token',
      add: { access_token: '{access_token}' },
      remove: ['client_id'],
    } as const
    const { url, method } = asked({
      grant: 'access_token',
      accessToken: 'at-1',
      clientAuth: 'none',
      tokenRequest: { ...tokenRequest, remove: [...tokenRequest.remove] },
    })
    expect(method).toBe('GET')
    expect(url).toBe(`${endpoint}?access_token=at-1&grant_type=ig_refresh_token`)
  })

  it('is the refresh token with the access token beside it (OneLogin)', () => {
    const tokenRequest = { add: { access_token: '{access_token}' } }
    expect(formOf({ accessToken: 'at-1', tokenRequest })).toMatchObject({ refresh_token: 'rt-1', access_token: 'at-1' })
  })
})
