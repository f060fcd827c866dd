import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Connection } from '@temporalio/client'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { polls } from '../deploy/healthcheck.ts'
import { createReader } from '../packages/reader/src/index.ts'
import { checkRedis } from '../src/cli/checks/redis.ts'
import { findRedis, findTemporal, packageRoot } from '../src/dev/binaries.ts'
import { runChild } from '../src/dev/child.ts'
import { freePort, startTemporal, type TemporalServer } from '../src/dev/servers.ts'
import { readerUser, workerUser } from '../src/store/acl.ts'
import { connect } from '../src/store/connection.ts'
import { Store } from '../src/store/store.ts'
import { workflowQueue } from '../src/workflows/messages.ts'

const root = packageRoot()
const run = promisify(execFile)
const scratch = mkdtempSync(join(tmpdir(), 'perennial-deploy-servers-'))
const ends: (() => unknown)[] = []
afterAll(async () => {
  for (const end of ends.reverse()) await end()
  rmSync(scratch, { recursive: true, force: true })
})

const passwords = { worker: 'worker-password', reader: 'reader-password' }
const template = join(root, 'deploy/redis/users.acl.template')

/** What render-acl.sh prints with the passwords above. */
async function renderAcl(folder = secretsFolder(passwords)): Promise<string> {
  return (await run('sh', [join(root, 'deploy/redis/render-acl.sh'), template, folder])).stdout
}

function secretsFolder(secrets: { worker: string; reader: string }): string {
  const folder = mkdtempSync(join(scratch, 'secrets-'))
  for (const [user, password] of Object.entries(secrets))
    writeFileSync(join(folder, `redis-${user}-password`), password)
  return folder
}

/** The server of docker-compose.yml, with one user more, who may look at the rules and at what they refused. */
async function startComposedRedis(): Promise<number> {
  const binary = await findRedis()
  const aclFile = join(scratch, 'users.acl')
  writeFileSync(aclFile, `${await renderAcl()}user auditor on nopass resetchannels -@all +acl|dryrun +acl|log\n`)
  const dir = join(scratch, 'data')
  mkdirSync(dir)
  const port = await freePort()
  const args = [join(root, 'deploy/redis/redis.conf'), '--dir', dir, '--aclfile', aclFile]
  const logFile = join(scratch, 'redis.log')
  const server = await runChild({
    command: binary,
    args: [...args, '--bind', '127.0.0.1', '--port', String(port)],
    logFile,
  })
  ends.push(() => server.stop())
  await vi.waitFor(() => expect(readFileSync(logFile, 'utf8')).toContain('Ready to accept connections'), 10_000)
  return port
}

async function client(url: string) {
  const redis = createClient({ url, socket: { reconnectStrategy: false } })
  redis.on('error', () => {})
  await redis.connect()
  ends.push(() => redis.destroy())
  return redis
}

