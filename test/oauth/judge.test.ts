import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Answer, type JudgeContext, judge, parseRetryAfter } from '../../src/oauth/judge.ts'
import { eightGrams, encodings } from './encodings.ts'

const nowMs = 1_700_000_000_000
const sent = 'sent-refresh-token-0123456789'
const fresh = 'fresh-refresh-token-987654321'
const singleUse: JudgeContext = {
  grant: 'refresh_token',
  rotation: 'single_use',
  sentRefreshToken: sent,
  secrets: [sent],
  nowMs,
}
const notRotating: JudgeContext = { ...singleUse, rotation: 'none' }
const clientCredentials: JudgeContext = { grant: 'client_credentials', rotation: 'single_use', secrets: [], nowMs }

const answered = (status: number, body: unknown, more: Partial<Answer> = {}) => ({
  kind: 'answered' as const,
  answer: { status, body: typeof body === 'string' ? body : JSON.stringify(body), complete: true, ...more },
})
const judgeAnswer = (status: number, body: unknown, context = singleUse, more: Partial<Answer> = {}) =>
  judge(answered(status, body, more), context)

describe('no answer', () => {
  it('unsent stays unsent, lost is ambiguous', () => {
    const unsent = { kind: 'unsent', reason: 'ECONNREFUSED', detail: 'd' } as const
    expect(judge(unsent, singleUse)).toEqual(unsent)
    expect(judge({ kind: 'lost', reason: 'timeout', detail: 'd' }, singleUse)).toEqual({
      kind: 'ambiguous',
      reason: 'timeout',
      detail: 'd',
    })
  })

  it.each([
    [200, '{"acc', { kind: 'ambiguous', reason: 'ECONNRESET' }],
    [502, '', { kind: 'ambiguous', reason: 'ECONNRESET' }],
    [200, `{"refresh_token":"${fresh}"`, { kind: 'granted', tokens: { refreshToken: fresh } }],
    [400, '{"error":"invalid_grant"}', { kind: 'grant_refused' }],
    [404, '<html>', { kind: 'unclear', reason: 'http_404' }],
    [429, '', { kind: 'throttled' }],
  ])('an answer of %d that was cut off after %j', (status, body, expected) => {
    const { answer } = answered(status, body, { complete: false })
    expect(judge({ kind: 'lost', reason: 'ECONNRESET', detail: 'd', partial: answer }, singleUse)).toMatchObject(
      expected,
    )
  })
})

describe('tokens', () => {
  it.each([
    ['an access token', 200, { access_token: 'a' }, { accessToken: 'a' }],
    ['an access token in another 2xx', 201, { access_token: 'a', error: null }, { accessToken: 'a' }],
    ['a refresh token without an access token', 200, { refresh_token: 'r2', expires_in: 9 }, { refreshToken: 'r2' }],
    ['a nested refresh token', 200, { data: { refresh_token: 'r2' } }, { refreshToken: 'r2' }],
    ['a new one in an error', 400, { error: 'server_error', refresh_token: fresh }, { refreshToken: fresh }],
    ['a new one beside invalid_grant', 400, { error: 'invalid_grant', refresh_token: fresh }, { refreshToken: fresh }],
    ['a new one in a 200 error', 200, { error: 'x', access_token: 'a', refresh_token: fresh }, { refreshToken: fresh }],
    ['a new one in a 502', 502, `{"refresh_token":"${fresh}","acc`, { refreshToken: fresh }],
  ])('%s is granted', (_name, status, body, tokens) => {
    expect(judgeAnswer(status, body)).toEqual({ kind: 'granted', tokens })
  })

  it.each([
    sent,
    sent.slice(0, 20),
    'fresh-refre***********',
    'fresh-refresh-...-token-98',
    'The refresh_token field is required.',
    '[FILTERED]',
    'REDACTED',
    'null',
  ])('an error that says refresh_token %j replaces nothing', (echo) => {
    expect(judgeAnswer(400, { error: 'invalid_grant', refresh_token: echo })).toMatchObject({ kind: 'grant_refused' })
  })

  it('a 2xx that only repeats the refresh token shows that it lives, and grants nothing', () => {
    expect(judgeAnswer(200, { refresh_token: sent })).toMatchObject({ kind: 'unclear', reason: 'no_access_token' })
  })

  it('client credentials have no use for a refresh token', () => {
    expect(judgeAnswer(200, { refresh_token: fresh }, clientCredentials)).not.toMatchObject({ kind: 'granted' })
    expect(judgeAnswer(200, { access_token: 'a' }, clientCredentials)).toMatchObject({ kind: 'granted' })
  })

  it("a JWT is measured by the server's clock, so that a wrong one here shortens nothing", () => {
    const claims = Buffer.from(JSON.stringify({ exp: nowMs / 1000 + 60 })).toString('base64url')
    const late = { ...singleUse, nowMs: nowMs + 3_600_000 }
    const verdict = judgeAnswer(200, { access_token: `a.${claims}.c` }, late, { date: new Date(nowMs).toUTCString() })
    expect(verdict).toMatchObject({ tokens: { expiresInMs: 60_000 } })
  })
})

