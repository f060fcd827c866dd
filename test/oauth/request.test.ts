import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { buildTokenMessage, secretsOf, type TokenRequest } from '../../src/oauth/request.ts'

const refresh: TokenRequest = {
  endpoint: 'https://id.example.com/token',
  clientId: 'id:with colon',
  clientAuth: 'client_secret_basic',
  clientSecret: 'se+cr%t é',
  grant: 'refresh_token',
  refreshToken: 'rt/+=&',
  rotation: 'single_use',
  parameters: {},
}

const formOf = (request: TokenRequest) => Object.fromEntries(new URLSearchParams(buildTokenMessage(request).body))

describe('buildTokenMessage', () => {
  it('form-encodes id and secret before basic authentication joins them, and keeps them out of the body', () => {
    const { headers } = buildTokenMessage(refresh)
    const decoded = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString()
    expect(decoded).toBe('id%3Awith+colon:se%2Bcr%25t+%C3%A9')
    expect(formOf(refresh)).toEqual({ grant_type: 'refresh_token', refresh_token: 'rt/+=&' })
  })

  it('puts id and secret into the body for post, and the id alone for public clients', () => {
    const post = { ...refresh, clientAuth: 'client_secret_post' } as const
    expect(formOf(post)).toMatchObject({ client_id: 'id:with colon', client_secret: 'se+cr%t é' })
    expect(formOf({ ...refresh, clientAuth: 'none' })).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt/+=&',
      client_id: 'id:with colon',
    })
    for (const clientAuth of ['client_secret_post', 'none'] as const)
      expect(buildTokenMessage({ ...refresh, clientAuth }).headers).not.toHaveProperty('authorization')
  })

  it('sends no refresh token for client credentials', () => {
    expect(formOf({ ...refresh, grant: 'client_credentials' })).toEqual({ grant_type: 'client_credentials' })
  })

  it('adds parameters, which override neither the grant nor the client', () => {
    const parameters = {
      scope: 'a b',
      audience: 'https://api.example',
      grant_type: 'password',
      refresh_token: 'other',
      client_id: 'other',
      client_secret: 'other',
      client_assertion: 'other',
    }
    expect(formOf({ ...refresh, parameters })).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt/+=&',
      scope: 'a b',
      audience: 'https://api.example',
    })
  })

  it('asks for JSON, as it is, in the name of Perennial', () => {
    expect(buildTokenMessage(refresh).headers).toMatchObject({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': expect.stringMatching(/^perennial\/\d+\.\d+\.\d+/),
    })
  })
})

describe('secretsOf', () => {
  it('names what must not be repeated: the secret, the refresh token, and parameters that sound like one', () => {
    const parameters = { scope: 'openid', api_key: 'key-1', requested_token_type: 'urn:x', assertion: 'jwt-1' }
    expect(secretsOf({ ...refresh, parameters })).toEqual(['se+cr%t é', 'rt/+=&', 'key-1', 'jwt-1'])
  })
})
