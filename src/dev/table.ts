import { styleText } from 'node:util'
import type { Status } from '../credential.ts'
import type { Row } from './rows.ts'

/** What the table is drawn for. */
export interface Canvas {
  nowMs: number
  /** in characters; longer rows are cut */
  width: number
  /** in lines; rows that do not fit are counted instead, those in trouble last */
  height: number
  colour: boolean
}

const colours: Record<Status, 'gray' | 'green' | 'yellow' | 'red' | 'magenta'> = {
  pending: 'gray',
  active: 'green',
  retrying: 'yellow',
  expired: 'red',
  at_risk: 'magenta',
  misconfigured: 'red',
  reconnect_required: 'red',
  revoked: 'gray',
}

const barCells = 12

type Cell = { text: string; style?: Parameters<typeof styleText>[0] }

/** The header as it is and the table below it, line by line; pure. */
export function renderTable(header: string[], rows: Row[], canvas: Canvas): string[] {
  const room = Math.max(1, canvas.height - headerHeight(header, canvas.width) - 2)
  const shown = rows.length <= room ? rows : [...rows].sort(byTrouble).slice(0, room)
  const titles: Cell[] = ['credential', 'status', 'gen', 'time left', 'next refresh', 'last failure'].map((text) => ({
    text,
    style: 'dim',
  }))
  const cells = [titles, ...shown.map((row) => cellsOf(row, canvas.nowMs))]
  const widths = titles.map((_, column) => Math.max(...cells.map((line) => line[column]?.text.length ?? 0)))
  const lines = cells.map((line) => renderLine(line, widths, canvas))
  const hidden = rows.length - shown.length
  const more = hidden === 0 ? [] : [`… and ${hidden} more`]
  return [...header.map(clean), ...lines, ...more]
}

/** How many lines of a terminal the header takes: it is never cut, because an address would no longer lead anywhere. */
export const headerHeight = (header: string[], width: number): number =>
  header.reduce((height, line) => height + Math.max(1, Math.ceil(line.length / width)), 0)

/** One line for a row that has changed, for output that cannot be redrawn; pure. */
export function renderChange(row: Row, nowMs: number): string {
  const expiry = row.accessExpiresAtMs
  const left =
    expiry === undefined ? '' : expiry > nowMs ? `, valid for ${duration(expiry - nowMs)}` : ', no longer valid'
  const why = row.reason === undefined ? '' : ` (${clean(row.reason)})`
  return `${new Date(nowMs).toISOString()} ${row.credential} ${row.status}${why} generation ${row.generation}${left}`
}

function cellsOf(row: Row, nowMs: number): Cell[] {
  const { nextRefreshAtMs: next, lastFailure } = row
  return [
    { text: row.credential },
    { text: row.status, style: colours[row.status] },
    { text: String(row.generation) },
    timeLeft(row, nowMs),
    { text: next === undefined ? '' : next > nowMs ? `in ${duration(next - nowMs)}` : 'now' },
    lastFailure === undefined
      ? { text: '' }
      : { text: `${clean(lastFailure.reason)}, ${duration(nowMs - lastFailure.atMs)} ago`, style: 'dim' },
  ]
}

function timeLeft(row: Row, nowMs: number): Cell {
  if (row.accessExpiresAtMs === undefined) return { text: '' }
  const leftMs = row.accessExpiresAtMs - nowMs
  if (leftMs <= 0) return { text: `${'░'.repeat(barCells)} expired`, style: 'red' }
  const share = row.lifetimeMs === undefined ? 1 : Math.min(1, leftMs / row.lifetimeMs)
  const full = Math.max(1, Math.round(share * barCells))
  const bar = '█'.repeat(full) + '░'.repeat(barCells - full)
  return { text: `${bar} ${duration(leftMs)}`, style: share > 0.25 ? 'green' : 'yellow' }
}

function renderLine(cells: Cell[], widths: number[], canvas: Canvas): string {
  let room = canvas.width
  const parts = cells.map(({ text, style }, column) => {
    const padded = text.padEnd(widths[column] ?? 0).slice(0, room)
    room = Math.max(0, room - padded.length - 2)
    return style === undefined || !canvas.colour ? padded : styleText(style, padded, { validateStream: false })
  })
  return parts.join('  ').trimEnd()
}

const trouble: Status[] = ['active', 'pending', 'revoked']

const byTrouble = (a: Row, b: Row): number => trouble.indexOf(a.status) - trouble.indexOf(b.status)

/** Two significant figures at most: `29 s`, `12 min`, `5 h`, `3 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 100) return `${seconds} s`
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** Without what would move the cursor, colour the terminal or reorder its text. */
const clean = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
