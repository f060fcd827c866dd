import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { credentialPart } from '../credential.ts'
import { type AclUser, aclFileLine, aclRules, passwordHash, readerUser, setUserLine, workerUser } from '../store/acl.ts'
import { jsonFlag } from './arguments.ts'
import { usageError } from './exit.ts'
import { print, printable, printJson, say } from './output.ts'
import { openTarget } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

interface AclOptions extends TargetOptions {
  tenant?: string[]
  file?: boolean
  json?: boolean
}

/** `perennial acl`: the users of Redis, one for workers and one for the readers of each tenant. */
export function registerAcl(program: Command): void {
  withTargetOptions(program.command('acl'))
    .description('the Redis ACL: a user for workers, and one for the readers of each tenant; passwords only as hashes')
    .option('--tenant <name...>', 'tenants beside those of readers.tenants')
    .option('--file', 'as lines of an ACL file, instead of commands for redis-cli')
    .option(...jsonFlag)
    .action(async ({ tenant, file, json, ...target }: AclOptions) => {
      const { config } = await openTarget(target)
      const users = aclUsers(config, tenant)
      for (const user of users) {
        if (json) printJson({ ...user, rules: aclRules(user) })
        else print(printable(file ? aclFileLine(user) : setUserLine(user)))
      }
      if (!json) say(remarks(users, file === true).join('\n'))
    })
}

/** The users that a configuration asks for. Throws PerennialError `usage` for a tenant that cannot be one. */
export function aclUsers(
  { redis, readers }: Pick<Config, 'redis' | 'readers'>,
  more: readonly string[] = [],
): AclUser[] {
  const bad = more.find((tenant) => !credentialPart.test(tenant))
  if (bad !== undefined)
    throw usageError(`${JSON.stringify(bad)} is no tenant: it is the first part of a credential id`)
  const { username, password } = new URL(redis.url)
  const isNamed = username !== '' && username !== 'default'
  const hashes = isNamed && password !== '' ? [passwordHash(decodeURIComponent(password))] : []
  const tenants = { ...Object.fromEntries(more.map((tenant) => [tenant, []])), ...readers.tenants }
  return [
    workerUser(isNamed ? decodeURIComponent(username) : 'worker', hashes),
    ...Object.entries(tenants).map(([tenant, passwordHashes]) => readerUser(tenant, passwordHashes)),
  ]
}

function remarks(users: AclUser[], file: boolean): string[] {
  const without = users.filter(({ passwordHashes }) => passwordHashes.length === 0).map(({ name }) => name)
  return [
    ...(without.length === 0
      ? []
      : [
          `no password is known of ${without.join(', ')}: ${
            file
              ? 'add #SHA256 of it to the line'
              : 'each keeps what it has; the first is set with ACL SETUSER NAME >PASSWORD'
          } (of the worker it stands in redis.url, of readers in readers.tenants.NAME.passwordHashes)`,
        ]),
    ...(users.length > 1 ? [] : ['no tenant is named: name them under readers.tenants, or with --tenant']),
    `when each has its user, nobody needs the user default: ${file ? 'user default off' : 'ACL SETUSER default off'}`,
  ]
}
