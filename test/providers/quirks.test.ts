import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/dev/binaries.ts'
import { fields, usedFields, usedWords, words } from './fields.ts'

/** What vendors do that a client of RFC 6749 alone does not expect. */
const quirks = [
  'json_body',
  'query_parameters',
  'token_in_url_path',
  'http_get',
  'separate_refresh_url',
  'token_url_carries_query',
  'url_template',
  'redirect_uri_on_refresh',
  'scope_on_refresh',
  'vendor_parameter_on_refresh',
  'renamed_client_parameters',
  'nonstandard_grant',
  'required_headers',
  'refresh_token_in_header',
  'unusual_client_authentication',
  'public_client',
  'client_auth_differs_between_calls',
  'second_login_step',
  'no_refresh_grant',
  'access_token_renews_itself',
  'refresh_token_renewed_by_other_call',
  'body_format_needs_accept_header',
  'wrapped_response',
  'several_token_pairs',
  'missing_expires_in',
  'expiry_absolute',
  'expiry_as_string',
  'expiry_other_field',
  'expiry_is_remaining_life',
  'expiry_by_lookup',
  'expiry_must_be_requested',
  'refresh_expiry_returned',
  'refresh_token_absent_or_same',
  'metadata_must_be_kept',
  'scope_shape',
  'large_tokens',
  'error_in_http_200',
  'dead_grant_other_code',
  'dead_grant_other_status',
  'dead_grant_only_in_message',
  'error_in_other_field',
  'transient_looks_permanent',
  'permanent_looks_transient',
  'http_429_for_user_agent',
  'failed_calls_get_caller_banned',
  'not_before',
  'same_token_while_valid',
  'never_after_expiry',
  'very_short_access_token',
  'vendor_asks_early_refresh',
  'validation_duty',
  'token_endpoint_rate_limit',
  'absolute_cap_not_extended',
  'offline_access_must_be_asked',
  'never_expires',
  'expiry_is_a_setting',
  'old_access_token_dies',
  'time_grace',
  'until_new_used',
  'replay_returns_same_pair',
  'newest_pair_wins',
  'reuse_revokes_more',
  'rotation_is_a_setting',
  'rotation_differs_by_client_type',
  'token_count_eviction',
  'revocation_not_rfc7009',
  'revocation_json',
  'revocation_one_token_kind',
  'revocation_cascades',
  'revocation_status_says_nothing',
  'rules_changed_recently',
]

const page = readFileSync(join(packageRoot(), 'docs/providers.md'), 'utf8')
const rows = [...page.matchAll(/^\| [a-z]+ \| ([a-z0-9_]+) \| [^|]+ \| `([^`]+)` \| (\S+) \|$/gm)].map(
  ([, quirk = '', field = '', file = '']) => ({ quirk, field, file }),
)
const out = [...page.matchAll(/^\* ([a-z0-9_]+) \([^)]+\): [A-Z].+\.$/gm)].map(([, quirk = '']) => quirk)

describe('docs/providers.md', () => {
  test('has every quirk, and leaves at most three out, with the reason', () => {
    expect([...rows.map(({ quirk }) => quirk), ...out].sort()).toEqual([...quirks].sort())
    expect(out.length).toBeLessThanOrEqual(3)
  })

  test.each(rows)('$quirk is covered by $field and tested in $file', ({ field, file }) => {
    expect(fields).toContain(field)
    expect(existsSync(join(packageRoot(), file))).toBe(true)
  })

  test.each(fields)('tells what %s is for', (field) => {
    const name = field.split('.').at(-1) ?? ''
    expect(page).toMatch(new RegExp(`\\b${name}\\b`))
  })
})

test.each(words)('docs/providers.md tells of the value %s', (word) => {
  expect(page).toContain(word)
})

test.each(fields)('%s is a field that an entry of the catalogue uses', (field) => {
  expect(usedFields).toContain(field)
})

const asNothingSaid = 'is what holds where nothing is said: it undoes what an entry takes over from another'
/** What no entry of the catalogue says, and why it can be said all the same. */
const unsaid: Record<string, string> = {
  POST: asNothingSaid,
  form: asNothingSaid,
  credential: asNothingSaid,
  assertion: asNothingSaid,
  milliseconds: 'a minute in milliseconds cannot be told from a day in seconds',
  epoch_milliseconds: 'the answer to an expiryLookup is read as epoch_seconds unless it is said',
}

test.each(words)('%s is said by an entry of the catalogue, or has a reason', (word) => {
  expect(usedWords.has(word)).toBe(unsaid[word] === undefined)
})

test('and no reason is given for a word that is none', () => {
  expect(Object.keys(unsaid).filter((word) => !words.includes(word))).toEqual([])
})
