import { createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessDocument, accessKey } from '../../packages/reader/src/format.ts'
import { createReader, type Reader } from '../../packages/reader/src/index.ts'
import { readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { findRedis } from '../../src/dev/binaries.ts'
import { startRedis } from '../../src/dev/servers.ts'
import { type Connection, connect, ready } from '../../src/store/connection.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'

/** Tokens in a Redis, plain ones and the same sealed in another database, and who reads them. */
export interface Reads {
  ids: string[]
  redisUrl: string
  plain: Reader
  sealed: Reader & { key: KeyObject }
  /** the connections of the baselines, with the same settings as the readers' */
  bare: { plain: Connection; sealed: Connection }
  map: Map<string, AccessDocument>
  stop(): Promise<void>
}

const lifetimeMs = 3_600_000

/** 1.6 KB of JSON, of which the token is nearly all. */
const documentOf = (id: string): AccessDocument => ({
  credential: id,
  family: '0b5ea1f2-6f1f-4d2c-9a3e-1f2d3c4b5a69',
  generation: 42,
  access_token: randomBytes(990).toString('base64url'),
  token_type: 'Bearer',
  scope: 'https://mail.example.com/read',
  expires_at: new Date(Date.now() + lifetimeMs).toISOString(),
})

export async function startReads(keys: number): Promise<Reads> {
  const dir = await mkdtemp(join(tmpdir(), 'perennial-bench-read-'))
  const server = await startRedis({ binary: await findRedis(), dir })
  const sealedUrl = `${server.url}/1`
  const bare = { plain: connect(server.url, 'bench', () => {}), sealed: connect(sealedUrl, 'bench', () => {}) }
  const key = sealingKey(newSealingKey())
  const plain = createReader({ redis: server.url })
  const sealed = createReader({ redis: sealedUrl, keys: [readerKeyText(key)] })
  const stop = async () => {
    await Promise.all([plain.close(), sealed.close()])
    for (const one of Object.values(bare)) one.destroy()
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(Object.values(bare).map((one) => ready(one)))
    const ids = Array.from({ length: keys }, (_, i) => `acme/google-main/user-${i}`)
    const map = new Map(ids.map((id) => [id, documentOf(id)]))
    await Promise.all(
      [...map].flatMap(([id, document]) => {
        const text = JSON.stringify(document)
        const context = { cred: id, family: document.family, gen: document.generation }
        return [bare.plain.set(accessKey(id), text), bare.sealed.set(accessKey(id), seal(text, key, context))]
      }),
    )
    const withKey = {
      get: sealed.get.bind(sealed),
      onChange: sealed.onChange.bind(sealed),
      reject: sealed.reject.bind(sealed),
      close: sealed.close.bind(sealed),
      key: key.key,
    }
    return { ids, redisUrl: server.url, plain, sealed: withKey, bare, map, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What a service would write that has no reader: nothing is checked, and nothing is kept. */
export const baselines = {
  map: (map: Reads['map']) => async (id: string) => map.get(id),

  plain:
    ({ plain }: Reads['bare']) =>
    async (id: string) =>
      JSON.parse((await plain.get(accessKey(id))) ?? ''),

  sealed:
    ({ sealed }: Reads['bare'], key: KeyObject) =>
    async (id: string) => {
      const value = (await sealed.get(accessKey(id))) ?? ''
      const [header = '', , nonce = '', ciphertext = '', tag = ''] = value.split('.')
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(header)).setAuthTag(Buffer.from(tag, 'base64url'))
      return JSON.parse(decipher.update(ciphertext, 'base64url', 'utf8') + decipher.final('utf8'))
    },
}
