import { expect, test } from 'vitest'
import { type ClientRules, Grants } from './grants.ts'

const client = (id: string, more: Partial<ClientRules> = {}): ClientRules => ({
  id,
  grant: 'single_use',
  tokenSeconds: 20,
  revocation: 'by_token',
  ...more,
})

const grants = () =>
  new Grants([
    client('app'),
    client('other'),
    client('strict', { revocation: 'ends_consent' }),
    client('m2m', { grant: 'client_credentials' }),
  ])

const acceptedOf = (provider: Grants, user: string) => provider.families({ user }, 0).map(({ accepted }) => accepted)

test('every consent is a family of its own, and the earlier ones live on', () => {
  const provider = grants()
  expect(provider.consent('alice', 'app', 0)).toEqual({ access: 'f1.a1', expiresInSeconds: 20, refresh: 'f1.r1' })
  provider.consent('alice', 'app', 0)
  expect(provider.refresh('app', 'f1.r1', 0)).toMatchObject({ kind: 'granted', minted: { refresh: 'f1.r2' } })
  expect(acceptedOf(provider, 'alice')).toEqual([['f1.r2'], ['f2.r1']])
})

test('a token of another client is refused and stays alive', () => {
  const provider = grants()
  provider.consent('alice', 'app', 0)
  expect(provider.refresh('other', 'f1.r1', 0)).toEqual({ kind: 'refused', why: 'other_client' })
  expect(provider.revoke('other', 'f1.r1', 0)).toBe(false)
  expect(provider.accepts('f1.r1', 0)).toBe(true)
})

test('revoking a refresh token takes its family, an access token only itself, a spent one nothing', () => {
  const provider = grants()
  provider.consent('alice', 'app', 0)
  provider.consent('alice', 'app', 0)
  provider.refresh('app', 'f1.r1', 0)
  expect(provider.revoke('app', 'f1.r1', 0)).toBe(false)
  expect(provider.revoke('app', 'f1.a1', 0)).toBe(true)
  expect([provider.accessRemainingMs('f1.a1', 0), provider.accessRemainingMs('f1.a2', 0)]).toEqual([0, 20_000])
  expect(provider.revoke('app', 'f1.r2', 0)).toBe(true)
  expect(provider.accessRemainingMs('f1.a2', 0)).toBe(0)
  expect(acceptedOf(provider, 'alice')).toEqual([[], ['f2.r1']])
})

test('where revoking ends the consent, any token takes every family of the user at that client', () => {
  const provider = grants()
  for (const [user, id] of [
    ['alice', 'strict'],
    ['alice', 'strict'],
    ['alice', 'app'],
    ['bob', 'strict'],
  ] as const)
    provider.consent(user, id, 0)
  expect(provider.revoke('strict', 'f1.a1', 0)).toBe(true)
  expect(acceptedOf(provider, 'alice')).toEqual([[], [], ['f3.r1']])
  expect(acceptedOf(provider, 'bob')).toEqual([['f4.r1']])
})

test('a user who withdraws ends the families of one client, or all', () => {
  const provider = grants()
  provider.consent('alice', 'app', 0)
  provider.consent('alice', 'other', 0)
  expect(provider.endConsent('alice', 'app', 7)).toBe(1)
  expect(provider.families({ user: 'alice' }, 7)[0]?.ended).toEqual({ because: 'consent_ended', atMs: 7 })
  expect(provider.endConsent('alice', undefined, 8)).toBe(1)
  expect(provider.refresh('other', 'f2.r1', 9)).toEqual({ kind: 'refused', why: 'ended' })
})

test('client credentials buy an access token and no refresh token, again and again', () => {
  const provider = grants()
  const bought = [0, 1].map((nowMs) => provider.clientCredentials('m2m', nowMs))
  expect(bought).toMatchObject([{ minted: { access: 'f1.a1' } }, { minted: { access: 'f1.a2' } }])
  expect(provider.families({ client: 'm2m' }, 0)).toEqual([
    { id: 'f1', user: 'm2m', client: 'm2m', graceMs: 0, accepted: [] },
  ])
  expect(() => provider.consent('alice', 'm2m', 0)).toThrow('no users')
})

test('access tokens end when their time is over', () => {
  const provider = grants()
  provider.consent('alice', 'app', 1_000)
  expect([20_999, 21_000].map((nowMs) => provider.accessRemainingMs('f1.a1', nowMs))).toEqual([1, 0])
})
