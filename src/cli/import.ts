import { createReadStream, type WriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Imported, Perennial } from '../client.ts'
import { PerennialError } from '../errors.ts'
import { jsonFlag } from './arguments.ts'
import { confirmed, requireConsent, yesFlag } from './consent.ts'
import { partlyDone, usageError } from './exit.ts'
import { jsonLine, print, printable, printJson, say } from './output.ts'
import { ProgressLine, progressText } from './progress.ts'
import { withPerennial } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

interface ImportCommandOptions extends TargetOptions {
  rate?: number
  refused?: string
  dryRun?: boolean
  yes?: boolean
  json?: boolean
}

export function registerImport(program: Command): void {
  withTargetOptions(program.command('import'))
    .description('begin many credentials from JSON lines, or give them new grants; run again, it goes on where it was')
    .argument('<file>', 'lines of {"credential": "tenant/client/subject", "refresh_token": …}; - for stdin')
    .option('--rate <lines>', 'at most so many lines a second', rateArgument)
    .option('--refused <file>', 'where refused lines are listed with their reasons (else FILE.refused.jsonl)')
    .option('--dry-run', 'check every line against the configuration, and change nothing')
    .option(...yesFlag)
    .option(...jsonFlag)
    .action(async (file: string, options: ImportCommandOptions) => {
      if (file === '-' && process.stdin.isTTY)
        throw usageError('import - reads stdin, and stdin is a terminal: pipe the lines in, or name a file')
      if (!options.dryRun) requireConsent(options, `this hands over every grant in ${nameOf(file)}`)
      const source = await openSource(file)
      await withPerennial(options, (perennial) => importAll(perennial, file, source, options))
    })
}

interface Source {
  chunks: AsyncIterable<Uint8Array>
  totalBytes?: number
}

interface Tally extends Record<Imported['outcome'], number> {
  lines: number
}

async function importAll(perennial: Perennial, file: string, source: Source, options: ImportCommandOptions) {
  const { yes, dryRun = false, rate } = options
  const question = `Import ${nameOf(file)}? From then on nobody else may use its refresh tokens: stop the old refresher first.`
  if (!yes && !dryRun && !(await confirmed(question))) throw new PerennialError('declined', 'nothing was imported')
  const report = await RefusedLines.open(options.refused ?? `${file === '-' ? 'import' : file}.refused.jsonl`)
  const tally: Tally = { lines: 0, started: 0, reconnected: 0, joined: 0, refused: 0 }
  const progress = new ProgressLine()
  const beganMs = performance.now()
  let bytes = 0
  try {
    const imported = perennial.import(source.chunks, {
      dryRun,
      ...(rate === undefined ? {} : { linesPerSecond: rate }),
    })
    for await (const one of imported) {
      tally.lines++
      tally[one.outcome]++
      bytes = Math.max(bytes, one.endByte)
      if (one.outcome === 'refused') await report.add(one)
      const { totalBytes } = source
      const at = { bytes, elapsedMs: performance.now() - beganMs, ...(totalBytes === undefined ? {} : { totalBytes }) }
      progress.show(() => progressText({ done: tally.lines, refused: tally.refused, ...at }))
    }
  } catch (error) {
    throw error instanceof PerennialError && tally.lines > 0 ? brokenOff(error, tally) : error
  } finally {
    progress.end()
    await report.close()
  }
  conclude(tally, report, options)
}

const brokenOff = ({ code, message }: PerennialError, { lines }: Tally) =>
  new PerennialError(code, `${message}; broke off after ${lines} lines, run the same command again to go on`)

function conclude(tally: Tally, report: RefusedLines, { json, dryRun }: ImportCommandOptions): void {
  const { lines, started, reconnected, joined, refused } = tally
  const refusedIn = refused === 0 ? {} : { refusedFile: report.path }
  if (json) printJson({ ...tally, ...refusedIn })
  else if (dryRun) print(`${lines} lines, ${started} can be imported, ${refused} would be refused`)
  else
    print(
      `${lines} lines: ${started} started, ${reconnected} given a new grant, ${joined} there already, ${refused} refused`,
    )
  if (lines === 0) throw new PerennialError('nothing_imported', 'there is no line to import')
  if (refused === 0) return
  for (const [code, { count, line, reason }] of report.kinds)
    say(`${count} ${code}, the first at line ${line}: ${printable(reason)}`)
  const message = `${refused} of ${lines} lines were refused; they are listed in ${report.path}`
  throw refused === lines ? new PerennialError('nothing_imported', message) : partlyDone(message)
}

/** The report of refused lines, itself JSON lines. It holds no secret: whoever mends a line finds it by its number. */
class RefusedLines {
  readonly path: string
  readonly kinds = new Map<string, { count: number; line: number; reason: string }>()
  readonly #stream: WriteStream

  private constructor(path: string, stream: WriteStream) {
    this.path = path
    this.#stream = stream
  }

  /** Takes the place of the report of an earlier run. */
  static async open(path: string): Promise<RefusedLines> {
    try {
      return new RefusedLines(path, (await open(path, 'w', 0o600)).createWriteStream())
    } catch (error) {
      throw new PerennialError(
        'report_unwritable',
        `${path} cannot be written (${codeOf(error)}); name another file with --refused`,
      )
    }
  }

  async add({ line, credential, code = 'refused', reason = '' }: Imported): Promise<void> {
    const known = this.kinds.get(code) ?? { count: 0, line, reason }
    this.kinds.set(code, { ...known, count: known.count + 1, ...(line < known.line ? { line, reason } : {}) })
    const text = `${jsonLine({ line, ...(credential === undefined ? {} : { credential }), code, reason })}\n`
    await new Promise<void>((resolve, reject) => this.#stream.write(text, (e) => (e ? reject(e) : resolve())))
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#stream.end(resolve))
    if (this.kinds.size === 0) await rm(this.path, { force: true })
  }
}

async function openSource(file: string): Promise<Source> {
  if (file === '-') return { chunks: process.stdin }
  try {
    const handle = await open(file, 'r')
    const stats = await handle.stat()
    if (stats.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    const chunks = createReadStream('', { fd: handle })
    // a pipe does not say how much will come
    return stats.isFile() ? { chunks, totalBytes: stats.size } : { chunks }
  } catch (error) {
    throw new PerennialError('unreadable', `${file} cannot be read (${codeOf(error)})`)
  }
}

const nameOf = (file: string) => (file === '-' ? 'stdin' : file)

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown'

function rateArgument(text: string): number {
  const rate = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (rate <= 0) throw new InvalidArgumentError('Write a number of lines a second: 50.')
  return rate
}
