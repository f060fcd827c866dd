import { expect, test } from 'vitest'
import { receive } from '../../src/workflows/receive.ts'

const nowMs = 1_700_000_000_000
const notice = { generation: 3, attempt: 3, reason: 'http_503', detail: '', nextAttemptInMs: 4000 }

test.each([
  ['revoke', [], { type: 'revoke' }],
  ['wake', [], { type: 'wake' }],
  ['reconnect', [{ family: 'f' }], { type: 'reconnect', seed: { family: 'f' }, receivedAtMs: nowMs }],
  ['retrying', [notice], { type: 'retrying', notice }],
  ['resync', [250], { type: 'resync', delayMs: 250 }],
  ['rejected', [3], { type: 'rejected', generation: 3 }],
])('the signal %s is understood', (name, args, message) => {
  expect(receive(name, args, nowMs)).toEqual(message)
})

test.each([
  ['reconnect', []],
  ['reconnect', [null]],
  ['reconnect', ['a token']],
  ['reconnect', [{ sealed: 'x' }]],
  ['reconnect', [{ family: 'f', sealed: 5 }]],
  ['reconnect', [{ family: 'f', accessLivesMs: 'soon' }]],
  ['retrying', [{}]],
  ['resync', ['now']],
  ['resync', [-1]],
  ['resync', [Number.NaN]],
  ['rejected', ['3']],
  ['rejected', [1.5]],
  ['rejected', []],
  ['somebody-elses', [1]],
])('the signal %s with %j is left alone', (name, args) => {
  expect(receive(name, args, nowMs)).toBeUndefined()
})
