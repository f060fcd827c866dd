import type { Command } from 'commander'
import { z } from 'zod'
import { PerennialError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { catalogue } from '../providers/catalogue/index.ts'
import { inherited, isProblem } from '../providers/inheritance.ts'
import { type ProviderEntry, providerSchema } from '../providers/schema.ts'
import { pageOf, rotationText } from '../providers/words.ts'
import { jsonFlag } from './arguments.ts'
import { print, printable, printJson, styled } from './output.ts'

interface ProvidersOptions {
  json?: boolean
  schema?: boolean
}

/** perennial.yaml, as far as providers go. */
const documentSchema = z.looseObject({ providers: z.record(z.string(), providerSchema).optional() })

export function registerProviders(program: Command): void {
  program
    .command('providers')
    .argument('[id]', 'an entry of the catalogue')
    .description('the catalogue of providers, or what one entry means')
    .option(...jsonFlag)
    .option('--schema', 'print a JSON Schema of the entries in perennial.yaml, for editors')
    .action((id: string | undefined, options: ProvidersOptions) => {
      if (options.schema) printJson(z.toJSONSchema(documentSchema, { io: 'input' }))
      else if (id === undefined) printList(options)
      else printEntry(id, options)
    })
}

function printList({ json }: ProvidersOptions): void {
  const rows = Object.keys(catalogue)
    .sort()
    .map((id) => ({ id, entry: entryOf(id) }))
  if (json) {
    for (const { id, entry } of rows) printJson(summary(id, entry))
    return
  }
  const cells = rows.map(({ id, entry }) => [id, entry.displayName ?? '', rotationText(entry), entry.confidence ?? ''])
  printColumns([['PROVIDER', 'NAME', 'ROTATION', 'RESTS ON'], ...cells])
}

function summary(
  provider: string,
  { displayName, grant = 'refresh_token', rotation, checked, confidence }: ProviderEntry,
) {
  return { provider, displayName, grant, rotation, checked, confidence }
}

function printEntry(id: string, { json }: ProvidersOptions): void {
  const entry = entryOf(id)
  if (json) {
    printJson({ provider: id, ...entry })
    return
  }
  print(styled('bold', `${id} · ${entry.displayName ?? id}`))
  for (const { title, lines } of pageOf(entry)) {
    print('')
    print(styled('bold', title))
    for (const line of lines) print(`  ${printable(line)}`)
  }
}

function printColumns([titles = [], ...rows]: string[][]): void {
  const widths = titles.map((_, i) => Math.max(...[titles, ...rows].map((row) => row[i]?.length ?? 0)))
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  print(styled('dim', line(titles)))
  for (const row of rows) print(printable(line(row)))
}

/** An entry of the catalogue with what it inherits. */
function entryOf(id: string): ProviderEntry {
  if (!Object.hasOwn(catalogue, id)) {
    const guess = nearest(id, Object.keys(catalogue))
    const advice = guess === undefined ? 'perennial providers lists it' : `did you mean ${guess}?`
    throw new PerennialError('not_found', `there is no provider ${id} in the catalogue; ${advice}`)
  }
  const entry = inherited(id, {}, catalogue)
  if (isProblem(entry)) throw new Error(`catalogue entry ${id}: ${entry.message}`)
  return entry
}
