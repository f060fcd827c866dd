import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/oauth/judge.ts'
import type { Message } from '../../src/oauth/message.ts'
import { judgeRevocation, type RevocationRequest, revocationMessage, revoke } from '../../src/oauth/revocation.ts'
import { catalogue } from '../../src/providers/catalogue/index.ts'

const basic = `Basic ${Buffer.from('id:s3cret').toString('base64')}`

/** How an entry of the catalogue has this token revoked. */
function requestAt(provider: string): RevocationRequest {
  const { revocation, errors, tokenResponse, clientAuth = 'client_secret_basic' } = catalogue[provider] ?? {}
  return {
    endpoint: 'https://vendor.example/revoke',
    clientId: 'id',
    clientSecret: 's3cret',
    clientAuth,
    token: 'tok',
    hint: revocation?.tokens?.[0] ?? 'refresh_token',
    ...(revocation && { revocation }),
    ...(errors && { errors }),
    ...(tokenResponse && { tokenResponse }),
  }
}

describe('a token is revoked as the vendor wants it', () => {
  test.each([
    ['google', 'POST', undefined, 'client_id=id&client_secret=s3cret&token=tok&token_type_hint=refresh_token'],
    ['calendly', 'POST', undefined, 'client_id=id&client_secret=s3cret&token=tok&token_type_hint=refresh_token'],
    ['quickbooks', 'POST', basic, '{"token":"tok"}'],
    ['github-app', 'DELETE', basic, '{"access_token":"tok"}'],
    ['square', 'POST', 'Client s3cret', '{"access_token":"tok","client_id":"id"}'],
    ['miro', 'POST', undefined, '{"accessToken":"tok","clientId":"id","clientSecret":"s3cret"}'],
    ['dropbox', 'POST', 'Bearer tok', undefined],
    ['facebook', 'DELETE', 'Bearer tok', undefined],
    ['smartsheet', 'DELETE', 'Bearer tok', undefined],
    ['coinbase', 'POST', 'Bearer tok', 'token=tok'],
  ])('at %s by %s', (provider, method, authorization, body) => {
    const message = revocationMessage(requestAt(provider))
    expect(message.method).toBe(method)
    expect(message.headers.authorization).toBe(authorization)
    expect(message.body).toBe(body)
    expect(message.url).toBe('https://vendor.example/revoke')
  })

  test.each([
    ['asana', ['refresh_token']],
    ['coinbase', ['access_token']],
    ['square', ['access_token']],
    ['google', undefined],
  ])('at %s with the kind that it takes', (provider, kinds) => {
    expect(catalogue[provider]?.revocation?.tokens).toEqual(kinds)
  })
})

describe('that it is gone', () => {
  const answered = (provider: string, status: number, body: object) =>
    judgeRevocation(
      { kind: 'answered', answer: { status, body: JSON.stringify(body), complete: true } },
      requestAt(provider),
      0,
    ).kind

  test.each([
    ['slack', 200, { ok: true, revoked: true }, 'revoked'],
    ['slack', 200, { ok: false, error: 'internal_error' }, 'failed'],
    ['slack', 200, { ok: false, error: 'token_revoked' }, 'revoked'],
    ['github-app', 404, { message: 'Not Found' }, 'revoked'],
    ['dropbox', 401, { error_summary: 'invalid_access_token/' }, 'revoked'],
    ['dropbox', 500, {}, 'failed'],
    ['google', 400, { error: 'invalid_token' }, 'revoked'],
    ['google', 503, {}, 'failed'],
  ])('is told by %s with %i %j: %s', (provider, status, body, kind) => {
    expect(answered(provider, status, body)).toBe(kind)
  })
})

describe('where 200 says nothing, introspection has the last word', () => {
  const introspectionEndpoint = 'https://vendor.example/introspect'
  const request = { ...requestAt('keycloak'), introspectionEndpoint }
  /** Answers 200 to a revocation, and this to the question after it. */
  const asked = async (introspected: Outcome) => {
    const urls: string[] = []
    const ask = async ({ url }: Message): Promise<Outcome> => {
      urls.push(url)
      return url === introspectionEndpoint ? introspected : answer(200, '')
    }
    return { verdict: await revoke(request, ask, 0), urls }
  }
  const answer = (status: number, body: string): Outcome => ({
    kind: 'answered',
    answer: { status, body, complete: true },
  })

  test.each([
    ['an active token', answer(200, '{"active":true}'), { kind: 'failed', reason: 'still_active' }],
    ['an inactive token', answer(200, '{"active":false}'), { kind: 'revoked' }],
    ['no answer', { kind: 'lost', reason: 'timed_out', detail: '' } as const, { kind: 'revoked' }],
    ['an error', answer(503, ''), { kind: 'revoked' }],
  ])('%s', async (_what, introspected, expected) => {
    const { verdict, urls } = await asked(introspected)
    expect(verdict).toMatchObject(expected)
    expect(urls).toEqual([request.endpoint, introspectionEndpoint])
  })

  test('and nobody is asked where there is none', async () => {
    const { introspectionEndpoint: _, ...without } = request
    expect(await revoke(without, async () => answer(200, ''), 0)).toEqual({ kind: 'revoked' })
  })
})
