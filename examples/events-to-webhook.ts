/**
 * Tells a webhook of every change once: in a chat (the `text` is what Slack, Mattermost and Teams show), by mail through
 * your provider's HTTP API, or whatever listens. Run it beside Perennial: REDIS_URL=… WEBHOOK_URL=… node events-to-webhook.ts
 */
import { createClient } from 'redis'

const { REDIS_URL = '', WEBHOOK_URL = '', CONSUMER = 'one' } = process.env
const stream = 'perennial:events'
const group = 'webhook'
const redis = createClient({ url: REDIS_URL }).on('error', (error) => console.error(`Redis: ${error.message}`))
await redis.connect()
// begins with what happens from now on; 0 instead of $ would tell of the past, too
await redis.xGroupCreate(stream, group, '$', { MKSTREAM: true }).catch((error: Error) => {
  if (!error.message.startsWith('BUSYGROUP')) throw error
})

for (;;) {
  // what an earlier round or run could not deliver, then what is new
  for (const id of ['0', '>']) {
    const read = await redis.xReadGroup(group, CONSUMER, { key: stream, id }, { COUNT: 100, BLOCK: 1_000 })
    for (const { id: entry, message } of (read as Read)?.[0]?.messages ?? [])
      if (await tell(message)) await redis.xAck(stream, group, entry)
  }
}

/** An event may stand in the stream twice; its `id` is the same then. */
async function tell({ id, event, credential, client, reason }: Record<string, string>): Promise<boolean> {
  if (await redis.exists(`${group}:told:${id}`)) return true
  const text = `${client || credential}: ${event}${reason ? ` (${reason})` : ''}`
  const body = JSON.stringify({ text, id, event, credential, client, reason })
  const headers = { 'content-type': 'application/json', 'idempotency-key': id ?? '' }
  const request = { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) }
  const isTaken = await fetch(WEBHOOK_URL, request)
    .then(({ ok }) => ok)
    .catch(() => false)
  if (isTaken) await redis.set(`${group}:told:${id}`, '1', { EX: 7 * 86_400 })
  return isTaken
}

type Read = { messages: { id: string; message: Record<string, string> }[] }[] | null
