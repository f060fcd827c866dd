import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask, basicOf, inBody, refreshForm } from './hand-written.ts'
import { type Emulators, type Opened, startEmulators } from './server.ts'
import { profileOf } from './vendors/index.ts'

let emulators: Emulators
let nowMs = 0

beforeAll(async () => {
  emulators = await startEmulators(() => nowMs)
})
beforeEach(() => {
  nowMs = Date.parse('2026-11-27T12:00:00Z')
})
afterAll(() => emulators.close())

/** A consent at a vendor, and refreshes of it by hand. */
function granted(name: string) {
  const opened = emulators.open(profileOf(name))
  const { emulator } = opened
  const consent = emulator.consent()
  const { token, client, account } = { ...profileOf(name) }
  const url = token.url.replaceAll(/\{(\w+)\}/g, (_, placeholder: string) => account[placeholder] ?? '')
  const refresh = async (refreshToken: string) => {
    const inHeader = client.by === 'basic'
    const form = { ...refreshForm(refreshToken), ...(inHeader ? {} : inBody(emulator)) }
    const answer = await ask(opened, { url, form, ...(inHeader && { headers: basicOf(emulator) }) })
    const { access_token: access, refresh_token: next } = answer.body
    return { ...answer, access: String(access), next: String(next) }
  }
  return { opened, emulator, consent, first: consent.newest, refresh }
}

const later = (seconds: number) => {
  nowMs += seconds * 1000
}

describe('a refresh token that was used', () => {
  test('is dead at once where it is single use', async () => {
    const { first, refresh } = granted('box')
    const { next } = await refresh(first.refresh)
    expect(await refresh(first.refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await refresh(next)).accepted).toBe(true)
  })

  test('ends the family at Airtable', async () => {
    const { first, refresh, emulator } = granted('airtable')
    const { next, access } = await refresh(first.refresh)
    expect((await refresh(first.refresh)).accepted).toBe(false)
    expect((await refresh(next)).because).toContain('ended all of the grant')
    expect(emulator.callApi(access)).toContain('ended all of the grant')
  })

  test('is taken for 30 minutes at Xero, and each time gives another pair', async () => {
    const { first, refresh } = granted('xero')
    const { next } = await refresh(first.refresh)
    later(1799)
    const again = await refresh(first.refresh)
    expect(again.accepted).toBe(true)
    expect(again.next).not.toBe(next)
    later(1)
    expect(await refresh(first.refresh)).toMatchObject({ accepted: false, because: 'its grace is over' })
  })

  test('gives the same pair for two minutes at Fitbit', async () => {
    const { first, refresh } = granted('fitbit')
    const answer = await refresh(first.refresh)
    later(119)
    expect((await refresh(first.refresh)).next).toBe(answer.next)
    later(1)
    expect(await refresh(first.refresh)).toMatchObject({ status: 401 })
  })

  test('is taken until the new access token is used at Doorkeeper', async () => {
    const { first, refresh, emulator } = granted('doorkeeper')
    await refresh(first.refresh)
    later(86_400)
    const { access } = await refresh(first.refresh)
    expect(emulator.callApi(access)).toBeUndefined()
    expect(await refresh(first.refresh)).toMatchObject({ accepted: false, because: 'its replacement was used' })
  })

  test('leaves only the newest child alive at Airlock', async () => {
    const { first, refresh, emulator } = granted('airlock-iam')
    const one = await refresh(first.refresh)
    const two = await refresh(first.refresh)
    expect(emulator.callApi(one.access)).toBe('a later answer took its place')
    expect((await refresh(one.next)).accepted).toBe(false)
    expect((await refresh(two.next)).accepted).toBe(true)
  })

  test('gives the cached pair at RingCentral, until ten seconds after that was used', async () => {
    const { first, refresh, emulator } = granted('ringcentral')
    const { access } = await refresh(first.refresh)
    expect(emulator.callApi(first.access)).toBe('a refresh ended it')
    expect((await refresh(first.refresh)).access).toBe(access)
    emulator.callApi(access)
    later(9)
    expect((await refresh(first.refresh)).accepted).toBe(true)
    later(1)
    expect((await refresh(first.refresh)).accepted).toBe(false)
  })

  test('stays as it is at LinkedIn, with less and less time', async () => {
    const { first, refresh } = granted('linkedin')
    later(86_400)
    const { body, next } = await refresh(first.refresh)
    expect(next).toBe(first.refresh)
    expect(body.refresh_token_expires_in).toBe(31536000 - 86_400)
    later(31536000 - 86_400)
    expect((await refresh(first.refresh)).because).toBe('the refresh token has expired')
  })

  test('lives on beside its child at Keycloak', async () => {
    const { first, refresh } = granted('keycloak')
    await refresh(first.refresh)
    expect((await refresh(first.refresh)).accepted).toBe(true)
  })
})

