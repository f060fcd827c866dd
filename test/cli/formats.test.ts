import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeInfo } from '../../src/cli/checks/redis.ts'
import { durationText, fromNow, parseDuration } from '../../src/cli/duration.ts'
import { jsonErrorOffset } from '../../src/cli/json-syntax.ts'
import { jsonLine, printable } from '../../src/cli/output.ts'
import { cellsOf, Table } from '../../src/cli/table.ts'
import { findTarget, targetText, temporalEnvironment } from '../../src/cli/target.ts'
import { parseTokenResponse } from '../../src/cli/token-response.ts'
import { details } from '../../src/cli/view.ts'

describe('a duration', () => {
  test.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['15m', 900_000],
    ['14d', 1_209_600_000],
    ['2w', 1_209_600_000],
    ['14', undefined],
    ['d', undefined],
    ['-1d', undefined],
    ['1y', undefined],
    ['1d2h', undefined],
    ['', undefined],
  ])('%j is %s ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })

  test.each([
    [0, '0 s'],
    [119_999, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
  ])('of %d ms is said as %s', (span, expected) => {
    expect(durationText(span)).toBe(expected)
  })

  test('is told from now, in both directions', () => {
    const now = Date.parse('2026-01-01T10:00:00Z')
    expect(fromNow('2026-01-01T10:01:00.000Z', now)).toBe('in 60 s')
    expect(fromNow('2026-01-01T09:00:00.000Z', now)).toBe('60 min ago')
  })
})

describe('what is printed', () => {
  test('drives no terminal and hides nothing', () => {
    expect(printable('a\u001b[31mb\r\nc\u009bd\u202ee\u200bf')).toBe('a[31mbcdef')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\p{Cf}]/u.test(printable(text))))
  })

  test('as JSON is the same value on one visible line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = jsonLine({ text })
        expect(JSON.parse(line)).toEqual({ text })
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u)
      }),
    )
  })

  const view = {
    credential: 'acme/google-main/alice',
    provider: 'google',
    status: 'retrying',
    reason: 'timeout',
    generation: 7,
    accessExpiresAt: '2026-01-01T10:02:00.000Z',
    nextRefreshAt: '2026-01-01T10:00:30.000Z',
    lastFailure: 'no answer\u001b[2J',
    workflowId: 'credential/acme/google-main/alice',
  } as const
  const now = Date.parse('2026-01-01T10:00:00Z')

  test('of a credential are the things that are known, times with their distance, and the cure', () => {
    expect(Object.fromEntries(details(view, now))).toEqual({
      reason: 'timeout',
      provider: 'google',
      generation: '7',
      'token expires': '2026-01-01T10:02:00.000Z (in 2 min)',
      'next refresh': '2026-01-01T10:00:30.000Z (in 30 s)',
      'last failure': 'no answer\u001b[2J',
      workflow: 'credential/acme/google-main/alice',
      'what to do': expect.stringMatching(/perennial refresh acme\/google-main\/alice/),
    })
  })

  test('of a list are aligned columns', () => {
    expect(cellsOf(view, now)).toEqual(['acme/google-main/alice', 'retrying', '7', 'in 2 min', 'in 30 s', 'timeout'])
    const lines: string[] = []
    const table = new Table((line) => lines.push(line))
    for (let i = 0; i < 150; i++) table.add(view)
    expect(lines).toHaveLength(101)
    table.add({ ...view, credential: 'a/b/c', status: 'active' })
    table.end()
    expect(lines).toHaveLength(152)
    expect(lines[0]).toMatch(/^CREDENTIAL {14}STATUS {4}GEN {2}EXPIRES/)
    expect(lines.at(-1)).toMatch(/^a\/b\/c {19}active {4}7/)
  })

  test('of no credentials at all is nothing', () => {
    const lines: string[] = []
    new Table((line) => lines.push(line)).end()
    expect(lines).toEqual([])
  })
})

