import { mkdtempSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { PerennialError } from '../src/errors.ts'
import { newSealingKey } from '../src/store/sealing.ts'

export const folder = mkdtempSync(join(tmpdir(), 'perennial-config-'))
afterAll(() => rm(folder, { recursive: true }))

export const grantKey = newSealingKey()
export const readerKey = newSealingKey()
export const secret = 's3cr3t-canary-value'
export const env = {
  REDIS_URL: 'redis://:pw-canary@127.0.0.1:6379',
  GRANT: grantKey,
  READER: readerKey,
  SECRET: secret,
  EMPTY: '',
}

export const head = `
redis: { url: { env: REDIS_URL } }
keys: { grant: [{ env: GRANT }], reader: [{ env: READER }] }
`
export const good = `${head}
clients:
  google-main: { provider: orchard, clientId: abc, clientSecrets: [{ env: SECRET }] }
providers:
  orchard: { tokenEndpoint: 'https://id.acme.example/token' }
`

let count = 0
/** Where the configuration of the last `load` stands. */
export const lastPath = () => join(folder, `perennial-${count}.yaml`)

export async function load(yaml: string, options: Parameters<typeof loadConfig>[1] = { env }) {
  count += 1
  await writeFile(lastPath(), yaml)
  return loadConfig(lastPath(), options)
}

/** What is said of a wrong configuration, its path as FILE; fails where a secret is in it. */
export async function problems(yaml: string, options?: Parameters<typeof loadConfig>[1]): Promise<string> {
  const error = await load(yaml, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof PerennialError)) throw new Error(`expected a PerennialError, got ${error}`)
  expect(error.code).toBe('config_invalid')
  for (const leak of [secret, grantKey, readerKey, 'pw-canary']) expect(error.message).not.toContain(leak)
  return error.message.replaceAll(lastPath(), 'FILE')
}
