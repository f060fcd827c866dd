import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { runChild } from '../../src/dev/child.ts'
import { claimFolder } from '../../src/dev/claim.ts'
import { embeddedEnvironment, writeConfiguration } from '../../src/dev/configuration.ts'
import { openFolder } from '../../src/dev/folder.ts'
import { isAlive, parseStat, startTime } from '../../src/dev/processes.ts'
import { StackState } from '../../src/dev/state.ts'

let parent: string
let dir: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'perennial-folder-'))
  dir = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true }))

const mode = (path: string) => statSync(path).mode & 0o777

describe('the data folder', () => {
  test('is private, and so is every secret in it, which is made once', () => {
    const folder = openFolder(dir)
    const key = folder.secret('grant-key')
    const text = readFileSync(key, 'utf8')
    expect(Buffer.from(text, 'base64url')).toHaveLength(32)
    expect([mode(dir), mode(key)]).toEqual([0o700, 0o600])
    expect(readFileSync(openFolder(dir).secret('grant-key'), 'utf8')).toBe(text)
  })

  test('that holds other things is refused and left alone', () => {
    mkdirSync(dir, { mode: 0o755 })
    writeFileSync(join(dir, 'thesis.txt'), '')
    expect(() => openFolder(dir)).toThrow(expect.objectContaining({ code: 'data_folder_refused' }))
    expect(mode(dir)).toBe(0o755)
  })

  test('belongs to one process at a time, and a dead holder does not keep it', async () => {
    const folder = openFolder(dir)
    const release = claimFolder(folder)
    expect(() => claimFolder(folder)).toThrow(expect.objectContaining({ code: 'data_folder_in_use' }))
    release()
    const claim = join(dir, 'stack.json.claim')
    writeFileSync(claim, JSON.stringify({ pid: process.pid, started: 'before a reboot' }))
    claimFolder(folder)()
  })

  test('ports are none that an outgoing connection can take, which Linux gives from 32768 on', async () => {
    const folder = openFolder(dir)
    const ports = await Promise.all(Array.from({ length: 20 }, () => new StackState(folder).port('redis')))
    expect(ports.filter((port) => port >= 32_768 || port < 1_024)).toEqual([])
  })

  test('ports are those of last time as long as they are free', async () => {
    const folder = openFolder(dir)
    const port = await new StackState(folder).port('redis')
    expect(await new StackState(folder).port('redis')).toBe(port)
  })
})

describe('orphans', () => {
  test('are ended, and a process that got their pid later is not', async () => {
    const folder = openFolder(dir)
    const sleeper = () => runChild({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] })
    const [orphan, stranger] = await Promise.all([sleeper(), sleeper()])
    new StackState(folder).began('redis', orphan.pid)
    const recorded = JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8'))
    recorded.children.temporal = { pid: stranger.pid, started: 'long ago' }
    writeFileSync(join(dir, 'stack.json'), JSON.stringify(recorded))
    const said: string[] = []
    await new StackState(folder).endOrphans((line) => said.push(line))
    expect([orphan.pid, stranger.pid].map(isAlive)).toEqual([false, true])
    expect(said).toEqual([expect.stringContaining(`Redis (pid ${orphan.pid})`)])
    expect(JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')).children).toEqual({})
    await stranger.stop()
  })

  test.each([
    ['an ordinary process', `7 (node) S ${'0 '.repeat(18)}4711 0`, 'boot/4711'],
    ['a name with spaces and parentheses', `7 (a) b (c) S ${'0 '.repeat(18)}4711 0`, 'boot/4711'],
    ['a zombie', `7 (node) Z ${'0 '.repeat(18)}4711 0`, undefined],
    ['nothing', '', undefined],
  ])('the start time of %s is read', (_, stat, started) => expect(parseStat(stat, 'boot')).toBe(started))

  test('a process has a start time, and a pid without process has none', async () => {
    const child = await runChild({ command: process.execPath, args: ['-e', ''] })
    await child.exited
    expect(startTime(process.pid)).toBe(startTime(process.pid))
    expect(startTime(child.pid)).toBeUndefined()
  })
})

