import { parseArgs } from 'node:util'
import { runFaults } from './run.ts'
import { sentinelPair, standAlone } from './servers.ts'
import { passed, table } from './table.ts'

const usage = `usage: npm run read-faults -- [--minutes N] [--seed N]
A service reads 200 times a second while its Redis is killed, restarted, emptied, hung and failed over.
  --minutes N  so long (10); every fault happens at least once, which takes a minute
  --seed N     the same load as another run of this seed (random)
`

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, help: { type: 'boolean' } },
})
if (values.help) process.stdout.write(usage)
else {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  const say = (line: string) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
  say(`seed ${seed}`)
  const accounts = await Promise.all(
    [standAlone, sentinelPair].map(async (open) => {
      const stand = await open()
      try {
        return await runFaults({ stand, minutes: Number(values.minutes), seed, say })
      } finally {
        await stand.stop()
      }
    }),
  )
  process.stdout.write(`${accounts.map(table).join('\n\n')}\n`)
  process.exitCode = accounts.every(passed) ? 0 : 1
}
