import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessKey } from '../../packages/reader/src/format.ts'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'
import { install, installNode, npm, run, shell } from '../installed.ts'
import { startTestRedis, type TestRedis } from '../store/redis.ts'

const root = join(import.meta.dirname, '../..')
const home = join(root, 'packages/reader')
const id = 'acme/google-main/alice'
const key = newSealingKey()

describe('the package, installed alone in an empty project', { timeout: 300_000 }, () => {
  let dir: string
  let tarball: string
  let project: string
  let redis: TestRedis
  const nodeFolders = { 20: '', 22: '', 24: dirname(process.execPath) }

  /** Packing builds, and another test may be doing that in the place itself. */
  async function copyOfThePackage(): Promise<string> {
    const copy = join(dir, 'checkout/packages/reader')
    await cp(home, copy, { recursive: true, filter: (path) => !/\/(dist|test)$/.test(path) })
    await cp(join(root, 'tsconfig.json'), join(dir, 'checkout/tsconfig.json'))
    await symlink(join(root, 'node_modules'), join(dir, 'checkout/node_modules'))
    return copy
  }

  beforeAll(async () => {
    dir = await realpath(await mkdtemp(join(tmpdir(), 'perennial-reader-packed-')))
    const packed = join(dir, 'packed')
    await mkdir(packed)
    await npm(await copyOfThePackage(), 'pack', '--pack-destination', packed)
    tarball = join(packed, (await readdir(packed))[0] ?? 'missing')
    project = join(dir, 'project')
    await install(project, tarball)
    for (const version of [20, 22] as const)
      nodeFolders[version] = await installNode(join(dir, `node${version}`), version)
    redis = await startTestRedis()
    const document = {
      credential: id,
      family: 'f1',
      generation: 1,
      access_token: 'a-token-of-24-characters',
      token_type: 'Bearer',
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    }
    const sealed = seal(JSON.stringify(document), sealingKey(key), { cred: id, family: 'f1', gen: 1 })
    await redis.redis.set(accessKey(id), sealed)
  }, 300_000)

  afterAll(async () => {
    await redis?.stop()
    await rm(dir, { recursive: true })
  })

  test('is smaller than 60 KB', async () => {
    expect((await stat(tarball)).size).toBeLessThan(60_000)
  })

  test('brings redis along, and nothing else', async () => {
    expect(await readdir(join(project, 'node_modules/@perennial'))).toEqual(['reader'])
    const { stdout } = await npm(project, 'ls', '--all', '--parseable')
    const names = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
    const ofRedis = /^(redis|@redis\/[a-z-]+|cluster-key-slot|@perennial\/reader)$/
    expect(names).toContain('redis')
    expect(names.filter((name) => !ofRedis.test(name))).toEqual([])
  })

  const blocks = async () => {
    const text = await readFile(join(home, 'README.md'), 'utf8')
    return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)
  }

  describe.each([20, 22, 24] as const)('on Node %i', (version) => {
    const node = (script: string, env: Record<string, string> = {}) =>
      run('node', ['--input-type=module', '--eval', script], {
        cwd: project,
        env: { ...shell(nodeFolders[version]), ...env },
      })

    test('runs the five lines of its page, as they are written', async () => {
      expect((await node('console.log(process.version)')).stdout).toMatch(new RegExp(`^v${version}\\.`))
      const [lines = ''] = await blocks()
      expect(lines.trim().split('\n')).toHaveLength(5)
      const { stdout, stderr } = await node(lines, { REDIS_URL: redis.server.url, PERENNIAL_READER_KEY: key })
      expect(stdout).toContain('a token of 24 characters')
      expect(stderr).toBe('')
    })

    test('ends by itself when it is closed without ever having reached Redis', async () => {
      const script = `import { createReader } from '@perennial/reader'
        const tokens = createReader({ redis: 'redis://127.0.0.1:1' })
        console.log(await tokens.get('acme/a/b').catch((error) => error.code))
        await tokens.close()`
      expect((await node(script)).stdout).toBe('store_unavailable\n')
    })
  })

  test('runs with the oldest redis that it takes', async () => {
    const { peerDependencies } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'))
    const [, oldest] = /^>=(\S+) /.exec(peerDependencies.redis) ?? []
    const old = join(dir, 'old')
    await install(old, tarball, `redis@${oldest}`)
    const [lines = ''] = await blocks()
    const env = { ...shell(nodeFolders[20]), REDIS_URL: redis.server.url, PERENNIAL_READER_KEY: key }
    const twice = lines.replace(
      'await tokens.close()',
      `await tokens.get('acme/google-main/alice')
       console.log((await tokens.get('acme/google-main/alice')).stale)
       await tokens.close()`,
    )
    const { stdout } = await run('node', ['--input-type=module', '--eval', twice], { cwd: old, env })
    expect(stdout).toMatch(/a token of 24 characters.*\nfalse\n/)
    expect((await redis.redis.info('commandstats')).match(/cmdstat_get:calls=(\d+)/)?.[1]).toBe('4')
  })
})