describe('the Redis of docker-compose.yml', () => {
  let port: number
  let auditor: Awaited<ReturnType<typeof client>>
  const url = (user: 'worker' | 'reader') => `redis://${user}:${passwords[user]}@127.0.0.1:${port}`
  const dryRun = async (user: string, command: string) =>
    String(await auditor.sendCommand(['ACL', 'DRYRUN', user, ...command.split(' ')]))

  beforeAll(async () => {
    port = await startComposedRedis()
    auditor = await client(`redis://auditor:any@127.0.0.1:${port}`)
  })

  test('lets the worker write and the reader read, and refuses neither anything that they send', async () => {
    const redis = connect(url('worker'), 'perennial-worker', () => {})
    const store = new Store(redis)
    ends.push(() => store.close())
    await expect.poll(() => redis.isReady).toBe(true)
    await expectWholeLife(store, url('reader'))
    const log = (await auditor.sendCommand(['ACL', 'LOG'])) as unknown as { username: string; object: string }[]
    expect(log.filter(({ username }) => username !== 'auditor')).toEqual([])
  })

  test('satisfies perennial doctor, asked as the worker', async () => {
    expect((await checkRedis(url('worker'))).map(({ status, message }) => `${status}: ${message}`)).toEqual([
      expect.stringMatching(/^ok: Redis at .* answers/),
      'ok: scripts run and may write',
      'ok: the append-only file is on',
      'ok: nothing is evicted',
    ])
  })

  test('has the rules that perennial acl prints; its reader serves every tenant', () => {
    const lines = readFileSync(template, 'utf8').split('\n')
    const rules = (user: string) =>
      lines.find((line) => line.startsWith(`user ${user} `))?.replace(/^.* resetchannels (?=[~%])/, '')
    expect(rules('worker')).toBe(workerUser('worker', []).rules.join(' '))
    expect(rules('reader')).toBe(readerUser('*', []).rules.join(' ').replaceAll(':*:*', ':*'))
  })

  test.each([
    ['reader', 'GET perennial:access:acme:{app/alice}'],
    ['reader', 'SUBSCRIBE perennial:changed:acme'],
    ['worker', 'XADD perennial:events * type refreshed'],
    ['worker', 'SET perennial:epoch 1'],
    ['worker', 'SET perennial:client:app:probe 1'],
    ['worker', 'ZADD perennial:gate:{google/id.example}:held 1 x'],
    ['worker', 'SCAN 0'],
    ['worker', 'PUBLISH perennial:changed:acme x'],
    ['worker', 'PSUBSCRIBE perennial:rejected:*'],
    ['reader', 'PUBLISH perennial:rejected:acme x'],
  ])('lets the %s do: %s', async (user, command) => {
    expect(await dryRun(user, command)).toBe('OK')
  })

  test.each([
    ...['GET perennial:grant:acme:{app/alice}', 'HGETALL perennial:grant:acme:{app/alice}', 'GET perennial:epoch'],
    ...['SET perennial:access:acme:{app/alice} x', 'DEL perennial:status:acme:{app/alice}', 'SCAN 0', 'KEYS *'],
    ...['PUBLISH perennial:changed:acme x', 'SUBSCRIBE other', 'PSUBSCRIBE *', 'CLIENT TRACKING on', 'INFO'],
    ...['EVAL return 0', 'MONITOR', 'CONFIG GET *', 'ACL LIST', 'FLUSHALL'],
  ])('refuses the reader: %s', async (command) => {
    expect(await dryRun('reader', command)).not.toBe('OK')
  })

  test.each([
    ...['GET other', 'SET perennial:other 1', 'PUBLISH other x', 'KEYS *', 'FLUSHALL', 'FLUSHDB', 'CONFIG SET save x'],
    ...['CLIENT KILL ID 1', 'CLIENT LIST', 'MONITOR', 'ACL SETUSER x', 'DEBUG SLEEP 1', 'SHUTDOWN', 'SCRIPT FLUSH'],
  ])('refuses the worker: %s', async (command) => {
    expect(await dryRun('worker', command)).not.toBe('OK')
  })

  test('lets nobody in who gives no name, or a wrong password', async () => {
    for (const login of ['', ':worker-password@', 'worker:reader-password@', 'worker@']) {
      const stranger = createClient({ url: `redis://${login}127.0.0.1:${port}`, socket: { reconnectStrategy: false } })
      stranger.on('error', () => {})
      await expect(stranger.connect().then(() => stranger.ping())).rejects.toThrow(/NOAUTH|WRONGPASS/)
      if (stranger.isOpen) stranger.destroy()
    }
  })

  test('keeps an append-only file and throws nothing out', async () => {
    const info = await (await client(url('worker'))).info()
    expect(info).toContain('aof_enabled:1')
    expect(info).toContain('maxmemory_policy:noeviction')
  })

  test('is not started without a password', async () => {
    await expect(renderAcl(secretsFolder({ ...passwords, reader: '' }))).rejects.toThrow(
      /redis-reader-password is empty/,
    )
  })
})

/** Every method of the store, and what a reader makes of it. */
async function expectWholeLife(store: Store, readerUrl: string): Promise<void> {
  const credential = 'acme/app/alice'
  const at = new Date().toISOString()
  const owner = { namespace: 'perennial', run: 'run' }
  const { nowMs } = await store.read(credential)
  const expiresAtMs = nowMs + 60_000
  const access = { credential, family: 'f', generation: 1, access_token: 'token', token_type: 'Bearer' }
  const value = JSON.stringify({ ...access, expires_at: new Date(expiresAtMs).toISOString() })
  const status = { status: 'active' as const, since: at, generation: 1 }
  const reader = createReader({ redis: readerUrl })
  ends.push(() => reader.close())

  expect(await store.begin(credential, { owner, family: 'f', generation: 0 })).toMatchObject({ verdict: 'clear' })
  const set = { credential, family: 'f', generation: 1, writer: 'w', beganMs: nowMs, seeds: [], parameters: {}, status }
  expect(await store.write(owner, { ...set, access: { value, expiresAtMs } })).toMatchObject({ verdict: 'written' })
  expect(await reader.get(credential)).toMatchObject({ accessToken: 'token', generation: 1 })
  await store.announce(credential, { namespace: 'perennial', family: 'f', generation: 1, status })
  expect(await store.statuses([credential])).toMatchObject([{ status: 'active' }])
  await store.markClientRefused('app', 'invalid_client', 1_000)
  expect(await store.clientRefused('app')).toBe('invalid_client')
  await store.takeClientProbe('app', 1_000)
  await store.clearClientRefused('app', 'all')
  await store.ping()
  expect(await store.fence({ credential, status: { ...status, status: 'revoked' } })).toMatchObject({
    verdict: 'fenced',
  })
  await expect(reader.get(credential, { fresh: true })).rejects.toMatchObject({ code: 'credential_revoked' })
}