describe('time', () => {
  test('a refresh token dies of idleness, and a refresh keeps it', async () => {
    const { first, refresh } = granted('box')
    later(5184000 - 1)
    const { next } = await refresh(first.refresh)
    later(5184000)
    expect((await refresh(next)).because).toBe('the refresh token has expired')
  })

  test('an absolute end is not moved by refreshing', async () => {
    const { first, refresh } = granted('duende-identityserver')
    later(2592000 - 1)
    expect((await refresh(first.refresh)).accepted).toBe(true)
    later(1)
    expect((await refresh(first.refresh)).accepted).toBe(false)
  })

  test('Exact Online refuses before nine and a half minutes, with a code that elsewhere means death', async () => {
    const exact = emulators.open(profileOf('exact-online'))
    const { refresh } = exact.emulator.consent().newest
    const url = 'https://start.exactonline.nl/api/oauth2/token'
    const form = { ...refreshForm(refresh), ...inBody(exact.emulator) }
    later(569)
    expect(await ask(exact, { url, form })).toMatchObject({ body: { error: 'invalid_request' }, accepted: false })
    later(1)
    expect(await ask(exact, { url, form })).toMatchObject({ accepted: true, body: { expires_in: '600' } })
  })

  test('Instagram trades the token for a new one from a day to its end', async () => {
    const instagram = emulators.open(profileOf('instagram'))
    const { access } = instagram.emulator.consent().newest
    const asked = async () =>
      await ask(instagram, {
        method: 'GET',
        url: `https://graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token&access_token=${access}`,
      })
    expect((await asked()).accepted).toBe(false)
    later(86_400)
    expect(await asked()).toMatchObject({ accepted: true, body: { expires_in: 5184000 } })
    later(5184000)
    expect(await asked()).toMatchObject({ because: 'the access token has expired', body: { error: { code: 190 } } })
  })

  test('Webex returns what it has for a day', async () => {
    const { first, refresh } = granted('webex')
    later(86_399)
    const early = await refresh(first.refresh)
    expect(early).toMatchObject({ access: first.access, body: { expires_in: 1209600 - 86_399 } })
    later(1)
    expect((await refresh(first.refresh)).access).not.toBe(first.access)
  })

  test('the answer carries the clock of the vendor', async () => {
    const { first, refresh } = granted('box')
    later(3600)
    expect((await refresh(first.refresh)).headers.get('date')).toBe('Fri, 27 Nov 2026 13:00:00 GMT')
  })

  test('Klaviyo answers ten refreshes a minute', async () => {
    const { first, refresh } = granted('klaviyo')
    let { next } = await refresh(first.refresh)
    for (let count = 1; count < 10; count++) next = (await refresh(next)).next
    expect(await refresh(next)).toMatchObject({ status: 429, because: 'the budget is spent' })
    later(60)
    expect((await refresh(next)).accepted).toBe(true)
  })
})

describe('shapes', () => {
  const bodyOf = async (name: string) => {
    const { first, refresh } = granted(name)
    return (await refresh(first.refresh)).body
  }

  test('Square names an absolute time', async () => {
    const square = emulators.open(profileOf('square'))
    const json = { ...refreshForm(square.emulator.consent().newest.refresh), ...inBody(square.emulator) }
    const { body } = await ask(square, { url: 'https://connect.squareup.com/oauth2/token', json })
    expect(body).toMatchObject({ expires_at: '2026-12-27T12:00:00Z' })
    expect(body).not.toHaveProperty('expires_in')
  })

  test('Twitch sends a list of scopes and no expiry, which its validation has', async () => {
    const { first, refresh, opened } = granted('twitch')
    const { body, access } = await refresh(first.refresh)
    expect(body).toMatchObject({ scope: ['channel:read:subscriptions', 'channel:manage:polls'] })
    expect(body).not.toHaveProperty('expires_in')
    const look = (token: string) =>
      ask(opened, {
        method: 'GET',
        url: 'https://id.twitch.tv/oauth2/validate',
        headers: { authorization: `OAuth ${token}` },
      })
    later(100)
    expect(await look(access)).toMatchObject({ status: 200, body: { expires_in: 14300 } })
    expect(await look('another')).toMatchObject({ status: 401 })
  })

  test('Salesforce answers without expiry, and introspection has it', async () => {
    const { first, refresh, opened, emulator } = granted('salesforce')
    const { body, access } = await refresh(first.refresh)
    expect(body).toMatchObject({ instance_url: 'https://acme.my.salesforce.com', issued_at: String(nowMs) })
    const url = 'https://login.salesforce.com/services/oauth2/introspect'
    const introspected = await ask(opened, { url, form: { token: access, ...inBody(emulator) } })
    expect(introspected.body).toMatchObject({ active: true, exp: nowMs / 1000 + 3600 })
  })

  test('Douyin wraps, and writes numbers as text', async () => {
    const douyin = emulators.open(profileOf('douyin'))
    const { refresh } = douyin.emulator.consent().newest
    const form = { ...refreshForm(refresh), client_key: douyin.emulator.registration.clientId }
    const url = 'https://open.douyin.com/oauth/refresh_token/'
    const { body } = await ask(douyin, { url, form })
    expect(body).toMatchObject({ data: { expires_in: '1296000', refresh_expires_in: '2592000', error_code: 0 } })
    douyin.emulator.faults.push('dead grant')
    expect(await ask(douyin, { url, form })).toMatchObject({ status: 200, body: { data: { error_code: 10010 } } })
  })

  test('Canva makes tokens of four kilobytes', async () => {
    expect(String((await bodyOf('canva')).access_token)).toHaveLength(4096)
  })

  test('NetSuite writes numbers as text', async () => {
    expect(await bodyOf('netsuite')).toMatchObject({ expires_in: '3600' })
  })
})

