import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { createReader } from '../../packages/reader/src/index.ts'
import { type Fault, invalidClient } from '../../src/dev/demo/admin.ts'
import type { Tuning } from '../../src/workflows/messages.ts'
import type { Shape } from '../history-shapes.ts'
import { type Live, until } from './stack.ts'

/** Whose history is to be recorded; of the last run of its own workflow where no other is named. */
export interface Lived {
  credential: string
  workflowId?: string
  runId?: string
}

type Life = (live: Live, subject: string) => Promise<Lived>

/** How each shape comes about on a stack whose access tokens live for 12 s. */
export const recordedLives: Record<Shape, Life> = {
  sleeping: begin,

  refreshed: async (live, subject) => {
    const lived = await begin(live, subject)
    await reaches(live, lived, { generation: 3 })
    return lived
  },

  'refreshed-now': async (live, subject) => {
    const lived = await begin(live, subject)
    await Promise.all([live.perennial.refreshNow(lived.credential), live.perennial.refreshNow(lived.credential)])
    return lived
  },

  'client-credentials': async (live, subject) => {
    const credential = `demo/orchard-m2m/${subject}`
    await live.perennial.start(credential)
    await reaches(live, { credential }, { generation: 2 })
    return { credential }
  },

  retried: async (live, subject) => {
    const lived = await begin(live, subject)
    await live.demo.setFaults(later(1))
    await reaches(live, lived, { status: 'retrying' })
    return await heal(live, lived)
  },

  expired: async (live, subject) => {
    const lived = await begin(live, subject)
    await live.demo.setFaults(later(1))
    await reaches(live, lived, { status: 'expired' })
    return await heal(live, lived)
  },

  'forced-while-retrying': async (live, subject) => {
    const lived = await begin(live, subject)
    await live.demo.setFaults(later(60))
    await refuses(live, lived)
    await live.demo.setFaults()
    await live.perennial.refreshNow(lived.credential)
    return lived
  },

  'reconnect-required': refuseGrant,

  reconnected: async (live, subject) => {
    const lived = await refuseGrant(live, subject)
    await reconnect(live, lived, subject)
    await live.perennial.refreshNow(lived.credential)
    return lived
  },

  'reconnected-in-flight': async (live, subject) => {
    const lived = await begin(live, subject)
    const { outcome } = await refreshInFlight(live, lived, subject)
    await reconnect(live, lived, subject)
    await outcome
    return lived
  },

  revoked: async (live, subject) => {
    const lived = await begin(live, subject)
    await live.perennial.refreshNow(lived.credential)
    await live.perennial.revoke(lived.credential)
    return lived
  },

  'revoked-in-flight': async (live, subject) => {
    const lived = await begin(live, subject)
    const { outcome } = await refreshInFlight(live, lived, subject)
    await live.perennial.revoke(lived.credential)
    await outcome
    return lived
  },

  continuing: async (live, subject) => {
    const { credential } = await begin(live, subject, { refreshesPerRun: 2 })
    const { runId } = await live.temporal.workflow.getHandle(`credential/${credential}`).describe()
    for (let i = 0; i < 2; i++) await live.perennial.refreshNow(credential)
    return { credential, runId }
  },

  continued: async (live, subject) => {
    const lived = await begin(live, subject, { refreshesPerRun: 2 })
    for (let i = 0; i < 3; i++) await live.perennial.refreshNow(lived.credential)
    return lived
  },

  misconfigured: async (live, subject) => {
    const lived = await begin(live, subject, { misconfiguredEveryMs: 2_000 })
    await live.demo.setFaults({ answer: invalidClient })
    await refuses(live, lived)
    return await heal(live, lived)
  },

  'at-risk': async (live, subject) => {
    const lived = await begin(live, subject)
    await live.demo.setFaults({ answer: { status: 500, body: '' } })
    await refuses(live, lived)
    return await heal(live, lived)
  },

  'timed-out-and-found': async (live, subject) => {
    const lived = await begin(live, subject, { startToCloseMs: 2_000, settleAfterMs: 3_000 })
    await refreshInFlight(live, lived, subject, 3_500)
    await reaches(live, lived, { generation: 2 })
    return lived
  },

  'stored-later': async (live, subject) => {
    const lived = await begin(live, subject)
    const { outcome } = await refreshInFlight(live, lived, subject, 1_500)
    const redis = await live.pid('redis')
    process.kill(redis, 'SIGSTOP')
    await sleep(3_000)
    process.kill(redis, 'SIGCONT')
    await outcome
    return lived
  },

  rejected: async (live, subject) => {
    const lived = await begin(live, subject)
    await reaches(live, lived, { generation: 1 })
    const reader = createReader({ redis: live.readerUrl, keys: [live.readerKey] })
    await reader.reject(lived.credential, 1)
    await reader.close()
    await reaches(live, lived, { generation: 2 })
    return lived
  },

  'asked-to-cancel': async (live, subject) => {
    const lived = await begin(live, subject)
    const { outcome } = await refreshInFlight(live, lived, subject)
    await live.temporal.workflow.getHandle(`credential/${lived.credential}`).cancel()
    await outcome
    await live.perennial.refreshNow(lived.credential)
    return lived
  },

  resynced: async (live, subject) => {
    const lived = await begin(live, subject)
    await loseInRedis(live, subject)
    await live.perennial.resync()
    await reaches(live, lived, { generation: 2 })
    return lived
  },

  'reconnected-while-revoking': reconnectWhileRevoking,

  'revoking-alone': async (live, subject) => {
    const lived = await reconnectWhileRevoking(live, subject)
    const revocations = async () => {
      const found: string[] = []
      for await (const one of live.temporal.workflow.list({ query: `WorkflowType = 'revocation'` }))
        if (one.workflowId.includes(`${lived.credential}/`)) found.push(one.workflowId)
      return found
    }
    const [workflowId = ''] = await until('a revocation', revocations, (found) => found.length > 0)
    return { ...lived, workflowId }
  },
}

