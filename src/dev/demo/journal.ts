import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'

const compactAboveBytes = 4 * 1024 * 1024

/**
 * An append-only file of JSON lines that is replaced by a short one when it has grown. What `append` has returned
 * from survives a kill -9 of this process: the kernel has it. (It is not synced: a demo need not survive the machine.)
 */
export class Journal<Entry> {
  readonly #file: string
  readonly #snapshot: () => Entry[]
  #descriptor: number
  #bytes = 0
  #compactAt = compactAboveBytes

  /**
   * @param apply is given every entry of an earlier process, in order
   * @param snapshot gives the entries that make the present state
   */
  constructor(file: string, apply: (entry: Entry) => void, snapshot: () => Entry[]) {
    this.#file = file
    this.#snapshot = snapshot
    for (const entry of readEntries<Entry>(file)) apply(entry)
    this.#descriptor = this.#compact()
  }

  append(entries: Entry[]): void {
    if (entries.length === 0) return
    const lines = Buffer.from(toLines(entries))
    for (let written = 0; written < lines.length; ) written += writeSync(this.#descriptor, lines, written)
    this.#bytes += lines.length
    if (this.#bytes < this.#compactAt) return
    closeSync(this.#descriptor)
    this.#descriptor = this.#compact()
  }

  /** The rename is atomic: a kill leaves the old file or the new one. */
  #compact(): number {
    const lines = toLines(this.#snapshot())
    writeFileSync(`${this.#file}.new`, lines, { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
    this.#bytes = Buffer.byteLength(lines)
    this.#compactAt = this.#bytes + compactAboveBytes
    return openSync(this.#file, 'a', 0o600)
  }
}

const toLines = (entries: unknown[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')

/** A kill may have cut the last line; nothing that it says was answered. */
function* readEntries<Entry>(file: string): Generator<Entry> {
  if (!existsSync(file)) return
  const text = readFileSync(file, 'utf8')
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) if (line !== '') yield JSON.parse(line)
}
