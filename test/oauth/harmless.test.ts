import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harmless, harmlessCode } from '../../src/oauth/harmless.ts'
import { eightGrams, encodings } from './encodings.ts'

describe('harmless', () => {
  it.each([
    ['Token has been expired or revoked.', 'Token has been expired or revoked.'],
    ['the refresh_token is invalid', 'the refresh_token is invalid'],
    [
      "AADSTS700082: The refresh token has expired (id: 'x').",
      "AADSTS700082: The refresh token has expired (id: 'x').",
    ],
    ['<b>bad</b> <script>alert(1)</script>', 'bad alert(1)'],
    [
      '**bold** _it_ `code` [click](https://evil.example) # head | cell',
      'bold it code click (https evil.example) head cell',
    ],
    ['see www.evil.example', 'see www evil.example'],
    ['&lt;img&gt; &amp; more', 'lt;img gt; amp; more'],
    ['two\r\nlines\tand\u0000nul', 'two lines andnul'],
    ['\u001b[31mred\u001b[0m \u001b]8;;x\u0007', 'red ]8;;x'.replace(']', '')],
    ['left\u202eright\u2066 zero\u200bwidth \ufeffbom', 'leftright zerowidth bom'],
    ['lone \ud800 surrogate', 'lone surrogate'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(harmless(text, [])).toBe(expected)
  })

  it('cuts to 200 characters without half a character at the end', () => {
    expect(harmless('a'.repeat(500), [])).toBe('a'.repeat(200))
    expect(harmless(`${'a'.repeat(199)}😀`, [])).toBe('a'.repeat(199))
  })

  it('removes the words that repeat a secret and leaves the others', () => {
    expect(harmless('token abcdefghij has expired', ['abcdefghij'])).toBe('token has expired')
    expect(harmless('token=abcdefgh&x=1 has expired', ['0-abcdefgh-1'])).toBe('has expired')
    expect(harmless('only abcdefg of it', ['abcdefghij'])).toBe('only abcdefg of it')
    expect(harmless('wrong secret hunter2 given', ['hunter2'])).toBe('wrong secret given')
    expect(harmless('too short to tell: abc', ['abc'])).toBe('too short to tell: abc')
    for (const before of ['', ':', '::'])
      expect(harmless(`got ${Buffer.from(`${before}s3cr:t`).toString('base64')}`, ['s3cr'])).toBe('got')
  })

  it.each([
    ['cannot store eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln for alice', 'cannot store for alice'],
    ['token ghr_16C7e42F292c6912E7710c838347Ae178B4a is unknown', 'token is unknown'],
    ['hash 5d41402abc4b2a76b9719d911017c592 seen before', 'hash seen before'],
    ['Trace ID: 6e94ade5-10de-4d67-909a-14d845813500', 'Trace ID: 6e94ade5-10de-4d67-909a-14d845813500'],
    ['unauthorized.bad_refresh_token.evicted', 'unauthorized.bad_refresh_token.evicted'],
  ])('removes what looks like a token, although nobody here has seen it: %s', (text, expected) => {
    expect(harmless(text, [])).toBe(expected)
  })

  it('gives up the whole text where a secret of several words is in it', () => {
    expect(harmless('phrase: correct horse battery staple.', ['correct horse battery staple'])).toBe('')
  })

  it('notices a secret that only removing markup brings together', () => {
    expect(harmless('correct<b>horse battery', ['correct horse battery'])).toBe('')
  })

  it.each(['**', '<wbr>', '`', ' ', ' . ', '\\', ' - ', '%20', '\u200b'])(
    'removes a secret in pieces: %j',
    (between) => {
      const token = 'Zr8tQx1Vn5bK7wLpD3mYs9'
      const pieces = (token.match(/.{1,5}/g) ?? []).join(between)
      expect(harmless(`the token ${pieces} is unknown`, [token]).replaceAll(/ [.-]/g, '')).toBe('the token is unknown')
    },
  )

  it('leaves words that are like a secret but do not spell it', () => {
    expect(harmless('the client of the app is off', ['client-of-app'])).toBe('the client of the app is off')
  })

  it('is quick with the longest of texts and secrets', () => {
    const secret = Array.from({ length: 60_000 }, (_, at) => (at * 7919).toString(36).at(-1)).join('')
    // of the processor, for others use the machine too; quadratic is a minute
    const before = process.cpuUsage()
    expect(harmless(`${secret} `.repeat(3), [secret])).toBe('')
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(6_000)
  })

  const secrets = fc.oneof(
    fc.string({ minLength: 8, maxLength: 60 }),
    fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }),
    fc.base64String({ minLength: 8, maxLength: 60 }),
    fc.uuid(),
  )

  it.each(Object.entries(encodings))('no eight characters of any secret are left: %s', (_name, encode) => {
    fc.assert(
      fc.property(secrets, fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (secret, before, after) => {
        const encoded = encode(secret)
        for (const text of [`${before}${encoded}${after}`, `${before} ${encoded} ${after}`, `${before}"${encoded}"`]) {
          const shown = harmless(text, [secret])
          const leaked = eightGrams(secret).filter((run) => shown.includes(run))
          expect(leaked).toEqual([])
          expect(shown.length).toBeLessThanOrEqual(200)
        }
      }),
      { numRuns: 150 },
    )
  })

  it.each(Object.entries(encodings))('no encoded form of a token is left to decode: %s', (_name, encode) => {
    const token = 'Zr8-tQ_x1.Vn5bK~7wLpD3mYs9'
    const shown = harmless(`invalid grant ${encode(token)} for client`, [token])
    expect(shown.replace(/^invalid grant( Basic)? for client$/, '')).toBe('')
    expect(Buffer.from(shown, 'base64').toString()).not.toContain(token.slice(0, 8))
  })

  it('what is shown holds no control, invisible or markup character, whatever came', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(harmless(text, [])).not.toMatch(/[\p{C}<>&`*[\]|\\~#{}$]/u)
      }),
    )
  })
})

describe('harmlessCode', () => {
  it.each(['invalid_grant', 'AADSTS50076', 'vendor.error-1', 'a'.repeat(64)])('%j may be shown', (code) => {
    expect(harmlessCode(code, [])).toBe(code)
  })

  it.each(['', 'Not Found', 'a'.repeat(65), '<b>', 'naïve', 'a\n', '[x](y)'])('%j may not', (code) => {
    expect(harmlessCode(code, [])).toBeUndefined()
  })

  it('a code that repeats a secret may not', () => {
    expect(harmlessCode('bad.Zr8tQ.x1Vn5.bK7wL', ['Zr8tQx1Vn5bK7wLpD3mYs9'])).toBeUndefined()
    expect(harmlessCode('bad_abcdefghij', ['abcdefghij'])).toBeUndefined()
    expect(
      harmlessCode('x'.concat(Buffer.from('abcdefghij').toString('hex').toUpperCase()), ['abcdefghij']),
    ).toBeUndefined()
  })
})
