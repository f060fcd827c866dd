import { parseArgs } from 'node:util'
import { runFaults } from './run.ts'
import { type Stand, sentinelPair, standAlone } from './servers.ts'
import { passed, table } from './table.ts'

const usage = `usage: npm run read-faults -- [--minutes N] [--seed N]
A service reads 200 times a second while its Redis is killed, restarted, emptied, hung and failed over.
  --minutes N  so long (10); every fault happens at least once, which takes a minute
  --seed N     the same load as another run of this seed (random)
`

const say = (line: string) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, help: { type: 'boolean' } },
  })
  const minutes = Number(values.minutes)
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  const isRight = minutes > 0 && Number.isInteger(seed) && seed >= 0
  if (values.help || !isRight) {
    process.stderr.write(usage)
    return values.help ? 0 : 2
  }
  say(`${minutes} minutes, seed ${seed}`)
  const stands = await Promise.all([standAlone(), sentinelPair()])
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stopAll(stands).finally(() => process.exit(1)))
  try {
    const accounts = await Promise.all(stands.map((stand) => runFaults({ stand, minutes, seed, say })))
    process.stdout.write(`${accounts.map(table).join('\n\n')}\n`)
    return accounts.every(passed) ? 0 : 1
  } finally {
    await stopAll(stands)
  }
}

// the servers are in process groups of their own: they outlive this process where nobody ends them
const stopAll = (stands: Stand[]) => Promise.all(stands.map((stand) => stand.stop()))

process.exitCode = await main()
