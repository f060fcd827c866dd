import { durationText } from './duration.ts'

/** How far a long piece of work is. */
export interface Progress {
  done: number
  refused: number
  /** how much of the input was read, and how much there is, where that is known */
  bytes: number
  totalBytes?: number
  elapsedMs: number
}

/** Before that a rate says more about the start than about the work. */
const rateAfterMs = 500

/**
 * One line about it: how many, how fast, and for how long still.
 *
 * @example progressText({ done: 1200, refused: 3, bytes: 5e5, totalBytes: 1e6, elapsedMs: 4000 })
 * // '1,200 lines (3 refused), 300/s, 4 s left'
 */
export function progressText({ done, refused, bytes, totalBytes, elapsedMs }: Progress): string {
  const refusals = refused === 0 ? '' : ` (${count(refused)} refused)`
  const lines = `${count(done)} ${done === 1 ? 'line' : 'lines'}${refusals}`
  if (elapsedMs < rateAfterMs || done === 0) return lines
  const rate = `${count(Math.round((done * 1000) / elapsedMs))}/s`
  if (totalBytes === undefined || bytes === 0) return `${lines}, ${rate}`
  const leftMs = (elapsedMs * Math.max(0, totalBytes - bytes)) / bytes
  return `${lines}, ${rate}, ${durationText(Math.ceil(leftMs / 1000) * 1000)} left`
}

const count = (n: number) => n.toLocaleString('en-US')

/** Shows progress: on a terminal one line that changes, elsewhere a line now and then. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream
  readonly #everyMs: number
  #saidMs: number

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream
    this.#everyMs = stream.isTTY ? 200 : 5_000
    this.#saidMs = performance.now()
  }

  /** @param text made of numbers and our own words alone */
  show(text: () => string): void {
    if (performance.now() - this.#saidMs < this.#everyMs) return
    this.#saidMs = performance.now()
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[2K${text()}` : `${text()}\n`)
  }

  /** Makes room for what is said next. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[2K')
  }
}
