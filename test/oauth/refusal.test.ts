import { describe, expect, it } from 'vitest'
import { oauthCode, refusalOf } from '../../src/oauth/refusal.ts'

describe('what an answer complains of', () => {
  it.each<[string, Record<string, unknown>, object]>([
    [
      'the standard',
      { error: 'invalid_grant', error_description: 'gone' },
      { refused: true, error: 'invalid_grant', errorText: 'gone' },
    ],
    [
      'Google',
      { error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } },
      { refused: true, error: 'INVALID_ARGUMENT', errorText: 'bad' },
    ],
    [
      'Meta',
      { error: { message: 'expired', type: 'OAuthException', code: 190 } },
      { refused: true, error: 'OAuthException', errorText: 'expired' },
    ],
    [
      'Fitbit',
      { errors: [{ errorType: 'invalid_grant', message: 'gone' }], success: false },
      { refused: false, complains: true, error: 'invalid_grant', errorText: 'gone' },
    ],
    [
      'HubSpot',
      { status: 'BAD_REFRESH_TOKEN', message: 'unknown' },
      { refused: false, complains: false, error: 'BAD_REFRESH_TOKEN', errorText: 'unknown' },
    ],
    [
      'WeChat',
      { errcode: 40030, errmsg: 'invalid refresh_token' },
      { complains: true, error: '40030', errorText: 'invalid refresh_token' },
    ],
    ['a list of words', { errors: ['Bad refresh token'] }, { complains: true }],
    ['a status for people', { error: true, status: 400 }, { refused: true }],
  ])('%s', (_name, members, expected) => {
    expect(refusalOf(members)).toMatchObject(expected)
  })

  it.each([
    {},
    { error: '' },
    { error: null },
    { error: {} },
    { error: [] },
    { error: 0 },
    { error: { code: 'ok', message: '' } },
    { errcode: 0, errmsg: 'ok' },
    { errors: [] },
    { ok: true },
    { success: true },
  ])('%j is no error', (members) => {
    expect(refusalOf(members)).toMatchObject({ refused: false, complains: false })
  })
})

it.each([
  ['invalid_grant', 'invalid_grant'],
  [' Invalid_Grant ', 'invalid_grant'],
  ['invalid_grant: Token is expired or invalid.', 'invalid_grant'],
  ['invalid_grants', 'invalid_grants'],
  ['access_denied', 'access_denied'],
  [undefined, ''],
])('the code that %j means is %j', (error, expected) => {
  expect(oauthCode(error)).toBe(expected)
})
