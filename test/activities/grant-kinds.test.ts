import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { grantAfter } from '../../src/activities/grant.ts'
import type { GrantKind } from '../../src/credential.ts'
import { seal } from '../../src/store/sealing.ts'
import {
  claimOf,
  clientName,
  failureOf,
  granted,
  openGrant,
  readAccess,
  refreshOf,
  type Setting,
  startSetting,
} from './setting.ts'

let setting: Setting
beforeAll(async () => {
  setting = await startSetting()
})
afterAll(() => setting.stop())
beforeEach(() => {
  for (const list of [setting.answers, setting.requests, setting.told, setting.logged, setting.counted]) list.length = 0
})

const refresh = (input: ReturnType<typeof refreshOf>) => setting.activities.refresh(input)

function holding(credential: string, grant: object) {
  const [key] = setting.keyring.grant
  return seal(JSON.stringify(grant), key, { cred: credential, family: 'f1', gen: 1 })
}

test('an access token that is exchanged for its successor is the grant, from the claim on', async () => {
  const credential = setting.credential({ grant: 'access_token' }, { tokenRequest: { grantType: 'renew' } })
  const claimed = await setting.activities.claim(
    claimOf(credential, { access_token: 'at-secret-1' }, { kind: 'access_token' }),
  )
  if (!('grant' in claimed)) throw new Error('not claimed')
  expect(claimed.dueInMs).toBe(0)
  expect(openGrant(claimed.grant, credential)).toMatchObject({ access_token: 'at-secret-1' })
  expect(await readAccess(setting, credential)).toBeUndefined()

  setting.answers.push(granted({ accessToken: 'at-secret-2', expiresInMs: 60_000 }))
  const { family, generation, grant = '' } = claimed
  const next = await refresh(refreshOf(credential, { kind: 'access_token', family, generation, grant }))
  expect(setting.requests).toMatchObject([{ grant: 'access_token', accessToken: 'at-secret-1' }])
  expect(openGrant(next.grant, credential)).toMatchObject({ access_token: 'at-secret-2', gen: 2 })
  expect((await readAccess(setting, credential))?.document.access_token).toBe('at-secret-2')
})

test('one that lives until it is revoked is exchanged for nothing, and stands in the store', async () => {
  const credential = setting.credential({ grant: 'access_token' }, { accessTokenNeverExpires: true })
  const grant = holding(credential, { access_token: 'at-secret-1' })
  const refreshed = await refresh(refreshOf(credential, { kind: 'access_token', grant }))
  expect(setting.requests).toEqual([])
  expect(refreshed.generation).toBe(2)
  expect(refreshed.accessLivesMs).toBeGreaterThan(9 * 365 * 24 * 3600_000)
  expect((await readAccess(setting, credential))?.document.access_token).toBe('at-secret-1')
})

test('the access token in use goes along where the provider wants to see it, and into the next grant', async () => {
  const credential = setting.credential({}, { tokenRequest: { add: { access_token: '{access_token}' } } })
  const grant = holding(credential, { refresh_token: 'rt-secret-1', access_token: 'at-secret-1' })
  setting.answers.push(granted({ accessToken: 'at-secret-2' }))
  const refreshed = await refresh(refreshOf(credential, { grant }))
  expect(setting.requests).toMatchObject([{ refreshToken: 'rt-secret-1', accessToken: 'at-secret-1' }])
  expect(openGrant(refreshed.grant, credential)).toMatchObject({
    refresh_token: 'rt-secret-1',
    access_token: 'at-secret-2',
  })
})

test('what readers need beside the token is kept, though only one answer says it', async () => {
  const credential = setting.credential({}, { rotation: 'none' })
  const values = { api: 'https://eu.example' }
  setting.answers.push(granted({ accessToken: 'at-secret-2', values }), granted({ accessToken: 'at-secret-3' }))
  const first = await refresh(refreshOf(credential))
  expect((await readAccess(setting, credential))?.document.values).toEqual(values)
  expect(openGrant(first.grant, credential)).toMatchObject({ refresh_token: 'rt-secret-1', values })
  const second = await refresh(refreshOf(credential, { generation: 2, grant: first.grant ?? '' }))
  expect(second.grant).toBeUndefined()
  expect((await readAccess(setting, credential))?.document.values).toEqual(values)
})

