import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { createClient } from 'redis'
import { afterEach, describe, expect, test } from 'vitest'
import { accessKey, changedChannel } from '../../packages/reader/src/format.ts'
import { createReader, type Reader, type RedisLocation } from '../../packages/reader/src/index.ts'
import { findRedis } from '../../src/dev/binaries.ts'
import { freePort, startWhenReady } from '../../src/dev/servers.ts'

const id = 'acme/google-main/alice'
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Server {
  host: string
  port: number
  admin: ReturnType<typeof newAdmin>
  /** as a machine that loses its power */
  kill(): Promise<void>
  pid: number
}

function newAdmin(port: number) {
  const admin = createClient({ url: `redis://127.0.0.1:${port}`, disableClientInfo: true })
  admin.on('error', () => undefined)
  return admin
}

/** A server with a configuration of the test's own. */
async function startServer(configuration: string[], args: string[] = []): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), 'perennial-topology-'))
  const port = await freePort()
  await mkdir(join(dir, 'data'))
  const file = join(dir, 'server.conf')
  await writeFile(file, ['bind 127.0.0.1', `port ${port}`, `dir ${join(dir, 'data')}`, ...configuration, ''].join('\n'))
  const admin = newAdmin(port)
  const server = await startWhenReady({
    name: 'Redis',
    command: { command: await findRedis(), args: [file, ...args] },
    options: {},
    ready: () => listens(port),
  })
  await admin.connect()
  ends.push(async () => {
    admin.destroy()
    await server.stop(2_000)
    await rm(dir, { recursive: true, force: true })
  })
  const kill = async () => {
    process.kill(server.pid, 'SIGKILL')
    await server.exited
  }
  return { host: '127.0.0.1', port, admin, kill, pid: server.pid }
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })

function reader(redis: RedisLocation): Reader {
  const made = createReader({ redis })
  ends.push(() => made.close())
  return made
}

const document = (credential: string, generation: number) =>
  JSON.stringify({
    credential,
    family: 'f1',
    generation,
    access_token: `token-${generation}`,
    token_type: 'Bearer',
    expires_at: new Date(Date.now() + 600_000).toISOString(),
  })

const poll = { timeout: 20_000, interval: 50 }

describe('with Sentinel', () => {
  async function startSentinel() {
    const master = await startServer(['save ""', 'repl-diskless-sync-delay 0'])
    const replica = await startServer(['save ""', `replicaof 127.0.0.1 ${master.port}`])
    await expect.poll(() => replica.admin.info('replication'), poll).toContain('master_link_status:up')
    const sentinel = await startServer(
      [
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds main 500',
        'sentinel failover-timeout main 3000',
      ],
      ['--sentinel'],
    )
    // a sentinel learns of replicas from the master, and fails over to none that it does not know
    await expect
      .poll(async () => JSON.stringify(await sentinel.admin.sendCommand(['SENTINEL', 'REPLICAS', 'main'])), poll)
      .toContain(String(replica.port))
    return { master, replica, sentinel }
  }

  const write = async ({ admin }: Server, generation: number) => {
    await admin.set(accessKey(id), document(id, generation))
    await admin.publish(changedChannel('acme'), `google-main/alice ${generation}`)
  }

  test('the master is read, and after its death the one that takes over', async () => {
    const { master, replica, sentinel } = await startSentinel()
    await write(master, 1)
    // one sentinel of those that are named is gone
    const nodes = [{ host: '127.0.0.1', port: await freePort() }, sentinel]
    const tokens = reader({ sentinel: { name: 'main', nodes } })
    expect(await tokens.get(id)).toMatchObject({ generation: 1, stale: false })
    await write(master, 2)
    await expect.poll(() => tokens.get(id), poll).toMatchObject({ generation: 2, stale: false })
    await expect.poll(() => replica.admin.get(accessKey(id)), poll).toContain('token-2')

    const served: Promise<unknown>[] = []
    const asking = setInterval(() => served.push(tokens.get(id)), 20)
    await master.kill()
    await expect.poll(() => replica.admin.info('replication'), poll).toContain('role:master')
    await write(replica, 3)
    await expect.poll(() => tokens.get(id), poll).toMatchObject({ generation: 3, stale: false })
    clearInterval(asking)
    for (const { status } of await Promise.allSettled(served)) expect(status).toBe('fulfilled')
  })

  test('a master that hangs is left for the one that takes over, and not come back to', async () => {
    const { master, replica, sentinel } = await startSentinel()
    await write(master, 1)
    await expect.poll(() => replica.admin.get(accessKey(id)), poll).toContain('token-1')
    const tokens = reader({ sentinel: { name: 'main', nodes: [sentinel] } })
    await tokens.get(id)
    process.kill(master.pid, 'SIGSTOP')
    try {
      await expect.poll(() => replica.admin.info('replication'), poll).toContain('role:master')
      await write(replica, 2)
      await expect.poll(() => tokens.get(id), poll).toMatchObject({ generation: 2, stale: false })
    } finally {
      process.kill(master.pid, 'SIGCONT')
    }
    await write(replica, 3)
    await expect.poll(() => tokens.get(id), poll).toMatchObject({ generation: 3, stale: false })
  })

  test('an unknown master is said to be unknown', async () => {
    const { sentinel } = await startSentinel()
    await expect(reader({ sentinel: { name: 'other', nodes: [sentinel] } }).get(id)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('no master "other"'),
    })
  })
})

