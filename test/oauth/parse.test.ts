import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTokenAnswer, parseTokenResponse } from '../../src/oauth/parse.ts'

const nowMs = 1_700_000_000_000
const nowSeconds = nowMs / 1000
const parse = (body: string, complete = true) => parseTokenAnswer(body, nowMs, complete)
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`

describe('parseTokenAnswer', () => {
  const json = '{"access_token":"a1","token_type":"Bearer","expires_in":3600,"refresh_token":"r1","scope":"x y"}'
  const tokens = { accessToken: 'a1', tokenType: 'Bearer', expiresInMs: 3_600_000, refreshToken: 'r1', scope: 'x y' }

  it.each([
    ['JSON', json],
    ['JSON with a BOM', `\uFEFF${json}`],
    ['JSON in a JSON string', JSON.stringify(json)],
    ['JSON with HTML after it', `${json}\n<html><body>{footer}</body></html>`],
    ['JSON with a warning before it', `<br />\n<b>Warning</b>: {main} in /var/www<br />\n${json}`],
    ['JSON with an anti-hijacking prefix', `)]}',\n${json}`],
    ['a form', 'access_token=a1&token_type=Bearer&expires_in=3600&refresh_token=r1&scope=x+y\n'],
  ])('reads %s', (_name, body) => {
    expect(parse(body)).toMatchObject({ readable: true, refused: false, tokens, strayRefreshTokens: [] })
  })

  it.each([
    ['"expires_in":"3600s"', 3_600_000],
    ['"expires_in":0', undefined],
    [`"expires_at":${nowSeconds + 50}`, 50_000],
    [`"expires_in":"soon","expires_at":${nowSeconds + 50}`, 50_000],
    [`"expires_in":60,"expires_at":${nowSeconds + 50}`, 60_000],
    [`"expires_on":"${nowSeconds + 50}"`, 50_000],
    ['"expires":5184000', 5_184_000_000],
    [`".expires":"${new Date(nowMs + 50_000).toUTCString()}"`, 50_000],
  ])('%s: the access token lives %j ms', (members, expected) => {
    expect(parse(`{"access_token":"a",${members}}`).tokens.expiresInMs).toBe(expected)
  })

  it.each([
    ['"refresh_token_expires_in":86400', 86_400_000],
    ['"refresh_expires_in":1800', 1_800_000],
    ['"x_refresh_token_expires_in":"8726400"', 8_726_400_000],
    ['"refresh_expires_in":0', undefined],
    ['"refresh_expires_in":-1', undefined],
    ['"refresh_token_expires_in":0,"refresh_expires_in":60', 60_000],
  ])('%s: the refresh token lives %j ms', (member, expected) => {
    expect(parse(`{"refresh_token":"r",${member}}`).tokens.refreshExpiresInMs).toBe(expected)
  })

  it("a JWT's own exp counts where it is earlier", () => {
    const body = (expires_in: number) =>
      JSON.stringify({ access_token: jwt({ exp: nowSeconds + 40 }), expires_in, refresh_token: 'r' })
    expect(parse(body(60)).tokens.expiresInMs).toBe(40_000)
    expect(parse(body(20)).tokens.expiresInMs).toBe(20_000)
  })

  it.each<[object, object]>([
    [{ access_token: 'a\r\nx-evil: 1', refresh_token: 'r' }, { refreshToken: 'r' }],
    [{ access_token: '\u001b[31mred', refresh_token: 'r' }, { refreshToken: 'r' }],
    [{ access_token: 'töken', refresh_token: 'r' }, { refreshToken: 'r' }],
    [{ access_token: 'a', token_type: 'Bearer\r\nx-evil: 1' }, { accessToken: 'a' }],
    [
      { access_token: 'a', token_type: 'User Access Token' },
      { accessToken: 'a', tokenType: 'User Access Token' },
    ],
    [{ access_token: 'a', scope: 'read\u001b[2J' }, { accessToken: 'a' }],
    [{ access_token: 'a', scope: ['read', 'w\u202erite'] }, { accessToken: 'a' }],
  ])('%j: readers get nothing that a header or a terminal would act on', (body, tokens) => {
    expect(parse(JSON.stringify(body)).tokens).toEqual(tokens)
  })

  it('a value to keep is text for people, without control characters', () => {
    const rules = { tokenResponse: { keep: { api: 'api', name: 'name', id: 'id' } } }
    const body = JSON.stringify({ access_token: 'a', api: 'https://a.example', name: 'Ann\u0007', id: 7 })
    expect(parseTokenAnswer(body, nowMs, true, rules).tokens.values).toEqual({ api: 'https://a.example', id: '7' })
  })

  it('a scope in a list becomes one in a string', () => {
    expect(parse('{"access_token":"a","scope":["x","y"]}').tokens.scope).toBe('x y')
  })

  it.each([
    ['JSON cut off after it', '{"access_token":"a","refresh_token":"r-1","exp', ['r-1']],
    ['JSON cut off right after its quote', '{"refresh_token" : "r-1"', ['r-1']],
    ['JSON cut off inside it', '{"access_token":"a","refresh_token":"r-1', []],
    ['an escape in it', '{"refresh_token":"r\\/\\u0031\\"","x', ['r/1"']],
    ['a bad escape in it', '{"refresh_token":"r\\q","x', []],
    ['one backslash before its end', '{"refresh_token":"r\\"', []],
    ['broken JSON before it', '{"scope":"a"b","refresh_token":"r-1"}', ['r-1']],
    ['a list', '[{"refresh_token":"r-1"},{}]', ['r-1']],
    ['nested', '{"data":{"refresh_token":"r-1"}}', ['r-1']],
    ['a text about it', '{"error_description":"send \\"refresh_token\\":\\"r-1\\""}', []],
    ['empty', '{"data":{"refresh_token":""}}', []],
    ['no string', '{"data":{"refresh_token":5}}', []],
  ])('a stray refresh token: %s', (_name, body, expected) => {
    expect(parse(body)).toMatchObject({ tokens: {}, strayRefreshTokens: expected })
  })

  it('beside an access token no stray refresh token is taken: it belongs to something else', () => {
    expect(parse('{"access_token":"a","authed_user":{"refresh_token":"r"}}').strayRefreshTokens).toEqual([])
  })

  it('the last value of a form that was cut off is not trusted', () => {
    expect(parse('access_token=a&refresh_token=r-1', false).tokens).toEqual({ accessToken: 'a' })
    expect(parse('refresh_token=r-1', false)).toMatchObject({ readable: false, tokens: {} })
  })

  it.each([
    [
      '{"error":"invalid_grant","error_description":"gone"}',
      { refused: true, error: 'invalid_grant', errorText: 'gone' },
    ],
    ['error=bad_verification_code&error_description=gone', { refused: true, error: 'bad_verification_code' }],
    ['{"error":{"message":"gone","code":190}}', { refused: true, errorText: 'gone' }],
    ['{"error":"Not Found","message":"no handler"}', { error: 'Not Found', errorText: 'no handler' }],
    ['{"error":true}', { refused: true }],
    ['{"error":""}', { refused: false }],
    ['{"error":null}', { refused: false }],
    ['{"ok":true}', { refused: false, readable: true }],
    ['<html><head><title>502 Bad Gateway</title>', { readable: false, errorText: '502 Bad Gateway' }],
    ['', { readable: false }],
    ['null', { readable: false }],
    ['[]', { readable: false }],
    ['"text"', { readable: false }],
    ['user=me', { readable: false }],
  ])('%s', (body, expected) => {
    expect(parse(body)).toMatchObject(expected)
  })

  it('every value that must not be shown is listed, however deep', () => {
    const body = '{"access_token":"a1","id_token":"i1","user":{"refresh_token":"r2"},"error_code":"c","token_type":"t"}'
    expect(parse(body).secrets).toEqual(['a1', 'i1', 'r2'])
  })

  it('never throws and never takes long, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), fc.boolean(), (body, complete) => {
        expect(parse(body, complete).tokens).toBeTypeOf('object')
      }),
    )
    const startedMs = performance.now()
    for (const piece of [
      '{',
      '[',
      '"',
      '\\',
      '{"refresh_token":"',
      ', ',
      '{"refresh_token"',
      '<title>',
      'a=&',
      '{"a":',
    ])
      parse(piece.repeat(Math.ceil(65_536 / piece.length)))
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  it('of an answer cut anywhere, the refresh token is either whole or absent', () => {
    const token = 'r-0123456789'
    const body = JSON.stringify({ access_token: 'a', refresh_token: token, expires_in: 60 })
    for (let length = 0; length < body.length; length++) {
      const found = parse(body.slice(0, length), false)
      expect([[], [token]]).toContainEqual(found.strayRefreshTokens)
      expect(found.strayRefreshTokens.length).toBe(length >= body.indexOf(token) + token.length + 1 ? 1 : 0)
    }
  })
})

