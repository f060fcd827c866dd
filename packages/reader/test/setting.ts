import { readerUser } from '../../../src/store/acl.ts'
import { here, setOf, startTestRedis, type TestRedis } from '../../../test/store/redis.ts'
import type { AccessDocument } from '../src/format.ts'
import { createReader, type Reader, type ReaderOptions } from '../src/index.ts'

/** What perennial acl allows a tenant's reader. */
export const readerAcl = (tenant: string) => ['resetchannels', ...readerUser(tenant, []).rules]

export interface Written {
  lifetimeMs?: number
  family?: string
  diesAtRefresh?: boolean
}

/** A Redis in which tokens are written by the scripts that workers use, and readers of it. */
export interface Setting extends TestRedis {
  /** with the user of a reader of tenant acme */
  readerUrl: string
  /** a reader of plain tokens; ended with the setting */
  reader(options?: Partial<ReaderOptions>): Reader
  /** writes generation n with the token `token-n`, and says so to the readers */
  write(credential: string, generation: number, how?: Written): Promise<void>
  /** writes generation n again as workers do where Redis was emptied: its status, and no token yet */
  restore(credential: string, generation: number): Promise<void>
  fence(credential: string, generation: number): Promise<void>
  closeReaders(): Promise<void>
}

export async function startSetting(): Promise<Setting> {
  const test = await startTestRedis()
  await test.redis.sendCommand(['ACL', 'SETUSER', 'reader-acme', 'reset', 'on', '>pw', ...readerAcl('acme')])
  const url = new URL(test.server.url)
  url.username = 'reader-acme'
  url.password = 'pw'
  const readers: Reader[] = []
  const closeReaders = async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.close()))
  }
  return {
    ...test,
    readerUrl: url.href,
    reader: (options = {}) => {
      const made = createReader({ redis: url.href, ...options })
      readers.push(made)
      return made
    },
    write: async (credential, generation, { lifetimeMs = 60_000, family = 'f1', diesAtRefresh = false } = {}) => {
      const expiresAtMs = (await test.store.nowMs()) + lifetimeMs
      const document: AccessDocument = {
        credential,
        family,
        generation,
        access_token: `token-${generation}`,
        token_type: 'Bearer',
        expires_at: new Date(expiresAtMs).toISOString(),
        ...(diesAtRefresh ? { dies_at_refresh: true } : {}),
      }
      const access = { value: JSON.stringify(document), expiresAtMs }
      const { verdict } = await test.store.write(here, setOf(credential, { family, generation, access }))
      if (verdict !== 'written') throw new Error(`generation ${generation} was not written: ${verdict}`)
    },
    restore: async (credential, generation) => {
      const status = { status: 'pending' as const, since: new Date().toISOString(), generation }
      const { access: _none, ...set } = setOf(credential, { family: 'f1', generation, status })
      await test.store.write(here, set)
    },
    fence: async (credential, generation) => {
      const status = { status: 'revoked' as const, since: new Date().toISOString(), generation }
      await test.store.fence({ credential, status, known: { family: 'f1', generation, owner: here } })
    },
    closeReaders,
    stop: async () => {
      await closeReaders()
      await test.stop()
    },
  }
}
