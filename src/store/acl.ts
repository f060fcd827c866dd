/**
 * Who may do what in Redis, as its ACL says it. Pure. For Redis 7.0 or newer and Valkey: read-only keys and selectors are
 * what keeps a reader from writing, and from telling anybody anything but that a token was refused.
 */
import { createHash } from 'node:crypto'
import { changedChannel, rejectedChannel } from '../../packages/reader/src/format.ts'

/** One user of Redis. */
export interface AclUser {
  name: string
  role: 'worker' | 'reader'
  /** whose tokens a reader may read */
  tenant?: string
  /** SHA-256, hex, as ACL rules take it; none: the user keeps the passwords that it has */
  passwordHashes: string[]
  rules: string[]
}

/** The pattern of all channels on which readers say that a token was refused. */
export const rejectedChannels = rejectedChannel('*')

/** What every connection says of itself. A subcommand that a server does not know makes it refuse the whole user. */
const session = ['ping', 'hello', 'auth', 'client|id', 'client|setname']

/** How clients of a cluster or behind a sentinel find their servers. */
const topology = ['cluster|slots', 'cluster|shards', 'asking', 'readonly', 'role']

const reading = ['get', 'mget', 'exists', 'pttl', 'pexpiretime', 'time', 'subscribe', 'unsubscribe']

/** What the scripts of this folder run, and what is sent beside them. */
const writing = [
  ...['eval', 'evalsha', 'set', 'del', 'pexpire', 'publish', 'xadd', 'scan', 'info'],
  ...['hset', 'hget', 'hmget', 'hgetall', 'hdel', 'zadd', 'zrem', 'zcount', 'zscore', 'zrangebyscore'],
  // to hear which tokens were refused
  ...['psubscribe', 'punsubscribe'],
  // perennial doctor asks what this user and the readers' may do; no password is in the answers
  ...['acl|whoami', 'acl|dryrun'],
]

const workerKeys = [
  ...['access', 'status', 'grant', 'client', 'gate'].map((kind) => `perennial:${kind}:*`),
  ...['perennial:events', 'perennial:epoch', 'perennial:epoch:resync', 'perennial:doctor'],
]

const allow = (...commands: string[]) => ['-@all', ...commands.map((command) => `+${command}`)]

/** The user of workers and of the command line. */
export const workerUser = (name: string, passwordHashes: string[]): AclUser => ({
  name,
  role: 'worker',
  passwordHashes,
  rules: [
    ...workerKeys.map((key) => `~${key}`),
    `&${changedChannel('*')}`,
    `&${rejectedChannels}`,
    ...allow(...session, ...topology, ...reading, ...writing),
  ],
})

/**
 * The user of one tenant's services. It hears of its own changes, and may tell of its own refused tokens: that is a
 * selector of its own, for by the plain rules whoever may hear a channel may also speak on it. Not `client|tracking` and
 * `psubscribe`, which can show the names of other tenants' keys.
 */
export const readerUser = (tenant: string, passwordHashes: string[]): AclUser => ({
  name: `reader-${tenant}`,
  role: 'reader',
  tenant,
  passwordHashes,
  rules: [
    `%R~perennial:access:${tenant}:*`,
    `%R~perennial:status:${tenant}:*`,
    // without a pattern: acme must not hear of acme2
    `&${changedChannel(tenant)}`,
    ...allow(...session, ...topology, ...reading),
    `(resetchannels &${rejectedChannel(tenant)} -@all +publish)`,
  ],
})

export const passwordHash = (password: string) => createHash('sha256').update(password, 'utf8').digest('hex')

/** The rules of a user from scratch, whatever it was allowed before; its passwords only where new ones are known. */
export function aclRules({ passwordHashes, rules }: AclUser): string[] {
  const fresh =
    passwordHashes.length > 0
      ? ['reset', 'on', ...passwordHashes.map((hash) => `#${hash}`)]
      : ['on', 'clearselectors', 'resetkeys']
  return [...fresh, 'resetchannels', ...rules]
}

/** For redis-cli, while the server runs. */
export const setUserLine = (user: AclUser) => ['ACL SETUSER', user.name, ...aclRules(user)].join(' ')

/** For the file that `aclfile` names, or redis.conf. */
export const aclFileLine = (user: AclUser) => ['user', user.name, ...aclRules(user)].join(' ')

/** Commands that show, by being allowed or refused, whether a user has these rules. */
export interface AclProbe {
  command: string[]
  allowed: boolean
}

/** What must be allowed and what must be refused to a user, for `ACL DRYRUN`, which carries nothing out. */
export function aclProbes({ role, tenant }: AclUser): AclProbe[] {
  const probe = (allowed: boolean) => (line: string) => ({ command: line.split(' '), allowed })
  if (role === 'reader') return [...readable(tenant).map(probe(true)), ...unreadable(tenant).map(probe(false))]
  return [...workable.map(probe(true)), ...unworkable.map(probe(false))]
}

const readable = (tenant = '') => [
  `GET perennial:access:${tenant}:{client/subject}`,
  `PTTL perennial:access:${tenant}:{client/subject}`,
  `GET perennial:status:${tenant}:{client/subject}`,
  'TIME',
  `SUBSCRIBE ${changedChannel(tenant)}`,
  `PUBLISH ${rejectedChannel(tenant)} x`,
]

const unreadable = (tenant = '') => [
  ...['access', 'status', 'grant'].map((kind) => `GET perennial:${kind}:${tenant}.other:{client/subject}`),
  `HGETALL perennial:grant:${tenant}:{client/subject}`,
  `SET perennial:access:${tenant}:{client/subject} x`,
  `DEL perennial:status:${tenant}:{client/subject}`,
  'GET perennial:epoch',
  'XRANGE perennial:events - +',
  ...['KEYS *', 'SCAN 0', 'DBSIZE', 'INFO', 'MONITOR', 'CONFIG GET *', 'FLUSHALL', 'EVAL x 0'],
  ...['CLIENT LIST', 'CLIENT TRACKING on', 'PSUBSCRIBE *'],
  `SUBSCRIBE ${changedChannel(`${tenant}.other`)}`,
  `PUBLISH ${rejectedChannel(`${tenant}.other`)} x`,
  `PUBLISH ${changedChannel(tenant)} x`,
]

const workable = [
  ...workerKeys.map((key) => `DEL ${key}`),
  'EVALSHA x 0',
  'EVAL x 0',
  'SCAN 0',
  'INFO',
  'XADD perennial:events * id x',
  `PUBLISH ${changedChannel('tenant')} x`,
  `PSUBSCRIBE ${rejectedChannels}`,
]

const unworkable = [
  'GET other',
  'SET perennial:other x',
  'KEYS *',
  'FLUSHALL',
  'CONFIG GET *',
  'CLIENT LIST',
  'MONITOR',
]