test('an assertion needs no grant, and carries the parameters of its credential', async () => {
  const credential = setting.credential(
    { grant: 'jwt_bearer', privateKey: 'pem', keyId: 'k1', parameters: { user: 'nobody' } },
    { clientAuth: 'none', assertion: { subject: '{user}' } },
  )
  setting.answers.push(granted({ accessToken: 'at-secret-1', expiresInMs: 3600_000 }))
  await refresh(refreshOf(credential, { kind: 'jwt_bearer', generation: 0, parameters: { user: 'alice' } }))
  expect(setting.requests).toMatchObject([
    { grant: 'jwt_bearer', privateKey: 'pem', keyId: 'k1', values: { user: 'alice', client_id: 'app' } },
  ])
  expect((await readAccess(setting, credential))?.document.access_token).toBe('at-secret-1')
})

test('too early is no failure: it is asked again when half of what is left has passed, and nobody is told', async () => {
  const credential = setting.credential()
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2', expiresInMs: 600_000 }))
  await refresh(refreshOf(credential))
  setting.answers.push({ kind: 'too_early', reason: 'invalid_grant', detail: 'not expired' })
  const again = refresh(refreshOf(credential, { generation: 2 }))
  const { delayMs } = await failureOf(setting, again, 'Throttled')
  expect(Number(delayMs)).toBeGreaterThan(250_000)
  expect(Number(delayMs)).toBeLessThan(340_000)
  expect(setting.told).toEqual([])
})

test('a provider that bans callers is not asked again about a grant that it refused', async () => {
  const credential = setting.credential({}, { neverAskAgain: true })
  setting.answers.push({ kind: 'grant_refused', reason: 'invalid_grant', detail: '' })
  const { failure } = await failureOf(setting, refresh(refreshOf(credential)), 'GrantRefused')
  expect(failure).toMatchObject({ forGood: true })
})

test('where the catalogue knows how long a token lives, it need not be said', async () => {
  const credential = setting.credential({}, { accessTokenSeconds: 7_200 })
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2' }))
  expect((await refresh(refreshOf(credential))).accessLivesMs).toBe(7_200_000)
})

test('an expiry that the answer does not say is looked up, with the new token', async () => {
  const expiryLookup = { endpoint: 'https://id.orchard.example/validate', scheme: 'OAuth' }
  const credential = setting.credential({}, { expiryLookup, accessTokenSeconds: 60 })
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2' }))
  setting.livesMs = 5_000_000
  expect((await refresh(refreshOf(credential))).accessLivesMs).toBe(5_000_000)
  expect(setting.lookUps).toMatchObject(
    [{ ...expiryLookup, rules: expiryLookup, by: 'bearer', accessToken: 'at-secret-2' }].map(
      ({ scheme: _, ...rest }) => rest,
    ),
  )
})

test('and where the look-up fails or hangs, the tokens are kept with what else is known', async () => {
  const provider = {
    expiryLookup: {},
    introspectionEndpoint: 'https://id.orchard.example/introspect',
    accessTokenSeconds: 60,
  }
  const credential = setting.credential({}, provider)
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2' }))
  setting.livesMs = new Promise(() => {})
  const refreshed = await refresh(refreshOf(credential))
  expect(refreshed.accessLivesMs).toBe(60_000)
  expect(openGrant(refreshed.grant, credential)).toMatchObject({ refresh_token: 'rt-secret-2' })
  expect(setting.lookUps.at(-1)).toMatchObject({ by: 'introspection', clientSecret: 'cs-secret-1' })
})

