import { Buffer } from 'node:buffer'

const bytesOf = (secret: string) => [...Buffer.from(secret)]

/** The ways in which a server may repeat what it was sent. */
export const encodings: Record<string, (secret: string) => string> = {
  plain: (secret) => secret,
  'upper case': (secret) => secret.toUpperCase(),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  'basic authorization': (secret) =>
    `Basic ${Buffer.from(`my-client:${encodeURIComponent(secret)}`).toString('base64')}`,
  'base64, one byte further': (secret) => Buffer.from(`:${secret}:`).toString('base64'),
  'base64, two bytes further': (secret) => Buffer.from(`::${secret}`).toString('base64url'),
  'form body': (secret) => new URLSearchParams({ grant_type: 'refresh_token', refresh_token: secret }).toString(),
  'percent-encoded': (secret) => encodeURIComponent(secret),
  'percent-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(`/${secret}/`)),
  'percent-encoded throughout': (secret) =>
    bytesOf(secret)
      .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
      .join(''),
  'percent-encoded throughout, twice': (secret) =>
    bytesOf(secret)
      .map((byte) => `%25${byte.toString(16).padStart(2, '0')}`)
      .join(''),
  'lower hex': (secret) => Buffer.from(secret).toString('hex'),
  'upper hex': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  'character references': (secret) => [...secret].map((letter) => `&#${letter.codePointAt(0)};`).join(''),
  'JSON escapes': (secret) =>
    [...secret].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'zero-width spaces between': (secret) => [...secret].join('\u200b'),
  'escape sequences between': (secret) => [...secret].join('\u001b[31m'),
}

/** Every run of eight characters. */
export function eightGrams(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 7) }, (_, at) => text.slice(at, at + 8))
}
