import { describe, expect, test } from 'vitest'
import { rotationClasses } from '../../src/credential.ts'
import type { ProviderEntry } from '../../src/providers/schema.ts'
import { spanText } from '../../src/providers/span.ts'
import { pageOf, rotationText } from '../../src/providers/words.ts'

const tokenEndpoint = 'https://id.acme.example/token'
const lines = (entry: ProviderEntry, title: string) =>
  pageOf(entry)
    .filter((section) => section.title === title)
    .flatMap((section) => section.lines)
    .join('\n')

describe('the page of an entry', () => {
  test('begins with the request', () => {
    const entry: ProviderEntry = { tokenEndpoint, clientAuth: 'client_secret_post', tokenRequest: { encoding: 'json' } }
    expect(lines(entry, 'Refreshing')).toMatch(
      /^POST https:\/\/id\.acme\.example\/token \(client_secret_post, json\)\./,
    )
    expect(lines({ issuer: 'https://id.acme.example' }, 'Refreshing')).toContain(
      'POST the token endpoint that https://id.acme.example names',
    )
  })

  test.each([
    ['none', undefined, /serves on.*\n.*at once/],
    ['rotates_old_valid', undefined, /leaves the old one valid\.\n.*at once/],
    ['grace', 600, /accepted for 10 minutes more\.\n.*inside that window\. Later the credential is at_risk/],
    ['grace', 10, /accepted for 10 seconds more\.\n.*After a time-out the window may be over/],
    ['until_new_used', 1800, /until the new one is used, for 30 minutes at most\.\n.*latest answer is the living one/],
    ['single_use', undefined, /can end the whole grant\.\n.*at_risk.*shortly before the access token ends/],
  ] as const)('tells what %s means after a lost answer', (rotation, graceSeconds, words) => {
    const entry = { tokenEndpoint, rotation, ...(graceSeconds === undefined ? {} : { graceSeconds }) }
    expect(lines(entry, 'Refreshing')).toMatch(words)
    expect(lines(entry, 'Unknown')).not.toContain('single_use')
  })

  test('tells at once where there is nothing to wait for', () => {
    const entry = { tokenEndpoint, rotation: 'single_use', oldAccessTokenDies: true } as const
    expect(lines(entry, 'Refreshing')).toMatch(/tried again at once.*\n.*ends the access token in use/)
  })

  test('shows what is unknown, with what is done instead', () => {
    expect(lines({ tokenEndpoint }, 'Refreshing')).toContain('the safe side is taken')
    expect(lines({ tokenEndpoint }, 'Unknown').split('\n')).toEqual([
      'What becomes of a used refresh token: treated as single_use.',
      'How the client authenticates: client_secret_basic; without a secret, none.',
      'How long an access token lives: half an hour is assumed where the answer does not say.',
      'Whether a refresh token has a deadline: none is kept unless an answer names one.',
      'Where tokens are revoked: a revoke takes them from readers and forgets them.',
    ])
    expect(rotationText({ tokenEndpoint })).toBe('unknown, treated as single_use')
  })

  test('has nothing unknown where everything is told', () => {
    const entry: ProviderEntry = {
      tokenEndpoint,
      revocationEndpoint: 'https://id.acme.example/revoke',
      clientAuth: 'none',
      accessTokenSeconds: 3600,
      rotation: 'none',
      refreshTokenIdleSeconds: 86_400,
    }
    expect(lines(entry, 'Unknown')).toBe('')
    expect(lines({ ...entry, unsure: ['rotation'] }, 'Unknown')).toBe('On weaker evidence than the rest: rotation.')
  })

  test('tells the deadlines', () => {
    const entry: ProviderEntry = {
      accessTokenSeconds: 600,
      refreshTokenIdleSeconds: 5_184_000,
      refreshTokenAbsoluteSeconds: 31_536_000,
      tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in' },
    }
    expect(lines(entry, 'Deadlines').split('\n')).toEqual([
      'Access token: 10 minutes where the answer does not say.',
      'Refresh token: dies when unused for 60 days.',
      'Refresh token: ends 365 days after consent, whatever is refreshed; then the user has to reconnect.',
      'Refresh token: the answer tells its deadline (refresh_token_expires_in).',
    ])
  })

  test('tells the limits, how to revoke, and what to know beforehand', () => {
    const entry: ProviderEntry = {
      rateLimit: { requests: 100, perSeconds: 60 },
      refreshTokensPerUser: 20,
      neverAskAgain: true,
      revocationEndpoint: 'https://api.acme.example/token',
      revocation: { method: 'DELETE', tokens: ['access_token'], endsConsent: true },
      consent: 'scope offline',
      notes: 'Ask the platform team.',
      tokenResponse: { keep: { api_base: 'api' } },
    }
    expect(lines(entry, 'Limits')).toBe(
      '100 requests in 1 minute, all workers together.\n' +
        '20 refresh tokens live for one user and client; one more ends the oldest without a word.\n' +
        'Callers are banned for failed calls: a refused grant is not asked for again.',
    )
    expect(lines(entry, 'Revoking')).toMatch(
      /^DELETE https:\/\/api\.acme\.example\/token with the access token\.\n.*whole consent/,
    )
    expect(lines(entry, 'Before going live')).toBe(
      'Ask for scope offline at consent, or no refresh token is issued.\nReaders get api_base beside the token.\nAsk the platform team.',
    )
  })

  test('describes parameters that a request needs, and only those', () => {
    const entry: ProviderEntry = {
      tokenEndpoint: 'https://accounts.acme.{dc}/{realm}/token',
      parameters: {
        dc: { description: 'data centre', values: ['com', 'eu'], example: 'eu', default: 'com' },
        realm: { description: 'name of the realm', example: 'main', setBy: 'client' },
        host: { description: 'host of a base entry', example: 'id.acme.example' },
      },
    }
    expect(lines(entry, 'Parameters').split('\n')).toEqual([
      'dc: data centre; one of com, eu; com unless given.',
      'realm: name of the realm; as in main; set for the whole client.',
    ])
  })

  test('tells what a variant changes', () => {
    const variants = {
      idle: { when: 'the limit is on', set: { rotation: 'none', refreshTokenIdleSeconds: 2_592_000 } },
    }
    expect(lines({ variants } as ProviderEntry, 'Variants')).toBe(
      'idle: when the limit is on. Then rotation none, refreshTokenIdleSeconds 30 days.',
    )
  })

  test.each([
    ['client_credentials', {}, /The client itself buys/],
    ['jwt_bearer', {}, /JWT that the client signs/],
    ['access_token', {}, /exchanged for the next one/],
    ['access_token', { accessTokenNeverExpires: true }, /^There is nothing to refresh/],
  ] as const)('tells what buys the next token: %s %j', (grant, more, words) => {
    const entry: ProviderEntry = { tokenEndpoint, grant, ...more }
    expect(lines(entry, 'Refreshing')).toMatch(words)
    expect(lines(entry, 'Unknown')).not.toContain('single_use')
    expect(rotationText(entry)).toBe(grant)
  })

  test('says something different for each rotation class', () => {
    const meanings = rotationClasses.map((rotation) =>
      lines({ tokenEndpoint, rotation, graceSeconds: 60 }, 'Refreshing'),
    )
    expect(new Set(meanings).size).toBe(rotationClasses.length)
  })
})

test.each([
  [1, '1 second'],
  [90, '90 seconds'],
  [120, '2 minutes'],
  [5400, '90 minutes'],
  [86_400, '1 day'],
  [604_799, '7 days'],
  [15_897_600, '184 days'],
])('%d seconds are %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text)
})
