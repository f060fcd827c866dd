import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessKey, statusKey } from '../../packages/reader/src/format.ts'
import { createReader } from '../../packages/reader/src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { runChild } from '../../src/dev/child.ts'
import { freePort, type RedisServer, startRedis } from '../../src/dev/servers.ts'
import { passwordHash, workerUser } from '../../src/store/acl.ts'
import { connect, ready } from '../../src/store/connection.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'
import { Store } from '../../src/store/store.ts'
import { perennial } from '../cli/run.ts'
import { here, setOf } from '../store/redis.ts'
import { bothServers } from '../store/servers.ts'

const passwords = { worker: 'worker-pw-canary', acme: 'acme-pw-canary', acme2: 'acme2-pw-canary' }
const [own, other] = ['acme/app/alice', 'acme2/app/bob']
const [ownGrant, otherGrant] = ['perennial:grant:acme:{app/alice}', 'perennial:grant:acme2:{app/bob}']

test.each(await scripts())('the worker may run every command of %s', async (_name, commands) => {
  expect(commands).not.toEqual([])
  for (const command of commands) expect(workerUser('worker', []).rules).toContain(`+${command}`)
})

async function scripts(): Promise<[string, string[]][]> {
  const folder = join(import.meta.dirname, '../../src/store/scripts')
  return await Promise.all(
    (await readdir(folder)).map(async (name): Promise<[string, string[]]> => {
      const calls = (await readFile(join(folder, name), 'utf8')).matchAll(/redis\.p?call\('(\w+)'/g)
      return [name, [...calls].map(([, command = '']) => command.toLowerCase())]
    }),
  )
}

describe.each(await bothServers())('the users that perennial acl prints, on $name', ({ binary }) => {
  let dir: string
  let server: RedisServer
  let admin: Awaited<ReturnType<typeof login>>
  let asReader: Awaited<ReturnType<typeof login>>
  let asWorker: Awaited<ReturnType<typeof login>>
  const masterKey = newSealingKey()
  const ends: (() => unknown)[] = []

  async function login(user?: 'worker' | 'acme' | 'acme2') {
    const client = createClient({
      url: user === undefined ? server.url : url(user),
      disableClientInfo: true,
      maintNotifications: 'disabled',
      socket: { reconnectStrategy: false },
    })
    client.on('error', () => {})
    ends.push(() => client.isOpen && client.destroy())
    return await client.connect()
  }
  const url = (user: 'worker' | 'acme' | 'acme2') => {
    const address = new URL(server.url)
    address.username = user === 'worker' ? user : `reader-${user}`
    address.password = passwords[user]
    return address.href
  }
  const cli = (...args: string[]) =>
    perennial([...args, '--config', join(dir, 'perennial.yaml')], {
      cwd: dir,
      env: { REDIS_URL: url('worker'), GRANT: newSealingKey(), READER: masterKey },
    })

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'perennial-acl-'))
    server = await startRedis({ binary, dir })
    await writeFile(
      join(dir, 'perennial.yaml'),
      `redis: { url: { env: REDIS_URL } }
keys: { grant: [{ env: GRANT }], reader: [{ env: READER }] }
readers: { tenants: { acme: { passwordHashes: [${passwordHash(passwords.acme)}] }, acme2: { passwordHashes: [${passwordHash(passwords.acme2)}] } } }
`,
    )
    admin = await login()
    const { code, stdout } = await cli('acl')
    expect(code).toBe(0)
    for (const line of stdout.trim().split('\n')) expect(String(await admin.sendCommand(line.split(' ')))).toBe('OK')
    await beginBoth()
    asReader = await login('acme')
    asWorker = await login('worker')
  })
  afterAll(async () => {
    for (const end of ends) await end()
    await server?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  /** A token set of each tenant, sealed with its key and written by the worker's user. */
  async function beginBoth(): Promise<void> {
    const redis = connect(url('worker'), 'worker', () => {})
    ends.push(() => redis.destroy())
    await ready(redis)
    const store = new Store(redis)
    for (const credential of [own, other]) {
      const key = readerKey(sealingKey(masterKey), credential.split('/')[0] ?? '')
      const expiresAtMs = Date.now() + 600_000
      const document = { credential, family: 'f1', generation: 1, access_token: 'AT', token_type: 'Bearer' }
      const text = JSON.stringify({ ...document, expires_at: new Date(expiresAtMs).toISOString() })
      const value = seal(text, key, { cred: credential, family: 'f1', gen: 1 })
      expect(await store.write(here, setOf(credential, { access: { value, expiresAtMs } }))).toMatchObject({
        verdict: 'written',
      })
    }
  }

  test('name no password, and hold nothing of one but its hash', async () => {
    const printed = [await cli('acl'), await cli('acl', '--file'), await cli('acl', '--json')]
    for (const { stdout, stderr } of printed) {
      for (const password of Object.values(passwords)) expect(stdout + stderr).not.toContain(password)
      for (const password of Object.values(passwords)) expect(stdout).toContain(passwordHash(password))
    }
  })

  test('are one for workers, and one for the readers of each tenant that is named', async () => {
    const lines = (await cli('acl', '--json', '--tenant', 'acme', 'new')).stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ name: 'worker', role: 'worker' }),
      expect.objectContaining({ name: 'reader-acme', tenant: 'acme', passwordHashes: [passwordHash(passwords.acme)] }),
      expect.objectContaining({ name: 'reader-new', tenant: 'new', passwordHashes: [] }),
      expect.objectContaining({ name: 'reader-acme2', role: 'reader', tenant: 'acme2' }),
    ])
    expect(await cli('acl', '--tenant', 'acme:{x')).toMatchObject({ code: 2, stdout: '' })
  })

  test('a reader reads its own tokens, hears of them, and tells of refused ones; the server refuses it nothing', async () => {
    await admin.sendCommand(['ACL', 'LOG', 'RESET'])
    const reader = createReader({
      redis: url('acme'),
      keys: [readerKeyText(readerKey(sealingKey(masterKey), 'acme'))],
    })
    ends.push(() => reader.close())
    expect(await reader.get(own)).toMatchObject({ accessToken: 'AT', generation: 1 })
    await expect(reader.get('acme/app/nobody')).rejects.toMatchObject({ code: 'credential_not_found' })
    const heard: string[] = []
    const listener = await login('acme')
    await listener.subscribe('perennial:changed:acme', (message) => heard.push(message))
    await asWorker.publish('perennial:changed:acme', 'app/alice 2')
    await expect.poll(() => heard).toEqual(['app/alice 2'])
    const rejected: string[] = []
    const workers = await login('worker')
    await workers.pSubscribe('perennial:rejected:*', (message, channel) => rejected.push(`${channel} ${message}`))
    await asReader.publish('perennial:rejected:acme', 'app/alice 1')
    await expect.poll(() => rejected).toEqual(['perennial:rejected:acme app/alice 1'])
    const keys = [accessKey(own), statusKey(own)]
    expect(await asReader.sendCommand(['MGET', ...keys])).toEqual([expect.any(String), expect.any(String)])
    expect(await asReader.sendCommand(['EXISTS', ...keys])).toBe(2)
    for (const command of ['TIME', 'PING', `PTTL ${keys[0]}`, `PEXPIRETIME ${keys[0]}`, 'CLUSTER SLOTS', 'ROLE'])
      await asReader.sendCommand(command.split(' ')).catch((error: Error) => expect(error.message).toMatch(/cluster/))
    expect(await admin.sendCommand(['ACL', 'LOG'])).toEqual([])
  })

  test('a reader is told that it may not, of the tokens of another tenant', async () => {
    const reader = createReader({ redis: url('acme') })
    ends.push(() => reader.close())
    await expect(reader.get(other)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('NOPERM'),
    })
  })

  const [access, status] = [accessKey(own), statusKey(own)]
  const [otherAccess, otherStatus] = [accessKey(other), statusKey(other)]
  const denials: Record<string, string[]> = {
    'read another tenant': [
      ...[`GET ${otherAccess}`, `GET ${otherStatus}`, `MGET ${access} ${otherAccess}`, `EXISTS ${otherAccess}`],
      ...[`PTTL ${otherAccess}`, `PEXPIRETIME ${otherAccess}`, `GETRANGE ${otherAccess} 0 -1`, `DUMP ${otherAccess}`],
      ...[`COPY ${otherAccess} ${access}`, `RENAME ${otherAccess} ${access}`, `LCS ${access} ${otherAccess}`],
    ],
    'read a grant, or what else is the workers': [
      ...[`HGETALL ${ownGrant}`, `HGET ${ownGrant} grant`, `GET ${ownGrant}`, `MGET ${access} ${ownGrant}`],
      ...[
        `EXISTS ${ownGrant}`,
        `PTTL ${ownGrant}`,
        `HGETALL ${otherGrant}`,
        `SORT ${access} BY nosort GET ${ownGrant}`,
      ],
      ...['GET perennial:epoch', 'GET perennial:client:app:refused', 'HGETALL perennial:gate:{p/host}'],
      ...['XRANGE perennial:events - +', 'XREAD STREAMS perennial:events 0', 'XLEN perennial:events'],
    ],
    'list keys': [
      ...['KEYS *', 'KEYS perennial:access:acme:*', 'SCAN 0', 'SCAN 0 MATCH perennial:access:acme:*', 'DBSIZE'],
      ...[
        'RANDOMKEY',
        `OBJECT ENCODING ${access}`,
        `MEMORY USAGE ${access}`,
        `TYPE ${access}`,
        'INFO',
        'INFO keyspace',
      ],
      ...['CLUSTER GETKEYSINSLOT 0 10', 'CLUSTER COUNTKEYSINSLOT 0'],
    ],
    write: [
      ...[
        `SET ${access} x`,
        `SETEX ${access} 9 x`,
        `GETSET ${access} x`,
        `APPEND ${access} x`,
        `SETRANGE ${access} 0 x`,
      ],
      ...[`DEL ${access}`, `UNLINK ${access}`, `GETDEL ${access}`, `GETEX ${access} PERSIST`, `EXPIRE ${access} 9`],
      ...[`PERSIST ${access}`, `RENAME ${access} x`, `COPY ${access} x`, `MOVE ${access} 1`, `RESTORE ${access} 0 x`],
      ...[`SET ${status} x`, `DEL ${status}`, `HSET ${ownGrant} gen 9`, `DEL ${ownGrant}`, `SET ${otherAccess} x`],
      ...['SET x 1', 'SET perennial:access:acme x', 'XADD perennial:events * id 1', 'SET perennial:epoch 0'],
      ...['FLUSHALL', 'FLUSHDB', 'SWAPDB 0 1', 'SELECT 1', 'MIGRATE 127.0.0.1 1 x 0 1'],
    ],
    track: [
      ...['CLIENT TRACKING ON', 'CLIENT TRACKING ON BCAST', 'CLIENT TRACKING ON BCAST PREFIX perennial:access:acme:'],
      ...['CLIENT CACHING YES', 'CLIENT TRACKINGINFO', 'MONITOR'],
    ],
    'hear of others': [
      ...['SUBSCRIBE perennial:changed:acme2', 'SUBSCRIBE perennial:changed:acm', 'PSUBSCRIBE *', 'SUBSCRIBE other'],
      ...['PSUBSCRIBE perennial:changed:*', 'PSUBSCRIBE perennial:changed:acme*', 'PSUBSCRIBE perennial:changed:acme'],
      ...['SUBSCRIBE perennial:rejected:acme', 'SUBSCRIBE perennial:rejected:acme2', 'PSUBSCRIBE perennial:rejected:*'],
      ...['SSUBSCRIBE perennial:changed:acme2', 'SUBSCRIBE __keyevent@0__:set', 'PUBSUB CHANNELS', 'PUBSUB NUMPAT'],
    ],
    'publish elsewhere': [
      ...[
        'PUBLISH perennial:rejected:acme2 x',
        'PUBLISH perennial:changed:acme x',
        'PUBLISH perennial:changed:acme2 x',
      ],
      ...['SPUBLISH perennial:rejected:acme x', 'PUBLISH other x', 'PUBLISH __keyevent@0__:set x'],
    ],
    'run scripts or rule the server': [
      ...[
        'EVAL return(1) 0',
        `EVALSHA ${'0'.repeat(40)} 0`,
        'EVAL_RO return(1) 0',
        'SCRIPT LOAD return(1)',
        'FCALL x 0',
      ],
      ...['FUNCTION LIST', 'CONFIG GET *', 'CONFIG SET save x', 'ACL LIST', 'ACL WHOAMI', 'ACL USERS', 'ACL LOG'],
      ...[
        'ACL SETUSER reader-acme +@all',
        'ACL GETUSER worker',
        'ACL DRYRUN worker GET x',
        'CLIENT LIST',
        'CLIENT INFO',
      ],
      ...['CLIENT KILL ID 1', 'CLIENT PAUSE 9', 'CLIENT NO-EVICT ON', 'SHUTDOWN NOSAVE', 'SAVE', 'BGSAVE'],
      ...[
        'SLOWLOG GET',
        'LATENCY LATEST',
        'COMMAND',
        'REPLICAOF NO ONE',
        'PSYNC ? -1',
        'SYNC',
        'FAILOVER',
        'MODULE LIST',
      ],
      ...['CLUSTER RESET', 'CLUSTER NODES', 'MULTI', 'WATCH x', 'WAIT 0 0', 'LOLWUT'],
    ],
  }

  test.each(Object.entries(denials))('a reader cannot %s', async (_what, commands) => {
    const before = await contents()
    const outcomes: Record<string, string> = {}
    for (const command of commands) outcomes[command] = await outcomeOf(asReader, command)
    expect(Object.entries(outcomes).filter(([, outcome]) => outcome !== 'NOPERM')).toEqual([])
    expect(await contents()).toEqual(before)
  })

  test('a worker cannot go beyond its keys and its channels, by a script neither, and does not rule the server', async () => {
    const commands = [
      ...['GET other', 'SET perennial:other x', 'GET perennial:accesses', 'KEYS *', 'FLUSHALL', 'FLUSHDB', 'DBSIZE'],
      ...['CONFIG GET *', 'CONFIG SET save x', 'CLIENT LIST', 'CLIENT KILL ID 1', 'CLIENT TRACKING ON', 'MONITOR'],
      ...['ACL LIST', 'ACL GETUSER worker', 'ACL SETUSER worker +@all', 'ACL USERS', 'ACL LOG', 'SHUTDOWN'],
      ...['SCRIPT FLUSH', 'SCRIPT LOAD return(1)', 'FUNCTION LIST', 'RESTORE x 0 x', 'REPLICAOF NO ONE', 'SELECT 1'],
      ...[
        'PUBLISH other x',
        'SUBSCRIBE other',
        'PSUBSCRIBE *',
        'PSUBSCRIBE perennial:*',
        'RENAME x y',
        'MIGRATE h 1 x 0 1',
      ],
      ...["EVAL return(redis.call('GET','other')) 0", "EVAL return(redis.call('KEYS','*')) 0"],
      ...["EVAL return(redis.call('PUBLISH','other','x')) 0", 'EVAL return(1) 1 other'],
    ]
    const before = await contents()
    const outcomes: Record<string, string> = {}
    for (const command of commands) outcomes[command] = await outcomeOf(asWorker, command)
    // as the two servers say it of a script
    const refused = /^NOPERM|executing the script can't (run|access|publish)|^ERR ACL failure in script/
    expect(Object.entries(outcomes).filter(([, outcome]) => !refused.test(outcome))).toEqual([])
    expect(await contents()).toEqual(before)
  })

  test('nobody gets in by the password of another', async () => {
    const crossed = new URL(url('acme'))
    crossed.password = passwords.acme2
    const client = createClient({ url: crossed.href, socket: { reconnectStrategy: false } })
    client.on('error', () => {})
    await expect(client.connect()).rejects.toThrow(/WRONGPASS/)
  })

  test('applied again they take back whatever was allowed meanwhile', async () => {
    await admin.sendCommand(['ACL', 'SETUSER', 'reader-acme', '~*', '+@all', '&*', '(~* +@all)', '>another'])
    expect(await outcomeOf(asReader, 'KEYS *')).not.toBe('NOPERM')
    const line = (await cli('acl')).stdout.split('\n').find((one) => one.includes(' reader-acme '))
    await admin.sendCommand((line ?? '').split(' '))
    expect(await outcomeOf(asReader, 'KEYS *')).toBe('NOPERM')
    // a user whose passwords are not known keeps them
    const bare = (await cli('acl', '--tenant', 'new')).stdout.split('\n').find((one) => one.includes(' reader-new '))
    await admin.sendCommand(['ACL', 'SETUSER', 'reader-new', 'on', '>first', '~*', '+@all', '(~* +@all)'])
    await admin.sendCommand((bare ?? '').split(' '))
    const address = new URL(server.url)
    Object.assign(address, { username: 'reader-new', password: 'first' })
    const client = createClient({ url: address.href, disableClientInfo: true, maintNotifications: 'disabled' })
    ends.push(() => client.destroy())
    await client.connect()
    expect(await outcomeOf(client, 'KEYS *')).toBe('NOPERM')
    expect(await outcomeOf(client, 'GET other')).toBe('NOPERM')
  })

  test('perennial doctor finds them as they should be, and says what is wrong where they are not', async () => {
    const users = async () =>
      (await cli('doctor', '--json')).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { check: string; status: string; message: string; fix?: string })
        .filter(({ check }) => check.startsWith('redis user'))
    // the administrator of this test is the user default
    await admin.sendCommand(['ACL', 'SETUSER', 'default', 'resetpass', '>admin-pw'])
    try {
      expect((await users()).map(({ check, status, message }) => `${status} ${check}: ${message}`)).toEqual([
        'ok redis user worker: may do its work',
        'ok redis user reader-acme: reads acme alone',
        'ok redis user reader-acme2: reads acme2 alone',
      ])
      await admin.sendCommand(['ACL', 'SETUSER', 'reader-acme', '%R~perennial:grant:*', '+keys', '+hgetall'])
      await admin.sendCommand(['ACL', 'SETUSER', 'worker', '-xadd'])
      await admin.sendCommand(['ACL', 'DELUSER', 'reader-acme2'])
      const [worker, acme, acme2] = await users()
      expect(worker).toMatchObject({ status: 'fail', message: 'may not XADD perennial:events * id x' })
      expect(acme).toMatchObject({
        status: 'fail',
        message: expect.stringMatching(
          /^may GET perennial:grant:acme.other:\S+, may HGETALL perennial:grant:acme:\S+, may KEYS/,
        ),
        fix: 'apply the line of reader-acme that perennial acl prints',
      })
      expect(acme2).toMatchObject({ status: 'fail', message: 'Redis does not know this user' })
      await admin.sendCommand(['ACL', 'SETUSER', 'worker', '-acl'])
      expect(await users()).toContainEqual(
        expect.objectContaining({ status: 'warn', message: expect.stringMatching(/could not be looked at: .*NOPERM/) }),
      )
    } finally {
      await admin.sendCommand(['ACL', 'SETUSER', 'default', 'nopass'])
      for (const line of (await cli('acl')).stdout.trim().split('\n')) await admin.sendCommand(line.split(' '))
    }
    expect(await users()).toContainEqual(
      expect.objectContaining({ status: 'warn', message: expect.stringMatching(/lets in whoever gives no name/) }),
    )
  })

  test('as an ACL file they are taken by a server that starts with it', async () => {
    const aclFile = join(dir, 'users.acl')
    await writeFile(aclFile, (await cli('acl', '--file')).stdout)
    const port = await freePort()
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, '--aclfile', aclFile]
    const child = await runChild({ command: binary, args, logFile: join(dir, 'second.log') })
    try {
      await expect.poll(() => readFile(join(dir, 'second.log'), 'utf8')).toContain('Ready to accept connections')
      const address = new URL(url('acme'))
      address.port = String(port)
      const client = createClient({ url: address.href, disableClientInfo: true, maintNotifications: 'disabled' })
      ends.push(() => client.isOpen && client.destroy())
      await client.connect()
      expect(await client.get(access)).toBe(null)
      expect(await outcomeOf(client, `GET ${otherAccess}`)).toBe('NOPERM')
      client.destroy()
    } finally {
      await child.stop()
    }
  })

  async function contents(): Promise<Record<string, unknown>> {
    const keys = (await admin.keys('*')).sort()
    const dumps = await Promise.all(keys.map((key) => admin.sendCommand(['DUMP', key])))
    return Object.fromEntries(keys.map((key, index) => [key, String(dumps[index])]))
  }
})

/** `NOPERM`, another error, or what it answered. */
async function outcomeOf(client: { sendCommand(args: string[]): Promise<unknown> }, command: string): Promise<string> {
  try {
    return `answered ${JSON.stringify(await client.sendCommand(command.split(' ')))}`
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown'
    return message.startsWith('NOPERM') ? 'NOPERM' : message
  }
}
