import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { fetchValkey } from '../../src/dev/binaries.ts'
import { isExecutable } from '../../src/dev/executable.ts'

/**
 * Both servers that Perennial works with, for what each decides in its own way. Valkey comes with the checkout; Redis has to
 * be there: `TEST_REDIS_SERVER`, else `redis-server` on PATH. In CI it is an error where it is not.
 */
export async function bothServers(): Promise<{ name: string; binary: string }[]> {
  const valkey = { name: 'Valkey', binary: await fetchValkey() }
  const redis = await findGenuineRedis()
  if (redis !== undefined) return [{ name: 'Redis', binary: redis }, valkey]
  const missing = 'there is no redis-server here: set TEST_REDIS_SERVER, or install it on PATH'
  if (process.env.CI) throw new Error(missing)
  console.warn(`skipped on Redis, tested on Valkey alone: ${missing}`)
  return [valkey]
}

async function findGenuineRedis(): Promise<string | undefined> {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'))
  for (const binary of [process.env.TEST_REDIS_SERVER ?? '', ...onPath]) {
    if (binary === '' || !(await isExecutable(binary))) continue
    const { stdout } = await promisify(execFile)(binary, ['--version'])
    // Valkey may stand there under this name too
    if (stdout.startsWith('Redis server')) return binary
  }
  return undefined
}
