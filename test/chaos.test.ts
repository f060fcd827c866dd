import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChaosReport } from './chaos/report.ts'

const program = join(import.meta.dirname, 'chaos', 'main.ts')

/** a schedule of 50 s, in which a black hole is over early, the start and the end of the stack, and time to come to rest */
const limitMs = 150_000

let folder: string
let ended: { code: number; stdout: string; stderr: string }
let report: ChaosReport

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-chaos-test-'))
  const json = join(folder, 'report.json')
  ended = await run('--faults', '20', '--seed', '55', '--json', json)
  report = JSON.parse(await readFile(json, 'utf8'))
}, limitMs)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('twenty faults on real processes lose nothing that could have been kept', () => {
  expect(report.losses.filter(({ verdict }) => verdict === 'avoidable')).toEqual([])
  expect(report.lostAvoidably).toBe(0)
})

test('no read returns a token whose revoke had returned', () => {
  expect(report.revokedReads).toEqual([])
  expect(report.faults.revoke).toBe(1)
})

test('no two requests of a family overlap, and no spent token comes again while its access token serves', () => {
  expect(report.overlappingRequests).toBe(0)
  expect(report.earlySecondUses).toBe(0)
})

test('a loss that nobody could prevent was at_risk before, and is explained by what the provider saw', () => {
  for (const loss of report.losses) {
    expect(loss.wasAtRisk, JSON.stringify(loss)).toBe(true)
    expect(loss.requests.length).toBeGreaterThan(0)
  }
  expect(report.lostUnavoidably).toBeGreaterThan(0)
})

test('every fault was made, and every credential is alive and readable at the end', () => {
  const made = Object.values(report.faults).reduce((sum, count) => sum + count, 0)
  expect(made).toBe(20)
  expect(report.kills.map(({ process }) => process).sort()).toEqual(['redis', 'temporal', 'worker'])
  expect(report.unsettled).toEqual([])
  expect(report.troubles).toEqual([])
  expect(report.endedEarly).toBe(false)
})

test('the budget of a provider is kept, FLUSHALL included', () => {
  expect(report.budget.kept, JSON.stringify(report.budget)).toBe(true)
  expect(report.flushes).toHaveLength(1)
})

test('the program says it in a table, and ends well', () => {
  expect(ended.stdout).toMatch(/^lost avoidably +0 \(must be 0\)$/m)
  expect(ended.stdout).toMatch(/^FLUSHALL at .* all again after/m)
  expect(ended.code, ended.stderr).toBe(0)
})

function run(...args: string[]): Promise<typeof ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: limitMs - 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr })
    })
  })
}
