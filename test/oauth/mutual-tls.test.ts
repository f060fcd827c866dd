import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beginAttempt, createTokenEndpoint, type TokenRequest } from '../../src/oauth/index.ts'

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')
const [key, cert] = [fixture('key.pem'), fixture('cert.pem')]

const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false }, (request, response) => {
  const shown = (request.socket as TLSSocket).getPeerCertificate().fingerprint256
  response.end(JSON.stringify(shown === undefined ? { error: 'invalid_client' } : { access_token: `at for ${shown}` }))
})
// the certificate of the server is the test's own: the process trusts it for this file alone
const trusted = process.env.NODE_TLS_REJECT_UNAUTHORIZED
beforeAll(async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  if (trusted === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  else process.env.NODE_TLS_REJECT_UNAUTHORIZED = trusted
  server.close()
})

test('a client shows its certificate (RFC 8705), and one that has none shows none', async () => {
  const tokens = createTokenEndpoint()
  const request: TokenRequest = {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    clientId: 'app',
    clientAuth: 'tls_client_auth',
    privateKey: key,
    certificate: cert,
    grant: 'client_credentials',
    rotation: 'none',
    parameters: {},
  }
  const ask = (changes: Partial<TokenRequest>) => tokens.exchange({ ...request, ...changes }, beginAttempt(3_000))
  expect(await ask({})).toMatchObject({
    kind: 'granted',
    tokens: { accessToken: expect.stringMatching(/^at for \w\w:/) },
  })
  expect(await ask({ clientAuth: 'none' })).toMatchObject({ kind: 'client_refused', reason: 'invalid_client' })
  await tokens.close()
})
