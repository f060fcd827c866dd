const space = /[ \t\n\r]*/y
// of the control characters only those below a space are forbidden (RFC 8259 section 7)
const text = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

const deepest = 200

/**
 * Where a text stops being JSON. What `JSON.parse` says of it cannot be shown, for it quotes the text.
 *
 * @returns the offset of the first character that cannot stand where it stands, or undefined for JSON
 */
export function jsonErrorOffset(source: string): number | undefined {
  const scan = new Scan(source)
  return scan.value(0) && scan.atEnd() ? undefined : scan.offset
}

/** Reads forward for as long as the text is JSON; `offset` stays where it was not. */
class Scan {
  offset = 0
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  value(depth: number): boolean {
    this.#take(space)
    if (depth > deepest) return false
    if (this.#char('{')) return this.#members('}', depth, () => this.#key())
    if (this.#char('[')) return this.#members(']', depth, () => true)
    return this.#take(text) || this.#take(scalar)
  }

  atEnd(): boolean {
    this.#take(space)
    return this.offset === this.#source.length
  }

  #members(close: string, depth: number, before: () => boolean): boolean {
    if (this.#char(close)) return true
    do {
      if (!before() || !this.value(depth + 1)) return false
    } while (this.#char(','))
    return this.#char(close)
  }

  #key(): boolean {
    this.#take(space)
    return this.#take(text) && this.#char(':')
  }

  #char(character: string): boolean {
    this.#take(space)
    if (this.#source[this.offset] !== character) return false
    this.offset += 1
    return true
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.offset
    if (!pattern.test(this.#source)) return false
    this.offset = pattern.lastIndex
    return true
  }
}
