import { Buffer } from 'node:buffer'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { bodyText } from '../../src/oauth/body.ts'

const text = JSON.stringify({ access_token: 'a'.repeat(2_000), refresh_token: 'r-0123456789', scope: 'ü' })

it.each([
  ['gzip', gzipSync(text)],
  [' GZIP ', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['br', brotliCompressSync(text)],
  ['identity', Buffer.from(text)],
  [undefined, Buffer.from(text)],
  // the header is wrong
  ['gzip', Buffer.from(text)],
  ['zstd', Buffer.from(text)],
])('a body of encoding %s is read', (encoding, bytes) => {
  expect(bodyText(bytes, encoding)).toBe(text)
})

it('what was cut off is read as far as it goes', () => {
  const whole = gzipSync(Buffer.from(text))
  expect(text.startsWith(bodyText(whole.subarray(0, whole.length - 12), 'gzip').slice(0, 20))).toBe(true)
})

it('a bomb does not go off', () => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
  expect(bodyText(bomb, 'gzip').length).toBeLessThanOrEqual(bomb.length)
})
