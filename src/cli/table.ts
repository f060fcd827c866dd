import type { CredentialView } from '../client.ts'
import { fromNow } from './duration.ts'
import { printable, styled } from './output.ts'
import { statusText } from './view.ts'

/** Rows that are held back to find the widths of the columns; a long list appears while it is read. */
const batchRows = 100

const titles = ['CREDENTIAL', 'STATUS', 'GEN', 'EXPIRES', 'NEXT', 'REASON']

/** Prints credentials as lines of aligned columns. */
export class Table {
  readonly #print: (line: string) => void
  #waiting: CredentialView[] = []
  #widths = titles.map((title) => title.length)
  #begun = false

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  add(view: CredentialView): void {
    this.#waiting.push(view)
    if (this.#waiting.length >= batchRows) this.#flush()
  }

  end(): void {
    this.#flush()
  }

  #flush(): void {
    const rows = this.#waiting.map((view) => ({ view, cells: cellsOf(view, Date.now()) }))
    this.#waiting = []
    if (rows.length === 0) return
    this.#widths = this.#widths.map((width, i) => Math.max(width, ...rows.map(({ cells }) => cells[i]?.length ?? 0)))
    if (!this.#begun) this.#print(styled('dim', this.#line(titles)))
    this.#begun = true
    for (const { view, cells } of rows) this.#print(this.#line(cells, (text) => statusText(view.status, text.length)))
  }

  #line(cells: string[], status = (text: string) => text): string {
    const padded = cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(this.#widths[i] ?? 0)))
    return padded
      .map((cell, i) => (i === 1 ? status(cell) : cell))
      .join('  ')
      .trimEnd()
  }
}

/** What a line of the list says of a credential. */
export function cellsOf(view: CredentialView, nowMs: number): string[] {
  const away = (at: string | undefined) => (at === undefined ? '-' : fromNow(at, nowMs))
  const { credential, status, generation, accessExpiresAt, nextRefreshAt, reason } = view
  return [
    credential,
    status,
    generation?.toString() ?? '-',
    away(accessExpiresAt),
    away(nextRefreshAt),
    reason ?? '',
  ].map(printable)
}
