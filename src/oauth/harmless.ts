import { Buffer } from 'node:buffer'

/** What is read of a text at all: hostile answers may be long, and at most 200 characters are kept. */
const longestInputChars = 2_000
const longestOutputChars = 200
/** A word that shares a run of this many characters with a secret is removed. */
const runChars = 8
/** Words that spell so many characters of a secret one after another are removed, however short each is. */
const rowChars = 12
/** Shorter ones would take half of every sentence with them. */
const shortestSecretChars = 4

/**
 * Makes text that a server sent fit for a terminal, a log line and Temporal's Web UI (which renders markdown).
 *
 * Control characters, escape sequences, invisible and bidirectional marks, and what markdown or HTML could be made of
 * are gone; so is every word that shares eight characters with a secret, as it is or in base64, hex, percent-encoding
 * or a character reference, and every row of words that spells twelve, and every word that looks like a token, for
 * the server may repeat one that nobody here has seen; what is left is cut to 200 characters.
 *
 * @example harmless('Token **abcdefghij** expired', ['abcdefghij']) // 'Token expired'
 */
export function harmless(text: string, secrets: readonly string[]): string {
  const spelled = secrets.flatMap(spellings)
  const rows = rowsOf(secrets)
  let current = withoutTokens(visible(text.slice(0, longestInputChars)))
  // Removing a word or a mark can bring the pieces of a secret together: again, until nothing changes.
  for (;;) {
    const next = withoutMarkup(withoutPieces(withoutSecrets(current, spelled), rows))
    if (next === current)
      return current
        .slice(0, longestOutputChars)
        .replace(/\p{Cs}$/u, '')
        .trim()
    current = next
  }
}

/**
 * An error code that may be shown verbatim: short, made of `A-Z a-z 0-9 . _ -` only (RFC 6749 section 5.2 allows more),
 * and without any part of a secret.
 */
export function harmlessCode(text: string, secrets: readonly string[]): string | undefined {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) return undefined
  if (repeatedRuns(text, secrets.flatMap(spellings)).length > 0) return undefined
  const words = text.replace(/[._-]+/g, ' ')
  return withoutPieces(words, rowsOf(secrets)) === words ? text : undefined
}

/** Whether a member or parameter of this name holds something that must not be shown. */
export const namesSecret = (name: string) =>
  /token|secret|assertion|password|passwd|key|code/i.test(name) && !/^error|_(?:type|format|hint|in|at)$/i.test(name)

/** One line of what a reader would see. */
function visible(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}\[[0-?]*[ -/]*[@-~]/gu, '')
    .replace(/[\p{C}\p{Variation_Selector}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** `eyJhbGciOiJSUzI1NiJ9`, 40 hex digits; a UUID is none, and people of support ask for it. */
function withoutTokens(text: string): string {
  const looksLikeToken = (run: string) =>
    (/[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run)) || /^(?=.*[0-9])(?=.*[a-f])[0-9a-f]{32,}$/i.test(run)
  const words = text.split(' ')
  return words.filter((word) => !(word.match(/[A-Za-z0-9_-]{20,}/g) ?? []).some(looksLikeToken)).join(' ')
}

function withoutMarkup(text: string): string {
  return text
    .replace(/<[^<>]*>/g, ' ')
    .replace(/[<>&`*[\]|\\~#{}$]/g, ' ')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, ' ')
    .replace(/:\/\/|(?<=\bwww)\./gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

function withoutSecrets(text: string, spelled: readonly string[]): string {
  const runs = repeatedRuns(text, spelled)
  if (runs.length === 0) return text
  const kept = text
    .split(' ')
    .filter((word) => !readings(word).some((reading) => runs.some((run) => reading.includes(run))))
    .join(' ')
  // What still repeats a secret is one that holds spaces: no word of it can be told from the rest.
  return repeatedRuns(kept, spelled).length === 0 ? kept : ''
}

/** Removes the words that only together repeat a secret: `abcde fghij klmno`. */
function withoutPieces(text: string, rows: ReadonlySet<string>): string {
  const words = text.split(' ')
  const pieces = words.map((word) => lettersOf(readings(word).at(-1) ?? ''))
  const joined = pieces.join('')
  const repeated = new Uint8Array(joined.length)
  for (const [at, row] of windows(joined, rowChars).entries()) if (rows.has(row)) repeated.fill(1, at, at + rowChars)
  let end = 0
  const kept = words.filter((_, index) => {
    const begin = end
    end += pieces[index]?.length ?? 0
    return !repeated.subarray(begin, end).includes(1)
  })
  return kept.join(' ')
}

/** What only a secret spells; `refresh token` may be a part of one and is everybody's. */
function rowsOf(secrets: readonly string[]): Set<string> {
  const rows = secrets.flatMap(written).flatMap((spelling) => windows(lettersOf(spelling), rowChars))
  return new Set(rows.filter((row) => /[0-9]|[a-z][A-Z]/.test(row)).map(lowerCase))
}

const lettersOf = (text: string) => text.replace(/[^A-Za-z0-9]+/g, '')

/** The runs of secrets that the text repeats, in lower case. */
function repeatedRuns(text: string, spelled: readonly string[]): string[] {
  const read = readings(text)
  const seen = new Set(read.flatMap((reading) => windows(reading)))
  const runsOf = (spelling: string) => {
    if (spelling.length >= runChars) return windows(spelling).filter((run) => seen.has(run))
    return read.some((reading) => reading.includes(spelling)) ? [spelling] : []
  }
  return [...new Set(spelled.flatMap(runsOf))]
}

function windows(text: string, chars = runChars): string[] {
  return Array.from({ length: Math.max(0, text.length - chars + 1) }, (_, at) => text.slice(at, at + chars))
}

/** The text as it is and with percent-encoding, escapes and character references undone, three layers deep. */
function readings(text: string): string[] {
  const read = [text]
  for (let layer = 0; layer < 3; layer++) {
    const decoded = decode(read.at(-1) ?? '')
    if (decoded === read.at(-1)) break
    read.push(decoded)
  }
  return read.map(lowerCase)
}

function decode(text: string): string {
  return text
    .replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'))
    .replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]{1,6});/gi, (whole, ...codes: (string | undefined)[]) =>
      character(Number.parseInt(codes.slice(0, 3).find((code) => code !== undefined) ?? '', 16), whole),
    )
    .replace(/&#([0-9]{1,7});/g, (whole, code: string) => character(Number(code), whole))
    .replaceAll('&amp;', '&')
}

const character = (code: number, otherwise: string) => (code <= 0x10_ff_ff ? String.fromCodePoint(code) : otherwise)

/** How a secret may be written, in lower case. */
const spellings = (secret: string): string[] => written(secret).map(lowerCase)

function written(secret: string): string[] {
  if (secret.length < shortestSecretChars) return []
  const formEncoded = new URLSearchParams({ s: secret }).toString().slice(2)
  const ways = new Set([secret, formEncoded])
  for (const text of [secret, formEncoded]) {
    ways.add(Buffer.from(text).toString('hex'))
    for (const inner of base64Within(text)) {
      ways.add(inner)
      ways.add(inner.replaceAll('+', '-').replaceAll('/', '_'))
    }
  }
  return [...ways].filter((spelling) => spelling.length >= shortestSecretChars)
}

/** What the base64 of any text that holds this one must contain: one spelling for each of the three alignments. */
function base64Within(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
    return bytes.toString('base64').slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6))
  })
}

/** Of ASCII only: the full mapping can change a text's length. */
const lowerCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
