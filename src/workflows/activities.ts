import { proxyActivities } from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import { refreshQueue, type Tuning } from './messages.ts'

/**
 * Store work runs on the workflow's own queue, so that holding a provider's queue never holds up a revoke. It is
 * repeated for as long as it takes.
 */
export const storeWork = () =>
  proxyActivities<Pick<Activities, 'claim' | 'fence' | 'persist' | 'resync' | 'settle'>>({
    startToCloseTimeout: '10s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  })

/** Telling readers is given up after a while, and done again with the next step: nothing may wait for it. */
export const tellWork = () =>
  proxyActivities<Pick<Activities, 'announce'>>({
    startToCloseTimeout: '5s',
    scheduleToCloseTimeout: '10s',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  })

/** Revoking at the provider, repeated for as long as the tombstone stands. */
export const revocationWork = (provider: string) =>
  proxyActivities<Pick<Activities, 'revokeTokens'>>({
    taskQueue: refreshQueue(provider),
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '30d',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '15m' },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  })

/**
 * The exchange with the provider. Temporal repeats only what certainly did not spend the refresh token: an attempt
 * that timed out may have, and comes to the workflow.
 */
export const tokenWork = (provider: string, tuning: Tuning) =>
  proxyActivities<Pick<Activities, 'refresh'>>({
    taskQueue: refreshQueue(provider),
    startToCloseTimeout: tuning.startToCloseMs,
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '15m',
      nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'],
    },
    // a running exchange is waited for, so that two never overlap and no answer is thrown away
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  })
