import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeImportFile } from '../../bench/import/file.ts'
import { workflowId } from '../../src/credential.ts'
import { expectRefusal, onTerminal, perennial } from '../cli/run.ts'
import { type Live, startLive, until } from './stack.ts'

let live: Live
let cwd = ''
let data = ''

const configuration = `
clients:
  still: { provider: still, clientId: still, clientSecrets: [literal] }
  slow: { provider: slow, clientId: slow, clientSecrets: [literal] }
providers:
  still: { tokenEndpoint: 'http://127.0.0.1:9/token' }
  slow: { tokenEndpoint: 'http://127.0.0.1:9/token', rateLimit: { requests: 6, perSeconds: 60 } }
`

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'perennial-import-'))
  const configFile = join(cwd, 'clients.yaml')
  await writeFile(configFile, configuration)
  live = await startLive({ tokenSeconds: 3600, configFile, users: true })
  data = dirname(live.config.source)
})
afterAll(async () => {
  await live?.stop()
  await rm(cwd, { recursive: true })
})

const run = (args: string[], input = '') => perennial(['import', ...args, '--data', data], { cwd, input })

describe('an import of many lines', () => {
  const lines = 600
  const bad = 10

  test('that is killed twice and run again begins every credential exactly once', async () => {
    const path = join(cwd, 'many.jsonl')
    const { good, bad: refused, secret } = await writeImportFile(path, 'demo/still', lines, bad)
    const begun = async () => {
      const { count } = await live.temporal.workflow.count(`WorkflowId STARTS_WITH 'credential/demo/still/'`)
      return Number(count)
    }
    for (const share of [0.2, 0.6]) {
      const child = importing(path)
      await until('a part of it has begun', begun, (count) => count > lines * share || child.exitCode !== null)
      expect(child.exitCode).toBeNull()
      process.kill(-(child.pid ?? 0), 'SIGKILL')
      await once(child, 'exit')
    }
    expect(await begun()).toBeLessThan(good.length)
    const ended = await run([path, '--yes', '--json'])
    expect(ended.code).toBe(3)
    const tally = JSON.parse(ended.stdout) as Record<string, number>
    expect(tally).toMatchObject({ lines, refused: 6 * bad, reconnected: 0, refusedFile: `${path}.refused.jsonl` })
    expect((tally.started ?? 0) + (tally.joined ?? 0)).toBe(good.length)
    expect(tally.joined).toBeGreaterThan(lines * 0.6)

    const report = (await readFile(`${path}.refused.jsonl`, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const codes = Object.groupBy(report, ({ code }) => code)
    expect(Object.fromEntries(Object.entries(codes).map(([code, ones]) => [code, ones?.length]))).toEqual(refused)
    expect(new Set(report.map(({ line }) => line)).size).toBe(6 * bad)
    for (const { line, reason } of report) expect([typeof line, reason.length > 10]).toEqual(['number', true])
    for (const said of [ended.stdout, ended.stderr, JSON.stringify(report)]) expect(said).not.toContain(secret)
    expect((await stat(`${path}.refused.jsonl`)).mode & 0o077).toBe(0)

    const isThere = ({ event, credential }: { [field: string]: string }) =>
      event === 'connected' && credential?.startsWith('demo/still/')
    const connected = async () => (await live.events()).filter(isThere).map(({ credential }) => credential)
    await until('all of them are taken over', connected, (found) => found.length >= good.length)
    expect((await connected()).sort()).toEqual([...good].sort())
    await until('Temporal lists all', begun, (count) => count >= good.length)
    expect(await begun()).toBe(good.length)
    const { accessToken } = await live.reader.get(good[0] ?? '')
    expect(accessToken).toBe(`at-${secret}-u0`)
  })
})

describe('a line', () => {
  const lineOf = (subject: string, more: object = {}) =>
    `${JSON.stringify({ credential: `demo/orchard/${subject}`, ...more })}\n`
  const grant = async (subject: string) => ({ ...(await live.demo.mintGrant(subject, 'orchard')) })
  const outcome = async (text: string) => {
    const ended = await run(['-', '--yes', '--json'], text)
    return { code: ended.code, stderr: ended.stderr, ...(JSON.parse(ended.stdout) as Record<string, unknown>) }
  }
  const state = (subject: string) => live.perennial.describe(`demo/orchard/${subject}`)

  test('begins a credential, joins it, hands it a new grant, and begins it anew after a revoke', async () => {
    const first = await grant('plum')
    expect(await outcome(lineOf('plum', first))).toMatchObject({ code: 0, started: 1 })
    const begun = await until(
      'it is active',
      () => state('plum'),
      (view) => view?.status === 'active',
    )
    expect(await outcome(lineOf('plum', first))).toMatchObject({ code: 0, joined: 1 })
    // its refresh token has been spent meanwhile, which changes nothing
    await live.perennial.refreshNow('demo/orchard/plum')
    expect(await outcome(lineOf('plum', first))).toMatchObject({ code: 0, joined: 1 })
    expect((await state('plum'))?.family).toBe(begun?.family)

    const second = await grant('plum')
    expect(await outcome(lineOf('plum', second))).toMatchObject({ code: 0, reconnected: 1 })
    const again = await until(
      'it goes on with that',
      () => state('plum'),
      (view) => view?.family !== begun?.family,
    )
    expect(again).toMatchObject({ status: 'active', generation: 3 })

    await live.perennial.revoke('demo/orchard/plum')
    await until(
      'it has ended',
      () => live.temporal.workflow.getHandle(workflowId('demo/orchard/plum')).describe(),
      ({ status }) => status.name === 'COMPLETED',
    )
    // what was revoked is not brought back by the file that it came from
    const refused = await outcome(lineOf('plum', second))
    expect(refused).toMatchObject({ code: 1, refused: 1 })
    expect(refused.stderr).toMatch(/1 revoked, the first at line 1: demo\/orchard\/plum was revoked here/)
    expect(await outcome(lineOf('plum', await grant('plum')))).toMatchObject({ code: 0, started: 1 })
    await until(
      'it lives again',
      () => state('plum'),
      (view) => view?.status === 'active' && (view.generation ?? 0) > 3,
    )
  })

  test('with a refresh token alone is refreshed at the provider, in its turn', async () => {
    const { refresh_token } = await grant('quince')
    expect(await outcome(lineOf('quince', { refresh_token }))).toMatchObject({ code: 0, started: 1 })
    await until(
      'it has a token',
      () => state('quince'),
      (view) => view?.status === 'active',
    )
    const text = [0, 1, 2].map((n) => JSON.stringify({ credential: `demo/slow/${n}`, refresh_token: `rt-slow-${n}` }))
    expect(await outcome(text.join('\n'))).toMatchObject({ code: 0, started: 3 })
    const last = await until(
      'the last waits for its turn',
      () => live.perennial.describe('demo/slow/2'),
      (view) => view?.generation === 1,
    )
    expect(last?.status).toBe('pending')
    // six a minute
    const turnMs = Date.parse(last?.nextRefreshAt ?? '') - Date.now()
    expect(turnMs).toBeGreaterThan(5_000)
    expect(turnMs).toBeLessThanOrEqual(20_000)
  })
})

describe('the command', () => {
  test('asks first, and does nothing where nobody can be asked or says no', async () => {
    const path = join(cwd, 'asked.jsonl')
    await writeFile(
      path,
      '{"credential":"demo/still/asked","refresh_token":"rt-asked","access_token":"a","expires_in":99}\n',
    )
    expectRefusal(await run([path]), 2, /hands over every grant in .*asked\.jsonl: add --yes/)
    expectRefusal(await run(['-'], 'x'), 2, /add --yes/)
    const declined = await onTerminal(['import', path, '--data', data], { cwd, input: 'n\n' })
    expect(declined).toMatchObject({ code: 1, stdout: expect.stringMatching(/Import .*asked\.jsonl\? .*\[y\/N\]/) })
    expect(await live.perennial.describe('demo/still/asked')).toBeUndefined()
    const agreed = await onTerminal(['import', path, '--data', data], { cwd, input: 'y\n' })
    expect(agreed).toMatchObject({ code: 0, stdout: expect.stringContaining('1 lines: 1 started') })
  })

  test('checks a file without a change, and leaves no empty report', async () => {
    const path = join(cwd, 'dry.jsonl')
    await writeFile(path, '{"credential":"demo/still/dry","refresh_token":"rt-dry"}\n')
    expect(await run([path, '--dry-run'])).toMatchObject({
      code: 0,
      stdout: '1 lines, 1 can be imported, 0 would be refused\n',
      stderr: '',
    })
    expect(await live.perennial.describe('demo/still/dry')).toBeUndefined()
    await expect(stat(`${path}.refused.jsonl`)).rejects.toThrow('ENOENT')
    expectRefusal(await run([join(cwd, 'nowhere.jsonl'), '--yes']), 1, /nowhere\.jsonl cannot be read \(ENOENT\)/)
    expectRefusal(await run([cwd, '--yes']), 1, /cannot be read \(EISDIR\)/)
    expectRefusal(await run([path, '--yes', '--rate', '0']), 2, /lines a second/)
  })
})

/** In a group of its own, so that it can be killed with whatever it started. */
function importing(path: string): ChildProcess {
  const bin = join(import.meta.dirname, '../../bin/perennial.js')
  return spawn(process.execPath, [bin, 'import', path, '--yes', '--data', data], {
    cwd,
    detached: true,
    stdio: 'ignore',
  })
}
