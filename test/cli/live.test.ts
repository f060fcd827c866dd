import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Live, startLive, until } from '../live/stack.ts'
import { expectRefusal, onTerminal, perennial } from './run.ts'

let live: Live
let cwd = ''
let data = ''

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 60, users: true })
  cwd = await mkdtemp(join(tmpdir(), 'perennial-cli-live-'))
  data = dirname(live.config.source)
})
afterAll(async () => {
  await live?.stop()
  await rm(cwd, { recursive: true })
})

/** What leads elsewhere must not: a dev stack brings its own Temporal. */
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_NAMESPACE: 'elsewhere' }

const run = (args: string[], input = '') => perennial([...args, '--data', data], { cwd, env, input })

async function json(args: string[], input = ''): Promise<Record<string, unknown>> {
  const ended = await run([...args, '--json'], input)
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(ended.stdout) as Record<string, unknown>
}

const grant = async (subject: string) => JSON.stringify(await live.demo.mintGrant(subject, 'orchard'))

describe('a credential, by the command line alone', () => {
  const id = 'demo/orchard/quince'

  test('begins, is shown, read and refreshed', async () => {
    expect(await json(['start', id, '--from', '-'], await grant('quince'))).toMatchObject({
      credential: id,
      provider: 'orchard',
      status: 'active',
      generation: 1,
      workflowId: `credential/${id}`,
    })
    const { code, stdout } = await run(['show', id])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^demo\/orchard\/quince\n {2}status +active\n/)
    expect(stdout).toMatch(/token expires +\S+Z \(in \d+ s\)[\s\S]*what to do +Nothing to do\./)
    const { accessToken } = await json(['token', id])
    expect((await run(['token', id, '--min-remaining', '5'])).stdout).toBe(`${accessToken}\n`)
    expectRefusal(await run(['token', id, '--min-remaining', '9999']), 1, /less than/)
    expect(await json(['refresh', id])).toMatchObject({ generation: 2, status: 'active' })
    expect((await json(['token', id])).accessToken).not.toBe(accessToken)
  })

  test('is refused a second start, and takes a new grant by reconnect or connect', async () => {
    expectRefusal(await run(['start', id, '--from', '-'], await grant('quince')), 1, /perennial reconnect/)
    const before = await json(['show', id])
    const again = await json(['reconnect', id, '--from', '-'], await grant('quince'))
    expect(again.family).not.toBe(before.family)
    expect((await json(['connect', id, '--from', '-'], await grant('quince'))).family).not.toBe(again.family)
    expect(await json(['connect', 'demo/orchard/medlar', '--from', '-'], await grant('medlar'))).toMatchObject({
      generation: 1,
    })
  })

  test('says what to do when its grant is refused', async () => {
    await json(['start', 'demo/orchard/sloe', '--from', '-'], await grant('sloe'))
    await live.demo.revokeSubject('sloe')
    expectRefusal(await run(['refresh', 'demo/orchard/sloe']), 1, /reconnect_required.*invalid_grant/)
    const { stdout } = await run(['show', 'demo/orchard/sloe'])
    expect(stdout).toMatch(/what to do .*`perennial reconnect demo\/orchard\/sloe --from FILE`/)
  })

  test('is found in the list by each filter', async () => {
    const ids = async (...filter: string[]) => {
      const { stdout } = await run(['list', '--json', ...filter])
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { credential: string }).credential)
        .sort()
    }
    const all = [id, 'demo/orchard/medlar', 'demo/orchard/sloe'].sort()
    await until(
      'the list has all three',
      () => ids(),
      (found) => found.length === 3,
    )
    expect(await ids('--tenant', 'demo', '--client', 'orchard', '--provider', 'orchard')).toEqual(all)
    expect(await ids('--tenant', 'acme')).toEqual([])
    await until(
      'one is refused',
      () => ids('--status', 'reconnect_required'),
      (found) => found.length === 1,
    )
    expect(await run(['list'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^CREDENTIAL +STATUS +GEN/) })
    expect(await run(['list', '--tenant', 'acme'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'no such credential\n',
    })
  })

  test('ends by revoke, and readers are told', async () => {
    expect(await run(['revoke', id])).toMatchObject({ code: 0, stdout: `${id}  revoked\n` })
    expectRefusal(await run(['token', id]), 1, /revoked/)
    expect(await json(['show', id])).toMatchObject({ status: 'revoked' })
    expectRefusal(await run(['refresh', id]), 1, /perennial start/)
  })

  test('that never was is not found', async () => {
    for (const command of ['show', 'token', 'refresh', 'revoke'])
      expectRefusal(await run([command, 'demo/orchard/nobody']), 1, /demo\/orchard\/nobody.*start/)
  })
})

describe('many credentials', () => {
  test('are revoked only when a person or --yes says so', async () => {
    const ask = (answer: string) =>
      onTerminal(['revoke', '--client', 'orchard', '--data', data], { cwd, input: answer })
    const declined = await ask('n\n')
    expect(declined.stdout).toMatch(/Revoke 2 credentials of client orchard\? \[y\/N\]/)
    expect(declined).toMatchObject({ code: 1, stdout: expect.stringContaining('nothing was revoked') })
    const { code, stdout, stderr } = await run(['revoke', '--client', 'orchard', '--yes', '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '2 revoked, 0 with the fence pending, 0 failed\n' })
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .sort((a, b) => a.credential.localeCompare(b.credential)),
    ).toEqual([
      { credential: 'demo/orchard/medlar', fenced: true },
      { credential: 'demo/orchard/sloe', fenced: true },
    ])
  })
})

describe('doctor', () => {
  test('finds nothing wrong with a stack that runs', async () => {
    const { code, stdout } = await run(['doctor', '--json'])
    const checks = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string; status: string })
    expect(checks).toContainEqual(expect.objectContaining({ check: 'worker refresh.orchard', status: 'ok' }))
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([])
    expect(code).toBe(0)
  })
})
