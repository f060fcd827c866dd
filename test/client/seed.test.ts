import { beforeAll, describe, expect, test } from 'vitest'
import { makeSeed } from '../../src/client/seed.ts'
import type { Config } from '../../src/config.ts'
import { env, head, load } from '../config-fixture.ts'

let config: Config

beforeAll(async () => {
  config = await load(
    `${head}
clients:
  drive: { provider: google, clientId: drive, clientSecrets: [{ env: SECRET }] }
  web: { provider: idp, clientId: web, clientSecrets: [{ env: SECRET }] }
providers:
  idp: { tokenEndpoint: 'https://id.example/token' }
`,
    { env },
  )
})

const seeded = (credential: string, tokenResponse: object) => () => makeSeed(config, credential, { tokenResponse })
const accessOnly = { access_token: 'canary-access-token', expires_in: 3600 }

describe('a grant without a refresh token', () => {
  test('is refused where the provider issues one only when asked, with what to ask for', () => {
    expect(seeded('acme/drive/alice', accessOnly)).toThrow(
      'acme/drive/alice: the token response has no refresh_token: ask for access_type=offline and prompt=consent at consent',
    )
    expect(seeded('acme/drive/alice', { ...accessOnly, refresh_token: 'canary-refresh-token' })).not.toThrow()
  })

  test('lives as long as its access token elsewhere', () => {
    expect(seeded('acme/web/alice', accessOnly)()).toMatchObject({ accessLivesMs: 3_600_000 })
  })
})
