/**
 * Answers of token endpoints, as data in `answers/*.json`: what servers and vendors really send, or are known to be able
 * to. Each record names where it comes from; bodies hold placeholders where tokens were.
 */
import { Buffer } from 'node:buffer'
import { readdirSync, readFileSync } from 'node:fs'
import { deflateRawSync, gzipSync } from 'node:zlib'
import type { GrantKind, RotationClass } from '../../src/credential.ts'
import type { AnswerRules } from '../../src/oauth/parse.ts'
import { oauthCodes } from '../../src/oauth/refusal.ts'
import { catalogue } from '../../src/providers/catalogue/index.ts'
import { inherited, isProblem } from '../../src/providers/inheritance.ts'

export interface RecordedAnswer {
  /** the server or vendor */
  from: string
  /** where that is written */
  source: string
  name: string
  grant?: GrantKind
  rotation?: RotationClass
  /** what the provider's entry says of its answers; an id is one of the catalogue */
  rules?: string | AnswerRules
  status: number
  headers?: Record<string, string>
  /** a text, or what is to be JSON */
  body?: unknown
  /** bytes that are no UTF-8 */
  base64?: string
  /** what follows the body */
  repeat?: { text: string; times: number }
  compress?: 'gzip' | 'deflate'
  /** the connection ends before the body does */
  cut?: boolean
  expect: Expectation
}

/** A verdict, or which tokens are granted: `access`, `refresh` (new ones), `sent` (the one that was sent), `other`. */
export interface Expectation {
  granted?: string
  seconds?: number
  refreshSeconds?: number
  scope?: string
  kind?: string
  reason?: string
  detail?: string
  secretRefused?: boolean
  retryAfterSeconds?: number
}

/** Long enough to be recognized in pieces, and unlike any word of an answer. */
export const tokens = {
  access: 'Ax7Qm2Vd9Kp4Zt6Wb1Nc8Rf3',
  refresh: 'Rj5Hs8Lw2Xe7Gy4Ud9Tk1Mb6',
  sent: 'Sq3Fv6Jz9Yb2Ch5Pn8Xw1Td4',
  secret: 'Ek4Ro7Gm1Lz8Uq5Ip2Va9Hx6',
}

export const clientId = 'client-1'
const basic = Buffer.from(`${clientId}:${tokens.secret}`).toString('base64')

/** The Date of every answer. */
export const answeredAtMs = Date.UTC(2026, 10, 27, 12)

const folder = new URL('./answers/', import.meta.url)

/** All records, by the file that holds their kind. */
export function recordedAnswers(): { kind: string; answers: RecordedAnswer[] }[] {
  return readdirSync(folder)
    .sort()
    .map((file) => ({
      kind: file.replace(/\.json$/, ''),
      answers: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordedAnswer[],
    }))
}

export function rulesOf({ rules = {} }: RecordedAnswer): AnswerRules {
  const entry = typeof rules === 'string' ? inherited(rules, {}, catalogue) : rules
  if (isProblem(entry)) throw new Error(`the catalogue has no ${rules}`)
  const { tokenResponse, errors } = entry
  return { ...(tokenResponse !== undefined && { tokenResponse }), ...(errors !== undefined && { errors }) }
}

/** The body before compression, with tokens in their places. */
export function bodyOf({ body = '', base64, repeat }: RecordedAnswer): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return Buffer.from(filled(text) + (repeat === undefined ? '' : repeat.text.repeat(repeat.times)))
}

function filled(text: string): string {
  return text
    .replace(/\{\{(access|refresh|sent|secret)\}\}/g, (_, name: keyof typeof tokens) => tokens[name])
    .replace(/\{\{jwt:(\d+)\}\}/g, (_, seconds: string) => jwt(Number(seconds)))
    .replaceAll('{{basic}}', basic)
}

/** A JWT that ends so many seconds after the answer. */
export function jwt(seconds: number): string {
  const claims = { iss: 'https://id.example.com', exp: answeredAtMs / 1000 + seconds }
  return `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${tokens.access}`
}

/** The whole HTTP answer. */
export function httpBytes(answer: RecordedAnswer): Buffer {
  const { status, headers = {}, compress, cut } = answer
  const plain = bodyOf(answer)
  const body = compress === 'gzip' ? gzipSync(plain) : compress === 'deflate' ? deflateRawSync(plain) : plain
  const all = {
    date: new Date(answeredAtMs).toUTCString(),
    'content-type': 'application/json',
    ...(status === 204 ? {} : { 'content-length': String(body.length + (cut ? 500 : 0)) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`), body])
}

/**
 * What makes an answer differ from another: its status, what kind of text it is, the names and types of its members,
 * its code where that is of the standard, and the oddities of the wire.
 */
export function shapeOf(answer: RecordedAnswer): string {
  const { status, headers = {}, body, base64, repeat, compress, cut, grant, rules } = answer
  const wire = [
    ...['www-authenticate', 'retry-after', 'location', 'content-encoding'].filter((name) => name in headers),
    base64 && 'bytes',
    repeat && 'repeat',
    compress,
    cut && 'cut',
    grant,
    rules && 'by its entry',
  ].filter((word) => typeof word === 'string')
  return [status, headers['content-type'] ?? 'json', ...wire, skeleton(body)].join(' ')
}

function skeleton(value: unknown): string {
  // of a page, its beginning and its title
  if (typeof value === 'string')
    return JSON.stringify(`${value.slice(0, 24)}${/<title>[^<]*/i.exec(value)?.[0] ?? ''}`.toLowerCase())
  return JSON.stringify(value, (name, member: unknown) => {
    if (typeof member === 'string') return name === 'name' ? 'word' : kindOf(member)
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}

/** A code of the standard is itself; of other texts it counts whether they hold tokens, markup or spaces. */
function kindOf(text: string): string {
  if ((oauthCodes as readonly string[]).includes(text)) return text
  const placeholders = text.match(/\{\{\w+/g)
  if (placeholders !== null) return placeholders.join()
  if (/[\p{C}<>[\]|*`]/u.test(text)) return 'marked up'
  return /\s/.test(text) ? 'sentence' : 'word'
}
