import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { folder, head, load, problems } from './config-fixture.ts'

const pemOf = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim()
const newKey = (namedCurve = 'P-256') => pemOf(generateKeyPairSync('ec', { namedCurve }))
const newRsaKey = () => pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))

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
  orchard: { tokenEndpoint: 'https://id.acme.example/token', assertion: { algorithm: ES256 } }
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
  await writeFile(key, newRsaKey())
  expect(await now()).toEqual(['two', second])
})

test.each([
  [
    'an RSA key where ES256 signs',
    newRsaKey,
    'assertion: { algorithm: ES256 }',
    'must be a key on P-256, as ES256 needs',
  ],
  ['a key on P-256 where RS256 signs', newKey, '', 'must be an RSA key, as RS256 needs one'],
  ['a key on another curve', () => newKey('P-384'), 'assertion: { algorithm: ES256 }', 'must be a key on P-256'],
])('%s is refused when the configuration is read', async (_, key, entry, words) => {
  await writeFile(join(folder, 'wrong.pem'), key())
  const yaml = `${head}
clients:
  app: { provider: orchard, clientId: app, clientAuth: private_key_jwt, privateKey: { file: wrong.pem } }
providers:
  orchard: { tokenEndpoint: 'https://id.acme.example/token', ${entry} }
`
  expect(await problems(yaml)).toMatch(new RegExp(`^FILE:\\d+: clients\\.app\\.privateKey: ${words}`, 'm'))
})

test('a key that only belongs to a certificate may be of any kind', async () => {
  await writeFile(join(folder, 'tls.pem'), newKey())
  const certificate = join(import.meta.dirname, 'emulators/fixtures/rsa-cert.pem')
  const config = await load(`${head}
clients:
  app:
    provider: orchard
    clientId: app
    clientAuth: tls_client_auth
    privateKey: { file: tls.pem }
    certificate: { file: ${certificate} }
providers:
  orchard: { tokenEndpoint: 'https://id.acme.example/token' }
`)
  expect(config.clients.get('app')?.privateKey).toContain('BEGIN')
})
