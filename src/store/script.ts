import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Connection } from './connection.ts'

/** A Lua script of this folder, run by its hash, and sent whole where the server does not know it yet. */
export function script(name: string) {
  const source = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8')
  const sha = createHash('sha1').update(source).digest('hex')
  return async (redis: Connection, keys: string[], args: string[]): Promise<unknown> => {
    const options = { keys, arguments: args }
    try {
      return await redis.evalSha(sha, options)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await redis.eval(source, options)
    }
  }
}
