import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JudgeContext, judge } from '../../src/oauth/judge.ts'
import { parseTokenAnswer, parseTokenResponse } from '../../src/oauth/parse.ts'
import type { ErrorRules, TokenResponseRules } from '../../src/providers/schema.ts'

const nowMs = 1_700_000_000_000
const parse = (answer: object, tokenResponse: TokenResponseRules, errors: ErrorRules = {}) =>
  parseTokenAnswer(JSON.stringify(answer), nowMs, true, { tokenResponse, errors })

describe('an answer that differs from RFC 6749', () => {
  const douyin: TokenResponseRules = {
    accessToken: 'data.access_token',
    refreshToken: 'data.refresh_token',
    expiresIn: 'data.expires_in',
    refreshExpiresIn: 'data.refresh_expires_in',
    success: { path: 'data.error_code', is: 0 },
  }

  it('has its tokens where the entry says', () => {
    const data = { access_token: 'a', refresh_token: 'r', expires_in: '86400', refresh_expires_in: '2592000' }
    expect(parse({ data: { ...data, error_code: 0 }, message: 'success' }, douyin)).toMatchObject({
      refused: false,
      tokens: { accessToken: 'a', refreshToken: 'r', expiresInMs: 86_400_000, refreshExpiresInMs: 2_592_000_000 },
    })
    expect(parse({ data: { ...data, error_code: 10010 } }, douyin)).toMatchObject({ refused: true })
    expect(parse({ data }, douyin)).toMatchObject({ refused: true })
  })

  it('has the first of several paths that is there, and else the usual place', () => {
    const rules: TokenResponseRules = { accessToken: ['data.user.token', 'data.token'], scope: ['scope', 'scopes'] }
    expect(parse({ data: { token: 'a', user: { token: 'b' } } }, rules).tokens).toEqual({ accessToken: 'b' })
    expect(parse({ data: { token: 'a' }, scopes: 'read' }, rules).tokens).toEqual({ accessToken: 'a', scope: 'read' })
    expect(parse({ access_token: 'a' }, { accessToken: 'data.token' }).tokens).toEqual({ accessToken: 'a' })
  })

  describe('of several pairs', () => {
    const bot = { access_token: 'bot', refresh_token: 'rb', expires_in: 60, token_type: 'bot', scope: 'chat:write' }
    const user = { access_token: 'user', refresh_token: 'ru', expires_in: 120, token_type: 'user', scope: 'search' }
    const ofBot = { accessToken: 'bot', refreshToken: 'rb', expiresInMs: 60_000, scope: 'chat:write' }
    const ofUser = { accessToken: 'user', refreshToken: 'ru', expiresInMs: 120_000, scope: 'search' }

    it.each([
      ['beside the other', 'bot', { ...bot, authed_user: user }, ofBot],
      ['in a member', 'user', { ...bot, authed_user: user }, ofUser],
      ['alone at the top, as a refresh has it', 'user', user, ofUser],
      ['alone in a member', 'user', { authed_user: user }, ofUser],
      ['without its kind', 'user', { access_token: 'user', refresh_token: 'ru' }, { refreshToken: 'ru' }],
      ['with the scheme in its place', 'user', { ...user, token_type: 'Bearer' }, ofUser],
    ])('takes the one that is meant: %s', (_, pair, members, tokens) => {
      expect(parse(members, { pair }).tokens).toMatchObject(tokens)
      expect(parseTokenResponse(members, nowMs, { pair })).toMatchObject(tokens)
    })

    it.each([
      ['bot', { authed_user: user }],
      ['user', { ...bot, authed_user: { id: 'U1' } }],
      ['user', bot],
    ])('takes none where the %s has none in what is handed over: %j', (pair, members) => {
      const problem = parseTokenResponse(members, nowMs, { pair })
      expect(problem).toBe(`the token response holds no pair whose token_type is ${pair}`)
    })

    it('keeps the refresh token of an answer to a refresh, whatever kind it says', () => {
      expect(parse(bot, { pair: 'user' }).tokens).toMatchObject({ refreshToken: 'rb' })
    })
  })

  it.each([
    [{ expiresIn: 'expires_at', expiresInForm: 'iso8601' }, { expires_at: '2023-11-14T22:23:20Z' }],
    [{ expiresInForm: 'epoch_seconds' }, { expires_in: nowMs / 1000 + 600 }],
    [{ expiresIn: 'life', expiresInForm: 'milliseconds' }, { life: 600_000 }],
    [{ expiresIn: 'end', expiresInForm: 'epoch_milliseconds' }, { end: nowMs + 600_000 }],
    [{ expiresIn: 'nowhere' }, { expires_in: 600 }],
  ] as [TokenResponseRules, object][])('%j reads %j as ten minutes', (rules, members) => {
    expect(parse({ access_token: 'a', ...members }, rules).tokens.expiresInMs).toBe(600_000)
  })

  it('has tokens of any length, whole', () => {
    const [access, refresh] = ['a'.repeat(4_096), 'r'.repeat(8_192)]
    const { tokens } = parse({ access_token: access, refresh_token: refresh }, {})
    expect(tokens).toEqual({ accessToken: access, refreshToken: refresh })
  })

  it('names deadlines of the refresh token, one that moves and one that does not', () => {
    const jwt = `e30.${Buffer.from(JSON.stringify({ exp: nowMs / 1000 + 600 })).toString('base64url')}.s`
    expect(
      parse({ access_token: 'a', refresh_token: jwt }, { refreshTokenIsJwt: true }).tokens.refreshExpiresInMs,
    ).toBe(600_000)
    expect(
      parse({ access_token: 'a', soft: 60, hard: 120 }, { refreshExpiresIn: 'soft', refreshHardExpiresIn: 'hard' })
        .tokens,
    ).toMatchObject({ refreshExpiresInMs: 60_000, refreshEndsInMs: 120_000 })
  })

  it('keeps what readers need, as text', () => {
    const keep = { instance_url: 'instance_url', account: 'user.id', nothing: 'none', deep: 'user' }
    const answer = { access_token: 'a', instance_url: 'https://eu.example', user: { id: 7 } }
    expect(parse(answer, { keep }).tokens.values).toEqual({ instance_url: 'https://eu.example', account: '7' })
    expect(parse(answer, {}).tokens).not.toHaveProperty('values')
  })

  it('has a token type that the API takes', () => {
    const type = (told?: string) =>
      parse({ access_token: 'a', ...(told && { token_type: told }) }, { tokenType: 'Bearer' }).tokens.tokenType
    expect([type(), type('bot'), type('bearer')]).toEqual(['Bearer', 'Bearer', 'bearer'])
  })

  it('is read in the same way when it is handed over', () => {
    expect(
      parseTokenResponse({ data: { access_token: 'a', refresh_token: 'r', error_code: 0 } }, nowMs, douyin),
    ).toEqual({
      accessToken: 'a',
      refreshToken: 'r',
    })
    expect(parseTokenResponse({ refresh_token: 'r' }, nowMs, douyin)).toEqual({ refreshToken: 'r' })
    expect(parseTokenResponse({ data: { error_code: 10010 } }, nowMs, douyin)).toMatch(/is an error/)
  })

  it('never loses a refresh token that stands at its path, however the rest is broken', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9]{16,40}$/)
    fc.assert(
      fc.property(token, fc.string(), fc.constantFrom('', '}', '<html>'), (refresh, junk, end) => {
        const body = `{"x":${JSON.stringify(junk)},"data":{"refreshToken":${JSON.stringify(refresh)}${end}`
        const { tokens, strayRefreshTokens } = parseTokenAnswer(body, nowMs, true, {
          tokenResponse: { refreshToken: 'data.refreshToken' },
        })
        expect([tokens.refreshToken, ...strayRefreshTokens]).toContain(refresh)
      }),
    )
  })
})

