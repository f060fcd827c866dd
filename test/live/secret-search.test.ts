import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { searchFor } from './secret-search.ts'

const token = 'Zk3-vX9_qLmT7wBcR2dYhN8sJpG4aUeF6oKiV1xM0yQ'
const key = randomBytes(32)
const search = searchFor([
  { name: 'the token', value: token },
  { name: 'the key', value: key },
])

const found = (text: string) => search.find(text).map(({ secret, spelled }) => `${secret}, ${spelled}`)

const percent = (text: string) =>
  Buffer.from(text)
    .toString('hex')
    .replace(/../g, (code) => `%${code}`)
const basic = Buffer.from(`client:${token}`).toString('base64')
const chunks = (text: string, between: string) => (text.match(/.{1,5}/g) ?? []).join(between)

const written: [string, string, string][] = [
  ['as it is', `Bearer ${token}.`, 'plain'],
  ['in lower case', token.toLowerCase(), 'plain'],
  ['cut to a piece', `…${token.slice(7, 19)}`, 'plain'],
  ['between characters of no text', `\0\x01${token}\xff`, 'plain'],
  ['percent-encoded', percent(token), 'plain'],
  ['percent-encoded in part', `${percent(token.slice(0, 9))}${token.slice(9)}`, 'plain'],
  ['percent-encoded twice', percent(percent(token)), 'plain'],
  ['escaped for JSON', [...token].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''), 'plain'],
  ['escaped for a program', [...token].map((c) => `\\x${c.charCodeAt(0).toString(16)}`).join(''), 'plain'],
  ['in character references', [...token].map((c) => `&#${c.charCodeAt(0)};`).join(''), 'plain'],
  ['in hexadecimal references', [...token].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join(''), 'plain'],
  ['in a quoted string of JSON in JSON', JSON.stringify(JSON.stringify({ token })), 'plain'],
  ['split by spaces', chunks(token, ' '), 'plain'],
  ['split by lines', chunks(token, '\r\n  '), 'plain'],
  ['split by marks that nobody sees', chunks(token, '\u200b'), 'plain'],
  ['split by markup', chunks(token, '<wbr>'), 'plain'],
  ['of two bytes a character', [...token].join('\0'), 'plain'],
  ['in hexadecimal', Buffer.from(`token=${token}`).toString('hex'), 'hex'],
  ['in upper-case hexadecimal', Buffer.from(token).toString('hex').toUpperCase(), 'hex'],
  ['in base64 first', Buffer.from(token).toString('base64'), 'base64'],
  ['in base64 after one byte', Buffer.from(`x${token}`).toString('base64'), 'base64'],
  ['in base64 after two bytes', Buffer.from(`xy${token} and more`).toString('base64'), 'base64'],
  ['in base64url', Buffer.from(`{"t":"${token}"}`).toString('base64url'), 'base64'],
  ['in lines of base64', chunks(Buffer.from(`x${token}`).toString('base64'), '\n'), 'base64'],
  ['in percent-encoded base64', encodeURIComponent(Buffer.from(`x${token}`).toString('base64')), 'base64'],
  ['cut to a piece in base64', Buffer.from(`x${token.slice(3, 25)}`).toString('base64'), 'base64'],
  ['in a Basic header', `authorization: Basic ${basic}`, 'base64'],
  ['in a Basic header in a payload', Buffer.from(`{"h":"${basic}"}`).toString('base64'), 'base64 of base64'],
]

test.each(written)('a token is found %s', (_, text, spelled) => {
  expect(found(`some text ${text} and more`)).toContain(`the token, ${spelled}`)
})

test('bytes of a key are found as they are, in hexadecimal and in base64', () => {
  expect(found(`db\0${key.toString('latin1')}`)).toEqual(['the key, plain'])
  expect(found(key.toString('hex'))).toEqual(['the key, hex'])
  expect(found(key.toString('base64url'))).toEqual(['the key, base64'])
})

test('nothing is found where there is none, or too little to tell', () => {
  expect(found(randomBytes(1_000_000).toString('base64'))).toEqual([])
  expect(found(randomBytes(1_000_000).toString('hex'))).toEqual([])
  expect(found(randomBytes(1_000_000).toString('latin1'))).toEqual([])
  expect(found(`${token.slice(0, 11)} ${token.slice(-11)}`)).toEqual([])
})

test('every secret of a text is found, and what stands before it tells where', () => {
  const text = `first ${token} then ${token} then ${key.toString('hex')}`
  expect(search.find(text).map(({ secret, after }) => [secret, after.slice(-6)])).toEqual([
    ['the token', 'first '],
    ['the key', ' then '],
  ])
})

test('a secret that is too short to be told from other text is refused, not skipped', () => {
  expect(() => searchFor([{ name: 'short one', value: 'hunter2' }])).toThrow('short one')
})
