import type { Row } from './rows.ts'
import { changedRows } from './rows.ts'
import { headerHeight, renderChange, renderTable } from './table.ts'

/** What a screen writes on: a terminal, a file or a pipe. */
export interface Surface {
  isTTY?: boolean
  columns?: number
  rows?: number
  write(text: string): unknown
}

/** Where the live table is seen. Talk goes to `errors` and never disturbs it. */
export interface Screen {
  say(line: string): void
  show(header: string[], rows: Row[], nowMs: number): void
}

/** A screen that redraws in place on a terminal, and elsewhere writes the table once and then a line per change. */
export function openScreen(output: Surface, errors: Pick<Surface, 'write'>, colour: boolean): Screen {
  return output.isTTY === true ? liveScreen(output, errors, colour) : plainScreen(output, errors)
}

function liveScreen(output: Surface, errors: Pick<Surface, 'write'>, colour: boolean): Screen {
  let drawn = ''
  let drawnHeight = 0
  const erase = () => (drawnHeight === 0 ? '' : `\x1b[${drawnHeight}A\x1b[J`)
  return {
    say: (line) => {
      output.write(erase())
      errors.write(`${line}\n`)
      output.write(drawn)
    },
    show: (header, rows, nowMs) => {
      const width = output.columns ?? 80
      // the cursor rests below the last line
      const height = (output.rows ?? 24) - 1
      const lines = renderTable(header, rows, { nowMs, width, height, colour })
      const before = erase()
      drawn = lines.map((line) => `${line}\n`).join('')
      drawnHeight = headerHeight(header, width) + lines.length - header.length
      output.write(before + drawn)
    },
  }
}

function plainScreen(output: Surface, errors: Pick<Surface, 'write'>): Screen {
  let shown: Row[] | undefined
  return {
    say: (line) => errors.write(`${line}\n`),
    show: (header, rows, nowMs) => {
      const canvas = { nowMs, width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY, colour: false }
      const lines =
        shown === undefined
          ? renderTable(header, rows, canvas)
          : changedRows(shown, rows).map((row) => renderChange(row, nowMs))
      if (lines.length > 0) output.write(`${lines.join('\n')}\n`)
      shown = rows
    },
  }
}
