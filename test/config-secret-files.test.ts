import { generateKeyPairSync } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { folder, head, load } from './config-fixture.ts'

const newKey = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
    .trim()

test('a secret whose file has changed is read again, and one that cannot be read stays as it was', async () => {
  const [first, key] = [newKey(), join(folder, 'key.pem')]
  const secret = join(folder, 'rotated.txt')
  await writeFile(secret, 'one')
  await writeFile(key, first)
  const config = await load(`${head}
clients:
  app:
    provider: orchard
    clientId: app
    clientAuth: private_key_jwt
    privateKey: { file: key.pem }
  other: { provider: orchard, clientId: b, clientSecrets: [{ file: rotated.txt }, { env: SECRET }] }
providers:
  orchard: { tokenEndpoint: 'https://id.acme.example/token' }
`)
  const now = async () => {
    await sleep(1_010)
    await Promise.all([config.rereadSecrets?.('app'), config.rereadSecrets?.('other'), config.rereadSecrets?.('none')])
    return [config.clients.get('other')?.clientSecrets[0], config.clients.get('app')?.privateKey]
  }
  expect(await now()).toEqual(['one', first])

  const second = newKey()
  await writeFile(join(folder, 'next.txt'), 'two\n')
  await rename(join(folder, 'next.txt'), secret)
  await writeFile(key, second)
  expect(await now()).toEqual(['two', second])

  await rm(secret)
  await writeFile(key, 'no key')
  expect(await now()).toEqual(['two', second])
})
