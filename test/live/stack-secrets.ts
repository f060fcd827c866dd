import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import type { Secret } from './secret-search.ts'

/** Everything of a dev stack that must not be anywhere else than in its own folder's secrets and the provider's journal. */
export async function secretsOfStack(dataDir: string, tenant: string): Promise<Secret[]> {
  return [...(await keptSecrets(dataDir, tenant)), ...(await issuedTokens(dataDir))]
}

/** Client secrets, sealing keys (as text, as bytes, and as a tenant's services get them), passwords. */
async function keptSecrets(dataDir: string, tenant: string): Promise<Secret[]> {
  const folder = join(dataDir, 'secrets')
  const kept = await Promise.all(
    (await readdir(folder))
      // an address with the password of Redis in it, which is there by itself too
      .filter((name) => name !== 'redis-url')
      .map(async (name) => ({ name, value: await readFile(join(folder, name), 'utf8') })),
  )
  const keys = kept.filter(({ name }) => name.endsWith('-key'))
  return [
    ...kept,
    ...keys.map(({ name, value }) => ({ name: `bytes of ${name}`, value: Buffer.from(value, 'base64url') })),
    ...keys
      .map(({ name, value }) => ({ name, key: readerKey(sealingKey(value), tenant) }))
      .flatMap(({ name, key }) => [
        { name: `${name} of ${tenant}`, value: readerKeyText(key) },
        { name: `bytes of ${name} of ${tenant}`, value: key.key.export() },
      ]),
  ]
}

/** Every token that the demo authorization server has given out: its journal holds each under its own name. */
async function issuedTokens(dataDir: string): Promise<Secret[]> {
  const journal = await readFile(join(dataDir, 'demo-grants.jsonl'), 'utf8')
  const issued = journal.matchAll(/"put":"(AccessToken|RefreshToken|ClientCredentials):([^"]+)"/g)
  const tokens = new Map([...issued].map(([, model = '', token = '']) => [token, model]))
  return [...tokens].map(([value, model], index) => ({ name: `${model} ${index + 1}`, value }))
}