describe('what a provider says of an error', () => {
  const context = (errors: ErrorRules, more: Partial<JudgeContext> = {}): JudgeContext => ({
    grant: 'refresh_token',
    rotation: 'single_use',
    sentRefreshToken: 'rt',
    secrets: [],
    nowMs,
    errors,
    ...more,
  })
  const verdict = (status: number, answer: object, errors: ErrorRules, more?: Partial<JudgeContext>) =>
    judge({ kind: 'answered', answer: { status, body: JSON.stringify(answer), complete: true } }, context(errors, more))
      .kind

  it.each([
    [400, { error: 'bad_refresh_token' }, { deadGrant: [{ code: 'BAD_refresh_token' }] }, 'grant_refused'],
    [200, { error: 'bad_refresh_token' }, { deadGrant: [{ code: 'bad_refresh_token' }] }, 'grant_refused'],
    [401, { message: 'Invalid refresh token' }, { deadGrant: [{ message: 'invalid REFRESH' }] }, 'grant_refused'],
    [401, { message: 'x' }, { deadGrant: [{ status: 401 }] }, 'grant_refused'],
    [500, { message: 'x' }, { deadGrant: [{ status: 500 }] }, 'grant_refused'],
    [401, { error: 'invalid_client' }, { deadGrant: [{ status: 401 }] }, 'client_refused'],
    [400, { error: 'x' }, { deadGrant: [{ status: 400, message: 'gone' }] }, 'unclear'],
    [400, { error: { code: 190 } }, { code: 'error.code', deadGrant: [{ code: '190' }] }, 'grant_refused'],
    [400, { error: { code: 4 } }, { code: 'error.code', throttled: [{ code: '4' }] }, 'throttled'],
    [
      400,
      { error: 'invalid_grant', error_description: 'token not expired' },
      { tooEarly: [{ message: 'not expired' }] },
      'too_early',
    ],
    [
      403,
      { message: 'You have exceeded a rate limit' },
      { throttled: [{ status: 403, message: 'rate limit' }] },
      'throttled',
    ],
    [
      200,
      { error: 'incorrect_client_credentials' },
      { clientRefused: [{ code: 'incorrect_client_credentials' }] },
      'client_refused',
    ],
    [400, { error: 'x' }, { deadGrant: [{ code: 'x' }], throttled: [{ code: 'x' }] }, 'throttled'],
    [400, { error: 'x' }, {}, 'unclear'],
  ] as [number, object, ErrorRules, string][])('%i %j with %j is %s', (status, answer, errors, kind) => {
    expect(verdict(status, answer, errors)).toBe(kind)
  })

  it('is final once nothing can be saved any more, unless it speaks of the client or of later', () => {
    const late = { pastSaving: true }
    expect(verdict(400, { error: { message: 'expired' } }, {}, late)).toBe('grant_refused')
    expect(verdict(401, { error: 'invalid_client' }, {}, late)).toBe('client_refused')
    expect(verdict(429, {}, {}, late)).toBe('throttled')
    expect(verdict(502, {}, {}, late)).toBe('ambiguous')
  })

  it('loses no new refresh token, whatever its dictionary says', () => {
    const answer = { error: 'x', refresh_token: 'a-new-refresh-token-1' }
    expect(verdict(400, answer, { deadGrant: [{ code: 'x' }], clientRefused: [{ status: 400 }] })).toBe('granted')
  })
})
