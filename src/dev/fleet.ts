import { parseStatus, type StatusDocument } from '../../packages/reader/src/format.ts'
import { connect } from '../store/connection.ts'

/** The status of every credential in a Redis. */
export interface Fleet {
  /** undefined while Redis does not answer */
  read(): Promise<Map<string, StatusDocument> | undefined>
  close(): void
}

const prefix = 'perennial:status:'

/** Watches the embedded Redis, which is one server and not a cluster. */
export function openFleet(redisUrl: string): Fleet {
  const redis = connect(redisUrl, 'perennial-dev', () => {})
  const readAll = async () => {
    const documents = new Map<string, StatusDocument>()
    for await (const keys of redis.scanIterator({ MATCH: `${prefix}*`, COUNT: 1_000 })) {
      const values = keys.length === 0 ? [] : await redis.mGet(keys)
      for (const [index, key] of keys.entries()) {
        const id = idOf(key)
        const document = readable(values[index])
        if (id !== undefined && document !== undefined) documents.set(id, document)
      }
    }
    return documents
  }
  return { read: () => readAll().catch(() => undefined), close: () => redis.destroy() }
}

function idOf(key: string): string | undefined {
  const [, tenant, rest] = /^([^:]+):\{(.+)\}$/.exec(key.slice(prefix.length)) ?? []
  return tenant === undefined || rest === undefined ? undefined : `${tenant}/${rest}`
}

/** What cannot be read is left out: it must not hide the others. */
function readable(value: unknown): StatusDocument | undefined {
  try {
    return typeof value === 'string' ? parseStatus(value) : undefined
  } catch {
    return undefined
  }
}
