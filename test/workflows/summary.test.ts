import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Status, statuses } from '../../src/credential.ts'
import type { CredentialState } from '../../src/workflows/messages.ts'
import { currentDetails, waitingFor } from '../../src/workflows/summary.ts'

const credential = 'acme/google-main/alice'
const dueAtMs = Date.UTC(2026, 0, 2, 10, 31, 7, 250)
const state = (changes: Partial<CredentialState> = {}): CredentialState => ({
  status: 'active',
  sinceMs: Date.UTC(2026, 0, 1),
  generation: 41,
  family: 'f1',
  dueAtMs,
  seeds: [],
  ...changes,
})

describe('the summary of a timer', () => {
  test.each<[Partial<CredentialState>, string]>([
    [{}, 'refresh generation 42 at 2026-01-02T10:31:07Z'],
    [{ status: 'retrying', reason: 'http_503' }, 'refresh generation 42 at 2026-01-02T10:31:07Z'],
    [
      { status: 'reconnect_required', reason: 'invalid_grant' },
      'reconnect required: invalid_grant at google; perennial reconnect acme/google-main/alice',
    ],
    [
      { status: 'misconfigured', reason: 'invalid_client' },
      'misconfigured: invalid_client at google; asked again at 2026-01-02T10:31:07Z',
    ],
    [
      { status: 'at_risk', reason: 'timeout', risk: risk(1) },
      'at risk: timeout; the refresh token is sent again at 2026-01-02T10:31:07Z',
    ],
    [{ status: 'active', risk: risk() }, 'wait out the attempt at generation 42, until 2026-01-02T10:31:07Z'],
  ])('%o', (changes, summary) => {
    expect(waitingFor(credential, 'google', state(changes))).toBe(summary)
  })

  test('there is one for every status, and it fits into the 400 bytes that the server keeps', () => {
    for (const status of statuses) {
      const summary = waitingFor(credential, 'google', state({ status, reason: 'r'.repeat(64) }))
      expect(summary).not.toBe('')
      expect(Buffer.byteLength(summary)).toBeLessThan(400)
    }
  })
})

describe('the details page', () => {
  test('is empty where all is well', () => {
    expect(currentDetails(credential, 'google', state())).toBe('')
    expect(currentDetails(credential, 'google', state({ status: 'pending' }))).toBe('')
  })

  test.each(statuses.filter((status) => status !== 'active'))('says status, since, reason and cure: %s', (status) => {
    const details = currentDetails(
      credential,
      'google',
      state({ status, reason: 'some_reason', detail: 'HTTP 400: no' }),
    )
    expect(details).toContain(`**${status}** since 2026-01-01T00:00:00Z, at generation 41`)
    expect(details).toContain('google said: some_reason, HTTP 400: no')
    expect(details.split('\n\n')).toHaveLength(3)
  })

  test('the cure of a refused grant names the command', () => {
    const details = currentDetails(
      credential,
      'google',
      state({ status: 'reconnect_required', reason: 'invalid_grant' }),
    )
    expect(details).toContain('perennial reconnect acme/google-main/alice')
  })

  test('a sealed grant is in neither of them', () => {
    fc.assert(
      fc.property(fc.constantFrom<Status>(...statuses), (status) => {
        const sealed = state({ status, reason: 'r', grant: 'sealed-grant', unstored: 'sealed-set', refused: 'print' })
        const shown = waitingFor(credential, 'google', sealed) + currentDetails(credential, 'google', sealed)
        expect(shown).not.toMatch(/sealed-grant|sealed-set|print/)
      }),
    )
  })
})

function risk(replayAtMs?: number) {
  const known = { reason: 'timeout', firstUseAtMs: 0, how: 'timed_out' as const, replays: 0 }
  return replayAtMs === undefined ? known : { ...known, replayAtMs }
}
