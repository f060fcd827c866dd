/** The worker of `perennial worker`, as it is, in a process that can be asked for samples. */
import { pino } from 'pino'
import { loadConfig } from '../../src/config.ts'
import { runWorker } from '../../src/worker.ts'
import { answerSamples } from './sampled.ts'

const counts = { cycles: 0, failures: 0 }
const log = pino({
  hooks: {
    logMethod(args, method) {
      if (args.includes('refresh failed')) counts.failures++
      method.apply(this, args)
    },
  },
})
const [, , configFile = ''] = process.argv
const config = await loadConfig(configFile, { allowLiterals: true })
await runWorker(config, log, () => answerSamples(counts))
process.exit()
