import { describe, expect, test } from 'vitest'
import type { FamilyView, RequestRecord } from '../referee/index.ts'
import { overlapMs, type Span, validSpans } from './spans.ts'

describe('the time that is covered', () => {
  const table: [string, Span, Span[], number][] = [
    ['nothing by nothing', [10, 20], [], 0],
    ['a part', [10, 20], [[15, 40]], 5],
    ['all of it', [10, 20], [[0, 40]], 10],
    [
      'once where two overlap',
      [10, 20],
      [
        [11, 15],
        [13, 17],
      ],
      6,
    ],
    [
      'in any order',
      [10, 20],
      [
        [18, 30],
        [0, 11],
      ],
      3,
    ],
    ['nothing by a span that ends before it begins', [10, 20], [[18, 12]], 0],
  ]
  test.each(table)('%s', (_, span, others, ms) => {
    expect(overlapMs(span, others)).toBe(ms)
  })
})

describe('a token is valid', () => {
  const family = { id: 'f1', user: 'u', client: 'c', graceMs: 0, accepted: [] } satisfies FamilyView
  const answered = {
    id: 1,
    endpoint: 'token',
    family: 'f1',
    atMs: 90,
    committedMs: 100,
    answeredMs: 120,
    decision: 'granted',
    rotated: true,
    overlaps: [],
    carried: { access: true, refresh: true },
    delivery: 'complete',
    clientLeft: false,
  } satisfies RequestRecord
  const of = { consents: [], families: [family], lifeMs: 50 }

  test('from its consent, and from its answer, until it ends', () => {
    const consents = [{ family: 'f1', atMs: 40 }]
    expect(validSpans({ ...of, consents, requests: [answered] })).toEqual([
      [40, 90],
      [120, 150],
    ])
  })

  test('not when no answer brought it', () => {
    const lost: RequestRecord[] = [
      { ...answered, delivery: 'none' },
      { ...answered, delivery: 'reset' },
      { ...answered, carried: { access: false, refresh: true } },
    ]
    expect(validSpans({ ...of, requests: lost })).toEqual([])
  })

  test('no longer than its family', () => {
    const ended = { ...family, ended: { because: 'reuse' as const, atMs: 130 } }
    expect(validSpans({ ...of, families: [ended], requests: [answered] })).toEqual([[120, 130]])
  })
})
