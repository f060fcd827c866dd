/** What became of one case. */
export interface Row {
  path: string
  holding: string
  point: string
  outcome: string
}

/** One line a point, one column a way to hold a grant; what a holding does not do is `·`. */
export function table(rows: readonly Row[], holdings: readonly string[]): string {
  const points = [...new Set(rows.map(({ path, point }) => `${path}: ${point}`))]
  const width = Math.max(...points.map((point) => point.length))
  const column = (text: string) => text.slice(0, 11).padEnd(12)
  const lines = points.map((point) => {
    const cells = holdings.map(
      (holding) => rows.find((row) => row.holding === holding && `${row.path}: ${row.point}` === point)?.outcome ?? '·',
    )
    return `${point.padEnd(width)}  ${cells.map(column).join('')}`
  })
  return [`${''.padEnd(width)}  ${holdings.map(column).join('')}`, ...lines].join('\n')
}