describe('what a test asks for', () => {
  test.each([
    ['dead grant', 'slack', { status: 200, body: { ok: false, error: 'invalid_refresh_token' } }],
    ['throttled', 'discord', { status: 429, body: { retry_after: 17 } }],
    ['client error', 'github-app', { status: 200, body: { error: 'incorrect_client_credentials' } }],
  ] as const)('%s, once', async (fault, name, answer) => {
    const { first, refresh, emulator } = granted(name)
    emulator.faults.push(fault)
    expect(await refresh(first.refresh)).toMatchObject({ ...answer, because: `the test asked for ${fault}` })
    expect((await refresh(first.refresh)).accepted).toBe(true)
  })
})

describe('revocation', () => {
  const revoke = async (opened: Opened, url: string, rest: object) => await ask(opened, { url, ...rest })

  test('Asana takes the refresh token, and says nothing about others', async () => {
    const { opened, emulator, first } = granted('asana')
    const url = 'https://app.asana.com/-/oauth_revoke'
    const wrong = await revoke(opened, url, { form: { token: first.access, ...inBody(emulator) } })
    expect(wrong).toMatchObject({ status: 200, accepted: false })
    await revoke(opened, url, { form: { token: first.refresh, ...inBody(emulator) } })
    expect(emulator.callApi(first.access)).toBe('it was revoked')
  })

  test('Calendly takes its secret in the body, where the token endpoint takes Basic', async () => {
    const { opened, emulator, first } = granted('calendly')
    const url = 'https://auth.calendly.com/oauth/revoke'
    const form = { token: first.refresh }
    expect(await revoke(opened, url, { form, headers: basicOf(emulator) })).toMatchObject({ accepted: false })
    expect(await revoke(opened, url, { form: { ...form, ...inBody(emulator) } })).toMatchObject({ accepted: true })
  })

  test('Square takes its own scheme, JSON and the access token', async () => {
    const { opened, emulator, first } = granted('square')
    const { clientId, clientSecret } = emulator.registration
    const url = 'https://connect.squareup.com/oauth2/revoke'
    const json = { client_id: clientId, access_token: first.access }
    expect(await revoke(opened, url, { json })).toMatchObject({ accepted: false })
    const headers = { authorization: `Client ${clientSecret}` }
    expect(await revoke(opened, url, { json, headers })).toMatchObject({ body: { success: true } })
    expect(emulator.callApi(first.access)).toBe('it was revoked')
  })

  test('GitHub takes DELETE with JSON at an address with the client’s id', async () => {
    const { opened, emulator, first } = granted('github-app')
    const url = `https://api.github.com/applications/${emulator.registration.clientId}/token`
    const rest = { json: { access_token: first.access }, headers: basicOf(emulator) }
    expect(await revoke(opened, url, rest)).toMatchObject({ accepted: false })
    expect(await revoke(opened, url, { ...rest, method: 'DELETE' })).toMatchObject({ status: 204, accepted: true })
  })

  test('Smartsheet takes DELETE where its tokens come from', async () => {
    const { opened, emulator, first } = granted('smartsheet')
    const headers = { authorization: `Bearer ${first.access}` }
    const url = 'https://api.smartsheet.com/2.0/token'
    expect(await revoke(opened, url, { method: 'DELETE', headers })).toMatchObject({ accepted: true })
    expect(emulator.callApi(first.access)).toBe('it was revoked')
  })
})