describe('the Temporal of docker-compose.yml', () => {
  let server: TemporalServer
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    const binary = await findTemporal()
    const bin = join(scratch, 'bin')
    mkdirSync(bin)
    symlinkSync(binary, join(bin, 'temporal'))
    server = await startTemporal({ binary, headless: true, searchAttributes: false })
    ends.push(() => server.stop())
    // nothing of whoever runs this: a Temporal profile of theirs would change where the commands go
    env = { PATH: `${bin}:${process.env.PATH}`, HOME: scratch }
    Object.assign(env, { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'perennial' })
  })
  const register = (added: NodeJS.ProcessEnv = {}) =>
    run('sh', [join(root, 'deploy/temporal/register.sh')], { env: { ...env, ...added } })
  const health = () => run(process.execPath, [join(root, 'deploy/healthcheck.ts')], { env })

  test('register.sh makes the namespace with the search attributes, and completes what is there in part', async () => {
    await register()
    await register({ TEMPORAL_NAMESPACE: 'default' })
    const partly = { ...env, TEMPORAL_NAMESPACE: 'partly' }
    await run('temporal', ['operator', 'namespace', 'create', '--namespace', 'partly'], { env })
    const add = ['operator', 'search-attribute', 'create', '--name', 'CredentialStatus', '--type', 'Keyword']
    await expect.poll(() => run('temporal', add, { env: partly }), { timeout: 30_000 }).toBeDefined()
    await register({ TEMPORAL_NAMESPACE: 'partly' })
    await register()
    for (const namespace of ['perennial', 'default', 'partly']) {
      const list = ['operator', 'search-attribute', 'list', '--namespace', namespace]
      const { stdout } = await run('temporal', list, { env })
      for (const name of ['Status', 'Provider', 'Client', 'Tenant'])
        expect(stdout).toMatch(new RegExp(`Credential${name} +Keyword`))
    }
  }, 120_000)

  test('register.sh gives up, and says so, where there is no server', async () => {
    const nowhere = { TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`, PATIENCE_SECONDS: '3' }
    await expect(register(nowhere)).rejects.toThrow(/gave up after 3 s/)
  })

  test('the worker is healthy exactly while Temporal hears from it', async () => {
    await register()
    await expect(health()).rejects.toThrow(/has not heard from a worker/)
    const connection = await Connection.connect({ address: server.address })
    const poll = { namespace: 'perennial', taskQueue: { name: workflowQueue }, identity: `7@${hostname()}` }
    const over = new AbortController()
    const polling = connection
      .withDeadline(Date.now() + 30_000, () =>
        connection.withAbortSignal(over.signal, () => connection.workflowService.pollWorkflowTaskQueue(poll)),
      )
      // ended by the abort below; had it failed before, the worker would not be healthy
      .catch(() => {})
    await vi.waitFor(health, { timeout: 20_000, interval: 500 })
    over.abort()
    await polling
    await connection.close()
  })

  test.each([
    ['it polled just now', '7@here', 0, true],
    ['it is in a long poll', '7@here', 70_000, true],
    ['it was last heard of three minutes ago', '7@here', 180_000, false],
    ['only another container polls', '7@there', 0, false],
    ['the name of another ends like this one', '7@not-here', 0, false],
  ])('healthy or not: %s', (_when, identity, agoMs, healthy) => {
    expect(polls([{ identity, lastAccessMs: 1_000_000 - agoMs }], 'here', 1_000_000)).toBe(healthy)
  })
})
