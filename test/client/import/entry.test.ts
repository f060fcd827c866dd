import { beforeAll, describe, expect, test } from 'vitest'
import { Duplicates } from '../../../src/client/import/duplicates.ts'
import { type Entry, type Refusal, readEntry } from '../../../src/client/import/entry.ts'
import type { Config } from '../../../src/config.ts'
import { env, head, load } from '../../config-fixture.ts'

let config: Config

beforeAll(async () => {
  config = await load(
    `${head}
clients:
  web: { provider: idp, clientId: web, clientSecrets: [{ env: SECRET }] }
  shop: { provider: shops, clientId: shop, clientSecrets: [{ env: SECRET }] }
  m2m: { provider: idp, clientId: m2m, clientSecrets: [{ env: SECRET }], grant: client_credentials }
providers:
  idp: { tokenEndpoint: 'https://id.example/token' }
  shops: { tokenEndpoint: 'https://{shop}.shops.example/token' }
`,
    { env },
  )
})

const token = 'canary-refresh-token'

const read = (members: unknown) =>
  readEntry(config, { number: 7, text: typeof members === 'string' ? members : JSON.stringify(members), endByte: 0 })

describe('a line that is taken', () => {
  test('brings its tokens sealed, with what is left of them', () => {
    const entry = read({
      credential: 'acme/web/alice',
      refresh_token: token,
      access_token: 'canary-access-token',
      expires_in: 60,
      refresh_token_expires_in: 600,
    }) as Entry
    expect(entry).toMatchObject({
      credential: 'acme/web/alice',
      endpoint: 'https://id.example/token',
      refreshToken: token,
      seed: { accessLivesMs: 60_000, refreshLivesMs: 600_000 },
    })
    expect(JSON.stringify(entry.seed)).not.toContain('canary')
  })

  test.each([
    ['with a refresh token alone', { credential: 'acme/web/alice', refresh_token: token }],
    ['with what the provider said beside it', { credential: 'acme/web/alice', refresh_token: token, instance_url: 1 }],
    ['with an end that is past', { credential: 'acme/web/alice', refresh_token: token, expires_at: 1_500_000_000 }],
    ['with parameters', { credential: 'acme/shop/1', refresh_token: token, parameters: { shop: 'one' } }],
    ['of a client that needs no grant', { credential: 'acme/m2m/job' }],
    ['of such a client, with nothing in the columns', { credential: 'acme/m2m/job', refresh_token: null }],
  ])('may come %s', (_what, members) => {
    expect(read(members)).toMatchObject({ credential: members.credential })
  })

  test('goes where its parameters say', () => {
    const entry = read({ credential: 'acme/shop/1', refresh_token: token, parameters: { shop: 'one' } })
    expect(entry).toMatchObject({ endpoint: 'https://one.shops.example/token', parameters: { shop: 'one' } })
  })
})

