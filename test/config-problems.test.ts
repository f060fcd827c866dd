import { describe, expect, test } from 'vitest'
import { good, head, problems, secret } from './config-fixture.ts'

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
      'FILE:9: zzzzzzzzz: unknown key "zzzzzzzzz"; known here: redis, keys, readers, warnings, metrics, clients, providers',
    ],
    [
      'an unknown key in a list of pairs',
      provider('rateLimit: { requests: 1, perSecond: 1 }'),
      'providers.orchard.rateLimit.perSecond: unknown key "perSecond"; did you mean perSeconds?',
    ],
    [
      'an unknown key of a secret',
      good.replace('{ env: SECRET }', '{ evn: SECRET }'),
      'clients.google-main.clientSecrets[0]: unknown key "evn"; did you mean env?',
    ],
    [
      'an undefined provider',
      good.replace('provider: orchard', 'provider: orchrd'),
      'FILE:6: clients.google-main.provider: provider "orchrd" is not defined; define it under providers, or did you mean orchard?',
    ],
    [
      'a provider nowhere near',
      good.replace('provider: orchard', 'provider: zzzzzzzz'),
      'provider "zzzzzzzz" is not defined; define it under providers',
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
      'providers.orchard.rotation: must be one of none, rotates_old_valid, grace, until_new_used, single_use; did you mean single_use?',
    ],
    ['a bad name', good.replaceAll('google-main', 'google/main'), 'clients["google/main"]: is no name'],
    [
      'grace without seconds',
      provider('rotation: grace'),
      'providers.orchard.graceSeconds: is missing; rotation grace needs',
    ],
    [
      'seconds without grace',
      provider('graceSeconds: 30'),
      'providers.orchard.graceSeconds: belongs to rotation grace or until_new_used, and rotation is single_use',
    ],
    [
      'no time at all',
      provider('rotation: grace, graceSeconds: 0'),
      'providers.orchard.graceSeconds: must be more than 0',
    ],
    [
      'a provider without an endpoint',
      good.replace("tokenEndpoint: 'https://id.acme.example/token'", 'displayName: Acme'),
      'clients.google-main.provider: provider orchard has no tokenEndpoint, and no issuer at which it could be discovered; add one under providers.orchard',
    ],
    [
      'a provider that extends nothing',
      provider('extends: orchrd'),
      'providers.orchard.extends: names "orchrd", which is no entry; did you mean orchard?',
    ],
    [
      'a variant that nobody defined',
      client('variant: rotating').replace("token' }", "token', variants: { rotates: { when: x, set: {} } } }"),
      'clients.google-main.variant: "rotating" is no variant of the provider; it has rotates',
    ],
    [
      'an unknown key inside a variant',
      provider('variants: { rotates: { when: x, set: { rotatoin: none } } }'),
      'providers.orchard.variants.rotates.set.rotatoin: unknown key "rotatoin"; did you mean rotation?',
    ],
    [
      'a client that signs without a key',
      client('clientAuth: private_key_jwt').replace('[{ env: SECRET }]', '[]'),
      'clients.google-main.privateKey: is missing: clientAuth of provider orchard is private_key_jwt',
    ],
    [
      'a key that nothing is signed with',
      client('privateKey: { env: SECRET }'),
      'clients.google-main.privateKey: would never be used',
    ],
    [
      'a key that is none',
      client('clientAuth: private_key_jwt, privateKey: { env: SECRET }').replace(
        'clientSecrets: [{ env: SECRET }]',
        '',
      ),
      'clients.google-main.privateKey: is no private key: it must be PEM',
    ],
    [
      'metrics at a name',
      `${good}metrics: { prometheus: 'localhost:9464' }`,
      'metrics.prometheus: is no address to listen at: an IP address and a port, as in 0.0.0.0:9464',
    ],
    [
      'metrics at no port',
      `${good}metrics: { prometheus: '0.0.0.0:65536' }`,
      'metrics.prometheus: is no address to listen at',
    ],
    [
      'a plain endpoint',
      good.replace('https://', 'http://'),
      'providers.orchard.tokenEndpoint: must be https; http is for loopback only',
    ],
    [
      'credentials in an endpoint',
      good.replace('https://', 'https://u:p@'),
      'providers.orchard.tokenEndpoint: must hold no credentials',
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
      'clients.google-main.parameters.domain: no placeholder {domain} in the endpoints and requests of provider orchard',
    ],
    [
      'a parameter that could lead elsewhere',
      client('parameters: { domain: evil.example/ }').replace('id.acme.example', '{domain}.acme.example'),
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
    [
      'a tenant that no id can begin with',
      `${good}readers: { tenants: { 'a/b': {} } }`,
      'readers.tenants["a/b"]: is no tenant: it is the first part of a credential id',
    ],
    [
      'a password where its hash belongs',
      `${good}readers: { tenants: { acme: { passwordHashes: [${secret}] } } }`,
      'readers.tenants.acme.passwordHashes[0]: is no hash of a password; make it with: printf %s "$PASSWORD" | sha256sum',
    ],
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
      'providers.orchard.endpoint',
    ])
  })

  test('is not said twice: a client of a wrong provider is left alone', async () => {
    expect((await problems(good.replace('https://', 'http://'))).split('\n')).toHaveLength(1)
  })
})
