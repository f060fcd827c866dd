import { expect, test } from 'vitest'
import type { FamilyView } from './grants.ts'
import { classifyLosses, type Evidence, type Kill } from './losses.ts'
import type { RequestRecord } from './request-log.ts'

const family = (more: Partial<FamilyView> = {}): FamilyView => ({
  id: 'f1',
  user: 'alice',
  client: 'app',
  rotation: 'single_use',
  graceMs: 0,
  accepted: [],
  ended: { because: 'reuse', atMs: 9_000 },
  ...more,
})

/** f1.r1 bought f1.r2, and the answer reached nobody. */
const spent = (more: Partial<RequestRecord> = {}): RequestRecord => ({
  id: 1,
  endpoint: 'token',
  atMs: 1_000,
  presented: 'f1.r1',
  decision: 'granted',
  committedMs: 1_010,
  rotated: true,
  minted: { access: 'f1.a2', refresh: 'f1.r2' },
  overlaps: [],
  carried: { access: false, refresh: false },
  delivery: 'none',
  clientLeft: false,
  closedMs: 1_020,
  ...more,
})

const arrived: Partial<RequestRecord> = {
  carried: { access: true, refresh: true },
  delivery: 'complete',
  answeredMs: 1_020,
}

const replay: RequestRecord = { ...spent(), id: 2, atMs: 2_000, rotated: false, decision: 'not_processed' }
const grace = (seconds: number) => family({ rotation: 'grace', graceMs: seconds * 1_000 })
const killed = (process: Kill['process'], atMs: number): Pick<Evidence, 'kills'> => ({ kills: [{ process, atMs }] })

function verdictOf(
  held: string | undefined,
  families: FamilyView[],
  requests: RequestRecord[],
  more: Partial<Evidence> = {},
) {
  const losses = classifyLosses({ held: { alice: held }, families, requests, ...more })
  expect(losses.length).toBeLessThanOrEqual(1)
  return losses[0]?.verdict ?? 'no loss'
}

type Case = [
  claim: string,
  verdict: string,
  families: FamilyView[],
  requests: RequestRecord[],
  more?: Partial<Evidence>,
]

const cases: Case[] = [
  ['a token that is accepted is held', 'no loss', [family({ accepted: ['f1.r1', 'f1.r2'] })], [spent()]],
  ['a user who withdrew is no loss', 'no loss', [family({ ended: { because: 'consent_ended', atMs: 1 } })], []],
  ['single_use, the answer dropped', 'unavoidable', [family()], [spent()]],
  [
    'single_use, the living one unknown though nothing replayed it',
    'unavoidable',
    [family({ accepted: ['f1.r2'] })],
    [spent()],
  ],
  [
    'single_use, the connection reset with the answer unread',
    'unavoidable',
    [family()],
    [spent({ ...arrived, delivery: 'reset' })],
  ],
  ["single_use, another answer than the provider's own", 'unavoidable', [family()], [spent({ delivery: 'complete' })]],
  ['single_use, cut before the new token', 'unavoidable', [family()], [spent({ delivery: 'cut' })]],
  ['single_use, cut behind the new token', 'avoidable', [family()], [spent({ ...arrived, delivery: 'cut' })]],
  ['single_use, a complete answer', 'avoidable', [family()], [spent(arrived)]],
  [
    'single_use, an answer on a connection that is still open',
    'avoidable',
    [family()],
    [spent({ ...arrived, delivery: 'pending' })],
  ],
  ['a worker killed right after the answer', 'in_window', [family()], [spent(arrived)], killed('worker', 1_500)],
  ['a worker killed long after the answer', 'avoidable', [family()], [spent(arrived)], killed('worker', 2_021)],
  ['a worker killed before the answer', 'avoidable', [family()], [spent(arrived)], killed('worker', 1_019)],
  ['Redis killed right after the answer', 'avoidable', [family()], [spent(arrived)], killed('redis', 1_500)],
  ['a longer window', 'in_window', [family()], [spent(arrived)], { ...killed('worker', 2_021), windowMs: 2_000 }],
  ['killed by somebody who used another token twice', 'avoidable', [family()], [spent({ presented: 'f1.r0' })]],
  ['revoked by the system itself', 'avoidable', [family({ ended: { because: 'revoked', atMs: 1 } })], [spent()]],
  ['until_new_used never needs to lose', 'avoidable', [family({ rotation: 'until_new_used' })], [spent()]],
  ['rotates_old_valid never needs to lose', 'avoidable', [family({ rotation: 'rotates_old_valid' })], [spent()]],
  ['grace, nobody tried again', 'avoidable', [grace(60)], [spent()]],
  ['grace, tried again in vain', 'unavoidable', [grace(60)], [spent(), replay]],
  ['grace, tried again too late', 'avoidable', [grace(1)], [spent(), { ...replay, atMs: 2_010 }]],
  ['grace, the replay was answered', 'avoidable', [grace(60)], [spent(), spent({ ...arrived, id: 2, atMs: 2_000 })]],
  ['a short grace, the attempt timed out', 'unavoidable', [grace(30)], [spent({ clientLeft: true })]],
  ['a short grace, Temporal killed within it', 'unavoidable', [grace(30)], [spent()], killed('temporal', 30_000)],
  ['a short grace, killed after it', 'avoidable', [grace(30)], [spent()], killed('worker', 31_010)],
  ['a long grace leaves time after a timeout', 'avoidable', [grace(60)], [spent({ clientLeft: true })]],
]

test.each(cases)('%s: %s', (_, verdict, families, requests, more) => {
  expect(verdictOf('f1.r1', families, requests, more)).toBe(verdict)
})

test('who holds nothing, or a token of somebody else, has lost it avoidably', () => {
  expect(verdictOf(undefined, [family({ accepted: ['f1.r1'] })], [])).toBe('avoidable')
  expect(verdictOf('f2.r1', [family(), family({ id: 'f2', user: 'bob', accepted: ['f2.r1'] })], [])).toBe('avoidable')
  expect(verdictOf(undefined, [family({ ended: { because: 'consent_ended', atMs: 1 } })], [])).toBe('no loss')
})

test('a loss names its user and the requests that it is judged by', () => {
  const losses = classifyLosses({ held: { alice: 'f1.r1' }, families: [family()], requests: [spent({ id: 41 })] })
  expect(losses).toEqual([
    { user: 'alice', verdict: 'unavoidable', because: expect.stringContaining('rotated'), requests: [41] },
  ])
})
