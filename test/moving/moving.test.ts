import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { createReader, type Reader } from '../../packages/reader/src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { perennial } from '../cli/run.ts'
import { any } from '../emulators/client-authentication.ts'
import type { Profile } from '../emulators/profile.ts'
import { type Emulators, type Opened, startEmulators } from '../emulators/server.ts'
import { json, post, singleUse, variant, vendor } from '../emulators/vendor.ts'
import { profileOf } from '../emulators/vendors/index.ts'
import { type Live, startLive, until } from '../live/stack.ts'
import { connection, csvTable, type Moving, mongoExport, parameterStore, tabTable } from './former-systems.ts'

const root = join(import.meta.dirname, '../..')
const day = 86_400_000

/** The page whose configuration is used, and the vendor that stands behind each of its providers. */
const pages: Record<string, Record<string, Profile>> = {
  'moving-from-keap.md': { keap: profileOf('keap') },
  'moving-from-auth0.md': { 'auth0-json': auth0WithJson() },
  'moving-from-a-table.md': { 'shop-server': leagueServer() },
  'moving-from-mongodb.md': { 'autodesk-aps': profileOf('autodesk-aps') },
  'moving-from-a-credential-store.md': { hubspot: profileOf('hubspot'), zendesk: profileOf('zendesk') },
}

function auth0WithJson(): Profile {
  const machine = profileOf('auth0/machine-to-machine')
  return variant(machine, 'json', {
    token: json(machine.token.url),
    requires: { grant_type: 'client_credentials' },
    requiresOfUser: {},
    // each client has its own
    clientAsks: { audience: any },
  })
}

function leagueServer(): Profile {
  return vendor('shop-server', {
    sources: ['https://oauth2.thephpleague.com/authorization-server/refresh-token-grant/'],
    token: 'https://id.shop.example/oauth/token',
    client: post,
    rotation: singleUse,
    accessSeconds: 3600,
    refreshSeconds: 14 * 86_400,
  })
}

let emulators: Emulators
let live: Live
let cwd = ''
const opened: Record<string, Opened> = {}

beforeAll(async () => {
  emulators = await startEmulators()
  cwd = await mkdtemp(join(tmpdir(), 'perennial-moving-'))
  const configFile = join(cwd, 'clients.yaml')
  await writeFile(configFile, await configuration())
  live = await startLive({ tokenSeconds: 3600, configFile })
})
afterAll(async () => {
  await live?.stop()
  await emulators?.close()
  await rm(cwd, { recursive: true })
})

/** What the pages show, with the vendors on loopback, and the ids and secrets that they gave. */
async function configuration(): Promise<string> {
  const clients: Record<string, object> = {}
  const providers: Record<string, object> = {}
  for (const [page, vendors] of Object.entries(pages)) {
    const text = await readFile(join(root, 'docs', page), 'utf8')
    const [, block = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(text) ?? []
    const shown = parse(block) as { clients: Record<string, { provider: string }>; providers?: Record<string, object> }
    for (const [name, profile] of Object.entries(vendors)) {
      const vendor = emulators.open(profile)
      opened[name] = vendor
      const { revocation, token } = profile
      providers[name] = {
        ...shown.providers?.[name],
        tokenEndpoint: vendor.at(token.url),
        ...(revocation === undefined ? {} : { revocationEndpoint: vendor.at(revocation.door.url) }),
      }
    }
    for (const [name, client] of Object.entries(shown.clients)) {
      const { registration } = of(client.provider).emulator
      clients[name] = { ...client, clientId: registration.clientId, clientSecrets: [registration.clientSecret] }
    }
  }
  return stringify({ clients, providers })
}

function of(provider: string): Opened {
  const vendor = opened[provider]
  if (vendor === undefined) throw new Error(`no vendor stands behind ${provider}`)
  return vendor
}

/** Users who consented; the access tokens of the first half are still good in the eyes of the old system. */
const usersOf = (provider: string, names: readonly string[]): Moving[] =>
  names.map((user, i) => {
    const expiresAtMs = Date.now() + (i < names.length / 2 ? 3_000_000 : -60_000)
    return { user, pair: of(provider).emulator.consent().newest, expiresAtMs: Math.floor(expiresAtMs / 1000) * 1000 }
  })

function script(name: string, args: string[], input: string): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'python3',
      [join(root, 'examples/moving', name), ...args],
      { cwd },
      (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr })
        else reject(error)
      },
    )
    child.stdin?.end(input)
  })
}

