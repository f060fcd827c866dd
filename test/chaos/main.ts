import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PerennialError } from '../../src/errors.ts'
import { runFlush } from './flush.ts'
import { flushPassed, flushReport, flushTable } from './flush-report.ts'
import { report } from './report.ts'
import { runChaos } from './run.ts'
import { table } from './table.ts'

const usage = `usage: npm run chaos -- [--faults N] [--seed N] [--json FILE] [--keep]
  --faults N   so many faults, 20 to 400 (300); from 100 on they meet 200 credentials, below 20
  --flush      instead: FLUSHALL once under 200 credentials whose providers all have a budget
  --seed N     the same faults as another run of this seed (random)
  --json FILE  the report, beside the table
  --keep       leave data, logs and all that was seen behind, as after a failure
`

/** the stack needs half a minute to end */
const limitMs = 14 * 60_000

const say = (line: string) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)

async function main(): Promise<number> {
  const asked = readArguments()
  if (asked === undefined) return 0
  const { faults, seed } = asked
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  const folder = await mkdtemp(join(await roomyFolder(), 'perennial-chaos-'))
  if (asked.flush) return await flush(asked, folder, interrupted.signal)
  say(`${faults} faults, seed ${seed}; logs in ${folder}/stack/logs`)
  const evidence = await runChaos({
    faults,
    seed,
    credentials: faults < 100 ? 20 : 200,
    dataDir: join(folder, 'stack'),
    restWithinMs: 90_000,
    signal: AbortSignal.any([interrupted.signal, AbortSignal.timeout(limitMs)]),
    say,
  })
  const said = report(evidence)
  process.stdout.write(`${table(said)}\n`)
  if (asked.json !== undefined) await writeFile(asked.json, `${JSON.stringify(said, null, 2)}\n`)
  await writeFile(join(folder, 'evidence.json'), JSON.stringify(evidence))
  const failed =
    said.lostAvoidably + said.revokedReadable + said.overlappingRequests + said.earlySecondUses > 0 ||
    !said.budget.kept ||
    said.endedEarly
  if (failed || asked.keep) say(`what the servers and workers said is in ${folder}`)
  else await rm(folder, { recursive: true, force: true })
  return failed ? 1 : 0
}

const roomyBytes = 4 * 2 ** 30

/** In memory where there is room: processes are killed and not the machine, and a slow disk is none of the faults. */
async function roomyFolder(): Promise<string> {
  const memory = '/dev/shm'
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  )
  return free >= roomyBytes ? memory : tmpdir()
}

async function flush({ json, keep }: { json?: string; keep: boolean }, folder: string, interrupted: AbortSignal) {
  const evidence = await runFlush({
    credentials: 200,
    dataDir: join(folder, 'stack'),
    withinMs: 120_000,
    signal: AbortSignal.any([interrupted, AbortSignal.timeout(limitMs)]),
    say,
  })
  const said = flushReport(evidence)
  process.stdout.write(`${flushTable(said)}\n`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify(said, null, 2)}\n`)
  const passed = flushPassed(said)
  if (!passed || keep) say(`what the servers and workers said is in ${folder}`)
  else await rm(folder, { recursive: true, force: true })
  return passed ? 0 : 1
}

function readArguments() {
  const { values } = parse()
  if (values.help) {
    process.stdout.write(usage)
    return undefined
  }
  const faults = Number(values.faults)
  if (!Number.isInteger(faults) || faults < 20 || faults > 400) refuse('--faults is a whole number from 20 to 400')
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
  if (!Number.isInteger(seed) || seed < 0) refuse('--seed is a whole number')
  return {
    faults,
    seed,
    keep: values.keep,
    flush: values.flush,
    ...(values.json === undefined ? {} : { json: values.json }),
  }
}

function parse() {
  const options = {
    faults: { type: 'string', default: '300' },
    seed: { type: 'string' },
    json: { type: 'string' },
    flush: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ options })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function refuse(why: string): never {
  throw new PerennialError('usage', `${why}\n${usage.trim()}`)
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof PerennialError)) throw error
  say(`chaos: ${error.message}`)
  process.exitCode = error.code === 'usage' ? 2 : 1
}