describe('no tokens', () => {
  const none = {}
  const oauth = (error: string) => ({ error, error_description: 'why' })
  const rows: [number, unknown, string, string][] = [
    [200, '', 'ambiguous', 'unreadable'],
    [200, '<html>captive portal', 'ambiguous', 'unreadable'],
    [204, '', 'ambiguous', 'unreadable'],
    [200, none, 'ambiguous', 'no_token'],
    [200, { access_token: '' }, 'ambiguous', 'no_token'],
    [200, { error: '' }, 'ambiguous', 'no_token'],
    [200, oauth('invalid_grant'), 'grant_refused', 'invalid_grant'],
    [400, oauth('invalid_grant'), 'grant_refused', 'invalid_grant'],
    [401, oauth('INVALID_GRANT'), 'grant_refused', 'invalid_grant'],
    [429, oauth('invalid_grant'), 'grant_refused', 'invalid_grant'],
    [500, oauth('invalid_grant'), 'grant_refused', 'invalid_grant'],
    [503, oauth('invalid_grant'), 'grant_refused', 'invalid_grant'],
    [401, oauth('invalid_client'), 'client_refused', 'invalid_client'],
    [200, oauth('invalid_client'), 'client_refused', 'invalid_client'],
    [400, oauth('unauthorized_client'), 'client_refused', 'unauthorized_client'],
    [400, oauth('invalid_scope'), 'client_refused', 'invalid_scope'],
    [400, oauth('invalid_request'), 'client_refused', 'invalid_request'],
    [400, oauth('unsupported_grant_type'), 'client_refused', 'unsupported_grant_type'],
    [500, oauth('invalid_client'), 'ambiguous', 'invalid_client'],
    [500, oauth('server_error'), 'ambiguous', 'server_error'],
    [500, '', 'ambiguous', 'http_500'],
    [502, '<html>', 'ambiguous', 'http_502'],
    [504, '', 'ambiguous', 'http_504'],
    [520, '', 'ambiguous', 'http_520'],
    [503, '', 'ambiguous', 'http_503'],
    [503, '<html>', 'ambiguous', 'http_503'],
    [503, { error: 'Service Unavailable' }, 'ambiguous', 'http_503'],
    [503, { error: { message: 'x' } }, 'ambiguous', 'http_503'],
    [503, oauth('temporarily_unavailable'), 'throttled', 'temporarily_unavailable'],
    [503, oauth('invalid_client'), 'throttled', 'invalid_client'],
    [429, '', 'throttled', 'http_429'],
    [429, oauth('invalid_client'), 'throttled', 'invalid_client'],
    [408, '', 'throttled', 'http_408'],
    [400, oauth('temporarily_unavailable'), 'throttled', 'temporarily_unavailable'],
    [400, oauth('slow_down'), 'throttled', 'slow_down'],
    [200, oauth('server_error'), 'throttled', 'server_error'],
    [200, oauth('bad_refresh_token'), 'unclear', 'bad_refresh_token'],
    [403, oauth('interaction_required'), 'unclear', 'interaction_required'],
    [400, { error: { message: 'Error validating access token', code: 190 } }, 'unclear', 'http_400'],
    [404, { error: 'Not Found', status: 404 }, 'unclear', 'http_404'],
    [400, { error: 'x'.repeat(65) }, 'unclear', 'http_400'],
    [403, '<html>WAF', 'unclear', 'http_403'],
    [400, none, 'unclear', 'http_400'],
    [302, '', 'unclear', 'http_302'],
  ]

  it.each(rows)('%d %j is %s, %s', (status, body, kind, reason) => {
    expect(judgeAnswer(status, body)).toMatchObject({ kind, reason })
  })

  it('a 503 is throttled for a single-use refresh token when it says when to come back', () => {
    const verdict = judgeAnswer(503, '', singleUse, { retryAfter: '20' })
    expect(verdict).toMatchObject({ kind: 'throttled', retryAfterMs: 20_000 })
    expect(judgeAnswer(503, '', singleUse, { retryAfter: 'soon' })).not.toHaveProperty('retryAfterMs')
  })

  it.each([notRotating, { ...singleUse, rotation: 'grace' as const }, clientCredentials])(
    'a bare 503 is throttled where a replay is safe: %o',
    (context) => {
      expect(judgeAnswer(503, '', context)).toMatchObject({ kind: 'throttled', reason: 'http_503' })
    },
  )

  it.each([
    ['invalid_client', true],
    ['unauthorized_client', true],
    ['invalid_scope', false],
    ['invalid_request', false],
    ['unsupported_grant_type', false],
  ])('%s: another secret may help: %s', (error, secretRefused) => {
    expect(judgeAnswer(400, { error })).toMatchObject({ kind: 'client_refused', secretRefused })
  })

  it.each([
    [400, { error: 'invalid_grant', error_description: 'Token **expired**' }, 'HTTP 400: Token expired'],
    [404, { error: 'Not Found', message: 'no <b>handler</b>' }, 'HTTP 404: Not Found: no handler'],
    [400, { error: { message: 'Session has expired' } }, 'HTTP 400: Session has expired'],
    [502, '<html><head><title>502 Bad Gateway</title></head>', 'HTTP 502: 502 Bad Gateway'],
    [400, { error: 'invalid_grant' }, 'HTTP 400'],
  ])('%d %j is told as %j', (status, body, detail) => {
    expect(judgeAnswer(status, body)).toMatchObject({ detail })
  })
})