describe('the configuration', () => {
  test('of the demo can be loaded and holds no secret itself', async () => {
    const folder = openFolder(dir)
    const file = writeConfiguration(folder, { redisUrl: 'redis://:hush@127.0.0.1:1', demoPort: 4_000 }, undefined)
    const config = await loadConfig(file)
    expect(config.redis.url).toBe('redis://:hush@127.0.0.1:1')
    expect(config.clients.get('orchard')).toMatchObject({
      grant: 'refresh_token',
      provider: {
        rotation: 'single_use',
        clientAuth: 'client_secret_basic',
        tokenEndpoint: 'http://127.0.0.1:4000/token',
      },
    })
    expect(config.clients.get('orchard-m2m')?.grant).toBe('client_credentials')
    const text = readFileSync(file, 'utf8')
    for (const secret of ['hush', config.keys.grant[0], config.keys.reader[0]]) expect(text).not.toContain(secret)
    expect(mode(file)).toBe(0o600)
  })

  test("adds a user's clients; their literal secrets move into private files, relative paths keep their meaning", async () => {
    const own = join(parent, 'mine.yaml')
    writeFileSync(join(parent, 'kc-secret'), 'from-file\n')
    writeFileSync(
      own,
      `redis: { url: redis://elsewhere }
providers: { kc: { tokenEndpoint: 'https://id.example/token' } }
clients:
  app: { provider: kc, clientId: a, clientSecrets: [literal-secret, { file: ./kc-secret }, { env: HOME }] }
`,
    )
    const file = writeConfiguration(openFolder(dir), { redisUrl: 'redis://127.0.0.1:1', demoPort: 4_000 }, own)
    const config = await loadConfig(file)
    expect(config.redis.url).toBe('redis://127.0.0.1:1')
    expect([...config.clients.keys()].sort()).toEqual(['app', 'orchard', 'orchard-m2m'])
    expect(config.clients.get('app')?.clientSecrets).toEqual(['literal-secret', 'from-file', process.env.HOME])
    expect(readFileSync(file, 'utf8')).not.toContain('literal-secret')
    expect(mode(join(dir, 'secrets/literal-app-0'))).toBe(0o600)
  })

  test('a literal private key moves into a private file too, and a certificate keeps its place', async () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const cert = readFileSync(join(import.meta.dirname, '../oauth/fixtures/cert.pem'), 'utf8')
    writeFileSync(join(parent, 'cert.pem'), cert)
    const own = join(parent, 'mine.yaml')
    const provider = { tokenEndpoint: 'https://id.example/token', clientAuth: 'tls_client_auth' }
    const client = { provider: 'kc', clientId: 'a', privateKey, certificate: { file: './cert.pem' } }
    writeFileSync(own, JSON.stringify({ providers: { kc: provider }, clients: { app: client } }))
    const file = writeConfiguration(openFolder(dir), { redisUrl: 'redis://127.0.0.1:1' }, own)
    expect(readFileSync(file, 'utf8')).not.toContain('PRIVATE KEY')
    expect(mode(join(dir, 'secrets/literal-app-privateKey'))).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain(join(parent, 'cert.pem'))
  })

  test('with a mistake names it, and one that is missing or no YAML is one clear line without its text', async () => {
    const own = join(parent, 'mine.yaml')
    const write = () => writeConfiguration(openFolder(dir), { redisUrl: 'redis://127.0.0.1:1' }, own)
    expect(write).toThrow(/mine\.yaml cannot be read \(ENOENT\)/)
    writeFileSync(own, 'clients: [hush: "')
    expect(write).toThrow(/^(?!.*hush).*mine\.yaml cannot be read/s)
    writeFileSync(own, 'client: {}')
    await expect(loadConfig(write())).rejects.toThrow(/client.*clients/)
  })

  test('children see the embedded Temporal, whatever the environment says', () => {
    const environment = { HOME: '/h', TEMPORAL_ADDRESS: 'prod:7233', TEMPORAL_API_KEY: 'k', PERENNIAL_CONFIG: 'x' }
    const seen = { ...environment, ...embeddedEnvironment(environment, '/d/temporal.toml') }
    expect(JSON.parse(JSON.stringify(seen))).toEqual({ HOME: '/h', TEMPORAL_CONFIG_FILE: '/d/temporal.toml' })
  })
})
