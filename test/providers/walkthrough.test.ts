import { generateKeyPairSync, verify } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokenEndpoint } from '../../src/oauth/index.ts'
import {
  another,
  claimOf,
  failureOf,
  openGrant,
  readAccess,
  refreshOf,
  type Setting,
  startSetting,
} from '../activities/setting.ts'
import { folder, head, load } from '../config-fixture.ts'

/** Providers that are in no catalogue, written down as the documentation has it: yaml in, a vendor's server out. */

type Vendor = (request: IncomingMessage, body: string) => { status: number; body: object }

let setting: Setting
const closers: (() => unknown)[] = []
beforeAll(async () => {
  setting = await startSetting()
})
afterAll(async () => {
  for (const close of closers) await close()
  await setting.stop()
})

async function connect(vendor: Vendor, yaml: (origin: string) => string) {
  const server = createServer(async (request, response) => {
    const { status, body } = vendor(request, await text(request))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const tokenEndpoint = createTokenEndpoint()
  closers.push(() => server.close(), tokenEndpoint.close)
  const config = await load(head + yaml(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  return another(setting, { tokenEndpoint, config })
}

test('a vendor with wrapped JSON, names of its own, and errors in answers of 200', async () => {
  let dead = false
  const activities = await connect(
    ({ headers, method }, body) => {
      const sent = JSON.parse(body) as Record<string, unknown>
      const fits = method === 'POST' && headers['x-lantern-app'] === 'app-1' && sent.lantern_key === 'app-1'
      if (!fits || sent.days !== 30 || 'client_id' in sent || !String(sent.refresh_token).startsWith('rt-secret'))
        return { status: 400, body: { state: 'no', problem: { id: 'E-1' } } }
      if (dead) return { status: 200, body: { state: 'no', problem: { id: 'E-77', says: 'gone' } } }
      const until = new Date(Date.now() + 3600_000).toISOString()
      return {
        status: 200,
        body: {
          state: 'yes',
          set: { token: 'at-secret-9', renew: 'rt-secret-9', until, home: 'https://eu.lantern.example' },
        },
      }
    },
    (origin) => `
clients:
  lantern-main: { provider: lantern, clientId: app-1, clientSecrets: [{ env: SECRET }] }
providers:
  lantern:
    tokenEndpoint: ${origin}/renew
    clientAuth: client_secret_post
    tokenRequest:
      encoding: json
      rename: { client_id: lantern_key }
      add: { days: 30 }
      headers: { X-Lantern-App: '{client_id}' }
    tokenResponse:
      accessToken: set.token
      refreshToken: set.renew
      expiresIn: set.until
      expiresInForm: iso8601
      success: { path: state, is: 'yes' }
      keep: { api: set.home }
    errors: { code: problem.id, message: problem.says, deadGrant: [{ code: E-77 }] }
`,
  )
  const credential = 'acme/lantern-main/alice'
  const refreshed = await activities.refresh(refreshOf(credential))
  expect(Math.round((refreshed.accessLivesMs ?? 0) / 60_000)).toBe(60)
  expect(openGrant(refreshed.grant, credential)).toMatchObject({ refresh_token: 'rt-secret-9' })
  expect((await readAccess(setting, credential))?.document).toMatchObject({
    access_token: 'at-secret-9',
    values: { api: 'https://eu.lantern.example' },
  })
  dead = true
  const refused = activities.refresh(refreshOf(credential, { generation: 2, grant: refreshed.grant ?? '' }))
  const { failure } = await failureOf(setting, refused, 'GrantRefused')
  expect(failure).toMatchObject({ reason: 'E-77' })
})

test('a vendor whose access token is exchanged for its successor, by GET, in milliseconds', async () => {
  let wait = false
  const activities = await connect(
    ({ url = '', method }) => {
      const query = new URL(url, 'http://vendor').searchParams
      if (method !== 'GET' || query.get('grant_type') !== 'extend' || query.get('current') !== 'at-secret-1')
        return { status: 400, body: { error: 'bad_call' } }
      if (wait) return { status: 400, body: { error: 'no', message: 'This token is too fresh' } }
      return { status: 200, body: { access_token: 'at-secret-2', ttl: 7_200_000, token_type: 'harbour' } }
    },
    (origin) => `
clients:
  harbour-main: { provider: harbour, clientId: app-1 }
providers:
  harbour:
    tokenEndpoint: ${origin}/extend
    grant: access_token
    clientAuth: none
    tokenRequest: { method: GET, grantType: extend, remove: [client_id], add: { current: '{access_token}' } }
    tokenResponse: { expiresIn: ttl, expiresInForm: milliseconds, tokenType: Bearer }
    errors: { tooEarly: [{ message: too fresh }] }
    neverAfterExpiry: true
`,
  )
  const credential = 'acme/harbour-main/alice'
  const claim = claimOf(credential, { access_token: 'at-secret-1' }, { kind: 'access_token', accessLivesMs: 600_000 })
  const claimed = await activities.claim(claim)
  if (!('grant' in claimed)) throw new Error('not claimed')
  const { family, generation, grant = '' } = claimed
  const input = refreshOf(credential, { kind: 'access_token', family, generation, grant })
  wait = true
  await failureOf(setting, activities.refresh(input), 'Throttled')
  wait = false
  const refreshed = await activities.refresh(input)
  expect(refreshed.accessLivesMs).toBe(7_200_000)
  // at half of its life, for afterwards nothing can be refreshed
  expect(refreshed.dueInMs).toBeLessThanOrEqual(3_600_000)
  expect((await readAccess(setting, credential))?.document).toMatchObject({
    access_token: 'at-secret-2',
    token_type: 'Bearer',
  })
})

test('a vendor that wants a signed assertion as bearer, at a URL of the account, and speaks in messages alone', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await writeFile(join(folder, 'quarry.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  let busy = false
  const activities = await connect(
    ({ url, headers }, body) => {
      const [header = '', claims = '', signature = ''] = (headers.authorization ?? '')
        .replace(/^Bearer /, '')
        .split('.')
      const signed = verify(
        'sha256',
        Buffer.from(`${header}.${claims}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      )
      const { iss, site } = JSON.parse(Buffer.from(claims || 'e30', 'base64url').toString()) as Record<string, unknown>
      if (!signed || iss !== 'quarry-app' || site !== 's-42' || url !== '/sites/s-42/tokens' || body !== '')
        return { status: 401, body: { message: 'who are you' } }
      if (busy) return { status: 403, body: { message: 'Over the hourly quota, come back' } }
      return { status: 201, body: { pass: 'at-secret-3', ends: Math.round(Date.now() / 1000) + 1800 } }
    },
    (origin) => `
clients:
  quarry-main: { provider: quarry, clientId: quarry-app, privateKey: { file: quarry.pem }, keyId: k1 }
providers:
  quarry:
    tokenEndpoint: ${origin}/sites/{site}/tokens
    parameters: { site: { description: the site, pattern: 's-\\d+', example: s-1 } }
    grant: jwt_bearer
    clientAuth: none
    assertion: { algorithm: ES256, sentAs: bearer, claims: { site: '{site}' } }
    tokenRequest: { remove: [grant_type, client_id] }
    tokenResponse: { accessToken: pass, expiresIn: ends, expiresInForm: epoch_seconds }
    errors: { clientRefused: [{ status: 401 }], throttled: [{ status: 403, message: quota }] }
`,
  )
  const ask = (site: string) =>
    activities.refresh(
      refreshOf('acme/quarry-main/m2m', { kind: 'jwt_bearer', generation: 0, parameters: { site }, family: 'q' }),
    )
  busy = true
  await failureOf(setting, ask('s-42'), 'Throttled')
  busy = false
  await failureOf(setting, ask('s-7'), 'ClientRefused')
  await failureOf(setting, ask('../s-42'), 'ClientRefused')
  const refreshed = await ask('s-42')
  expect(Math.round((refreshed.accessLivesMs ?? 0) / 60_000)).toBe(30)
  expect((await readAccess(setting, 'acme/quarry-main/m2m'))?.document.access_token).toBe('at-secret-3')
})