async function imported(lines: string): Promise<string[]> {
  const args = ['import', '-', '--yes', '--json', '--data', dirname(live.config.source)]
  const { code, stdout, stderr } = await perennial(args, { cwd, input: lines })
  const credentials = lines
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { credential: string }).credential)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ lines: credentials.length, refused: 0 })
  return credentials
}

function readerOf(tenant: string): Reader {
  const key = readerKeyText(readerKey(sealingKey(live.config.keys.reader[0]), tenant))
  return createReader({ redis: live.stack.redisUrl, keys: [key] })
}

/** Waits for a token of each, and uses it at the vendor's API. */
async function tokensOf(provider: string, credentials: readonly string[]): Promise<string[]> {
  const readers = new Map<string, Reader>()
  try {
    const tokens: string[] = []
    for (const credential of credentials) {
      const tenant = credential.split('/')[0] ?? ''
      const reader = readers.get(tenant) ?? readerOf(tenant)
      readers.set(tenant, reader)
      const { accessToken } = await until(
        `a token of ${credential}`,
        () => reader.get(credential),
        () => true,
        // what went wrong at the vendor says more than that nothing came of it
      ).finally(() => expectGoodManners(provider))
      expect(of(provider).emulator.callApi(accessToken), credential).toBeUndefined()
      tokens.push(accessToken)
    }
    return tokens
  } finally {
    await Promise.all([...readers.values()].map((reader) => reader.close()))
  }
}

/** Those whose token was good kept it, the others got one; and the refresh tokens of all of them work. */
async function expectAlive(provider: string, credentials: readonly string[], users: readonly Moving[]): Promise<void> {
  const tokens = await tokensOf(provider, credentials)
  users.forEach(({ pair, expiresAtMs }, i) => {
    if (expiresAtMs > Date.now()) expect([pair.access, undefined], credentials[i]).toContain(tokens[i])
    else expect(tokens[i], credentials[i]).not.toBe(pair.access)
  })
  // the provider's budget may make one wait for its turn
  for (const credential of credentials)
    await until(
      `${credential} is refreshed`,
      () => live.perennial.refreshNow(credential),
      ({ status }) => status === 'active',
    )
  const again = await tokensOf(provider, credentials)
  for (const [i, token] of again.entries()) expect(token).not.toBe(tokens[i])
  expectGoodManners(provider)
}

/** No request was refused or odd, and none sent a refresh token twice. */
function expectGoodManners(provider: string): void {
  const decisions = of(provider).emulator.decisions
  expect(decisions.filter(({ accepted }) => !accepted).map(({ because }) => because)).toEqual([])
  expect(decisions.flatMap(({ strange }) => strange)).toEqual([])
}

