import type { Config } from '../../config.ts'
import { type AclUser, aclProbes } from '../../store/acl.ts'
import { aclUsers } from '../acl.ts'
import { type Check, fail, firstFew, ok, reasonOf, warn } from './check.ts'
import { type Client, open } from './redis.ts'

/** Whether each user of Redis may do what is its own, and nothing else. Nothing is carried out for that. */
export async function checkUsers(config: Config): Promise<Check[]> {
  const client = open(config.redis.url)
  client.on('error', () => {})
  try {
    await client.connect()
    return [...(await checkStrangers(config)), ...(await checkOwn(client, config))]
  } catch (error) {
    // that it cannot be reached is said by another check
    return client.isReady ? [notAsked(reasonOf(error))] : []
  } finally {
    if (client.isOpen) client.destroy()
  }
}

/** Whether Redis lets in who gives no name. */
async function checkStrangers({ redis }: Config): Promise<Check[]> {
  const url = new URL(redis.url)
  const isStranger = url.username === '' && url.password === ''
  url.username = ''
  url.password = ''
  const stranger = open(url.href)
  stranger.on('error', () => {})
  try {
    await stranger.connect()
    await stranger.ping()
    const message = `Redis at ${url.host} lets in whoever gives no name${isStranger ? ', as Perennial does' : ''}`
    return [warn('redis users', message, 'apply what perennial acl prints, then: ACL SETUSER default off')]
  } catch {
    return []
  } finally {
    if (stranger.isOpen) stranger.destroy()
  }
}

async function checkOwn(client: Client, config: Config): Promise<Check[]> {
  const { username } = new URL(config.redis.url)
  if (username === '' || username === 'default') {
    const fix = 'apply what perennial acl prints, and put the user worker and its password into redis.url'
    return [warn('redis users', 'Perennial connects as the user default, who may do everything', fix)]
  }
  const users = aclUsers(config)
  const checks: Check[] = []
  for (const user of users) checks.push(await checkUser(client, user))
  if (users.length > 1) return checks
  const fix = 'name them under readers.tenants of perennial.yaml, and apply what perennial acl prints'
  return [...checks, warn('redis users', 'no tenants are named: the users of their services were not looked at', fix)]
}

async function checkUser(client: Client, user: AclUser): Promise<Check> {
  const check = `redis user ${user.name}`
  const fix = `apply the line of ${user.name} that perennial acl prints`
  const wrong: string[] = []
  try {
    for (const { command, allowed } of aclProbes(user)) {
      const answer = String(await client.sendCommand(['ACL', 'DRYRUN', user.name, ...command]))
      if ((answer === 'OK') !== allowed) wrong.push(`${allowed ? 'may not' : 'may'} ${command.join(' ')}`)
    }
  } catch (error) {
    const reason = reasonOf(error)
    if (/not found/.test(reason)) return fail(check, 'Redis does not know this user', fix)
    return { ...notAsked(reason), check }
  }
  if (wrong.length === 0) return ok(check, user.tenant === undefined ? 'may do its work' : `reads ${user.tenant} alone`)
  return fail(check, firstFew(wrong), fix)
}

const notAsked = (reason: string) =>
  warn(
    'redis users',
    `the rules in force could not be looked at: ${reason}`,
    'allow ACL DRYRUN to the user of redis.url (+acl|dryrun, as perennial acl prints it); servers before 7.0 do not have it',
  )
