/** What a process of the benchmark says of itself, all at one moment of its own clock. */
export interface Sample {
  atMs: number
  /** counted since it began; 0 where another process counts them */
  cycles: number
  failures: number
  /** user and system, all threads */
  cpuMs: number
  rssBytes: number
}

/** `weigh`: after the garbage was collected. */
export type Question = 'sample' | 'weigh'

export interface Ready {
  port?: number
}

export interface Counts {
  cycles: number
  failures: number
}

/** Tells the parent that work can begin, and answers its questions; ends with it. */
export function answerSamples(counts: Counts, ready: Ready = {}): void {
  process.on('message', (question: Question) => {
    // what the bundler left behind is larger than a thousand workflows
    if (question === 'weigh') globalThis.gc?.()
    const { user, system } = process.cpuUsage()
    const sample: Sample = {
      atMs: performance.now(),
      ...counts,
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
    }
    process.send?.(sample)
  })
  process.on('disconnect', () => process.exit())
  process.send?.(ready)
}