describe('parseTokenResponse', () => {
  it('reads what a provider gave', () => {
    const body = {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: '60',
      refresh_token: 'r',
      scope: 's',
      id_token: 'i',
    }
    expect(parseTokenResponse(body, nowMs)).toEqual({
      accessToken: 'a',
      tokenType: 'Bearer',
      expiresInMs: 60_000,
      refreshToken: 'r',
      scope: 's',
    })
    expect(parseTokenResponse({ refresh_token: 'r', access_token: null }, nowMs)).toEqual({ refreshToken: 'r' })
  })

  it.each([
    [nowSeconds + 50, 50_000],
    [nowMs + 50_000, 50_000],
    [String(nowSeconds + 50), 50_000],
    [new Date(nowMs + 50_000).toISOString(), 50_000],
    [new Date(nowMs + 50_000).toISOString().replace('Z', ''), 50_000],
    [new Date(nowMs + 50_000).toISOString().replace('Z', '+01:00'), 0],
    [nowSeconds - 50, 0],
    [nowSeconds + 500, 100_000],
  ])('expires_at %s leaves %d ms, for the earliest expiry wins', (expiresAt, expected) => {
    const body = { access_token: 'a', expires_in: 100, expires_at: expiresAt }
    expect(parseTokenResponse(body, nowMs)).toEqual({ accessToken: 'a', expiresInMs: expected })
  })

  it.each([
    [undefined, 'the token response must be a JSON object'],
    ['token', 'the token response must be a JSON object'],
    [[{ refresh_token: 'r' }], 'the token response must be a JSON object'],
    [{}, 'the token response has neither refresh_token nor access_token'],
    [{ id_token: 'hush' }, 'the token response has neither refresh_token nor access_token'],
    [{ error: 'invalid_grant' }, 'the token response is an error, not tokens'],
    [{ refresh_token: 'r', access_token: 7 }, 'access_token in the token response must be a non-empty string'],
    [{ refresh_token: ' ' }, 'refresh_token in the token response must be a non-empty string'],
    [{ refresh_token: 'r', scope: 7 }, 'scope in the token response must be a string or a list of strings'],
    [{ refresh_token: 'r', token_type: 7 }, 'token_type in the token response must be a string'],
    [{ refresh_token: 'r', expires_in: 'hush' }, 'expires_in in the token response must be a number of seconds'],
    [
      { refresh_token: 'r', refresh_expires_in: [] },
      'refresh_expires_in in the token response must be a number of seconds',
    ],
    [
      { refresh_token: 'r', expires_at: 3600 },
      'expires_at in the token response must be seconds or milliseconds since 1970, or an ISO 8601 time',
    ],
    [
      { refresh_token: 'r', expires_at: 'tomorrow' },
      'expires_at in the token response must be seconds or milliseconds since 1970, or an ISO 8601 time',
    ],
  ])('%j: %s', (body, sentence) => {
    expect(parseTokenResponse(body, nowMs)).toBe(sentence)
  })
})
