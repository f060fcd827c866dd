import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { vectors, vectorsFile } from '../../scripts/make-vectors.ts'
import { packageRoot } from '../../src/dev/binaries.ts'
import { type Live, startLive, until } from '../live/stack.ts'
import { here, setOf, startTestRedis, type TestRedis } from '../store/redis.ts'

/** The readers of examples/ and the line for a shell, as docs/reading.md has them. */
const root = packageRoot()
const run = promisify(execFile)

interface Language {
  name: string
  /** the reader itself */
  file: string
  /** runs its `check` program */
  check(env: Record<string, string>, ...args: string[]): Promise<string>
}

const python: Language = {
  name: 'Python',
  file: 'examples/python/perennial_reader.py',
  check: async (env, ...args) => {
    const script = join(root, 'examples/python/check.py')
    return (await run('python3', [script, ...args], { env: { ...process.env, ...pythonPath, ...env } })).stdout
  },
}
const pythonPath = { PYTHONPATH: join(root, '.tools/python'), PYTHONDONTWRITEBYTECODE: '1' }

const scratch = await mkdtemp(join(tmpdir(), 'perennial-readers-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

const go: Language = {
  name: 'Go',
  file: 'examples/go/reader.go',
  check: async (env, ...args) => (await run(join(scratch, 'check'), args, { env: { ...process.env, ...env } })).stdout,
}

/** What can be tried here. In CI what is missing is an error. */
async function present(): Promise<Language[]> {
  const tries: [Language, string, () => Promise<unknown>][] = [
    [
      python,
      'pip install --target .tools/python -r examples/python/requirements.txt',
      () => run('python3', ['-c', 'import redis, cryptography'], { env: { ...process.env, ...pythonPath } }),
    ],
    [
      go,
      'a Go toolchain on PATH, and its module proxy in reach',
      () => run('go', ['build', '-o', join(scratch, 'check'), './check'], { cwd: join(root, 'examples/go') }),
    ],
  ]
  const found: Language[] = []
  for (const [language, needs, attempt] of tries) {
    const works = await attempt().then(
      () => true,
      (error: unknown) => (process.env.CI ? Promise.reject(error) : false),
    )
    if (works) found.push(language)
    else console.warn(`skipped: the reader in ${language.name}; it needs ${needs}`)
  }
  return found
}

const languages = await present()
const forShell = await run('sh', ['-c', 'command -v redis-cli && command -v jq']).then(
  () => true,
  () => false,
)
if (!forShell && process.env.CI) throw new Error('redis-cli and jq are missing')
if (!forShell) console.warn('skipped: the line for a shell; it needs redis-cli and jq')

describe.each(languages)('the reader in $name', ({ file, check }) => {
  let it: TestRedis
  beforeAll(async () => {
    it = await startTestRedis()
  })
  afterAll(() => it?.stop())

  test('passes the vectors', async () => {
    const output = await check({ REDIS_URL: it.server.url }, 'vectors', vectorsFile)
    const outcomes = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    const expected = vectors.vectors.map(({ name, expect }) => ({ name, ...expect }))
    const refused = vectors.no_credentials.map((name) => ({ name, error: 'invalid_argument' }))
    expect(outcomes).toHaveLength(expected.length + refused.length)
    for (const [index, { name, ...outcome }] of [...expected, ...refused].entries())
      expect({ name, ...outcomes[index] }).toMatchObject({ name, ...outcome })
  })

  test('is short', async () => {
    expect((await readFile(join(root, file), 'utf8')).trimEnd().split('\n').length).toBeLessThan(120)
  })
})

describe.runIf(languages.length > 0)('beside a worker, with the user and the key of its tenant', () => {
  let live: Live
  beforeAll(async () => {
    live = await startLive({ tokenSeconds: 600, users: true })
  }, 120_000)
  afterAll(() => live?.stop())

  test.each(languages)(
    'the reader in $name reads a token, and has one replaced that was refused',
    async (language) => {
      const subject = language.name.toLowerCase()
      const credential = await live.begin(subject)
      const env = { REDIS_URL: live.readerUrl, PERENNIAL_READER_KEY: live.readerKey }
      const get = async (id = credential) => JSON.parse(await language.check(env, 'get', id)) as Record<string, unknown>
      const { accessToken, expiresAt, family } = await live.reader.get(credential)
      expect(await get()).toEqual({
        access_token: accessToken,
        token_type: 'Bearer',
        expires_at: expiresAt.toISOString(),
        generation: 1,
        family,
      })
      await language.check(env, 'reject', credential, '1')
      await until('another token', get, ({ generation }) => generation === 2)
      expect(await get('demo/orchard/nobody')).toEqual({ error: 'credential_not_found' })
      await live.perennial.revoke(credential)
      await until('revoked', get, ({ error }) => error === 'credential_revoked')
    },
    60_000,
  )
})

test.runIf(forShell)('the line for a shell prints a token that is stored plain', async () => {
  const it = await startTestRedis()
  try {
    const credential = 'acme/google-main/alice'
    const document = { credential, access_token: 'ya29.a0-"x"', token_type: 'Bearer' }
    const access = { value: JSON.stringify(document), expiresAtMs: Date.now() + 60_000 }
    await it.store.write(here, setOf(credential, { access }))
    const page = await readFile(join(root, 'docs/reading.md'), 'utf8')
    const [, line = ''] = /```sh\n(redis-cli .*jq.*)\n```/.exec(page) ?? []
    const { stdout } = await run('sh', ['-c', line], { env: { ...process.env, REDIS_URL: it.server.url } })
    expect(stdout).toBe('ya29.a0-"x"\n')
  } finally {
    await it.stop()
  }
})
