import type { Connection } from '../../src/store/connection.ts'
import type { Keyspace } from './keyspace.ts'
import { type ScriptName, scriptNames, scripts } from './scripts.ts'

/** One command as a client sends it, carried out at once. */
export type Carry = (name: string, args: unknown[]) => unknown

export interface Commands {
  carryOut: Carry
  /** which script, for what a trace says */
  nameOf(name: string, args: unknown[]): string
}

/**
 * What our store sends to a Redis, on a keyspace of the model.
 *
 * @param change replaces a script, to see that somebody notices
 */
export function commandsOn(redis: Keyspace, change: Partial<typeof scripts> = {}): Commands {
  const table: Record<string, (...args: never[]) => unknown> = {
    evalSha: (sha: string, { keys, arguments: args }: { keys: string[]; arguments: string[] }) => {
      const name = scriptOf(sha)
      return (change[name] ?? scripts[name])(redis, keys, args)
    },
    time: () => [String(Math.floor(redis.nowMs / 1000)), String((redis.nowMs % 1000) * 1000)],
    hGetAll: (key: string) => Object.fromEntries(redis.fields(key)),
    get: (key: string) => redis.get(key) ?? null,
    set: (key: string, value: string, { NX, PX }: { NX?: boolean; PX?: number } = {}) => {
      if (NX && redis.get(key) !== undefined) return null
      redis.set(key, value, PX === undefined ? undefined : redis.nowMs + PX)
      return 'OK'
    },
    del: (key: string) => redis.del(key),
    exists: (key: string) => (redis.endsAtMs(key) === -2 ? 0 : 1),
    // the stream that operators follow decides nothing
    xAdd: () => '0-0',
    ping: () => 'PONG',
    scan: (prefix: string) => redis.keys().filter((key) => key.startsWith(prefix)),
  }
  return {
    carryOut: (name, args) => {
      const command = table[name]
      if (command === undefined) throw new Error(`the model of Redis does not know ${name}`)
      return command(...(args as never[]))
    },
    nameOf: (name, args) => (name === 'evalSha' ? scriptOf(String(args[0])) : name),
  }
}

function scriptOf(sha: string): ScriptName {
  const name = scriptNames.get(sha)
  if (name === undefined) throw new Error('the model of Redis does not know this script')
  return name
}

/** A client's end of the wire. @param send brings a command there and its answer back */
export function connectionVia(send: (name: string, args: unknown[]) => Promise<unknown>): Connection {
  const methods = ['evalSha', 'time', 'hGetAll', 'get', 'set', 'del', 'exists', 'xAdd', 'ping'].map(
    (name) =>
      [
        name,
        // node-redis sends what is undefined as a bug of the caller
        (...args: unknown[]) => send(name, args),
      ] as const,
  )
  async function* scanIterator({ MATCH }: { MATCH: string }) {
    yield await send('scan', [MATCH.replace(/\*$/, '')])
  }
  const connection = { ...Object.fromEntries(methods), scanIterator, isReady: true, destroy: () => {} }
  return connection as unknown as Connection
}