describe('parseRetryAfter', () => {
  it.each([
    ['30', 30_000],
    [' 1.5 ', 1_500],
    ['0', 1_000],
    ['99999', 21_600_000],
    ['9'.repeat(400), 21_600_000],
    [new Date(nowMs + 60_000).toUTCString(), 60_000],
    [new Date(nowMs - 60_000).toUTCString(), 1_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 1_000],
    ['Wed, 99 Foo 2015 07:28:00 GMT', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['5 minutes', undefined],
    ['2023-11-14', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j ms', (value, expected) => {
    expect(parseRetryAfter(value, nowMs)).toBe(expected)
  })
})

describe('secrets', () => {
  const answers: ((echo: string) => unknown)[] = [
    (echo) => ({ error: 'invalid_grant', error_description: `bad token ${echo}` }),
    (echo) => ({ error: echo, error_description: echo }),
    (echo) => ({ error: { message: echo, type: echo } }),
    (echo) => ({ error: `not a code ${echo}`, message: echo }),
    (echo) => ({ error: 'x', error_description: `${echo}${echo}`, access_token: echo }),
    (echo) => ({ message: echo }),
    (echo) => `<html><title>${echo}</title><body>${echo}</body></html>`,
    (echo) => `error=${echo}&error_description=${echo}`,
    (echo) => `{"error":"x","error_description":"${echo}`,
    (echo) => echo,
  ]
  const cases = Object.entries(encodings).flatMap(([name, encode]) =>
    answers.map((body, index) => [name, index, (secret: string) => body(encode(secret))] as const),
  )
  const token = fc.oneof(fc.base64String({ minLength: 12, maxLength: 64 }), fc.uuid(), fc.string({ minLength: 8 }))

  it.each(cases)('no verdict repeats one that was sent: %s in body %d', (_name, _index, body) => {
    fc.assert(
      fc.property(token, fc.constantFrom(200, 302, 400, 401, 429, 500, 503), (secret, status) => {
        const context = { ...singleUse, sentRefreshToken: secret, secrets: [secret] }
        const verdict = judgeAnswer(status, body(secret), context, { retryAfter: secret, date: secret })
        const shown = verdict.kind === 'granted' ? '' : `${verdict.reason}\n${verdict.detail}`
        expect(eightGrams(secret).filter((run) => shown.includes(run))).toEqual([])
      }),
      { numRuns: 25 },
    )
  })

  it('no verdict repeats one that was received', () => {
    const received = 'received-token-0123456789'
    const body = {
      error: 'x',
      error_description: `see ${received}`,
      user: { id_token: received },
      access_token: received,
    }
    const verdict = judgeAnswer(400, body)
    expect(verdict).toMatchObject({ kind: 'unclear', detail: 'HTTP 400: see' })
  })
})
