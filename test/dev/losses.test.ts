import { expect, test } from 'vitest'
import type { Exchange } from '../../src/dev/demo/admin.ts'
import { cutOff, unexplainedRefusals } from './losses.ts'

const exchange = (id: number, subject: string, more: Partial<Exchange>): Exchange => ({
  id,
  at: '2026-01-01T00:00:00Z',
  client: 'orchard',
  subject,
  status: 200,
  delivered: true,
  ...more,
})
const rotation = (id: number, subject: string, presented: string, refreshToken: string, delivered = true) =>
  exchange(id, subject, { presented, refreshToken, delivered })
const refusal = (id: number, subject: string, presented: string) =>
  exchange(id, subject, { status: 400, error: 'invalid_grant', presented })

test('a user is cut off by a last rotation that nobody got, and by nothing else', () => {
  expect(cutOff([rotation(1, 'plum', 'a', 'b'), rotation(2, 'plum', 'b', 'c')])).toEqual(new Set())
  expect(cutOff([rotation(1, 'plum', 'a', 'b', false)])).toEqual(new Set(['plum']))
  expect(cutOff([rotation(1, 'plum', 'a', 'b', false), refusal(2, 'plum', 'a')])).toEqual(new Set(['plum']))
  // somebody did get it, whatever the record says
  expect(cutOff([rotation(1, 'plum', 'a', 'b', false), rotation(2, 'plum', 'b', 'c')])).toEqual(new Set())
})

test('a refusal is explained by a cut of the very exchange that spent the token', () => {
  const cut = rotation(1, 'plum', 'a', 'b', false)
  expect(unexplainedRefusals([cut, refusal(2, 'plum', 'a')])).toEqual([])
  const replayed = refusal(3, 'plum', 'b')
  const stolen = refusal(4, 'fig', 'a-of-fig')
  expect(unexplainedRefusals([rotation(1, 'plum', 'b', 'c'), replayed, stolen])).toEqual([replayed, stolen])
})
