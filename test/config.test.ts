import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../src/config/nearest.ts'
import { loadConfig } from '../src/config.ts'
import { PerennialError } from '../src/errors.ts'
import { newSealingKey } from '../src/store/sealing.ts'

let folder = ''
const grantKey = newSealingKey()
const readerKey = newSealingKey()
const secret = 's3cr3t-canary-value'
const env = {
  REDIS_URL: 'redis://:pw-canary@127.0.0.1:6379',
  GRANT: grantKey,
  READER: readerKey,
  SECRET: secret,
  EMPTY: '',
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-config-'))
})
afterAll(() => rm(folder, { recursive: true }))

const head = `
redis: { url: { env: REDIS_URL } }
keys: { grant: [{ env: GRANT }], reader: [{ env: READER }] }
`
const good = `${head}
clients:
  google-main: { provider: google, clientId: abc, clientSecrets: [{ env: SECRET }] }
providers:
  google: { tokenEndpoint: 'https://id.acme.example/token' }
`

let count = 0
async function load(yaml: string, options: Parameters<typeof loadConfig>[1] = { env }) {
  count += 1
  const path = join(folder, `perennial-${count}.yaml`)
  await writeFile(path, yaml)
  return loadConfig(path, options)
}

async function problems(yaml: string, options?: Parameters<typeof loadConfig>[1]): Promise<string> {
  const error = await load(yaml, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof PerennialError)) throw new Error(`expected a PerennialError, got ${error}`)
  expect(error.code).toBe('config_invalid')
  for (const leak of [secret, grantKey, readerKey, 'pw-canary']) expect(error.message).not.toContain(leak)
  return error.message.replaceAll(join(folder, `perennial-${count}.yaml`), 'FILE')
}

describe('a configuration', () => {
  test('is read with its secrets and defaults', async () => {
    const config = await load(good)
    expect(config).toMatchObject({
      redis: { url: env.REDIS_URL },
      keys: { grant: [grantKey], reader: [readerKey] },
      readers: { sealed: true },
    })
    expect(config.source).toBe(join(folder, `perennial-${count}.yaml`))
    expect([...config.clients]).toEqual([
      [
        'google-main',
        {
          name: 'google-main',
          grant: 'refresh_token',
          clientId: 'abc',
          clientSecrets: [secret],
          parameters: {},
          request: {},
          provider: {
            name: 'google',
            tokenEndpoint: 'https://id.acme.example/token',
            clientAuth: 'client_secret_basic',
            rotation: 'single_use',
          },
        },
      ],
    ])
  })

  test('may say everything', async () => {
    await writeFile(join(folder, 'secret.txt'), `${secret}\n`)
    const config = await load(`${head}
readers: { sealed: false }
clients:
  orders-api:
    provider: auth0
    grant: client_credentials
    parameters: { domain: acme.eu }
    request: { audience: 'https://orders.acme.example', scope: read }
    clientId: def
    clientSecrets: [{ file: secret.txt }, { env: SECRET }]
  public: { provider: plain, clientId: '42' }
providers:
  plain: { tokenEndpoint: 'http://127.0.0.1:9/token', rotation: none }
  auth0:
    tokenEndpoint: https://{domain}.auth0.com/oauth/token
    revocationEndpoint: https://{domain}.auth0.com/oauth/revoke
    clientAuth: client_secret_post
    rotation: grace
    graceSeconds: 30
    rateLimit: { requests: 100, perSeconds: 60 }
`)
    expect(config.readers.sealed).toBe(false)
    expect(config.clients.get('orders-api')).toEqual({
      name: 'orders-api',
      grant: 'client_credentials',
      clientId: 'def',
      clientSecrets: [secret, secret],
      parameters: { domain: 'acme.eu' },
      request: { audience: 'https://orders.acme.example', scope: 'read' },
      provider: {
        name: 'auth0',
        tokenEndpoint: 'https://{domain}.auth0.com/oauth/token',
        revocationEndpoint: 'https://{domain}.auth0.com/oauth/revoke',
        clientAuth: 'client_secret_post',
        rotation: 'grace',
        graceMs: 30_000,
        rateLimit: { requests: 100, perSeconds: 60 },
      },
    })
    expect(config.clients.get('public')).toMatchObject({ clientSecrets: [], provider: { clientAuth: 'none' } })
  })

  test('may do without clients and providers', async () => {
    expect((await load(head)).clients.size).toBe(0)
    expect((await load(`${head}clients:\nproviders:\n`)).clients.size).toBe(0)
  })

  test('names a Redis without credentials in the file itself', async () => {
    const config = await load(good.replace('{ env: REDIS_URL }', 'redis://127.0.0.1:6379/2'))
    expect(config.redis.url).toBe('redis://127.0.0.1:6379/2')
  })

  test('holds literal secrets only where they are allowed', async () => {
    const literal = good.replace('{ env: SECRET }', secret)
    expect((await load(literal, { env, allowLiterals: true })).clients.get('google-main')?.clientSecrets).toEqual([
      secret,
    ])
    expect(await problems(literal)).toMatch(
      /^FILE:6: clients\.google-main\.clientSecrets\[0\]: a secret must not stand in the file/,
    )
  })

  test('that does not exist is named', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'config_missing',
      message: expect.stringContaining(join(folder, 'none.yaml')),
    })
    await expect(loadConfig(folder)).rejects.toMatchObject({ code: 'config_missing' })
  })
})

