import { describe, expect, test } from 'vitest'
import { statuses } from '../src/credential.ts'
import { cure } from '../src/cure.ts'

const credential = 'acme/google-main/alice'

describe('the cure', () => {
  test.each([
    ['active', undefined, /^Nothing to do\.$/],
    ['pending', undefined, /first access token/],
    [
      'retrying',
      'connection_refused',
      /Google keeps failing \(connection_refused\).*still have a valid token.*10:31.*`perennial refresh acme\/google-main\/alice`/,
    ],
    ['retrying', 'rate_limited', /Google asks for fewer requests; a rateLimit/],
    ['retrying', 'provider_failing', /Google failed so often.*asked only now and then.*still have a valid token/],
    ['expired', 'over_budget', /More refreshes are due at Google than the rateLimit/],
    ['expired', 'temporarily_unavailable', /Google is out of order.*no valid token.*10:31/],
    ['retrying', 'stored_grant_unknown_key', /No key.*opens the grant.*keys\.grant/],
    [
      'expired',
      'stored_grant_tampered',
      /no worker wrote there \(stored_grant_tampered\).*`perennial reconnect acme\/google-main\/alice --from FILE`/,
    ],
    ['at_risk', 'answer_lost', /may be spent.*10:31.*nothing needs to be done/],
    [
      'misconfigured',
      'invalid_client',
      /clientSecrets.*clients\.google-main.*No user has to reconnect.*`perennial refresh/,
    ],
    ['misconfigured', 'invalid_scope', /request\.scope of clients\.google-main/],
    ['misconfigured', 'unknown_client', /no clients\.google-main: add it/],
    ['misconfigured', 'odd_code', /refuses the request of this client \(odd_code\)/],
    [
      'reconnect_required',
      'invalid_grant',
      /no longer good at Google \(invalid_grant\).*`perennial reconnect acme\/google-main\/alice --from FILE`/,
    ],
    [
      'reconnect_required',
      'no_refresh_token',
      /came without a refresh token.*ask for one.*`perennial providers`.*`perennial reconnect acme\/google-main\/alice/,
    ],
    ['revoked', 'revocation_pending', /not confirmed.*nothing to do/],
    ['revoked', undefined, /begin anew.*`perennial start acme\/google-main\/alice --from FILE`/],
  ] as const)('for %s (%s) says what happened and what to do', (status, reason, expected) => {
    const text = cure({
      credential,
      status,
      provider: 'Google',
      nextAttemptAt: '2026-01-01T10:31:00.000Z',
      ...(reason === undefined ? {} : { reason }),
    })
    expect(text).toMatch(expected)
    expect(text).not.toContain('\n')
  })

  test('for a grant that ends says when, and that the user has to reconnect before', () => {
    expect(cure({ credential, status: 'active', reconnectBy: '2026-02-01T00:00:00Z' })).toMatch(
      /ends at 2026-02-01T00:00:00Z.*before that.*`perennial reconnect acme\/google-main\/alice --from FILE`/,
    )
  })

  test.each(statuses)('for %s whose workflow was ended in Temporal says that nobody refreshes it', (status) => {
    expect(cure({ credential, status, workflowStatus: 'TERMINATED' })).toMatch(
      /TERMINATED.*nobody.*`perennial restore`/,
    )
  })

  test.each(statuses)('for %s is whole without provider, reason and time', (status) => {
    const text = cure({ credential, status })
    expect(text).not.toMatch(/undefined|\(\)| {2}/)
    expect(text).toMatch(/^[A-Z].*\.$/)
  })

  test('quotes an id that a shell would misread', () => {
    expect(cure({ credential: 'acme/auth0/google|12', status: 'reconnect_required' })).toContain(
      "`perennial reconnect 'acme/auth0/google|12' --from FILE`",
    )
  })
})
