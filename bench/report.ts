import { cpus, loadavg, platform, release, totalmem } from 'node:os'

type Range = [low: number, high: number]

/** A line of the table: what was measured, beside the same of a baseline. */
export interface Result {
  name: string
  /** medians over the rounds */
  value: number
  baseline: number
  unit: string
  /**
   * the median over the pairs of neighbouring rounds: a machine that gets slower meanwhile, or is used by others, does
   * so for both of a pair
   */
  ratio: number
  /** lowest and highest of the rounds; of the ratio, by pairs of neighbouring rounds */
  spread: { value: Range; baseline: Range; ratio: Range }
  /** how it was measured, as each benchmark sees fit */
  [detail: string]: unknown
}

/** Compares what rounds measured with what their neighbours measured of the baseline; one each at least. */
export function compare(name: string, unit: string, values: readonly number[], baselines: readonly number[]): Result {
  const value = median(values)
  const baseline = median(baselines)
  const ratios = values.map((one, round) => one / (baselines[round] ?? baseline))
  const spread = { value: range(values), baseline: range(baselines), ratio: range(ratios) }
  return { name, value: rounded(value), baseline: rounded(baseline), unit, ratio: rounded(median(ratios)), spread }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}

const range = (numbers: readonly number[]): Range => [rounded(Math.min(...numbers)), rounded(Math.max(...numbers))]

const rounded = (number: number) => Number(number.toPrecision(4))

/** What the numbers depend on; the load says whether somebody else was at work. */
export function machine() {
  const [cpu] = cpus()
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.version,
    loadBefore: rounded(loadavg()[0] ?? 0),
  }
}

const titles = ['BENCHMARK', 'VALUE', 'BASELINE', 'UNIT', 'RATIO', 'SPREAD OF VALUE', 'OF BASELINE', 'OF RATIO']

/** The results as lines of aligned columns. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ name, value, baseline, unit, ratio, spread }) => {
    const ranges = [spread.value, spread.baseline, spread.ratio].map(([low, high]) =>
      Number.isFinite(high) ? `${low} to ${high}` : '-',
    )
    // where the baseline does nothing of the kind
    return [name, `${value}`, `${baseline}`, unit, Number.isFinite(ratio) ? `${ratio}` : '-', ...ranges]
  })
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [titles, ...rows].map(line).join('\n')
}