describe('a line that is refused', () => {
  const line = { credential: 'acme/web/alice', refresh_token: token }

  test.each([
    ['that is not JSON', `{"credential": "acme/web/alice", "refresh_token": ${token}`, 'not_json', 'JSON object'],
    ['that is another JSON', `["${token}"]`, 'not_json', 'JSON object'],
    ['without an id', { refresh_token: token }, 'invalid_credential_id', 'credential is missing'],
    ['with an id that is no text', { ...line, credential: 7 }, 'invalid_credential_id', 'credential is missing'],
    ['with two parts', { ...line, credential: 'acme/alice' }, 'invalid_credential_id', 'must have three parts'],
    ['with a space', { ...line, credential: 'acme/web/a b' }, 'invalid_credential_id', 'subject holds " "'],
    ['of an unknown client', { ...line, credential: 'acme/webb/alice' }, 'unknown_client', 'client "webb"'],
    ['without a grant', { credential: 'acme/web/alice' }, 'no_grant', 'refresh_token is missing'],
    ['with an access token alone', { credential: 'acme/web/a', access_token: token }, 'no_grant', 'refresh_token'],
    ['with an empty grant', { ...line, refresh_token: '' }, 'no_grant', 'refresh_token is missing'],
    ['with a grant that is no text', { ...line, refresh_token: { token } }, 'invalid_token_response', 'refresh_token'],
    ['with a wrong time', { ...line, expires_at: 'soon' }, 'invalid_token_response', 'expires_at'],
    ['without its parameter', { ...line, credential: 'acme/shop/1' }, 'invalid_parameter', 'parameter shop is missing'],
    [
      'with a parameter elsewhere',
      { ...line, credential: 'acme/shop/1', parameters: { shop: 'evil.example/' } },
      'invalid_parameter',
      'parameter shop must',
    ],
    ['with parameters that are a list', { ...line, parameters: ['shop'] }, 'invalid_parameter', 'object of strings'],
    [
      'with a grant that is not needed',
      { ...line, credential: 'acme/m2m/job' },
      'invalid_token_response',
      'needs no token response',
    ],
  ])('is one %s', (_what, members, code, reason) => {
    const refusal = read(members) as Refusal
    expect(refusal).toMatchObject({ code, reason: expect.stringContaining(reason) })
    expect(JSON.stringify(refusal)).not.toContain('canary')
  })

  test.each(['too_long', 'not_utf8'] as const)('is one that is %s', (flaw) => {
    expect(readEntry(config, { number: 1, text: '', flaw, endByte: 0 })).toHaveProperty('code')
  })

  test('names its id as far as that is one', () => {
    expect(read({ ...line, credential: 'acme/alice' })).toMatchObject({ credential: 'acme/alice' })
    expect(read({ ...line, credential: 'x'.repeat(2000) })).not.toHaveProperty('credential')
    expect(read({ ...line, credential: 7 })).not.toHaveProperty('credential')
  })

  test.each([
    ['the token stands where the id belongs', { credential: token, refresh_token: token }],
    ['the token is a part of the id', { credential: `acme/nobody/${token}`, refresh_token: token }],
  ])('gives no secret away where %s', (_what, members) => {
    const refusal = read(members) as Refusal
    expect(refusal.code).toMatch(/invalid_credential_id|unknown_client/)
    expect(JSON.stringify(refusal)).not.toContain('canary')
  })
})

describe('what a file holds twice', () => {
  const entry = (credential: string, refreshToken?: string) =>
    ({ credential, endpoint: '', seed: { family: 'f' }, ...(refreshToken ? { refreshToken } : {}) }) as Entry

  test('is the credential, or the refresh token where one use of it ends the other', () => {
    const duplicates = new Duplicates()
    expect(duplicates.find(entry('a/b/1', 't1'), 1, false)).toBeUndefined()
    expect(duplicates.find(entry('a/b/2', 't2'), 2, false)).toBeUndefined()
    expect(duplicates.find(entry('a/b/1', 't3'), 3, false)).toMatchObject({
      code: 'duplicate',
      reason: 'line 1 has the same credential',
    })
    expect(duplicates.find(entry('a/b/4', 't2'), 4, false)).toMatchObject({
      code: 'duplicate',
      reason: expect.stringMatching(/^line 2 has the same refresh token/),
    })
    // what was refused takes nothing
    expect(duplicates.find(entry('a/b/4', 't3'), 5, false)).toBeUndefined()
  })

  test('is no matter where the refresh token does not change, or there is none', () => {
    const duplicates = new Duplicates()
    expect(duplicates.find(entry('a/b/1', 't1'), 1, true)).toBeUndefined()
    expect(duplicates.find(entry('a/b/2', 't1'), 2, true)).toBeUndefined()
    expect(duplicates.find(entry('a/b/3'), 3, false)).toBeUndefined()
    expect(duplicates.find(entry('a/b/4'), 4, false)).toBeUndefined()
  })
})