describe('where JSON ends', () => {
  test.each([
    ['hello', 0],
    ['{"a": x}', 6],
    ['{"a": 1', 7],
    ['{"a": 1,}', 8],
    ['{"a" 1}', 5],
    ['{} {}', 3],
    ['"a\nb"', 0],
    ['', 0],
  ])('%j is told', (text, offset) => {
    expect(jsonErrorOffset(text)).toBe(offset)
  })

  test('is found exactly where JSON.parse finds an error', () => {
    const parses = (text: string) => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    const nearly = fc
      .tuple(fc.json(), fc.nat(), fc.string({ unit: fc.constantFrom(...'{}[],:"\\0-.eatu \n'), maxLength: 2 }))
      .map(([json, at, noise]) => json.slice(0, at % (json.length + 1)) + noise + json.slice(at % (json.length + 1)))
    let broken = 0
    fc.assert(
      fc.property(fc.oneof(nearly, fc.json()), (text) => {
        expect(jsonErrorOffset(text) === undefined).toBe(parses(text))
        broken += parses(text) ? 0 : 1
      }),
      { numRuns: 1000 },
    )
    expect(broken).toBeGreaterThan(50)
  })

  test.each([
    ['{"refresh_token": "canary-secret', 'line 1, column 19'],
    ['{\n "refresh_token": canary-secret }', 'line 2, column 19'],
    ['canary-secret', 'line 1, column 1'],
    ['', 'is empty'],
  ])('is said of a token response without quoting it: %j', (source, place) => {
    expect(() => parseTokenResponse(source, 'file.json')).toThrow(
      expect.objectContaining({
        code: 'invalid_token_response',
        message: expect.stringMatching(new RegExp(`^file\\.json (?!.*canary).*${place}`)),
      }),
    )
  })

  test('with a byte order mark is still JSON', () => {
    expect(parseTokenResponse('\ufeff{"a":1}', 'x')).toEqual({ a: 1 })
  })
})

describe('the servers of a command', () => {
  const having =
    (...paths: string[]) =>
    (path: unknown) =>
      paths.some((known) => known === path)
  const all = having('perennial.yaml', '.perennial/perennial.yaml', 'd/perennial.yaml')

  test.each([
    [{ config: 'c.yaml', data: 'd' }, { PERENNIAL_CONFIG: 'e.yaml' }, all, 'c.yaml', false],
    [{ data: 'd' }, { PERENNIAL_CONFIG: 'e.yaml' }, all, 'd/perennial.yaml', true],
    [{}, { PERENNIAL_CONFIG: 'e.yaml' }, all, 'e.yaml', false],
    [{}, { PERENNIAL_CONFIG: '' }, all, 'perennial.yaml', false],
    [{}, {}, having('.perennial/perennial.yaml'), '.perennial/perennial.yaml', true],
  ])('%j %j are found', (options, env, exists, path, devStack) => {
    expect(findTarget(options, env, exists)).toEqual({ path, devStack })
  })

  test('that are nowhere are told with every place that was looked at', () => {
    expect(() => findTarget({}, {}, having())).toThrow(
      /--config.*PERENNIAL_CONFIG.*perennial\.yaml.*\.perennial.*npm start/,
    )
    expect(() => findTarget({ data: 'd' }, {}, having('perennial.yaml'))).toThrow(/no dev stack in d/)
  })

  test('of a dev stack include its Temporal, whatever else is set', () => {
    const env = {
      TEMPORAL_ADDRESS: 'prod:7233',
      TEMPORAL_API_KEY: 'k',
      TEMPORAL_TLS: '1',
      TEMPORAL_CLI: '/t',
      PATH: '/bin',
    }
    expect(temporalEnvironment({ path: 'd/perennial.yaml', devStack: true }, env)).toEqual({
      PATH: '/bin',
      TEMPORAL_CLI: '/t',
      TEMPORAL_CONFIG_FILE: 'd/temporal.toml',
    })
    expect(temporalEnvironment({ path: 'perennial.yaml', devStack: false }, env)).toEqual(env)
  })

  test('are named in one line', () => {
    const temporal = { address: '127.0.0.1:7233', namespace: 'default' }
    expect(targetText({ path: '.perennial/perennial.yaml', devStack: true }, temporal)).toBe(
      'using ./.perennial/perennial.yaml (dev stack), Temporal 127.0.0.1:7233',
    )
    expect(targetText({ path: '/etc/perennial.yaml', devStack: false }, { ...temporal, namespace: 'prod' })).toBe(
      'using /etc/perennial.yaml, Temporal 127.0.0.1:7233, namespace prod',
    )
  })
})

describe('what INFO of Redis says', () => {
  test.each([
    ['aof_enabled:1\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n', ['ok', 'ok']],
    ['aof_enabled:1\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n', ['ok', 'ok']],
    ['aof_enabled:0\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n', ['warn', 'warn']],
  ])('%j is judged %j', (info, expected) => {
    expect(judgeInfo(info).map(({ status }) => status)).toEqual(expected)
  })
})
