/**
 * Recorded histories stand for workflows that run somewhere: they are added, and never changed, renamed or removed.
 * `node scripts/check-histories.ts` compares test/histories with every commit that added to it, names what differs, a
 * line each, and exits 1.
 *
 * It asks git and keeps no list of its own, which the same commit could change. What it can prove is therefore as
 * long as the history at hand; in a shallow clone it says so.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const corpus = 'test/histories'

/** What became of the recorded histories of a checkout, a sentence for each that is not what it was. */
export function changedHistories(root: string): string[] {
  const added = additions(root)
  const present = [...new Set(added.map(({ file }) => file))].filter((file) => existsSync(join(root, file)))
  const now = new Map(blobs(root, present).map((blob, index) => [present[index], blob]))
  const differing = added.filter(({ file, blob }) => now.get(file) !== blob)
  // the log begins with the newest: what stays in the map is the first commit that added a file
  const first = new Map(differing.map(({ file, commit }) => [file, commit]))
  return [...first].map(([file, commit]) => {
    const what = now.has(file) ? 'was changed' : 'is gone'
    return `${file} ${what} since commit ${commit.slice(0, 10)} added it; record a new file beside it instead`
  })
}

/** Every file that any commit added, merges included, with the content that it was added with. */
function additions(root: string): { file: string; blob: string; commit: string }[] {
  const options = ['--format=commit %H', '--raw', '--no-abbrev', '--no-renames', '--diff-filter=A', '-m', '-z']
  const log = git(root, ['log', ...options, '--', `${corpus}/*.json`])
  const found = []
  let commit = ''
  // with -z: commit lines, and pairs of `:modes blobs A` and path, each ended by NUL
  const fields = log.split('\0').map((field) => field.trim())
  for (const [index, field] of fields.entries()) {
    if (field.startsWith('commit ')) commit = field.slice('commit '.length)
    const blob = /^:\d+ \d+ \w+ (\w+) A$/.exec(field)?.[1]
    const file = fields[index + 1]
    if (blob !== undefined && file !== undefined) found.push({ file, blob, commit })
  }
  return found
}

/** What git would store of these files as they lie in the checkout. */
function blobs(root: string, files: string[]): string[] {
  if (files.length === 0) return []
  return git(root, ['hash-object', '--stdin-paths'], files.join('\n')).trim().split('\n')
}

const git = (root: string, args: string[], input = ''): string =>
  execFileSync('git', args, { cwd: root, input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })

if (import.meta.main) {
  const root = git('.', ['rev-parse', '--show-toplevel']).trim()
  const changed = changedHistories(root)
  for (const sentence of changed) console.error(sentence)
  if (git(root, ['rev-parse', '--is-shallow-repository']).trim() === 'true')
    console.error('this clone is shallow: only its own commits were compared; git fetch --unshallow brings the others')
  process.exitCode = changed.length === 0 ? 0 : 1
}
