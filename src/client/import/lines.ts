/** A line of a file that is imported: its text, or what is wrong with it before anyone looks inside. */
export interface Line {
  /** counted from 1, empty lines too */
  number: number
  text: string
  /** the text is not all of it, or not what was written */
  flaw?: 'too_long' | 'not_utf8'
  /** how far the file was read with it */
  endByte: number
}

/** Tokens are a few kilobytes; whatever is longer is another file. */
export const longestLineBytes = 64 * 1024

const newline = 0x0a

/** Cuts a stream into lines. Holds one line at a time, and of one that is too long nothing; skips empty ones. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const cut = new Cutter()
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = cut.end(chunk.subarray(from, at), 1)
      if (line !== undefined) yield line
      from = at + 1
    }
    cut.add(chunk.subarray(from))
  }
  const last = cut.end(new Uint8Array(), 0)
  if (last !== undefined) yield last
}

class Cutter {
  #pieces: Uint8Array[] = []
  #bytes = 0
  #number = 0
  #endByte = 0

  add(piece: Uint8Array): void {
    this.#bytes += piece.length
    this.#endByte += piece.length
    if (this.#bytes <= longestLineBytes) this.#pieces.push(piece)
    else this.#pieces = []
  }

  /** @returns undefined for an empty line */
  end(piece: Uint8Array, newlineBytes: number): Line | undefined {
    this.add(piece)
    const tooLong = this.#bytes > longestLineBytes
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    this.#number += 1
    this.#endByte += newlineBytes
    const at = { number: this.#number, endByte: this.#endByte }
    if (tooLong) return { ...at, text: '', flaw: 'too_long' }
    try {
      const text = decoder.decode(bytes).trim()
      return text === '' ? undefined : { ...at, text }
    } catch {
      return { ...at, text: '', flaw: 'not_utf8' }
    }
  }
}

/** Drops a byte order mark, which editors of Windows put in front. */
const decoder = new TextDecoder('utf-8', { fatal: true })
