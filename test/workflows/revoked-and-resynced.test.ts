import { describe, expect, test } from 'vitest'
import type { Status } from '../../src/credential.ts'
import type { CredentialState } from '../../src/workflows/messages.ts'
import * as transitions from '../../src/workflows/transitions.ts'

const nowMs = Date.UTC(2026, 0, 1)
const moment = { nowMs, random: 0.5 }
const risk = { how: 'answer_lost' as const, reason: 'timeout', firstUseAtMs: nowMs, replays: 0 }

const stateOf = (changes: Partial<CredentialState> = {}): CredentialState => ({
  status: 'active',
  sinceMs: nowMs - 1_000,
  generation: 7,
  family: 'f1',
  grant: 'sealed-7',
  accessExpiresAtMs: nowMs + 600_000,
  dueAtMs: nowMs + 300_000,
  seeds: ['s1'],
  ...changes,
})

describe('a credential that is fenced', () => {
  test('keeps nothing that could be used, and owes the provider what is to be revoked', () => {
    const state = stateOf({ risk, unstored: 'set', refused: 'r', asked: 1, refreshExpiresAtMs: 1, debts: ['d1'] })
    const fenced = {
      family: 'f2',
      generation: 9,
      debts: ['d2', 'd3'],
      endsConsent: true,
      reason: 'revocation_pending',
    } as const
    transitions.revoked(state, { ...fenced, debts: [...fenced.debts] }, moment)
    expect(state).toEqual({
      status: 'revoked',
      reason: 'revocation_pending',
      sinceMs: nowMs,
      generation: 9,
      family: 'f2',
      dueAtMs: nowMs + 300_000,
      seeds: ['s1'],
      debts: ['d1', 'd2', 'd3'],
      endsConsent: true,
    })
  })

  test('by a tombstone on an older generation keeps its own number', () => {
    const state = stateOf()
    transitions.revoked(state, { family: 'f1', generation: 5 }, moment)
    expect(state).toMatchObject({ generation: 7, status: 'revoked' })
  })
})

describe('a credential that was compared with the store', () => {
  test('and of which nothing is lost tells readers its status again, and goes on as before', () => {
    const state = stateOf()
    transitions.resynced(state, { lost: false }, 5_000, moment)
    expect(state).toEqual(stateOf({ unannounced: true }))
  })

  test('and whose access token readers lost is refreshed in its turn, never later than it was due', () => {
    const late = stateOf()
    transitions.resynced(late, { lost: true }, 5_000, moment)
    expect(late).toMatchObject({ status: 'pending', reason: 'store_lost_it', dueAtMs: nowMs + 5_000 })
    const early = stateOf({ dueAtMs: nowMs + 1_000 })
    transitions.resynced(early, { lost: true }, 5_000, moment)
    expect(early.dueAtMs).toBe(nowMs + 1_000)
  })

  test.each<[string, Partial<CredentialState>]>([
    ['its refresh token may be spent', { status: 'at_risk' satisfies Status, risk }],
    ['an attempt is being waited out', { risk }],
    ['its grant is refused', { status: 'reconnect_required' }],
    ['its client is refused', { status: 'misconfigured' }],
  ])('is not refreshed any sooner for it while %s', (_name, changes) => {
    const state = stateOf(changes)
    transitions.resynced(state, { lost: true }, 5_000, moment)
    expect(state).toEqual(stateOf({ ...changes, unannounced: true }))
  })
})