describe('with a cluster', () => {
  const slots = 16_384

  async function startCluster() {
    const nodes: Server[] = []
    for (let i = 0; i < 3; i++)
      nodes.push(
        await startServer([
          'save ""',
          'cluster-enabled yes',
          'cluster-require-full-coverage no',
          'cluster-node-timeout 1000',
        ]),
      )
    const [first] = nodes
    for (const [at, { admin, port }] of nodes.entries()) {
      const from = Math.floor((slots * at) / 3)
      const to = Math.floor((slots * (at + 1)) / 3) - 1
      await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)])
      if (at > 0) await first?.admin.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(port)])
    }
    for (const { admin } of nodes)
      await expect
        .poll(async () => String(await admin.sendCommand(['CLUSTER', 'INFO'])), poll)
        .toMatch(/cluster_state:ok[\s\S]*cluster_known_nodes:3/)
    return nodes
  }

  /** Where a credential is, and its write there, which tells the whole cluster. */
  async function write(nodes: readonly Server[], credential: string, generation: number): Promise<Server> {
    for (const node of nodes) {
      const written = await node.admin.set(accessKey(credential), document(credential, generation)).then(
        () => true,
        () => false,
      )
      if (!written) continue
      await node.admin.publish(changedChannel('acme'), `${credential.replace('acme/', '')} ${generation}`)
      return node
    }
    throw new Error('no node takes it')
  }

  test('each credential is read where it is, and every change is heard of', async () => {
    const nodes = await startCluster()
    const ids = Array.from({ length: 12 }, (_, i) => `acme/google-main/user-${i}`)
    const homes = new Set<Server>()
    for (const one of ids) homes.add(await write(nodes, one, 1))
    expect(homes.size).toBe(3)
    const tokens = reader({ cluster: nodes.slice(0, 1) })
    for (const one of ids) expect(await tokens.get(one)).toMatchObject({ generation: 1, stale: false })
    for (const one of ids) await write(nodes, one, 2)
    for (const one of ids) await expect.poll(() => tokens.get(one), poll).toMatchObject({ generation: 2, stale: false })
  })

  test('tokens in memory are served when a node dies, and those of the others are read again', async () => {
    const nodes = await startCluster()
    const ids = Array.from({ length: 12 }, (_, i) => `acme/google-main/user-${i}`)
    const homes = new Map<string, Server>()
    for (const one of ids) homes.set(one, await write(nodes, one, 1))
    const tokens = reader({ cluster: nodes })
    for (const one of ids) await tokens.get(one)
    const [dead] = nodes
    await dead?.kill()
    const served: Promise<unknown>[] = []
    for (let round = 0; round < 20; round++) {
      served.push(...ids.map((one) => tokens.get(one)))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    for (const { status } of await Promise.allSettled(served)) expect(status).toBe('fulfilled')
    const living = ids.filter((one) => homes.get(one) !== dead)
    for (const one of living) await write(nodes.slice(1), one, 2)
    for (const one of living)
      await expect.poll(() => tokens.get(one), poll).toMatchObject({ generation: 2, stale: false })
  })
})

test('over TLS, to a server whose certificate is trusted', async () => {
  const plain = await startServer(['save ""'])
  await plain.admin.set(accessKey(id), document(id, 1))
  const fixture = (name: string) => readFileSync(new URL(`../oauth/fixtures/${name}`, import.meta.url), 'utf8')
  const wrapped = createServer({ key: fixture('key.pem'), cert: fixture('cert.pem') }, (near) => {
    const far = connect(plain.port, plain.host)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => wrapped.listen(0, '127.0.0.1', resolve))
  ends.push(() => wrapped.close())
  const address = wrapped.address()
  const url = `rediss://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const trusting = { ca: fixture('cert.pem'), checkServerIdentity: () => undefined }
  expect(await reader({ url, socket: { tls: true, ...trusting } }).get(id)).toMatchObject({ generation: 1 })
  await expect(reader({ url }).get(id)).rejects.toMatchObject({ code: 'store_unavailable' })
})
