import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { PerennialError } from '../src/errors.ts'
import { benchImport } from './import/bench.ts'
import { outageBenches } from './outage/index.ts'
import { benchRead } from './read/bench.ts'
import { benchRefresh } from './refresh/bench.ts'
import { machine, type Result, table } from './report.ts'

interface Run {
  quick: boolean
  signal: AbortSignal
  say: (line: string) => void
  draw: (name: string, svg: string) => Promise<void>
}

const benches: Record<string, (run: Run) => Promise<Result[]>> = {
  refresh: ({ quick, ...run }) => benchRefresh({ ...run, ...(quick ? quickly : fully) }),
  import: ({ quick, ...run }) => benchImport({ ...run, ...(quick ? fewLines : manyLines) }),
  read: ({ quick, ...run }) => benchRead({ ...run, ...(quick ? fewReads : manyReads) }),
  ...outageBenches,
}

const fully = {
  trials: 1,
  workflows: 200,
  rounds: 9,
  warmUpMs: 18_000,
  windowMs: 8_000,
  sleepers: 1_000,
  looked: 40,
}
const quickly = {
  trials: 1,
  workflows: 200,
  rounds: 2,
  warmUpMs: 16_000,
  windowMs: 6_000,
  sleepers: 400,
  looked: 20,
}

const manyLines = { rounds: 5, startsPerRound: 1_000, lines: 5_000, badOfEach: 50 }
const fewLines = { rounds: 3, startsPerRound: 400, lines: 1_000, badOfEach: 10 }

const manyReads = { keys: 10_000, rounds: 101, reads: 500, notices: 5_000, atOnce: 1_000 }
const fewReads = { keys: 10_000, rounds: 25, reads: 500, notices: 1_000, atOnce: 1_000 }

const usage = `usage: npm run bench -- [name…] [--quick] [--json FILE]
benchmarks: ${Object.keys(benches).join(', ')}; all of them when none is named
`

const say = (line: string) => void process.stderr.write(`${line}\n`)

async function main(): Promise<number> {
  const asked = readArguments()
  if (asked === undefined) return 0
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new PerennialError('interrupted', `ended by ${signal}`)))
  const draw = async (name: string, svg: string) => {
    if (asked.json !== undefined) await writeFile(`${asked.json.replace(/\.json$/, '')}.${name}.svg`, svg)
  }
  const report = { machine: machine(), results: [] as Result[] }
  for (const bench of asked.benches)
    report.results.push(...(await bench({ quick: asked.quick, signal: interrupted.signal, say, draw })))
  process.stdout.write(`${table(report.results)}\n`)
  if (asked.json !== undefined) await writeFile(asked.json, `${JSON.stringify(report, null, 2)}\n`)
  return 0
}

function readArguments() {
  const { values, positionals } = parse()
  if (values.help) {
    process.stdout.write(usage)
    return undefined
  }
  const names = positionals.length === 0 ? Object.keys(benches) : positionals
  const chosen = names.map((name) => benches[name] ?? refuse(`there is no benchmark ${JSON.stringify(name)}`))
  return { benches: chosen, quick: values.quick, json: values.json }
}

function parse() {
  const options = {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ options, allowPositionals: true })
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
  say(`bench: ${error.message}`)
  process.exitCode = error.code === 'usage' ? 2 : 1
}
