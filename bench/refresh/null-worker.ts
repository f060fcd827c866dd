/** A worker of the null workflow, with the options of the real one, in a process that can be asked for samples. */
import { fileURLToPath } from 'node:url'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { workerOptions } from '../../src/worker.ts'
import { nullActivityQueue, nullQueue } from './null.ts'
import { answerSamples } from './sampled.ts'

const counts = { cycles: 0, failures: 0 }
Runtime.install({ shutdownSignals: ['SIGTERM', 'SIGINT'] })
const connection = await NativeConnection.connect(loadClientConnectConfig().connectionOptions)
const workers = await Promise.all([
  Worker.create({
    connection,
    ...workerOptions.workflows,
    workflowsPath: fileURLToPath(new URL('./null-workflow.ts', import.meta.url)),
    taskQueue: nullQueue,
    // the real one answers activities on the queue of its workflows too
    activities: { unused: async () => {} },
  }),
  Worker.create({
    connection,
    ...workerOptions.exchanges,
    taskQueue: nullActivityQueue,
    activities: {
      nothing: async () => {
        counts.cycles++
        return Date.now()
      },
    },
  }),
])
const running = Promise.all(workers.map((worker) => worker.run()))
answerSamples(counts)
await running
await connection.close()
process.exit()
