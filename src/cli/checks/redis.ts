import { createClient } from 'redis'
import { type Check, fail, ok, patienceMs, reasonOf, warn } from './check.ts'

export type Client = ReturnType<typeof open>

/** A connection that is tried once. */
export const open = (url: string) =>
  createClient({
    url,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout: patienceMs, socketTimeout: patienceMs, reconnectStrategy: false },
  })

/** Whether Redis can be reached, runs scripts that write, and keeps what was written. */
export async function checkRedis(url: string): Promise<Check[]> {
  const { host } = new URL(url)
  const client = open(url)
  // what fails is said by the promise that waits for it
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    client.destroy()
    const fix = 'start it, or correct redis.url, its user and password'
    return [fail('redis', `Redis at ${host} cannot be reached: ${reasonOf(error)}`, fix)]
  }
  try {
    const scripts = await checkScripts(client, host)
    return [ok('redis', `Redis at ${host} answers`), scripts, ...(await checkKeeping(client))]
  } finally {
    client.destroy()
  }
}

/** Reads the time and deletes a key that is never there: a write that changes nothing. */
const harmless = `redis.call('DEL', KEYS[1]) return redis.call('TIME')[1]`

async function checkScripts(client: Client, host: string): Promise<Check> {
  try {
    await client.eval(harmless, { keys: ['perennial:doctor'] })
    return ok('redis scripts', 'scripts run and may write')
  } catch (error) {
    const fix = 'connect to the primary, as a user that may run EVAL, EVALSHA and write keys perennial:*'
    return fail('redis scripts', `Redis at ${host} refuses a script that writes: ${reasonOf(error)}`, fix)
  }
}

async function checkKeeping(client: Client): Promise<Check[]> {
  try {
    return judgeInfo(await client.info())
  } catch (error) {
    const fix = 'allow INFO to this user, or look yourself: appendonly yes, maxmemory-policy noeviction'
    return [warn('redis persistence', `could not be looked at: ${reasonOf(error)}`, fix)]
  }
}

/** What INFO says of persistence and eviction. */
export function judgeInfo(info: string): Check[] {
  const value = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const [maxmemory, policy] = [value('maxmemory'), value('maxmemory_policy')]
  const evicts = policy !== undefined && policy !== 'noeviction'
  return [
    value('aof_enabled') === '1'
      ? ok('redis persistence', 'the append-only file is on')
      : warn(
          'redis persistence',
          'the append-only file is off: a restart loses the last writes, and they are refreshed or restored afterwards',
          'set appendonly yes',
        ),
    evicts && maxmemory !== '0'
      ? warn(
          'redis eviction',
          `maxmemory-policy is ${policy}: grants may be evicted`,
          'set maxmemory-policy noeviction',
        )
      : ok('redis eviction', 'nothing is evicted'),
  ]
}
