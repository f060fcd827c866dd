import * as crypto from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseAccess, parseStatus } from '../packages/reader/src/format.ts'
import { readerKey, readerKeyText, sealingKey } from '../packages/reader/src/sealed.ts'
import { createProgram } from '../src/cli/program.ts'
import { declare } from '../src/config/declaration.ts'
import type { Problem } from '../src/config/problem.ts'
import { statuses } from '../src/credential.ts'
import { packageRoot } from '../src/dev/binaries.ts'
import { readerUser, setUserLine } from '../src/store/acl.ts'
import { newSealingKey, seal } from '../src/store/sealing.ts'

const root = packageRoot()
const files = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const pages = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
const page = (file: string) => pages.find((found) => found.file === file)?.text ?? ''
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code)
/** As GitHub names the headings of a page. */
const anchors = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

describe('the documentation', () => {
  test.each(pages)('$file links to what is there', ({ file, text }) => {
    for (const [, target = ''] of text.matchAll(/[^!]\[[^\]]*\]\(([^)]+)\)/g)) {
      if (/^https:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const linked = path === '' ? file : join(dirname(file), path)
      expect(existsSync(join(root, linked)), `${file}: ${target}`).toBe(true)
      if (anchor !== undefined) expect(anchors(page(linked)), `${file}: ${target}`).toContain(anchor)
    }
  })

  test.each(pages)('$file names only commands and options that exist', ({ file, text }) => {
    const commands = new Map(createProgram().commands.map((command) => [command.name(), command]))
    const calls = [...text.matchAll(/(?:npx |`)perennial ([a-z][^`\n#<]*)/g)].map(([, call = '']) => call)
    for (const call of calls) {
      const [name = '', ...rest] = call.trim().split(/\s+/)
      const command = commands.get(name)
      expect(command, `${file}: perennial ${call}`).toBeDefined()
      for (const option of rest.filter((word) => word.startsWith('--')))
        expect(
          command?.options.map(({ long }) => long),
          `${file}: perennial ${call}`,
        ).toContain(option)
    }
  })

  test('shows configuration that is accepted', () => {
    const examples = pages
      .flatMap(({ text }) => blocks(text, 'yaml'))
      .map((text) => parse(text) as Record<string, unknown>)
    const together = Object.assign({}, ...examples.map(({ redis, keys }) => ({ ...(redis ? { redis, keys } : {}) })))
    const example = parse(readFileSync(join(root, 'deploy/perennial.example.yaml'), 'utf8')) as Record<string, unknown>
    const all = { ...together, clients: merged(examples, 'clients'), providers: merged(examples, 'providers') }
    for (const document of [all, example, examples[0]]) {
      const problems: Problem[] = []
      const { clients } = declare(document, problems)
      expect(problems).toEqual([])
      expect(clients.length).toBeGreaterThan(0)
    }
  })

  test('has a heading for every status', () => {
    for (const status of statuses) expect(anchors(page('docs/stuck.md'))).toContain(status)
  })
})

describe('docs/reading.md', () => {
  const text = page('docs/reading.md')
  const id = 'acme/google-main/alice'

  test('opens a token with the key that it derives, and refuses that of another credential', () => {
    const master = newSealingKey()
    const derive = blocks(text, 'sh')
      .find((block) => block.includes('hkdfSync'))
      ?.match(/import[\s\S]*(?=")/)?.[0]
      .replace(/^import.*$/m, '')
    const printed: string[] = []
    const console = { log: (line: string) => printed.push(line) }
    runInNewContext(derive ?? '', { ...crypto, Buffer, console, process: { env: { PERENNIAL_READER_KEY: master } } })
    const tenantKey = readerKey(sealingKey(master), 'acme')
    expect(printed).toEqual([readerKeyText(tenantKey)])

    const code =
      blocks(text, 'ts')
        .find((block) => block.includes('openToken'))
        ?.replace(/^import.*$/m, '') ?? ''
    const open = runInNewContext(`${stripTypeScriptTypes(code)};openToken`, { ...crypto, Buffer }) as (
      sealed: string,
      key: string,
      id: string,
    ) => unknown
    const sealed = seal('{"access_token":"token"}', tenantKey, { cred: id, family: 'f', gen: 1 })
    expect(open(sealed, printed[0] ?? '', id)).toEqual({ access_token: 'token' })
    expect(() => open(sealed, printed[0] ?? '', 'acme/google-main/bob')).toThrow('not the token')
    expect(() => open(sealed, readerKeyText(readerKey(sealingKey(master), 'other')), id)).toThrow()
  })

  test('shows documents that the reader accepts', () => {
    const [access = '', status = ''] = blocks(text, 'json')
    expect(parseAccess(access, id).generation).toBe(42)
    expect(parseStatus(status).status).toBe('retrying')
  })
})

const merged = (examples: Record<string, unknown>[], section: string) =>
  Object.assign({}, ...examples.map((example) => example[section]))

test('docs/reading.md shows the rules that perennial acl prints', () => {
  const [hash = ''] = /[0-9a-f]{64}/.exec(page('docs/reading.md')) ?? []
  expect(page('docs/reading.md')).toContain(`\n${setUserLine(readerUser('acme', [hash]))}\n`)
})
