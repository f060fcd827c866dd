/**
 * Records histories of credentials, from real servers, into test/histories: `node scripts/record-histories.ts [shape…]`.
 * What is there stays; a new recording is a new file. To be run when the workflow's code or the messages change, after
 * the replay of what was recorded before has passed.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import {
  eventText,
  type HistoryEvent,
  type RecordedHistory,
  type Shape,
  shapeNames,
  shapes,
} from '../test/history-shapes.ts'
import { recordedLives } from '../test/live/recorded-lives.ts'
import { searchFor } from '../test/live/secret-search.ts'
import { type Live, startLive, until } from '../test/live/stack.ts'
import { secretsOfStack } from '../test/live/stack-secrets.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'test/histories')

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !shapeNames.some((shape) => shape === name))
if (unknown.length > 0) throw new Error(`no shape ${unknown.join(', ')}; there are ${shapeNames.join(', ')}`)

await mkdir(folder, { recursive: true })
const live = await startLive({ tokenSeconds: 12 })
try {
  for (const shape of shapeNames) if (wanted.length === 0 || wanted.includes(shape)) await record(live, shape)
} finally {
  await live.stop()
}

async function record(live: Live, shape: Shape): Promise<void> {
  const { credential, workflowId = `credential/${credential}`, runId } = await recordedLives[shape](live, shape)
  const handle = live.temporal.workflow.getHandle(workflowId, runId)
  const recorded: RecordedHistory = { events: [] }
  const fetch = async () => {
    const history = JSON.parse(historyToJSON(await handle.fetchHistory())) as RecordedHistory
    recorded.events = anonymous(history.events)
    return shapes[shape](recorded)
  }
  await until(`a history of shape ${shape}`, fetch, Boolean)
  const text = layOut(recorded)
  const decoded = recorded.events.map(eventText).join('\n')
  const leaks = searchFor(await secretsOfStack(live.stack.dataDir, 'demo')).find(`${text}\n${decoded}`)
  if (leaks.length > 0) throw new Error(`not recorded, ${shape} holds a secret: ${JSON.stringify(leaks)}`)
  const file = freeName(shape)
  await writeFile(join(folder, file), text)
  console.log(`${file}: ${recorded.events.length} events, ${Math.ceil(text.length / 1024)} KiB`)
  // a later fault is meant for a later credential
  await live.temporal.workflow
    .getHandle(`credential/${credential}`)
    .terminate('recorded')
    .catch(() => {})
}

function freeName(shape: Shape): string {
  let n = 1
  while (existsSync(join(folder, `${shape}.${n}.json`))) n++
  return `${shape}.${n}.json`
}

/** Without the names of the machine and the folder that it was recorded in. */
function anonymous(events: HistoryEvent[]): HistoryEvent[] {
  return JSON.parse(JSON.stringify(events), (_, value: unknown) => {
    if (typeof value !== 'string') return value
    return value.replaceAll(`@${hostname()}`, '@recorder').replaceAll(`${root}/`, '')
  })
}

/** An event a line: short, and still to be read. */
function layOut({ events }: RecordedHistory): string {
  const lines = events.map((event: HistoryEvent) => JSON.stringify(event))
  return `{"events":[\n${lines.join(',\n')}\n]}\n`
}
