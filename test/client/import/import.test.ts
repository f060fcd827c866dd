import { beforeAll, expect, test } from 'vitest'
import { type Imported, type ImportOptions, importLines, type Servers } from '../../../src/client/import/import.ts'
import type { Config } from '../../../src/config.ts'
import { PerennialError } from '../../../src/errors.ts'
import { env, head, load } from '../../config-fixture.ts'

let config: Config

beforeAll(async () => {
  config = await load(
    `${head}
clients:
  web: { provider: idp, clientId: web, clientSecrets: [{ env: SECRET }] }
  slow: { provider: slow, clientId: slow, clientSecrets: [{ env: SECRET }] }
  m2m: { provider: slow, clientId: m2m, clientSecrets: [{ env: SECRET }], grant: client_credentials }
providers:
  idp: { tokenEndpoint: 'https://id.example/token' }
  slow: { tokenEndpoint: 'https://slow.example/token', rateLimit: { requests: 60, perSeconds: 60 } }
`,
    { env },
  )
})

/** Servers that take whatever comes, and what they took. */
function servers(changes: Partial<Servers> = {}) {
  const begun: { credential: string; turnMs: number | undefined; beganMs: number }[] = []
  const taking: Servers = {
    hash: async () => undefined,
    describe: async () => undefined,
    beginFirst: async ({ credential, seed }) => {
      begun.push({ credential, turnMs: seed.firstRefreshInMs, beganMs: performance.now() })
    },
    beginAbove: async () => {},
    reconnect: async () => {},
    ...changes,
  }
  return { begun, taking }
}

const lineOf = (credential: string, more: object = {}) =>
  `${JSON.stringify({ credential, refresh_token: `rt-${credential}`, ...more })}\n`

async function run(text: string, taking: Servers, options?: ImportOptions): Promise<Imported[]> {
  async function* chunks() {
    yield Buffer.from(text)
  }
  const imported: Imported[] = []
  for await (const one of importLines(config, taking, chunks(), options)) imported.push(one)
  return imported.sort((a, b) => a.line - b.line)
}

test('what is due at once gets its turn, within the budget of its provider', async () => {
  const text = [
    ...[0, 1, 2, 3].map((n) => lineOf(`acme/slow/${n}`, n === 1 ? { expires_at: '2020-01-01T00:00:00Z' } : {})),
    lineOf('acme/slow/fresh', { access_token: 'at', expires_in: 3600 }),
    '{"credential":"acme/m2m/job"}\n',
    lineOf('acme/web/0'),
    lineOf('acme/web/1'),
  ].join('')
  const { begun, taking } = servers()
  expect((await run(text, taking)).map(({ outcome }) => outcome)).toEqual(Array(8).fill('started'))
  const turns = Object.fromEntries(begun.map(({ credential, turnMs }) => [credential, turnMs]))
  // one a second there, and the client credentials of the same provider in the same row; twenty a second elsewhere
  const seconds = ['slow/0', 'slow/1', 'slow/2', 'slow/3', 'm2m/job'].map((id) => turns[`acme/${id}`] ?? Number.NaN)
  seconds.forEach((turnMs, i) => {
    expect(turnMs).toBeLessThanOrEqual(i * 1000)
    expect(turnMs).toBeGreaterThan(i * 1000 - 1000)
  })
  expect(turns['acme/slow/fresh']).toBeUndefined()
  expect(turns['acme/web/0']).toBe(0)
  expect(turns['acme/web/1']).toBeLessThanOrEqual(50)
})

test('of two lines with one credential the first is taken', async () => {
  const { begun, taking } = servers()
  const text = lineOf('acme/web/a') + lineOf('acme/web/b') + lineOf('acme/web/a', { refresh_token: 'another' })
  const imported = await run(text, taking)
  expect(imported.map(({ outcome }) => outcome)).toEqual(['started', 'started', 'refused'])
  expect(imported[2]).toMatchObject({ line: 3, code: 'duplicate', reason: 'line 1 has the same credential' })
  expect(begun.map(({ credential }) => credential)).toEqual(['acme/web/a', 'acme/web/b'])
})

test('a dry run asks no server, and says what would be refused', async () => {
  const never = async () => Promise.reject(new Error('a server was asked'))
  const all = { hash: never, describe: never, beginFirst: never, beginAbove: never, reconnect: never }
  const imported = await run(`${lineOf('acme/web/a')}nonsense\n`, all, { dryRun: true })
  expect(imported).toMatchObject([{ outcome: 'started' }, { outcome: 'refused', code: 'not_json' }])
})

test('lines are begun no faster than it was asked for', async () => {
  const { begun, taking } = servers()
  await run([0, 1, 2, 3, 4].map((n) => lineOf(`acme/web/${n}`)).join(''), taking, { linesPerSecond: 20 })
  const gaps = begun.slice(1).map(({ beganMs }, i) => beganMs - (begun[i]?.beganMs ?? 0))
  expect(Math.max(...gaps)).toBeLessThan(5_000)
  expect((begun[4]?.beganMs ?? 0) - (begun[0]?.beganMs ?? 0)).toBeGreaterThan(150)
})

test('a server that is away for a moment is waited for, one that never answered or refuses is not', async () => {
  let asked = 0
  const away = new PerennialError('temporal_unavailable', 'Temporal does not answer')
  const { taking } = servers({
    beginFirst: async ({ credential }) => {
      asked++
      if (asked === 2) throw away
      if (credential.endsWith('b')) throw new PerennialError('invalid_parameter', 'it will not')
    },
  })
  const text = lineOf('acme/web/a') + lineOf('acme/web/b')
  expect(await run(text, taking, { linesPerSecond: 20 })).toMatchObject([
    { outcome: 'started' },
    { outcome: 'refused', code: 'invalid_parameter', reason: 'it will not', credential: 'acme/web/b' },
  ])
  expect(asked).toBe(3)
  const { taking: wrongAddress } = servers({ hash: async () => Promise.reject(away) })
  await expect(run(text, wrongAddress)).rejects.toThrow('does not answer')
})

test('what is no answer of a server ends the import', async () => {
  const { taking } = servers({ hash: async () => Promise.reject(new TypeError('a bug')) })
  await expect(run(lineOf('acme/web/a'), taking)).rejects.toThrow('a bug')
})
