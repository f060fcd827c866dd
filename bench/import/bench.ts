import { nullQueue } from '../refresh/null.ts'
import { type Rig, startRig } from '../refresh/rig.ts'
import { compare, type Result } from '../report.ts'
import { importThroughKills } from './kills.ts'

export interface ImportBench {
  rounds: number
  /** in each round, of each kind */
  startsPerRound: number
  /** of the file that is imported through kills, and how many of them are bad in each way */
  lines: number
  badOfEach: number
  signal: AbortSignal
  say: (line: string) => void
}

/** as many as an import has under way */
const atOnce = 64

/**
 * How many credentials a second an import begins, beside bare workflow starts of the same client against the same
 * server in the same run; no worker takes part in either. Then, with a worker, whether an import that is killed twice
 * begins each credential exactly once.
 */
export async function benchImport(options: ImportBench): Promise<Result[]> {
  options.say('import: starting Temporal (in memory) and Redis')
  const rates = await onRig(options, (rig) => measureRates(rig, options))
  const killed = await onRig(options, (rig) => importThroughKills(rig, options))
  return [{ ...rates, killed }]
}

async function measureRates(rig: Rig, { rounds, startsPerRound, signal, say }: ImportBench): Promise<Result> {
  await bareStarts(rig, 'warm', 200)
  await importedStarts(rig, 'warm', 200)
  const imported: number[] = []
  const bare: number[] = []
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted()
    const both = [
      async () => void bare.push(await bareStarts(rig, `r${round}`, startsPerRound)),
      async () => void imported.push(await importedStarts(rig, `r${round}`, startsPerRound)),
    ]
    // what comes second finds a fuller server
    for (const starts of round % 2 === 0 ? both.reverse() : both) await starts()
    say(`import: round ${round} of ${rounds}: ${rateText(imported)} starts/s, bare ${rateText(bare)}`)
  }
  return { ...compare('import', 'starts/s', imported, bare), rounds, startsPerRound }
}

async function onRig<T>({ say }: ImportBench, work: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await startRig(say)
  try {
    return await work(rig)
  } finally {
    await rig.stop()
  }
}

const rateText = (rates: readonly number[]) => Math.round(rates.at(-1) ?? Number.NaN)

async function bareStarts({ temporal }: Rig, round: string, count: number): Promise<number> {
  const subjects = Array.from({ length: count }, (_, i) => `${round}-${i}`).values()
  const beganMs = performance.now()
  const lane = async () => {
    for (const subject of subjects)
      await temporal.client.workflow.start('nullWorkflow', {
        workflowId: `bare/${subject}`,
        taskQueue: nullQueue,
        args: [{ delayMs: 3_600_000 }],
      })
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return (count * 1000) / (performance.now() - beganMs)
}

async function importedStarts({ perennial }: Rig, round: string, count: number): Promise<number> {
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      credential: `bench/client/${round}-${i}`,
      refresh_token: `rt-${round}-${i}`,
      access_token: `at-${round}-${i}`,
      expires_in: 3600,
    }),
  )
  async function* chunks() {
    yield Buffer.from(lines.join('\n'))
  }
  let started = 0
  const beganMs = performance.now()
  for await (const { outcome } of perennial.import(chunks())) if (outcome === 'started') started++
  const rate = (count * 1000) / (performance.now() - beganMs)
  if (started !== count) throw new Error(`${started} of ${count} lines began a credential`)
  return rate
}
