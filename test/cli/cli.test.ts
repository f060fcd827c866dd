import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue } from '../../src/providers/catalogue/index.ts'
import { newSealingKey } from '../../src/store/sealing.ts'
import { closedPort, expectRefusal, onTerminal, perennial } from './run.ts'

const id = 'acme/web/alice'
const clientSecret = 'canary-client-secret'
const refreshToken = 'canary-refresh-token'
const secrets = { SECRET: clientSecret, GRANT: newSealingKey(), READER: newSealingKey() }

let cwd = ''
let ports = { temporal: 0, redis: 0, provider: 0 }
/** servers that are not there */
let env: Record<string, string> = {}

const yaml = () => `
redis: { url: { env: REDIS_URL } }
keys: { grant: [{ env: GRANT }], reader: [{ env: READER }] }
clients:
  web: { provider: idp, clientId: web, clientSecrets: [{ env: SECRET }] }
  m2m: { provider: idp, clientId: m2m, clientSecrets: [{ env: SECRET }], grant: client_credentials }
providers:
  idp: { tokenEndpoint: 'http://127.0.0.1:${ports.provider}/token' }
`

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'perennial-cli-'))
  ports = { temporal: await closedPort(), redis: await closedPort(), provider: await closedPort() }
  env = {
    ...secrets,
    REDIS_URL: `redis://:canary-redis-password@127.0.0.1:${ports.redis}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    PERENNIAL_CONFIG: join(cwd, 'servers.yaml'),
  }
  await writeFile(join(cwd, 'servers.yaml'), yaml())
  await writeFile(
    join(cwd, 'good.json'),
    JSON.stringify({ access_token: 'a', refresh_token: refreshToken, expires_in: 60 }),
  )
  await writeFile(join(cwd, 'many.jsonl'), JSON.stringify({ credential: id, refresh_token: refreshToken }))
  await writeFile(join(cwd, 'broken.json'), `{\n  "refresh_token": ${refreshToken} }`)
  await writeFile(join(cwd, 'neither.json'), JSON.stringify({ id_token: refreshToken }))
})
afterAll(() => rm(cwd, { recursive: true }))

async function run(args: string[], overrides: Record<string, string> = {}) {
  const ended = await perennial(args, { cwd, env: { ...env, ...overrides } })
  const said = ended.stdout + ended.stderr
  for (const secret of ['canary', ...Object.values(secrets)]) expect(said).not.toContain(secret)
  return ended
}

describe('perennial', () => {
  test('tells its version and its commands', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' })
    const { code, stdout } = await run(['--help'])
    expect(code).toBe(0)
    for (const command of ['dev', 'worker', 'start', 'list', 'doctor']) expect(stdout).toContain(`\n  ${command}`)
  })

  test.each(['start', 'reconnect', 'connect', 'refresh', 'revoke', 'show', 'list', 'token', 'keys', 'doctor'])(
    '%s explains itself',
    async (command) => {
      expect(await run([command, '--help'])).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringContaining('Usage:'),
      })
    },
  )

  test.each([
    [[], /Usage/],
    [['shwo', id], /unknown command 'shwo'.*show/s],
    [['show'], /missing required argument 'id'/],
    [['show', id, '--verbose'], /unknown option '--verbose'/],
    [['list', '--status', 'fine'], /active, retrying/],
    [['list', '--expiring', 'soon'], /90s, 12h, 14d/],
    [['token', id, '--min-remaining', '1h'], /number of seconds/],
    [['start', id, '--param', 'novalue'], /name=value/],
    [['revoke'], /either an ID, or --tenant and --client/],
    [['revoke', id, '--tenant', 'acme'], /either an ID, or --tenant and --client/],
    [['revoke', '--tenant', 'acme'], /every credential of tenant acme: add --yes/],
  ])('%j is a mistake of usage', async (args, message) => {
    const ended = await run(args)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(message)
  })

  test.each([
    ['acme/web', /three parts, tenant\/client\/subject/],
    ['acme/web/a b', /subject holds " "/],
    ['acme/web/\u001b[31m', /subject holds "\\u001b"/],
  ])('the id %j is refused in one line', async (bad, message) => {
    for (const command of ['show', 'start', 'token']) expectRefusal(await run([command, bad]), 2, message)
  })

  test('providers lists the catalogue, and says what an entry means', async () => {
    const list = await run(['providers'])
    expect(list.stdout).toMatch(/^google {2,}Google {2,}none {2,}documented$/m)
    expect(list.stdout).toMatch(/^wrike {2,}Wrike {2,}unknown, treated as single_use {2,}unverified$/m)
    const lines = (await run(['providers', '--json'])).stdout.trim().split('\n')
    expect(lines.length).toBeGreaterThan(100)
    expect(lines.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ provider: 'google', displayName: 'Google', grant: 'refresh_token', rotation: 'none' }),
    )
    const page = await run(['providers', 'asgardeo'])
    expect(page).toMatchObject({ code: 0, stderr: '' })
    expect(page.stdout).toMatch(/^asgardeo · Asgardeo\n\nRefreshing\n {2}POST https:\/\/api\.asgardeo\.io/)
    const entry = JSON.parse((await run(['providers', 'asgardeo', '--json'])).stdout) as object
    expect(entry).toMatchObject({ provider: 'asgardeo', rotation: 'none', variants: { renewing: {} } })
  })

  test('providers names the nearest entry where there is none of that name', async () => {
    expectRefusal(await run(['providers', 'gogle']), 1, /no provider gogle in the catalogue; did you mean google\?/)
  })

  test('providers --schema prints a JSON Schema that accepts the catalogue and refuses what is none', async () => {
    const schema = JSON.parse((await run(['providers', '--schema'])).stdout) as object
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
    for (const [id, entry] of Object.entries(catalogue)) expect(validate({ providers: { [id]: entry } }), id).toBe(true)
    expect(validate({ redis: {}, providers: { idp: { tokenEndpiont: 'https://id.acme.example/token' } } })).toBe(false)
    expect(validate({ providers: { idp: { rotation: 'sometimes' } } })).toBe(false)
  })

  test('keys new prints a key that nobody has had before', async () => {
    const [first, second] = [await run(['keys', 'new']), await run(['keys', 'new', '--json'])]
    expect(first.stdout).toMatch(/^[\w-]{43}\n$/)
    const { key } = JSON.parse(second.stdout) as { key: string }
    expect(Buffer.from(key, 'base64url')).toHaveLength(32)
    expect(key).not.toBe(first.stdout.trim())
  })
})

describe('a configuration', () => {
  test('that is nowhere is said with where it was looked for', async () => {
    expectRefusal(await run(['list'], { PERENNIAL_CONFIG: '' }), 1, /no \.\/perennial\.yaml.*npm start/)
  })

  test('that does not exist is named', async () => {
    expectRefusal(await run(['list', '--config', 'none.yaml']), 1, /none\.yaml does not exist/)
  })

  test('with an unknown key is refused with its place', async () => {
    await writeFile(join(cwd, 'unknown.yaml'), yaml().replace('clientId: web', 'clientID: web'))
    const ended = await run(['list', '--config', 'unknown.yaml'])
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain(
      'unknown.yaml:5: clients.web.clientID: unknown key "clientID"; did you mean clientId?',
    )
  })

  test('is named on stderr, with the Temporal that belongs to it, and no secret', async () => {
    const ended = await perennial(['start', id], { cwd, env })
    expect(ended.stderr).not.toContain('using')
    const { stdout } = await onTerminal(['list', '--config', 'servers.yaml'], { cwd, input: '' })
    expect(stdout).toMatch(/using \.\/servers\.yaml, Temporal localhost:7233/)
  })
})

describe('a token response', () => {
  test('is asked for when the client needs one', async () => {
    for (const command of ['start', 'reconnect', 'connect'])
      expectRefusal(await run([command, id]), 2, /client web needs a grant: .*--from FILE, or --from -/)
  })

  test('is never waited for on a terminal', async () => {
    const ended = await onTerminal(['start', id, '--from', '-', '--config', 'terminal.yaml'], { cwd, input: '' })
    expect(ended.code).toBe(1)
    await writeFile(
      join(cwd, 'terminal.yaml'),
      yaml().replaceAll(/\{ env: (\w+) \}/g, (_, name: string) => `{ file: ${name} }`),
    )
    for (const [name, value] of Object.entries({ ...secrets, REDIS_URL: env.REDIS_URL ?? '' }))
      await writeFile(join(cwd, name), value)
    const asked = await onTerminal(['start', id, '--from', '-', '--config', 'terminal.yaml'], { cwd, input: '' })
    expect(asked).toMatchObject({ code: 2, stdout: expect.stringContaining('stdin is a terminal') })
    expect(asked.took).toBeLessThan(10_000)
  })

  test('that is not JSON is refused with the place of the mistake', async () => {
    expectRefusal(
      await run(['start', id, '--from', 'broken.json']),
      1,
      /broken\.json is not JSON \(line 2, column 20\)/,
    )
    expectRefusal(await run(['start', id, '--from', 'none.json']), 1, /none\.json does not exist/)
    const piped = await perennial(['start', id, '--from', '-'], { cwd, env, input: 'canary' })
    expectRefusal(piped, 1, /stdin is not JSON \(line 1, column 1\)/)
  })

  test('that holds neither token is refused before any server is asked', async () => {
    for (const command of ['start', 'reconnect', 'connect'])
      expectRefusal(await run([command, id, '--from', 'neither.json']), 1, /refresh_token/)
  })

  test('for a client that is not configured is refused', async () => {
    expectRefusal(await run(['start', 'acme/wep/alice', '--from', 'good.json']), 1, /wep/)
    expectRefusal(await run(['start', 'acme/wep/alice']), 1, /wep/)
  })
})

describe.concurrent('without servers', () => {
  test.each([
    [['start', id, '--from', 'good.json']],
    [['start', 'acme/m2m/api']],
    [['reconnect', id, '--from', 'good.json']],
    [['connect', id, '--from', 'good.json']],
    [['refresh', id]],
    [['show', id]],
    [['list']],
    [['list', '--json']],
    [['revoke', id]],
    [['revoke', '--client', 'web', '--yes']],
    [['import', 'many.jsonl', '--yes']],
  ])('%j names the address that does not answer, within ten seconds', async (args) => {
    const ended = await run(args)
    expectRefusal(ended, 1, new RegExp(`(Temporal|Redis) at 127\\.0\\.0\\.1:(${ports.temporal}|${ports.redis}) `))
    expect(ended.took).toBeLessThan(12_000)
  })

  test('token names the address of Redis', async () => {
    const ended = await run(['token', id])
    expectRefusal(ended, 1, new RegExp(`127\\.0\\.0\\.1:${ports.redis}`))
    expect(ended.took).toBeLessThan(12_000)
  })

  test('doctor says what fails, each with its fix', async () => {
    const ended = await run(['doctor', '--json'])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toBe('perennial: 3 of 4 checks failed\n')
    const checks = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(checks.map(({ check, status }) => `${check} ${status}`)).toEqual([
      'configuration ok',
      'temporal fail',
      'redis fail',
      'provider idp fail',
    ])
    for (const { status, fix, message } of checks.slice(1)) {
      expect({ status, fix, message }).toEqual({
        status: 'fail',
        fix: expect.stringMatching(/\w/),
        message: expect.stringMatching(/127\.0\.0\.1:\d+/),
      })
    }
    expect(ended.took).toBeLessThan(12_000)
  })

  test('doctor and a worker warn of tokens that are stored plain', async () => {
    await writeFile(join(cwd, 'plain.yaml'), `${yaml()}readers: { sealed: false }\n`)
    const checked = await run(['doctor', '--config', 'plain.yaml'])
    expect(checked.stdout).toMatch(/^warn {2}configuration: .*access tokens stored plain: whoever reads Redis/)
    const worker = await run(['worker', '--config', 'plain.yaml'])
    expect(worker.stdout).toMatch(/"level":40,.*readers\.sealed is false/)
    expect((await run(['worker'])).stdout).not.toContain('sealed')
  })

  test('doctor tells every mistake of a configuration', async () => {
    await writeFile(
      join(cwd, 'mistakes.yaml'),
      yaml().replace('clientId: web', 'clientId: 1').replace('env: GRANT', 'env: NO_GRANT'),
    )
    const ended = await run(['doctor', '--config', 'mistakes.yaml'])
    expect(ended).toMatchObject({ code: 1, stderr: 'perennial: 2 of 2 checks failed\n' })
    expect(ended.stdout).toMatch(
      /^fail {2}configuration: mistakes\.yaml:5: clients\.web\.clientId: must be text.*\n {6}fix: /,
    )
    expect(ended.stdout).toContain('environment variable NO_GRANT is not set')
  })
})
