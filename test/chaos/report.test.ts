import { expect, test } from 'vitest'
import type { RequestRecord } from '../referee/index.ts'
import type { Evidence } from './evidence.ts'
import { report } from './report.ts'
import { table } from './table.ts'
import type { FoundLoss } from './watch.ts'

const credential = 'chaos/single_use/user5'

const request: RequestRecord = {
  id: 7,
  endpoint: 'token',
  atMs: 30_000,
  user: 'user5',
  client: 'single_use',
  family: 'f5',
  presented: 'f5.r4',
  fault: 'drop_after_commit',
  decision: 'granted',
  committedMs: 30_100,
  rotated: true,
  minted: { access: 'f5.a5', refresh: 'f5.r5' },
  overlaps: [],
  carried: { access: false, refresh: false },
  delivery: 'none',
  clientLeft: false,
}

const loss: FoundLoss = {
  user: 'user5',
  credential,
  client: 'single_use',
  verdict: 'unavoidable',
  because: 'rotated, and no answer with the new token arrived',
  requests: [7],
  sinceMs: 32_000,
  foundAtMs: 32_500,
  reconnectedAtMs: 33_000,
}

const seen: Evidence = {
  seed: 1,
  beganMs: 0,
  endedMs: 60_000,
  endedEarly: false,
  credentials: 1,
  users: { [credential]: 'user5' },
  unsettled: [],
  made: [
    { atMs: 10_000, kind: 'flushall', what: 'Redis' },
    { atMs: 29_000, kind: 'answer_lost', what: `dropped at ${credential}` },
  ],
  requestsMet: { drop_after_commit: 1 },
  kills: [],
  flushedAtMs: [10_000],
  revoked: [{ credential, atMs: 50_000, families: ['f5'] }],
  losses: [loss],
  events: [{ atMs: 31_000, credential, generation: '4', status: 'at_risk', reason: 'answer_lost' }],
  stretches: [
    { credential, fromMs: 10_200, toMs: 14_200, codes: { credential_not_found: 4 }, lastTokenUntilMs: 15_000 },
    { credential, fromMs: 32_000, toMs: 33_000, codes: { reconnect_required: 2 }, lastTokenUntilMs: 0 },
  ],
  revokedReads: [],
  readsPerSecondEach: 2.2,
  consents: [{ user: 'user5', family: 'f5', atMs: 0 }],
  requests: [request],
  families: [
    {
      id: 'f5',
      user: 'user5',
      client: 'single_use',
      graceMs: 0,
      accepted: [],
      ended: { because: 'reuse', atMs: 32_000 },
    },
  ],
  rates: {
    none: [
      { second: 9, token: 9, revoke: 0 },
      { second: 11, token: 2, revoke: 0 },
      { second: 12, token: 1, revoke: 0 },
    ],
    grace: [{ second: 11, token: 5, revoke: 0 }],
  },
  budget: { client: 'none', perSecond: 2 },
  troubles: [],
}

test('losses are counted by verdict, and each is explained', () => {
  const said = report({ ...seen, losses: [loss, { ...loss, verdict: 'avoidable' }, { ...loss, verdict: 'in_window' }] })
  expect(said).toMatchObject({ lostAvoidably: 1, lostInWindow: 1, lostUnavoidably: 1, atRisk: 1 })
  expect(said.losses[0]).toMatchObject({ wasAtRisk: true, reconnectedAfterSeconds: 1 })
  expect(said.losses[0]?.requests.join()).toContain('f5.r4 -> f5.r5: granted; drop_after_commit; none')
})

test('a loss that nobody was warned of says so', () => {
  const said = report({ ...seen, events: [] })
  expect(said.losses[0]?.wasAtRisk).toBe(false)
  expect(table(said)).toContain('was never at_risk')
})

test('what readers could not be told of, the workflow has shown', () => {
  const shown = [{ atMs: loss.foundAtMs - 1_000, status: 'at_risk' }]
  const said = report({ ...seen, events: [], losses: [{ ...loss, shown }] })
  expect(said.losses[0]?.wasAtRisk).toBe(true)
  expect(table(said)).toMatch(/in Temporal: [0-9:.]+ at_risk/)
})

test('time without a token counts as unreadable only while the provider took one that had been delivered', () => {
  const said = report(seen)
  // the consent's token lives for 20 s, and the exchange that followed was never heard of
  expect(said.unreadableSeconds).toBe(4)
  expect(said.withoutTokenSeconds).toEqual({ credential_not_found: 4, reconnect_required: 1 })
  expect(said.longestRecoverySeconds).toBe(4)
})

test('after a FLUSHALL the last one that is readable again counts, and the busiest second until then', () => {
  expect(report(seen).flushes).toEqual([
    {
      at: '00:00:10.000',
      unreadable: 1,
      allReadableAfterSeconds: 4.2,
      busiestSecond: { allClients: 7, budgetedClient: 2 },
    },
  ])
})

test('a revoked credential that the provider still accepts is named', () => {
  expect(report(seen).unrevokedAtProvider).toEqual([])
  const alive = seen.families.map(({ ended, ...family }) => family)
  expect(report({ ...seen, families: alive }).unrevokedAtProvider).toEqual([credential])
})
