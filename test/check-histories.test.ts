import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = join(import.meta.dirname, '../scripts/check-histories.ts')
const recorded = 'test/histories/slept.1.json'

/** No configuration of whoever runs the tests, and no repository that a hook has put into the environment. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
}

let folder: string
let repository: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-histories-'))
  repository = join(folder, 'repository')
  mkdirSync(join(repository, 'test/histories'), { recursive: true })
  git('init', '--quiet', '--initial-branch=main')
  write(recorded, '{"events":[]}\n')
  commit('record a history')
})
afterEach(() => rmSync(folder, { recursive: true }))

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: repository, env, stdio: 'pipe' })

const write = (file: string, text: string) => writeFileSync(join(repository, file), text)

function commit(message: string): void {
  git('add', '--all')
  git('commit', '--quiet', '--message', message)
}

function check(cwd = repository): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd, env, encoding: 'utf8' })
  return { code: status, said: stdout + stderr }
}

test('a corpus that only grew is accepted, and so is a repository without one', () => {
  expect(check()).toEqual({ code: 0, said: '' })
  write('test/histories/retried.1.json', '{}')
  commit('record another')
  write('test/histories/not-yet-committed.1.json', '{}')
  expect(check()).toEqual({ code: 0, said: '' })
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  execFileSync('git', ['init', '--quiet'], { cwd: empty, env })
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '--quiet', '--allow-empty', '-m', 'x'], {
    cwd: empty,
    env,
  })
  expect(check(empty)).toEqual({ code: 0, said: '' })
})

const refused: [string, () => void][] = [
  ['changed in a commit', () => edit('{"events":[1]}\n')],
  ['changed and not committed', () => write(recorded, 'other')],
  ['removed', () => remove()],
  ['removed and not committed', () => rmSync(join(repository, recorded))],
  ['renamed', () => rename()],
  ['removed and recorded anew', () => recordAnew()],
  ['changed by a merge', () => changeInMerge()],
]

test.each(refused)('a history that was %s is refused by name', (_, change) => {
  change()
  const { code, said } = check()
  expect(code).toBe(1)
  expect(said.split(recorded)).toHaveLength(2)
})

test('a change that was taken back is accepted: the history is what it was', () => {
  const text = readFileSync(join(repository, recorded), 'utf8')
  edit('by mistake')
  edit(text)
  expect(check().code).toBe(0)
})

test('a shallow clone is checked as far as it goes, and says that this is not all', () => {
  edit('{"events":[1]}\n')
  const clone = join(folder, 'clone')
  execFileSync('git', ['clone', '--quiet', '--depth=2', `file://${repository}`, clone], { env })
  expect(check(clone)).toMatchObject({ code: 1, said: expect.stringContaining(recorded) })
  const shallower = join(folder, 'shallower')
  execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${repository}`, shallower], { env })
  expect(check(shallower)).toMatchObject({ code: 0, said: expect.stringContaining('git fetch --unshallow') })
})

function edit(text: string): void {
  write(recorded, text)
  commit('record again')
}

function remove(): void {
  git('rm', '--quiet', recorded)
  commit('remove')
}

function recordAnew(): void {
  remove()
  mkdirSync(join(repository, 'test/histories'), { recursive: true })
  edit('{"events":[2]}\n')
}

function rename(): void {
  git('mv', recorded, 'test/histories/renamed.1.json')
  commit('rename')
}

function changeInMerge(): void {
  git('switch', '--quiet', '--create', 'side')
  write('test/histories/side.1.json', '{}')
  commit('on a branch')
  git('switch', '--quiet', 'main')
  git('merge', '--quiet', '--no-ff', '--no-commit', 'side')
  write(recorded, 'changed while merging')
  commit('merge')
}
