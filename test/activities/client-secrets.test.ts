import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealDebt } from '../../src/activities/debts.ts'
import type { ActivityDeps } from '../../src/activities/index.ts'
import { folder, head, load } from '../config-fixture.ts'
import { another, granted, refreshOf, type Setting, startSetting, tokens } from './setting.ts'

let setting: Setting
beforeAll(async () => {
  setting = await startSetting()
})
afterAll(() => setting.stop())

const credential = 'acme/app/alice'
const debt = () => sealDebt(setting.deps, credential, 'f1', 1, { refresh_token: 'rt-secret-1' })

/** A process whose client has a secret in a file and another behind it, and a provider that takes one of the two. */
async function processOf(takes: (secret: string | undefined) => boolean) {
  await writeFile(join(folder, 'secret.txt'), 'cs-secret-1')
  const config = await load(`${head}
clients:
  app: { provider: orchard, clientId: app, clientSecrets: [{ file: secret.txt }, { env: SECRET }] }
providers:
  orchard:
    tokenEndpoint: https://id.orchard.example/token
    revocationEndpoint: https://id.orchard.example/revoke
    clientAuth: client_secret_post
`)
  const tried: (string | undefined)[] = []
  const tokenEndpoint: ActivityDeps['tokenEndpoint'] = {
    ...setting.deps.tokenEndpoint,
    revoke: async ({ clientSecret }) => {
      tried.push(clientSecret)
      return takes(clientSecret)
        ? { kind: 'revoked' }
        : { kind: 'secret_refused', reason: 'invalid_client', detail: '' }
    },
  }
  return { activities: another(setting, { config, tokenEndpoint }), tried }
}

test('a revoke takes over a secret whose file has changed', async () => {
  const { activities, tried } = await processOf((secret) => secret === 'cs-secret-2')
  await writeFile(join(folder, 'secret.txt'), 'cs-secret-2')
  expect(await activities.revokeTokens({ credential, debt: debt() })).toEqual({ revoked: 1 })
  expect(tried).toEqual(['cs-secret-2'])
  await sleep(1_010)
  await writeFile(join(folder, 'secret.txt'), 'cs-secret-3')
  await expect(activities.revokeTokens({ credential, debt: debt() })).rejects.toThrow()
  expect(tried.slice(1, 2)).toEqual(['cs-secret-3'])
})

test('a revoke begins with the secret that worked for the last refresh', async () => {
  const { activities, tried } = await processOf(() => true)
  const refused = { kind: 'client_refused', reason: 'invalid_client', detail: '', secretRefused: true } as const
  setting.answers.push(refused, granted(tokens(2)))
  await activities.refresh(refreshOf(credential))
  const second = setting.requests[1]?.clientSecret
  expect(setting.requests[0]?.clientSecret).toBe('cs-secret-1')
  await activities.revokeTokens({ credential, debt: debt() })
  expect(tried).toEqual([second])
})
