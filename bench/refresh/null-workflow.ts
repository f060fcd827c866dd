import { makeContinueAsNewFunc, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow'
import { defaultTuning } from '../../src/workflows/messages.ts'
import { type NullInput, nullActivityQueue } from './null.ts'

/** with the options of the refresh activity, in src/workflows/activities.ts */
const { nothing } = proxyActivities<{ nothing(): Promise<number> }>({
  taskQueue: nullActivityQueue,
  startToCloseTimeout: defaultTuning.startToCloseMs,
  retry: {
    initialInterval: '2s',
    backoffCoefficient: 2,
    maximumInterval: '15m',
    nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'],
  },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
})

/**
 * The least that a workflow has to do which sleeps, calls an activity, and goes on for ever. It sleeps as long after
 * the end of its activity as a credential does after its token was obtained, so that a busy server delays both alike.
 */
export async function nullWorkflow(input: NullInput): Promise<void> {
  let dueAtMs = input.dueAtMs ?? Date.now() + input.delayMs
  for (let cycle = 1; cycle <= defaultTuning.refreshesPerRun; cycle++) {
    const waitMs = Math.ceil(dueAtMs - Date.now())
    if (waitMs > 0) await sleep(waitMs, { summary: `cycle ${cycle} at ${new Date(dueAtMs).toISOString()}` })
    const summary = `cycle ${cycle} of ${defaultTuning.refreshesPerRun}`
    // that of a token which has less than a minute left
    const priority = { ...workflowInfo().priority, priorityKey: 2 }
    dueAtMs = (await nothing.executeWithOptions({ summary, priority }, [])) + input.delayMs
  }
  await makeContinueAsNewFunc<typeof nullWorkflow>()({ ...input, dueAtMs })
}
