import { describe, expect, test } from 'vitest'
import type { Status } from '../src/format.ts'
import { refusal } from '../src/refusal.ts'

const id = 'acme/google-main/alice'

describe('a token that is not there', () => {
  test.each<[Status, string, boolean]>([
    ['pending', 'token_pending', true],
    ['active', 'token_expired', true],
    ['retrying', 'token_expired', true],
    ['expired', 'token_expired', true],
    ['at_risk', 'token_expired', true],
    ['misconfigured', 'token_expired', true],
    ['reconnect_required', 'reconnect_required', false],
    ['revoked', 'credential_revoked', false],
  ])('with status %s is an error of its own kind: %s', (status, code, retryable) => {
    const error = refusal(id, { status, since: '2026-11-24T10:00:00.000Z', generation: 1 })
    expect(error).toMatchObject({ code, retryable, reason: status, since: new Date('2026-11-24T10:00:00.000Z') })
    expect(error.message).toContain(id)
  })

  test('has been expired since its own expiry, not since the status changed', () => {
    const accessExpiresAt = '2026-11-24T10:05:00.000Z'
    const error = refusal(id, { status: 'retrying', since: '2026-11-24T10:00:00.000Z', generation: 1, accessExpiresAt })
    expect(error.since).toEqual(new Date(accessExpiresAt))
  })

  test('and of which nothing is known was never started', () => {
    expect(refusal(id, undefined)).toMatchObject({ code: 'credential_not_found', retryable: false })
  })
})
