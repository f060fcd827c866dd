import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { benchImport } from '../bench/import/bench.ts'
import type { Killed } from '../bench/import/kills.ts'
import { benchRefresh } from '../bench/refresh/bench.ts'
import { type Child, startChild } from '../bench/refresh/child.ts'
import { issue } from '../bench/refresh/tokens.ts'
import { compare, median, type Result, table } from '../bench/report.ts'

const main = join(import.meta.dirname, '../bench/main.ts')

const bench = (...args: string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr })
    })
  })

describe('the report', () => {
  it('compares medians, and gives the spread of the rounds and of their pairs', () => {
    expect(compare('x', 'a/s', [10, 30, 20], [10, 20, 40])).toEqual({
      name: 'x',
      value: 20,
      baseline: 20,
      unit: 'a/s',
      ratio: 1,
      spread: { value: [10, 30], baseline: [10, 40], ratio: [0.5, 1.5] },
    })
  })

  it.each([
    [[3], 3],
    [[3, 1], 2],
    [[9, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('takes as median of %j: %d', (numbers, expected) => {
    expect(median(numbers)).toBe(expected)
  })

  it('is a table with a line for each result, its columns aligned', () => {
    const lines = table([compare('short', 's', [1], [2]), compare('a-longer-name', 's', [1], [2])]).split('\n')
    expect(lines).toHaveLength(3)
    expect(new Set(lines.map((line) => line.search(/VALUE|1 /))).size).toBe(1)
  })
})

describe('npm run bench', () => {
  it.each([[['refrehs']], [['--fast']]])('refuses %j with the usage and exit code 2', async (args) => {
    const { code, stdout, stderr } = await bench(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(args[0])
    expect(stderr).toContain('npm run bench -- [name…] [--quick] [--json FILE]')
  })

  it('names its benchmarks when asked for help', async () => {
    expect(await bench('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('refresh'), stderr: '' })
  })
})

describe('the token endpoint of the benchmark', () => {
  let dir: string
  let endpoint: Child
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'perennial-bench-test-'))
    endpoint = await startChild('./token-endpoint.ts', [], join(dir, 'log'))
  })
  afterAll(async () => {
    await endpoint.stop()
    await rm(dir, { recursive: true })
  })

  it('takes a refresh token once, and counts what it refuses', async () => {
    const refresh = (refreshToken: string) =>
      fetch(`http://127.0.0.1:${endpoint.port}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('bench:bench')}` },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
      })
    const first = await refresh(issue('alice', 0).refresh_token)
    expect(await first.json()).toEqual(issue('alice', 1))
    expect((await refresh(issue('alice', 0).refresh_token)).status).toBe(400)
    expect((await refresh(issue('alice', 1).refresh_token)).status).toBe(200)
    expect(await endpoint.sample()).toMatchObject({ cycles: 2, failures: 1 })
  })
})

describe('npm run bench -- refresh', () => {
  let results: Map<string, Result>
  const said: string[] = []
  beforeAll(async () => {
    const plan = {
      trials: 1,
      workflows: 12,
      rounds: 1,
      warmUpMs: 2_500,
      windowMs: 4_000,
      sleepers: 5,
      looked: 3,
    }
    const measured = await benchRefresh({
      ...plan,
      signal: new AbortController().signal,
      say: (line) => void said.push(line),
    })
    results = new Map(measured.map((result) => [result.name, result]))
  })

  it('measures credentials and null workflows, none of whose refreshes failed', () => {
    const refresh = results.get('refresh')
    expect(refresh).toMatchObject({ unit: 'cycles/s', rounds: 1, windowSeconds: 4, failures: 0 })
    expect(refresh?.cycles).toBeGreaterThan(0)
    expect(refresh?.baseline).toBeGreaterThan(0)
    expect(refresh?.ratio).toBeGreaterThan(0)
  })

  it('says beside it what a cycle cost and what a workflow weighs', () => {
    const ofRounds = ['refresh.tasks', 'refresh.busy', 'refresh.cpu.all', 'refresh.cpu', 'refresh.rss']
    const history = ['refresh.history', 'refresh.history.bytes']
    const redis = ['refresh.redis', 'refresh.redis.bytes']
    expect([...results.keys()]).toEqual(['refresh', ...ofRounds, ...history, ...redis, 'refresh.memory'])
    for (const name of [...ofRounds, ...history]) {
      expect(results.get(name)?.value, name).toBeGreaterThan(0)
      expect(results.get(name)?.baseline, name).toBeGreaterThan(0)
    }
    // INFO counts what is called inside the two scripts too
    expect(results.get('refresh.redis')).toMatchObject({
      unit: 'commands/cycle',
      byCommand: { evalsha: expect.any(Number) },
    })
    expect(results.get('refresh.redis')?.value).toBeGreaterThan(4)
    expect(results.get('refresh.redis.bytes')?.value).toBeGreaterThan(1_000)
    expect(results.get('refresh.memory')).toMatchObject({ unit: 'KiB/workflow', workflows: 5 })
  })

  it('tells of each round as it goes, and alternates which kind is first', () => {
    const rounds = said.flatMap((line) => /round (\d) of 1, (\w+):/.exec(line)?.slice(1).join(' ') ?? [])
    expect(rounds).toEqual(['0 null', '0 credential', '1 credential', '1 null'])
  })
})

describe('npm run bench -- import', () => {
  it('measures starts beside bare ones, and imports through two kills each credential exactly once', async () => {
    const plan = { rounds: 2, startsPerRound: 40, lines: 160, badOfEach: 2 }
    const said: string[] = []
    const [result, ...more] = await benchImport({
      ...plan,
      signal: new AbortController().signal,
      say: (line) => void said.push(line),
    })
    expect(more).toEqual([])
    expect(result).toMatchObject({ name: 'import', unit: 'starts/s', rounds: 2, startsPerRound: 40 })
    expect(result?.ratio).toBeGreaterThan(0)
    const killed = result?.killed as Killed
    expect(killed).toMatchObject({ lines: 160 })
    expect(killed.joined + killed.started).toBe(160 - 12)
    expect(killed.joined).toBeGreaterThan(70)
    expect(Object.values(killed.refused)).toEqual([2, 2, 2, 2, 2, 2])
    expect(said.filter((line) => line.includes('killed with'))).toHaveLength(2)
  }, 120_000)
})
