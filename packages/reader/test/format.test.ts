import { describe, expect, test } from 'vitest'
import { parseCredentialId, statuses as writerStatuses } from '../../../src/credential.ts'
import {
  accessKey,
  changedChannel,
  parseAccess,
  parseStatus,
  rejectedChannel,
  statuses,
  statusKey,
} from '../src/format.ts'

const id = 'acme/google-main/alice'

describe('keys and channels', () => {
  test('a credential has its keys, with the tenant before the hash tag', () => {
    expect(accessKey(id)).toBe('perennial:access:acme:{google-main/alice}')
    expect(statusKey(id)).toBe('perennial:status:acme:{google-main/alice}')
    expect(changedChannel('acme')).toBe('perennial:changed:acme')
    expect(rejectedChannel('acme')).toBe('perennial:rejected:acme')
  })

  test.each([
    '',
    'acme',
    'acme/google-main',
    'acme/google-main/alice/x',
    'acme//alice',
    'ac*me/a/b',
    'acme/a/b}:x',
    'acme/a/b\n',
    `acme/a/${'x'.repeat(256)}`,
  ])('%j is no credential id, for readers as for writers', (bad) => {
    expect(parseCredentialId(bad)).toEqual(expect.any(String))
    expect(() => accessKey(bad)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })

  test.each([id, 'a~b@c|d+e=f%20g-h/.../_', `${'x'.repeat(255)}/y/z`])(
    '%s is a credential id, for readers as for writers',
    (good) => {
      expect(parseCredentialId(good)).toEqual(expect.any(Object))
      expect(accessKey(good)).toMatch(/^perennial:access:/)
    },
  )
})

describe('documents', () => {
  test('readers know the statuses that are written', () => {
    expect(statuses).toEqual(writerStatuses)
  })

  const access = {
    credential: id,
    family: 'f1',
    generation: 3,
    access_token: 'secret-token',
    token_type: 'Bearer',
    expires_at: '2026-11-24T10:00:00.000Z',
  }

  test('an access document is read, with whatever a newer writer adds', () => {
    expect(parseAccess(JSON.stringify({ ...access, later: 1 }), id)).toEqual({ ...access, later: 1 })
  })

  test("another credential's access document is refused", () => {
    const text = JSON.stringify({ ...access, credential: 'acme/google-main/bob' })
    expect(() => parseAccess(text, id)).toThrow(expect.objectContaining({ code: 'other_credential' }))
  })

  test.each([
    ['no JSON', 'secret-token'],
    ['an array', '["secret-token"]'],
    ['without a token', JSON.stringify({ ...access, access_token: undefined })],
    ['with a generation that is no integer', JSON.stringify({ ...access, generation: 'secret-token' })],
    ['with a time that is none', JSON.stringify({ ...access, expires_at: 'secret-token' })],
    ['with a scope that is no text', JSON.stringify({ ...access, scope: ['secret-token'] })],
  ])('an access document that is %s is refused, and not repeated', (_, text) => {
    expect(() => parseAccess(text, id)).toThrow(
      expect.objectContaining({ code: 'malformed', message: expect.not.stringContaining('secret-token') }),
    )
  })

  test('a status document is read', () => {
    const status = { status: 'retrying', reason: 'throttled', since: '2026-11-24T10:00:00.000Z', generation: 3 }
    expect(parseStatus(JSON.stringify(status))).toEqual(status)
  })

  test.each([
    ['an unknown status', { status: 'asleep', since: '2026-11-24T10:00:00.000Z', generation: 1 }],
    ['no time', { status: 'active', generation: 1 }],
    ['a negative generation', { status: 'active', since: '2026-11-24T10:00:00.000Z', generation: -1 }],
  ])('a status document with %s is refused', (_, document) => {
    expect(() => parseStatus(JSON.stringify(document))).toThrow(expect.objectContaining({ code: 'malformed' }))
  })
})