test('readers are told of a token that a refresh ends, and its refresh comes late', async () => {
  const credential = setting.credential({}, { oldAccessTokenDies: true })
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2', expiresInMs: 3600_000 }))
  const { dueInMs } = await refresh(refreshOf(credential))
  expect(dueInMs).toBeGreaterThanOrEqual(58 * 60_000)
  expect((await readAccess(setting, credential))?.document.dies_at_refresh).toBe(true)
})

test.each([
  [{}, undefined, 'refresh_token', undefined],
  [{ accessToken: 'a' }, { refresh_token: 'r' }, 'refresh_token', undefined],
  [{ accessToken: 'a', refreshToken: 's' }, { refresh_token: 'r' }, 'refresh_token', { refresh_token: 's' }],
  [{ refreshToken: 'r' }, { refresh_token: 'r' }, 'refresh_token', { refresh_token: 'r' }],
  [{ accessToken: 'a' }, { access_token: 'b' }, 'access_token', { access_token: 'a' }],
  [{ accessToken: 'a', values: { x: '1' } }, undefined, 'refresh_token', undefined],
  [{ accessToken: 'a', values: { x: '1' } }, undefined, 'client_credentials', undefined],
  [
    { values: { x: '2' } },
    { refresh_token: 'r', values: { x: '1', y: '1' } },
    'refresh_token',
    { refresh_token: 'r', values: { x: '2', y: '1' } },
  ],
] as const)('after %j, over %j of %s, the grant is %j', (tokens, held, kind, next) => {
  expect(grantAfter(tokens, held, { kind: kind as GrantKind, provider: undefined })).toEqual(next)
})

test('an issuer alone is enough: its endpoint is found where it says', async () => {
  const credential = setting.credential({}, { tokenEndpoint: undefined, issuer: 'https://id.orchard.example' })
  setting.discovered = { tokenEndpoint: 'https://id.orchard.example/found' }
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2' }))
  await refresh(refreshOf(credential))
  expect(setting.requests).toMatchObject([{ endpoint: 'https://id.orchard.example/found', publicOnly: true }])

  setting.discovered = 'does not answer'
  const { failure } = await failureOf(setting, refresh(refreshOf(credential, { generation: 2 })), 'Unsent')
  expect(failure).toMatchObject({ reason: 'discovery_failed', detail: expect.stringContaining('does not answer') })
})

test.each([
  [{}, {}, undefined],
  [{ tokenEndpoint: 'https://{org}.orchard.example/token' }, {}, true],
  [{ tokenEndpoint: 'https://{org}.orchard.example/token' }, { allowPrivateAddresses: true }, undefined],
  [{ tokenEndpoint: 'http://{org}.localhost:3000/token' }, {}, undefined],
])('an address that others have a say in is a public one: %j, %j', async (provider, client, publicOnly) => {
  const credential = setting.credential({ parameters: { org: 'acme' }, ...client }, provider)
  setting.answers.push(granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2' }))
  await refresh(refreshOf(credential))
  expect(setting.requests[0]?.publicOnly).toBe(publicOnly)
})

test('that another secret than the first is in use is told once, and counted each time', async () => {
  const credential = setting.credential()
  const refused = { kind: 'client_refused', reason: 'invalid_client', detail: '', secretRefused: true } as const
  const told = () => setting.logged.filter((entry) => /not the first client secret/.test(JSON.stringify(entry)))
  setting.answers.push(refused, granted({ accessToken: 'at-secret-2', refreshToken: 'rt-secret-2' }))
  await refresh(refreshOf(credential))
  setting.answers.push(granted({ accessToken: 'at-secret-3', refreshToken: 'rt-secret-3' }))
  await refresh(refreshOf(credential, { generation: 2 }))
  expect(told()).toHaveLength(1)
  expect(setting.requests.map(({ clientSecret }) => clientSecret)).toEqual([
    'cs-secret-1',
    'cs-secret-2',
    'cs-secret-2',
  ])
  const client = clientName(credential)
  const provider = setting.deps.config.clients.get(client)?.provider.name
  const counted = { counter: 'client_secret_fallbacks', client, provider, secret: '2' }
  expect(setting.counted).toEqual([counted, counted])
})