const client = (text: string) => good.replace('clientId: abc,', `clientId: abc, ${text},`)
const provider = (text: string) => good.replace("token' }", `token', ${text} }`)

describe('what is wrong with a configuration', () => {
  test.each([
    [
      'an unknown key of a client',
      client('clientID: x'),
      'FILE:6: clients.google-main.clientID: unknown key "clientID"; did you mean clientId?',
    ],
    ['an unknown section', `${good}client: {}`, 'FILE:9: client: unknown key "client"; did you mean clients?'],
    [
      'an unknown key that resembles none',
      `${good}zzzzzzzzz: {}`,
      'FILE:9: zzzzzzzzz: unknown key "zzzzzzzzz"; known here: redis, keys, readers, clients, providers',
    ],
    [
      'an unknown key in a list of pairs',
      provider('rateLimit: { requests: 1, perSecond: 1 }'),
      'providers.google.rateLimit.perSecond: unknown key "perSecond"; did you mean perSeconds?',
    ],
    [
      'an unknown key of a secret',
      good.replace('{ env: SECRET }', '{ evn: SECRET }'),
      'clients.google-main.clientSecrets[0]: unknown key "evn"; did you mean env?',
    ],
    [
      'an undefined provider',
      good.replace('provider: google', 'provider: gogle'),
      'FILE:6: clients.google-main.provider: provider "gogle" is not defined; define it under providers, or did you mean google?',
    ],
    [
      'a provider nowhere near',
      good.replace('provider: google', 'provider: keycloak'),
      'provider "keycloak" is not defined; define it under providers',
    ],
    [
      'a missing key',
      good.replace('clientId: abc,', ''),
      'FILE:6: clients.google-main.clientId: is missing; it must be text',
    ],
    [
      'a number where text is due',
      good.replace('abc', '123456'),
      'clients.google-main.clientId: must be text: put it in quotes',
    ],
    ['a client that is no mapping', `${head}clients: { a: 3 }`, 'clients.a: must be a mapping'],
    ['clients that are a list', `${head}clients: []`, 'clients: must be a mapping'],
    [
      'a misspelt choice',
      provider('rotation: singel_use'),
      'providers.google.rotation: must be one of none, rotates_old_valid, grace, until_new_used, single_use; did you mean single_use?',
    ],
    ['a bad name', good.replaceAll('google-main', 'google/main'), 'clients["google/main"]: is no name'],
    [
      'grace without seconds',
      provider('rotation: grace'),
      'providers.google.graceSeconds: is missing; rotation grace needs',
    ],
    [
      'seconds without grace',
      provider('graceSeconds: 30'),
      'providers.google.graceSeconds: belongs to rotation grace alone, and rotation is single_use',
    ],
    [
      'no time at all',
      provider('rotation: grace, graceSeconds: 0'),
      'providers.google.graceSeconds: must be more than 0',
    ],
    [
      'a plain endpoint',
      good.replace('https://', 'http://'),
      'providers.google.tokenEndpoint: must be https; http is for loopback only',
    ],
    [
      'credentials in an endpoint',
      good.replace('https://', 'https://u:p@'),
      'providers.google.tokenEndpoint: must hold no credentials',
    ],
    [
      'no secret where one is needed',
      provider('clientAuth: client_secret_basic').replace('[{ env: SECRET }]', '[]'),
      'clients.google-main.clientSecrets: needs at least one secret',
    ],
    [
      'a secret that would not be used',
      provider('clientAuth: none'),
      'clients.google-main.clientSecrets: would never be used',
    ],
    [
      'client_credentials of a public client',
      client('grant: client_credentials').replace('[{ env: SECRET }]', '[]'),
      'clients.google-main.clientSecrets: is missing; grant client_credentials needs',
    ],
    [
      'a request parameter of our own',
      client('request: { grant_type: password }'),
      'clients.google-main.request.grant_type: is set by Perennial itself',
    ],
    [
      'a request parameter that is no text',
      client('request: { scope: [a] }'),
      'clients.google-main.request.scope: must be text',
    ],
    [
      'a parameter without a placeholder',
      client('parameters: { domain: acme }'),
      'clients.google-main.parameters.domain: no placeholder {domain} in the endpoints of provider google',
    ],
    [
      'a parameter that could lead elsewhere',
      client('parameters: { domain: evil.example/ }'),
      'clients.google-main.parameters.domain: must be 1 to 253 letters',
    ],
    [
      'a variable that is not set',
      good.replace('SECRET', 'NOT_SET'),
      'clients.google-main.clientSecrets[0]: environment variable NOT_SET is not set',
    ],
    ['a variable that is empty', good.replace('SECRET', 'EMPTY'), 'environment variable EMPTY is empty'],
    ['a secret file that is missing', good.replace('env: SECRET', 'file: none.txt'), 'file none.txt ('],
    [
      'a secret that is a list',
      good.replace('{ env: SECRET }', '[a]'),
      'clients.google-main.clientSecrets[0]: must be { env: NAME } or { file: PATH }',
    ],
    ['a key that is none', good.replace('GRANT', 'SECRET'), 'keys.grant[0]: is no key: a key is 32 bytes as base64url'],
    [
      'no key',
      good.replace('[{ env: GRANT }]', '[]'),
      'FILE:3: keys.grant: needs at least one key; make one with: perennial keys new',
    ],
    ['one key for both', good.replace('READER', 'GRANT'), 'keys.reader[0]: is one of keys.grant too'],
    ['a Redis of another kind', good.replace('{ env: REDIS_URL }', 'http://127.0.0.1'), 'redis.url: is no Redis URL'],
    [
      'a literal Redis password',
      good.replace('{ env: REDIS_URL }', "'redis://:pw-canary@h'"),
      'redis.url: a secret must not stand in the file',
    ],
    ['nothing', '', 'FILE: is empty; it needs redis, keys, clients and providers'],
    ['no mapping', '- a', 'FILE: must be a mapping'],
    ['broken YAML', `${good}  : [${secret}`, /^FILE:\d+: not valid YAML \([a-z ]+\)/],
    ['a repeated key', `${good}${head}`, /FILE:10: not valid YAML \(duplicate key\)/],
    ['an alias to nowhere', `${good}readers: *${secret}`, 'FILE: holds a YAML alias'],
  ])('%s is said with its place and what to do', async (_, yaml, expected) => {
    const message = await problems(yaml)
    if (typeof expected === 'string') expect(message).toContain(expected)
    else expect(message).toMatch(expected)
  })

  test('is said all at once, a line each', async () => {
    const yaml = good
      .replace('clientId: abc', 'clientId: 1')
      .replace('GRANT', 'NO_GRANT')
      .replace('tokenEndpoint', 'endpoint')
    const lines = (await problems(yaml)).split('\n')
    expect(lines.map((line) => line.split(': ')[1]).sort()).toEqual([
      'clients.google-main.clientId',
      'keys.grant[0]',
      'providers.google.endpoint',
      'providers.google.tokenEndpoint',
    ])
  })

  test('is not said twice: a client of a wrong provider is left alone', async () => {
    expect((await problems(good.replace('https://', 'http://'))).split('\n')).toHaveLength(1)
  })
})

describe('the nearest word', () => {
  test.each([
    ['clientID', 'clientId'],
    ['tokenEndpiont', 'tokenEndpoint'],
    ['rotations', 'rotation'],
    ['qwerty', undefined],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, ['clientId', 'tokenEndpoint', 'rotation'])).toBe(expected)
  })

  test('is measured by a distance that is symmetric, zero for the same word, one for a swap', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abc'), maxLength: 6 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
    expect(editDistance('abcd', 'abdc')).toBe(1)
  })
})
