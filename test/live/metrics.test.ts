import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { packageRoot } from '../../src/dev/binaries.ts'
import { freePort } from '../../src/dev/ports.ts'
import { type Live, startLive, until } from './stack.ts'

/** What an operator's Prometheus reads from a real worker. */

const [withdrawn, living] = ['cs-withdrawn-9d1f', 'cs-living-77ab']

let folder: string
let provider: Server
let address: string
let live: Live

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-metrics-'))
  provider = createServer(({ headers }, response) => {
    const [, secret] = Buffer.from(headers.authorization?.slice(6) ?? '', 'base64')
      .toString()
      .split(':')
    const tokens = { access_token: 'at-of-metrics-1', token_type: 'Bearer', expires_in: 3600 }
    const [status, body] = secret === living ? [200, tokens] : [401, { error: 'invalid_client' }]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  const tokenEndpoint = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/token`
  address = `127.0.0.1:${await freePort()}`
  const client = { provider: 'quarry', grant: 'client_credentials', clientId: 'app' }
  const configFile = join(folder, 'perennial.yaml')
  const document = {
    metrics: { prometheus: address },
    clients: {
      rotated: { ...client, clientSecrets: [withdrawn, living] },
      steady: { ...client, clientSecrets: [living, withdrawn] },
      refused: { ...client, clientSecrets: [withdrawn] },
    },
    providers: { quarry: { tokenEndpoint } },
  }
  await writeFile(configFile, stringify(document))
  live = await startLive({ tokenSeconds: 3600, configFile })
}, 120_000)

afterAll(async () => {
  await live.stop()
  await new Promise((resolve) => provider.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

const scrape = async () => await (await fetch(`http://${address}/metrics`)).text()
const samplesOf = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(`${name}{`))

test('a worker tells where another client secret than the first is in use, and by which client', async () => {
  await live.perennial.start('acme/steady/someone-private')
  await live.perennial.start('acme/rotated/someone-private')
  const fallbacks = (text: string) => samplesOf(text, 'perennial_client_secret_fallbacks_total')
  const text = await until('the fallback is counted', scrape, (body) => fallbacks(body).length > 0)
  const [sample = '', ...others] = fallbacks(text)
  expect(others).toEqual([])
  expect(sample).toMatch(/ 1$/)
  for (const label of ['client="rotated"', 'provider="quarry"', 'secret="2"']) expect(sample).toContain(label)

  const { generation } = await live.perennial.refreshNow('acme/rotated/someone-private')
  expect(generation).toBe(2)
  await until('each use is counted', scrape, (body) => / 2$/.test(fallbacks(body)[0] ?? ''))
})

test('what the documentation names is there, and no metric holds a secret or names a user', async () => {
  await live.perennial.connect('acme/refused/someone-private')
  const page = readFileSync(join(packageRoot(), 'docs/operate.md'), 'utf8')
  const named = [...page.matchAll(/^\| `(\w+)` \|/gm)]
    .map(([, name = '']) => name)
    .filter((name) => /_(?:total|seconds)$/.test(name))
  expect(named.length).toBeGreaterThanOrEqual(3)
  const isThere = (body: string, name: string) => samplesOf(body, name).length + samplesOf(body, `${name}_count`).length
  const missing = async () => {
    const body = await scrape()
    return named.filter((name) => isThere(body, name) === 0)
  }
  await until('all are there', missing, (names) => names.length === 0)
  const text = await scrape()
  for (const name of named.filter((one) => one.startsWith('temporal_')))
    expect([...samplesOf(text, name), ...samplesOf(text, `${name}_count`)].join()).toContain('"refresh.quarry"')
  for (const word of [withdrawn, living, 'at-of-metrics', 'someone-private', 'acme/']) expect(text).not.toContain(word)
})

test('a worker whose address for metrics is taken says so and ends', async () => {
  const { code, stderr } = await live.cli('worker')
  expect(code).toBe(1)
  expect(stderr).toContain(`nothing can listen at ${address}`)
})
