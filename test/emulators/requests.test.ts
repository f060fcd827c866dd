import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, basicOf, inBody, refreshForm } from './hand-written.ts'
import { type Jwt, signJwt } from './jwt.ts'
import { type Emulators, type Opened, startEmulators } from './server.ts'
import { profileOf } from './vendors/index.ts'

let emulators: Emulators

beforeAll(async () => {
  emulators = await startEmulators()
})
afterAll(() => emulators.close())

const opened = (name: string) => emulators.open(profileOf(name))

describe('a form with Basic', () => {
  const url = 'https://identity.xero.com/connect/token'

  test('is answered with a pair', async () => {
    const xero = opened('xero')
    const { refresh } = xero.emulator.consent().newest
    const answer = await ask(xero, { url, form: refreshForm(refresh), headers: basicOf(xero.emulator) })
    expect(answer).toMatchObject({ status: 200, accepted: true, body: { token_type: 'Bearer', expires_in: 1800 } })
    expect(answer.body.refresh_token).not.toBe(refresh)
    expect(xero.last().strange).toEqual([])
  })

  test.each<[string, (xero: Opened) => Parameters<typeof ask>[1], string]>([
    [
      'JSON',
      ({ emulator }) => ({ url, json: refreshForm('x'), headers: basicOf(emulator) }),
      'the body must be form, not json',
    ],
    [
      'the query',
      ({ emulator }) => ({ url: `${url}?grant_type=refresh_token`, headers: basicOf(emulator) }),
      'the query holds grant_type',
    ],
    ['GET', ({ emulator }) => ({ method: 'GET', url, headers: basicOf(emulator) }), 'takes POST, not GET'],
    ['no Basic', () => ({ url, form: refreshForm('x') }), 'there is no Basic header'],
    [
      'the secret in the body',
      ({ emulator }) => ({ url, form: { ...refreshForm('x'), ...inBody(emulator) } }),
      'client_secret',
    ],
    [
      'the secret in both places',
      ({ emulator }) => ({ url, form: { ...refreshForm('x'), ...inBody(emulator) }, headers: basicOf(emulator) }),
      'must not authenticate with client_secret',
    ],
    [
      'another grant type',
      ({ emulator }) => ({ url, form: { ...refreshForm('x'), grant_type: 'password' }, headers: basicOf(emulator) }),
      'grant_type has a wrong value',
    ],
    [
      'no refresh token',
      ({ emulator }) => ({ url, form: { grant_type: 'refresh_token' }, headers: basicOf(emulator) }),
      'refresh_token is missing',
    ],
    ['another path', () => ({ url: 'https://identity.xero.com/token' }), 'xero has nothing at'],
    ['another host', () => ({ url: 'https://login.xero.com/connect/token' }), 'xero has nothing at'],
  ])('is not %s', async (_, requestOf, because) => {
    const xero = opened('xero')
    const answer = await ask(xero, requestOf(xero))
    expect(answer.accepted).toBe(false)
    expect(answer.because).toContain(because)
    expect(answer.status).toBeGreaterThanOrEqual(400)
  })

  test('is refused where the header is not form-encoded and the server decodes it', async () => {
    const { emulator, ...xero } = opened('xero')
    const { clientId, clientSecret } = emulator.registration
    const raw = { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` }
    const answer = await ask({ emulator, ...xero }, { url, form: refreshForm('x'), headers: raw })
    expect(answer).toMatchObject({ accepted: false, status: 401, body: { error: 'invalid_client' } })
  })

  test('that says more than the page lists is strange, and taken', async () => {
    const xero = opened('xero')
    const { refresh } = xero.emulator.consent().newest
    const form = { ...refreshForm(refresh), audience: 'orders' }
    expect(await ask(xero, { url, form, headers: basicOf(xero.emulator) })).toMatchObject({ accepted: true })
    expect(xero.last().strange).toEqual(['audience'])
  })
})

describe('other encodings', () => {
  test('JSON with Basic at Notion, and no form', async () => {
    const notion = opened('notion')
    const url = 'https://api.notion.com/v1/oauth/token'
    const body = refreshForm(notion.emulator.consent().newest.refresh)
    const headers = basicOf(notion.emulator)
    expect(await ask(notion, { url, form: body, headers })).toMatchObject({ accepted: false, status: 400 })
    const answer = await ask(notion, { url, json: body, headers })
    expect(answer).toMatchObject({ accepted: true, body: { workspace_name: 'Acme' } })
    expect(answer.body).not.toHaveProperty('expires_in')
  })

  test('the query at Zoho, and no body', async () => {
    const zoho = opened('zoho')
    const url = 'https://accounts.zoho.eu/oauth/v2/token'
    const all = { ...refreshForm(zoho.emulator.consent().newest.refresh), ...inBody(zoho.emulator) }
    expect(await ask(zoho, { url, form: all })).toMatchObject({ accepted: false })
    const answer = await ask(zoho, { url: `${url}?${new URLSearchParams(all)}` })
    expect(answer.body).toMatchObject({ api_domain: 'https://www.zohoapis.eu' })
    expect(answer.body).not.toHaveProperty('refresh_token')
  })

  test('the query that belongs to the address of BambooHR', async () => {
    const bamboo = opened('bamboohr')
    const url = 'https://acme.bamboohr.com/token.php'
    const json = { ...refreshForm(bamboo.emulator.consent().newest.refresh), ...inBody(bamboo.emulator) }
    const without = await ask(bamboo, { url, json })
    expect(without.because).toBe('the address must keep its query request=token')
    expect(await ask(bamboo, { url: `${url}?request=token`, json })).toMatchObject({ accepted: true })
  })

  test('the header at Cal.com', async () => {
    const calcom = opened('calcom')
    const url = 'https://app.cal.com/api/auth/oauth/refreshToken'
    const { refresh } = calcom.emulator.consent().newest
    const form = { grant_type: 'refresh_token', ...inBody(calcom.emulator) }
    expect(await ask(calcom, { url, form: { ...form, refresh_token: refresh } })).toMatchObject({ accepted: false })
    const headers = { authorization: `Bearer ${refresh}` }
    expect(await ask(calcom, { url, form, headers })).toMatchObject({ accepted: true })
  })

  test('a form for an answer, unless GitHub is asked for JSON', async () => {
    const github = opened('github-app')
    const url = 'https://github.com/login/oauth/access_token'
    const consent = github.emulator.consent()
    const formOf = () => ({ ...refreshForm(consent.newest.refresh), ...inBody(github.emulator) })
    const plain = await ask(github, { url, form: formOf(), headers: { accept: '*/*' } })
    expect(plain.text).toMatch(/^access_token=at-secret-github-app-\d+&expires_in=28800&refresh_token=/)
    const json = await ask(github, { url, form: formOf(), headers: { accept: 'application/json' } })
    expect(json.body).toMatchObject({ expires_in: 28800, refresh_token_expires_in: 15897600 })
  })
})

describe('what has to come along', () => {
  test.each([
    ['redirect_uri at Gusto', 'gusto', 'https://api.gusto.com/oauth/token', {}, 'redirect_uri is missing'],
    ['scope at WHOOP', 'whoop', 'https://api.prod.whoop.com/oauth/oauth2/token', {}, 'scope is missing'],
    [
      'the right scope at WHOOP',
      'whoop',
      'https://api.prod.whoop.com/oauth/oauth2/token',
      { scope: 'offline_access' },
      'scope has a wrong value',
    ],
    [
      'user_type at HighLevel',
      'gohighlevel',
      'https://services.leadconnectorhq.com/oauth/token',
      {},
      'user_type is missing',
    ],
  ])('%s', async (_, name, url, more, because) => {
    const one = opened(name)
    const { refresh } = one.emulator.consent().newest
    const answer = await ask(one, { url, form: { ...refreshForm(refresh), ...inBody(one.emulator), ...more } })
    expect(answer).toMatchObject({ accepted: false, because })
  })

  test('the access token at OneLogin', async () => {
    const onelogin = opened('onelogin')
    const { access, refresh } = onelogin.emulator.consent().newest
    const url = 'https://acme.onelogin.com/auth/oauth2/v2/token'
    const asked = async (more: object) => await ask(onelogin, { url, json: { ...refreshForm(refresh), ...more } })
    expect((await asked({})).because).toBe('access_token is missing')
    expect((await asked({ access_token: 'another' })).because).toBe('access_token is not the one of this grant')
    expect(await asked({ access_token: access })).toMatchObject({ body: { expires_in: 36000 } })
  })

  test('a User-Agent of one’s own at Reddit, which throttles others', async () => {
    const reddit = opened('reddit')
    const url = 'https://www.reddit.com/api/v1/access_token'
    const form = refreshForm(reddit.emulator.consent().newest.refresh)
    const headers = basicOf(reddit.emulator)
    expect(await ask(reddit, { url, form, headers })).toMatchObject({ status: 429 })
    const described = { ...headers, 'user-agent': 'web:example.app:1.0 (by /u/alice)' }
    expect(await ask(reddit, { url, form, headers: described })).toMatchObject({ accepted: true })
  })

  test('client_key in the place of client_id at TikTok', async () => {
    const tiktok = opened('tiktok')
    const url = 'https://open.tiktokapis.com/v2/oauth/token/'
    const form = { ...refreshForm(tiktok.emulator.consent().newest.refresh), ...inBody(tiktok.emulator) }
    expect((await ask(tiktok, { url, form })).because).toBe('client_key is missing')
    const { client_id: clientKey, ...rest } = form
    expect(await ask(tiktok, { url, form: { ...rest, client_key: clientKey } })).toMatchObject({ accepted: true })
  })
})

describe('who calls', () => {
  const nowSeconds = () => Math.floor(Date.now() / 1000)
  const sign = ({ registration: { keys, keyId } }: Opened['emulator'], { header, claims }: Partial<Jwt>) =>
    signJwt({ header: { kid: keyId, ...header }, claims: claims ?? {} }, keys.privateKey)

  test.each<[string, (id: string, issuer: string) => Partial<Jwt>, string | undefined]>([
    ['a right one', () => ({}), undefined],
    ['for another audience', () => ({ claims: { aud: 'https://apple.com' } }), 'aud must be'],
    ['of another team', () => ({ claims: { iss: 'somebody' } }), 'iss must be'],
    ['expired', () => ({ claims: { exp: nowSeconds() - 1 } }), 'it has expired'],
    ['of a year', () => ({ claims: { exp: nowSeconds() + 31536000 } }), 'it lives longer than 15777000 s'],
    ['with another key id', () => ({ header: { alg: 'ES256', kid: 'other' } }), 'its header must name key'],
  ])('Apple takes a signed secret: %s', async (_, changesOf, because) => {
    const apple = opened('apple')
    const { clientId } = apple.emulator.registration
    const issuer = 'A1B2C3D4E5'
    const claims = {
      iss: issuer,
      sub: clientId,
      aud: 'https://appleid.apple.com',
      iat: nowSeconds(),
      exp: nowSeconds() + 300,
    }
    const changes = changesOf(clientId, issuer)
    const secret = sign(apple.emulator, {
      header: { alg: 'ES256', ...changes.header },
      claims: { ...claims, ...changes.claims },
    })
    const form = { ...refreshForm(apple.emulator.consent().newest.refresh), client_id: clientId, client_secret: secret }
    const answer = await ask(apple, { url: 'https://appleid.apple.com/auth/token', form })
    expect(answer.accepted).toBe(because === undefined)
    if (because !== undefined) expect(answer.because).toContain(because)
  })

  test('Apple refuses a secret whose signature was made with another key', async () => {
    const apple = opened('apple')
    const { clientId } = apple.emulator.registration
    const form = { ...refreshForm('x'), client_id: clientId, client_secret: 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA' }
    const answer = await ask(apple, { url: 'https://appleid.apple.com/auth/token', form })
    expect(answer.because).toBe('client_secret: its signature does not fit the key')
  })

  test('NetSuite takes a signed assertion for a machine, once', async () => {
    const netsuite = opened('netsuite/machine-to-machine')
    const url = 'https://1234567.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token'
    const { clientId } = netsuite.emulator.registration
    const claims = {
      iss: clientId,
      aud: url,
      iat: nowSeconds(),
      exp: nowSeconds() + 300,
      scope: 'restlets',
      jti: '1',
    }
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: sign(netsuite.emulator, { header: { alg: 'PS256' }, claims }),
    }
    expect(await ask(netsuite, { url, form })).toMatchObject({ accepted: true, body: { expires_in: '3600' } })
    expect((await ask(netsuite, { url, form })).because).toBe('client_assertion: jti was seen before')
    const weak = { ...form, client_assertion: sign(netsuite.emulator, { header: { alg: 'RS256' }, claims }) }
    expect((await ask(netsuite, { url, form: weak })).because).toContain('PS256 or ES256 is asked for')
  })

  test('a Google service account sends an assertion and nothing else', async () => {
    const google = opened('google-service-account')
    const url = 'https://oauth2.googleapis.com/token'
    const { clientId: issuer } = google.emulator.registration
    const claims = {
      iss: issuer,
      aud: url,
      iat: nowSeconds(),
      exp: nowSeconds() + 3600,
      scope: 'https://mail.google.com/',
    }
    const formOf = (changes: object) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: sign(google.emulator, { header: { alg: 'RS256' }, claims: { ...claims, ...changes } }),
    })
    expect(await ask(google, { url, form: formOf({}) })).toMatchObject({ accepted: true })
    const long = await ask(google, { url, form: formOf({ exp: nowSeconds() + 7200 }) })
    expect(long).toMatchObject({ accepted: false, because: 'assertion: it lives longer than 3600 s' })
    const plain = await ask(google, { url, form: formOf({ scope: undefined }) })
    expect(plain).toMatchObject({
      accepted: false,
      because: 'assertion: scope must be "https://mail.google.com/", not "undefined"',
    })
  })

  test('a GitHub App asks for an installation token with a JWT of ten minutes at most', async () => {
    const github = opened('github-app-installation')
    const url = 'https://api.github.com/app/installations/4711/access_tokens'
    const { clientId } = github.emulator.registration
    const jwt = (exp: number) =>
      sign(github.emulator, { header: { alg: 'RS256' }, claims: { iss: clientId, iat: nowSeconds() - 60, exp } })
    const headersOf = (exp: number) => ({
      authorization: `Bearer ${jwt(exp)}`,
      'user-agent': 'app',
      accept: 'application/vnd.github+json',
    })
    const answer = await ask(github, { url, headers: headersOf(nowSeconds() + 540) })
    expect(answer).toMatchObject({ status: 201, body: { token: expect.stringContaining('at-secret') } })
    expect(Date.parse(String(answer.body.expires_at)) - Date.now()).toBeGreaterThan(3590_000)
    expect(await ask(github, { url, headers: headersOf(nowSeconds() + 700) })).toMatchObject({ accepted: false })
  })

  test('Stripe takes its secret key as a user name', async () => {
    const stripe = opened('stripe-apps')
    const { clientSecret } = stripe.emulator.registration
    const form = refreshForm(stripe.emulator.consent().newest.refresh)
    const url = 'https://api.stripe.com/v1/oauth/token'
    expect(await ask(stripe, { url, form, headers: basicOf(stripe.emulator) })).toMatchObject({ accepted: false })
    const headers = { authorization: `Basic ${btoa(`${clientSecret}:`)}` }
    expect(await ask(stripe, { url, form, headers })).toMatchObject({ accepted: true })
  })

  test('Smartsheet takes a hash of secret and refresh token', async () => {
    const smartsheet = opened('smartsheet')
    const { clientId, clientSecret } = smartsheet.emulator.registration
    const { refresh } = smartsheet.emulator.consent().newest
    const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
    const formOf = (hash: string) => ({ ...refreshForm(refresh), client_id: clientId, hash })
    const url = 'https://api.smartsheet.com/2.0/token'
    expect(await ask(smartsheet, { url, form: formOf(hashOf(clientSecret)) })).toMatchObject({ accepted: false })
    expect(await ask(smartsheet, { url, form: formOf(hashOf(`${clientSecret}|${refresh}`)) })).toMatchObject({
      accepted: true,
    })
    expect(smartsheet.last().otherwise).toBe('hash')
  })

  test('Etsy takes no secret', async () => {
    const etsy = opened('etsy')
    const url = 'https://api.etsy.com/v3/public/oauth/token'
    const { client_id, client_secret } = inBody(etsy.emulator)
    const form = { ...refreshForm(etsy.emulator.consent().newest.refresh), client_id }
    const proud = await ask(etsy, { url, form: { ...form, client_secret } })
    expect(proud.because).toBe('the client must not authenticate with client_secret')
    expect(await ask(etsy, { url, form })).toMatchObject({ accepted: true })
  })
})