/** A new grant comes while the provider cannot be asked to revoke the old one. */
async function reconnectWhileRevoking(live: Live, subject: string): Promise<Lived> {
  const lived = await begin(live, subject)
  const handle = live.temporal.workflow.getHandle(`credential/${lived.credential}`)
  const tokenResponse = await live.demo.mintGrant(subject, 'orchard')
  const provider = await live.pid('demo')
  process.kill(provider, 'SIGSTOP')
  await live.perennial.revoke(lived.credential)
  const pending = async () => (await handle.describe()).raw.pendingActivities ?? []
  const running = ({ state }: { state?: unknown }) => state === 2
  await until('the provider is asked to revoke', pending, (activities) => activities.some(running))
  process.kill(provider, 'SIGKILL')
  await until('the question was not answered', pending, (activities) => !activities.some(running))
  await live.perennial.reconnect(lived.credential, { tokenResponse })
  const up = async () => (await live.pid('demo')) !== provider && (await live.demo.record())
  await until('the provider is back', up, (record) => record !== false)
  return lived
}

/** What Redis held of a credential is gone. */
async function loseInRedis(live: Live, subject: string): Promise<void> {
  const redis = await createClient({ url: live.stack.redisUrl }).connect()
  try {
    await redis.del(['access', 'status', 'grant'].map((kind) => `perennial:${kind}:demo:{orchard/${subject}}`))
  } finally {
    redis.destroy()
  }
}

async function begin(live: Live, subject: string, tuning?: Partial<Tuning>): Promise<Lived> {
  const credential = `demo/orchard/${subject}`
  const tokenResponse = await live.demo.mintGrant(subject, 'orchard')
  await live.perennial.start(credential, { tokenResponse, ...(tuning === undefined ? {} : { tuning }) })
  return { credential }
}

async function reconnect(live: Live, { credential }: Lived, subject: string): Promise<void> {
  await live.perennial.reconnect(credential, { tokenResponse: await live.demo.mintGrant(subject, 'orchard') })
}

async function refuseGrant(live: Live, subject: string): Promise<Lived> {
  const lived = await begin(live, subject)
  await live.demo.revokeSubject(subject)
  await refuses(live, lived)
  return lived
}

/** A refresh that is asked for now fails. */
async function refuses(live: Live, { credential }: Lived): Promise<void> {
  const outcome = await live.perennial.refreshNow(credential).catch((error: unknown) => error)
  if (!(outcome instanceof Error)) throw new Error(`${credential} was refreshed`)
}

async function heal(live: Live, lived: Lived): Promise<Lived> {
  await live.demo.setFaults()
  await reaches(live, lived, { status: 'active' })
  return lived
}

/** Begins a refresh, and returns as soon as the provider has rotated; the answer is held back. */
export async function refreshInFlight(live: Live, { credential }: Lived, subject: string, holdAnswerMs = 3_000) {
  const exchanges = async () => (await live.demo.record()).exchanges.filter((one) => one.subject === subject).length
  const before = await exchanges()
  await live.demo.setFaults({ holdAnswerMs })
  const outcome = live.perennial.refreshNow(credential).catch((error: unknown) => error)
  await until('the provider has rotated', exchanges, (count) => count > before)
  await live.demo.setFaults()
  return { outcome }
}

/** A server that asks for patience, and has exchanged nothing. */
const later = (seconds: number): Fault => ({
  answer: {
    status: 503,
    headers: { 'retry-after': String(seconds) },
    body: JSON.stringify({ error: 'temporarily_unavailable', error_description: 'maintenance' }),
  },
})

async function reaches(
  live: Live,
  { credential }: Lived,
  what: { status: string } | { generation: number },
): Promise<void> {
  const described = () => live.perennial.describe(credential)
  await until(`${credential} ${JSON.stringify(what)}`, described, (view) =>
    'status' in what ? view?.status === what.status : (view?.generation ?? 0) >= what.generation,
  )
}
