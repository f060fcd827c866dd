import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { env, folder, good, grantKey, head, lastPath, load, problems, readerKey, secret } from './config-fixture.ts'

describe('a configuration', () => {
  test('is read with its secrets and defaults', async () => {
    const config = await load(good)
    expect(config).toMatchObject({
      redis: { url: env.REDIS_URL },
      keys: { grant: [grantKey], reader: [readerKey] },
      readers: { sealed: true },
      warnings: { reconnectSoonMs: [14 * 86_400_000, 3 * 86_400_000] },
    })
    expect(config.source).toBe(lastPath())
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
            name: 'orchard',
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
    const hash = 'ab'.repeat(32)
    const config = await load(`${head}
readers: { sealed: false, tenants: { acme: { passwordHashes: [${hash}] }, globex: {}, initech: } }
clients:
  orders-api:
    provider: my-auth0
    grant: client_credentials
    parameters: { domain: acme.eu }
    request: { audience: 'https://orders.acme.example', scope: read }
    clientId: def
    clientSecrets: [{ file: secret.txt }, { env: SECRET }]
  public: { provider: plain, clientId: '42' }
providers:
  plain: { tokenEndpoint: 'http://127.0.0.1:9/token', rotation: none }
  my-auth0:
    tokenEndpoint: https://{domain}.auth0.com/oauth/token
    revocationEndpoint: https://{domain}.auth0.com/oauth/revoke
    clientAuth: client_secret_post
    rotation: grace
    graceSeconds: 30
    rateLimit: { requests: 100, perSeconds: 60 }
    refreshTokenIdleSeconds: 30
    refreshTokenAbsoluteSeconds: 60
    refreshTokenLifetimeSeconds: 90
warnings: { reconnectSoonDays: [1, 7] }
`)
    expect(config.readers).toEqual({ sealed: false, tenants: { acme: [hash], globex: [], initech: [] } })
    expect(config.warnings.reconnectSoonMs).toEqual([7 * 86_400_000, 86_400_000])
    expect(config.clients.get('orders-api')).toEqual({
      name: 'orders-api',
      grant: 'client_credentials',
      clientId: 'def',
      clientSecrets: [secret, secret],
      parameters: { domain: 'acme.eu' },
      request: { audience: 'https://orders.acme.example', scope: 'read' },
      provider: {
        name: 'my-auth0',
        tokenEndpoint: 'https://{domain}.auth0.com/oauth/token',
        revocationEndpoint: 'https://{domain}.auth0.com/oauth/revoke',
        clientAuth: 'client_secret_post',
        rotation: 'grace',
        graceMs: 30_000,
        refreshTokenIdleMs: 30_000,
        refreshTokenAbsoluteMs: 60_000,
        refreshTokenLifetimeMs: 90_000,
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
