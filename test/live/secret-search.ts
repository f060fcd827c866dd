/**
 * Finds secrets in anything that can be had as text, whole or a piece of them, however they are written: plain, in
 * base64 at any of its three alignments (and in base64 of base64, as a Basic header inside a payload), base64url, hex,
 * percent-encoded wholly or in part, escaped for JSON or HTML, in other case, or with something put in between.
 */

export interface Secret {
  /** how findings call it; not a secret */
  name: string
  value: string | Uint8Array
}

export interface Finding {
  secret: string
  /** how it was written */
  spelled: string
  /** what stands before it, to find the place by */
  after: string
}

export interface Search {
  /** every secret that the text holds, once for each way in which it is written there */
  find(text: string): Finding[]
}

/** A piece of this many characters of a secret is a finding: nothing has so many in common with one by chance. */
export const pieceChars = 12

const filterBits = 22

interface Piece {
  text: string
  secret: string
  spelled: string
}

/** @throws RangeError for a secret that is too short to be told from other text */
export function searchFor(secrets: readonly Secret[]): Search {
  const pieces = new Map<string, Piece[]>()
  // most positions of a text are ruled out by this, for the fewest would have to be looked up otherwise
  const filter = new Uint8Array(1 << filterBits)
  for (const piece of secrets.flatMap(piecesOf)) {
    const head = piece.text.slice(0, pieceChars)
    const known = pieces.get(head)
    if (known === undefined) pieces.set(head, [piece])
    else known.push(piece)
    filter[hashAt(head, 0)] = 1
  }
  const scan = (text: string, found: Map<string, Finding>) => {
    for (let at = 0; at + pieceChars <= text.length; at++) {
      if (filter[hashAt(text, at)] === 0) continue
      for (const { text: piece, secret, spelled } of pieces.get(text.slice(at, at + pieceChars)) ?? []) {
        const key = `${secret} ${spelled}`
        if (!found.has(key) && text.startsWith(piece, at))
          found.set(key, { secret, spelled, after: text.slice(Math.max(0, at - 60), at) })
      }
    }
  }
  return {
    find: (text) => {
      const found = new Map<string, Finding>()
      for (const reading of readings(text)) scan(reading, found)
      return [...found.values()]
    },
  }
}

/** Of the four characters at a place. */
function hashAt(text: string, at: number): number {
  let hash = 0x811c9dc5
  for (let i = at; i < at + 4; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> (32 - filterBits)
}

function piecesOf({ name, value }: Secret): Piece[] {
  const bytes = Buffer.from(value)
  if (bytes.length < pieceChars) throw new RangeError(`${name} is shorter than ${pieceChars} characters`)
  return Object.entries(spellings(bytes)).flatMap(([spelled, texts]) =>
    texts.flatMap((text) => {
      // as much of the secret as a plain piece is
      const length = Math.max(pieceChars, Math.ceil((text.length * pieceChars) / bytes.length))
      const count = Math.max(1, text.length - length + 1)
      return Array.from({ length: count }, (_, at) => ({ text: text.slice(at, at + length), secret: name, spelled }))
    }),
  )
}

function spellings(bytes: Buffer): Record<string, string[]> {
  const base64 = alignments(bytes)
  return {
    plain: [sameCase(bytes.toString('latin1'))],
    hex: [bytes.toString('hex')],
    base64: inBothAlphabets(base64),
    'base64 of base64': inBothAlphabets(base64.flatMap((inner) => alignments(Buffer.from(inner)))),
  }
}

/** What the base64 of any text that holds this one must contain, wherever in it this one begins. */
function alignments(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes])
    return shifted.toString('base64').slice(before === 0 ? 0 : before + 1, Math.floor((shifted.length * 8) / 6))
  })
}

const inBothAlphabets = (texts: string[]) => [
  ...new Set(texts.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]).map(sameCase)),
]

/** The text as it is, with its escapes undone as often as there are some, and with all that is no word drawn together. */
function readings(text: string): string[] {
  const read = [text]
  for (let layer = 0; layer < 4; layer++) {
    const undone = unescaped(read.at(-1) ?? '')
    if (undone === read.at(-1)) break
    read.push(undone)
  }
  const words = (read.at(-1) ?? '').replace(/<[^<>]{0,200}>/g, '').replace(/[^\w+/-]+/g, '')
  return [...read, words].map(sameCase)
}

function unescaped(text: string): string {
  return text
    .replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]{1,4});/gi, (_, ...codes: (string | undefined)[]) =>
      String.fromCharCode(Number.parseInt(codes.slice(0, 3).find((code) => code !== undefined) ?? '', 16)),
    )
    .replace(/&#([0-9]{1,5});/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\\(["\\/])/g, '$1')
}

/** Of ASCII only: the full mapping can change a text's length. */
const sameCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
