import { describe, expect, test } from 'vitest'
import type { StatusDocument } from '../../packages/reader/src/format.ts'
import { changedRows, nextRows, type Row } from '../../src/dev/rows.ts'
import { openScreen } from '../../src/dev/screen.ts'
import { duration, renderChange, renderTable } from '../../src/dev/table.ts'

const nowMs = Date.parse('2026-11-24T12:00:00Z')
const canvas = { nowMs, width: 200, height: 50, colour: false }
const iso = (offsetMs: number) => new Date(nowMs + offsetMs).toISOString()

const plum: Row = {
  credential: 'demo/orchard/plum',
  status: 'active',
  generation: 4,
  accessExpiresAtMs: nowMs + 15_000,
  nextRefreshAtMs: nowMs + 4_000,
  lifetimeMs: 30_000,
}

test('a row says status, generation, time left, next refresh and the last failure', () => {
  const rows = [
    plum,
    { ...plum, credential: 'demo/orchard/fig', lastFailure: { reason: 'http_503', atMs: nowMs - 7_000 } },
  ]
  expect(renderTable(['head'], rows, canvas)).toEqual([
    'head',
    'credential         status  gen  time left          next refresh  last failure',
    'demo/orchard/plum  active  4    ██████░░░░░░ 15 s  in 4 s',
    'demo/orchard/fig   active  4    ██████░░░░░░ 15 s  in 4 s        http_503, 7 s ago',
  ])
})

test('an expired token, a due refresh and a credential without a token are told apart', () => {
  const expired: Row = { ...plum, status: 'expired', accessExpiresAtMs: nowMs - 1, nextRefreshAtMs: nowMs - 1 }
  const [, expiredLine, pendingLine] = renderTable(
    [],
    [expired, { credential: 'demo/orchard/fig', status: 'pending', generation: 0 }],
    canvas,
  )
  expect(expiredLine).toMatch(/expired +4 +░{12} expired +now$/)
  expect(pendingLine).toMatch(/^demo\/orchard\/fig +pending +0$/)
})

test('lines never exceed the width, nor the table the height; those in trouble stay visible', () => {
  const rows: Row[] = Array.from({ length: 30 }, (_, i) => ({ ...plum, credential: `demo/orchard/plum-${i}` }))
  rows.push({
    ...plum,
    credential: 'demo/orchard/sick',
    status: 'reconnect_required',
    lastFailure: { reason: 'x'.repeat(300), atMs: nowMs },
  })
  const lines = renderTable(['h'.repeat(80), ''], rows, { ...canvas, width: 80, height: 11 })
  expect(lines.length).toBeLessThanOrEqual(11)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(lines.join('\n')).toContain('demo/orchard/sick')
  expect(lines.at(-1)).toBe('… and 24 more')
})

test('text of a provider cannot drive the terminal', () => {
  const reason = 'bad\x1b[2J\r\n\u202eevil\x07'
  const failed: Row = { ...plum, status: 'retrying', reason, lastFailure: { reason, atMs: nowMs } }
  for (const text of [renderTable([], [failed], canvas).join(''), renderChange(failed, nowMs)]) {
    expect(text).toContain('bad[2Jevil')
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  }
})

test('colour is only where it is wanted', () => {
  const colourCode = '\x1b['
  expect(renderTable([], [plum], { ...canvas, colour: true }).join('')).toContain(colourCode)
  expect(renderTable([], [plum], canvas).join('')).not.toContain(colourCode)
})

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [99_000, '99 s'],
  [100_000, '2 min'],
  [7_200_000, '2 h'],
  [259_200_000, '3 d'],
])('%d ms is written %s', (ms, text) => expect(duration(ms)).toBe(text))

describe('rows', () => {
  const active: StatusDocument = { status: 'active', since: iso(-60_000), generation: 2, accessExpiresAt: iso(30_000) }
  const read = (previous: Row[], document: StatusDocument, atMs = nowMs) =>
    nextRows(previous, new Map([['demo/orchard/plum', document]]), [], atMs)

  test('a credential that is expected and not in the store yet is pending', () => {
    const rows = nextRows([], new Map([['demo/orchard/plum', active]]), ['demo/orchard/fig'], nowMs)
    expect(rows.map(({ credential, status }) => [credential, status])).toEqual([
      ['demo/orchard/fig', 'pending'],
      ['demo/orchard/plum', 'active'],
    ])
  })

  test('the bar empties over the lifetime of a generation and is full again with the next', () => {
    const first = read([], active)
    const later = read(first, active, nowMs + 20_000)
    expect(later[0]?.lifetimeMs).toBe(30_000)
    const next = read(later, { ...active, generation: 3, accessExpiresAt: iso(80_000) }, nowMs + 20_000)
    expect(next[0]?.lifetimeMs).toBe(60_000)
  })

  test('a failure stays visible after the credential has recovered', () => {
    const failing = read([], { ...active, status: 'retrying', reason: 'http_503', since: iso(-1_000) })
    expect(read(failing, { ...active, generation: 3 })[0]).toMatchObject({
      status: 'active',
      lastFailure: { reason: 'http_503', atMs: nowMs - 1_000 },
    })
  })

  test('a change is another status, reason or generation, and not the passing of time', () => {
    const before = read([], active)
    expect(changedRows(before, read(before, active, nowMs + 5_000))).toEqual([])
    for (const change of [{ generation: 3 }, { status: 'retrying' as const }, { reason: 'new' }])
      expect(changedRows(before, read(before, { ...active, ...change }))).toHaveLength(1)
  })
})

describe('screens', () => {
  test('an address that is longer than the terminal is wide stays whole and is redrawn in place', () => {
    let text = ''
    const write = (more: string) => {
      text += more
    }
    const screen = openScreen({ isTTY: true, columns: 60, rows: 24, write }, { write }, false)
    const address = `http://127.0.0.1/${'a'.repeat(80)}`
    screen.show([address], [plum], nowMs)
    expect(text).toContain(address)
    screen.show([address], [plum], nowMs)
    expect(text).toContain('\x1b[4A\x1b[J')
  })

  test('without a terminal the table is written once, then a line per change', () => {
    const output: string[] = []
    const errors: string[] = []
    const screen = openScreen({ write: (text) => output.push(text) }, { write: (text) => errors.push(text) }, true)
    screen.show(['head'], [plum], nowMs)
    screen.show(['head'], [plum], nowMs + 1_000)
    screen.show(['head'], [{ ...plum, generation: 5 }], nowMs)
    screen.say('the redis ended')
    expect(output[0]).toContain('head\ncredential')
    expect(output.slice(1)).toEqual([
      '2026-11-24T12:00:00.000Z demo/orchard/plum active generation 5, valid for 15 s\n',
    ])
    expect(errors).toEqual(['the redis ended\n'])
  })

  test('on a terminal the table is redrawn in place and talk appears above it', () => {
    let text = ''
    const write = (more: string) => {
      text += more
    }
    const screen = openScreen({ isTTY: true, columns: 80, rows: 24, write }, { write }, false)
    screen.show(['head'], [plum], nowMs)
    const table = text
    screen.say('the redis ended')
    expect(text).toBe(`${table}\x1b[3A\x1b[Jthe redis ended\n${table}`)
    screen.show(['head'], [plum], nowMs)
    expect(text.endsWith(`\x1b[3A\x1b[J${table}`)).toBe(true)
  })
})
