import type { Message, RetryNotice, Seed } from './messages.ts'

/**
 * Reads a signal. What is none of ours, or was sent by hand and makes no sense, is undefined: it must not stop the
 * workflow.
 *
 * @param nowMs when it arrived, by the workflow's clock
 */
export function receive(name: string, args: unknown[], nowMs: number): Message | undefined {
  const [first] = args
  switch (name) {
    case 'revoke':
      return { type: 'revoke' }
    case 'wake':
      return { type: 'wake' }
    case 'reconnect':
      return isSeed(first) ? { type: 'reconnect', seed: first, receivedAtMs: nowMs } : undefined
    case 'retrying':
      return isNotice(first) ? { type: 'retrying', notice: first } : undefined
    case 'resync':
      return typeof first === 'number' && first >= 0 ? { type: 'resync', delayMs: first } : undefined
    case 'rejected':
      return Number.isSafeInteger(first) ? { type: 'rejected', generation: first as number } : undefined
    default:
      return undefined
  }
}

const isSeed = (value: unknown): value is Seed =>
  has(value, { family: 'string' }) &&
  ['undefined', 'string'].includes(typeof (value as Seed).sealed) &&
  ['undefined', 'number'].includes(typeof (value as Seed).accessLivesMs) &&
  ['undefined', 'number'].includes(typeof (value as Seed).firstRefreshInMs)

const isNotice = (value: unknown): value is RetryNotice =>
  has(value, { generation: 'number', reason: 'string', detail: 'string', nextAttemptInMs: 'number' })

function has(value: unknown, fields: Record<string, string>): boolean {
  if (typeof value !== 'object' || value === null) return false
  const given = value as Record<string, unknown>
  return Object.entries(fields).every(([name, type]) => typeof given[name] === type)
}