describe('from the output of its script, with the configuration of its page, a move ends with fresh tokens', () => {
  test('from Keap and the AWS parameter store', async () => {
    const users = usersOf('keap', ['abc123', 'def456', 'ghi789', 'jkl012', 'mno345', 'pqr 678'])
    const { stdout } = await script('keap-from-parameter-store.py', ['acme'], parameterStore(users))
    const credentials = await imported(stdout)
    expect(credentials).toEqual(users.map(({ user }) => `acme/keap/${user.replace(' ', '%20')}`))
    await expectAlive('keap', credentials, users)
    const token = of('keap').emulator.decisions.map(({ received }) => received.headers.authorization ?? '')
    for (const header of token) expect(header).toMatch(/^Basic /)
  })

  test('from Auth0 machine-to-machine: one request for each audience, whoever reads', async () => {
    const { registration } = of('auth0-json').emulator
    const service = (audience: string) => ({
      domain: 'acme.eu.auth0.com',
      clientId: registration.clientId,
      clientSecret: registration.clientSecret,
      audience: `https://${audience}.acme.example`,
    })
    const settings = {
      'orders-api': service('orders'),
      'orders-worker': service('orders'),
      'billing-api': service('billing'),
    }
    const input = JSON.stringify(settings)
    const shown = await script('auth0-from-settings.py', ['acme', '--clients'], input)
    expect(shown.stdout).not.toContain(registration.clientSecret)
    const { clients } = parse(shown.stdout) as { clients: Record<string, object> }
    expect(clients).toMatchObject({
      'orders-api': {
        provider: 'auth0-json',
        variant: 'machine-to-machine',
        parameters: { domain: 'acme.eu' },
        request: { audience: 'https://orders.acme.example' },
        clientSecrets: [{ env: 'ORDERS_API_SECRET' }],
      },
      'billing-api': { request: { audience: 'https://billing.acme.example' } },
    })
    const { stdout } = await script('auth0-from-settings.py', ['acme'], input)
    const credentials = await imported(stdout)
    expect(credentials).toEqual(['acme/orders-api/m2m', 'acme/billing-api/m2m'])
    const tokens = await tokensOf('auth0-json', credentials)
    for (let reads = 0; reads < 20; reads++) expect(await tokensOf('auth0-json', credentials)).toEqual(tokens)
    const { decisions } = of('auth0-json').emulator
    expectGoodManners('auth0-json')
    expect(decisions.map(({ parameters }) => parameters.audience).sort()).toEqual([
      'https://billing.acme.example',
      'https://orders.acme.example',
    ])
    for (const { received } of decisions) expect(received.headers['content-type']).toMatch(/^application\/json/)
  })

  test.each([
    ['CSV', csvTable],
    ['tab-separated text', tabTable],
  ])('from a table of users, as %s', async (form, print) => {
    const users = usersOf(
      'shop-server',
      ['1', '2', '3', '4', '5', '6'].map((id) => `${form.slice(0, 3)}-${id}`),
    )
    const { stdout, stderr } = await script('league-from-table.py', ['acme/shop'], print(users))
    expect(stderr).toBe('1 rows have no refresh token and were left out\n')
    const credentials = await imported(stdout)
    const view = await until(
      'it is there',
      () => live.perennial.describe(credentials[0] ?? ''),
      (shown) => shown?.refreshExpiresAt !== undefined,
    )
    expect(Date.parse(view?.refreshExpiresAt ?? '') - Date.now()).toBeLessThanOrEqual(14 * day)
    await expectAlive('shop-server', credentials, form === 'CSV' ? withoutUnknownEnds(users) : users)
  })

  /** The table has no end for every fourth: those begin without their access token. */
  const withoutUnknownEnds = (users: readonly Moving[]) =>
    users.map((one, i) => (i % 4 === 3 ? { ...one, expiresAtMs: 0 } : one))

  test.each(['lines', 'array'] as const)('from Autodesk and MongoDB, exported as %s', async (form) => {
    const users = usersOf(
      'autodesk-aps',
      ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay'].map((name) => `${name}-${form}`),
    )
    const { stdout } = await script('autodesk-from-mongodb.py', ['acme'], mongoExport(users, form))
    const credentials = await imported(stdout)
    await expectAlive('autodesk-aps', credentials, users)
    const scopes = of('autodesk-aps').emulator.decisions.map(({ parameters }) => parameters.scope)
    expect(new Set(scopes)).toEqual(new Set(['data:read data:write']))
  })

  test('from a central credential store, whose tenants cannot read each other', async () => {
    const hub = usersOf('hubspot', ['h1', 'h2'])
    const zen = usersOf('zendesk', ['z1', 'z2'])
    const { subdomain = '' } = profileOf('zendesk').account
    const connections = [
      ...hub.map((moving, i) => connection('hubspot', i === 0 ? 'acme' : 'globex', moving)),
      ...zen.map((moving, i) =>
        connection('zendesk', i === 0 ? 'acme' : 'globex', moving, { subdomain, locale: 'en' }),
      ),
      { provider_config_key: 'hubspot', connection_id: 'k1', credentials: { type: 'API_KEY', apiKey: 'canary' } },
      { provider_config_key: 'unknown', connection_id: 'u1', credentials: { type: 'OAUTH2', refresh_token: 'canary' } },
    ]
    const page = await readFile(join(root, 'docs/moving-from-a-credential-store.md'), 'utf8')
    const [, clients = ''] = /^```json\n([\s\S]*?)^```/m.exec(page) ?? []
    await writeFile(join(cwd, 'clients.json'), clients)
    const input = JSON.stringify({ connections })
    const { stdout, stderr } = await script('from-credential-store.py', ['clients.json'], input)
    expect(stderr).toBe('left out: hubspot k1\nleft out: unknown u1\n')
    const credentials = await imported(stdout)
    expect(credentials).toEqual([
      'acme/hubspot-main/h1',
      'globex/hubspot-main/h2',
      'acme/zendesk-main/z1',
      'globex/zendesk-main/z2',
    ])
    await expectAlive('hubspot', credentials.slice(0, 2), hub)
    await expectAlive('zendesk', credentials.slice(2), zen)
    const acme = readerOf('acme')
    try {
      await expect(acme.get('globex/hubspot-main/h2')).rejects.toThrow()
      expect((await acme.get('acme/hubspot-main/h1')).accessToken).not.toBe('')
    } finally {
      await acme.close()
    }
  })
})
