import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { beforeAll, expect, test } from 'vitest'
import { workflowModules } from '../src/workflow-code.ts'
import { type RecordedHistory, shapeNames, shapeOf, shapes } from './history-shapes.ts'

/**
 * Histories of credentials that live somewhere: the workflow's code must go on with each of them. Where one of these
 * fails, the code is to be patched (`patched()`), not the history: scripts/check-histories.ts refuses that.
 */
const folder = join(import.meta.dirname, 'histories')
const files = readdirSync(folder).filter((file) => file.endsWith('.json'))

let workflowBundle: WorkflowBundle

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR')
  Runtime.install({ logger })
  const modules = workflowModules(join(import.meta.dirname, '../src/workflows'), 'ts')
  workflowBundle = await bundleWorkflowCode({ ...modules, logger })
}, 60_000)

const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as RecordedHistory

function replay(history: RecordedHistory): Promise<void> {
  const started = history.events[0]?.workflowExecutionStartedEventAttributes as { workflowId: string }
  return Worker.runReplayHistory({ workflowBundle }, history, started.workflowId)
}

test('there is a history of every shape', () => {
  expect([...new Set(files.map(shapeOf))].sort()).toEqual([...shapeNames].sort())
})

test.each(files)('the workflow as it is now goes on with %s', async (file) => {
  const history = read(file)
  const shape = shapeOf(file)
  // a file that is not what its name says would prove nothing
  expect(shape !== undefined && shapes[shape](history)).toBe(true)
  await replay(history)
})

test.each(files)('%s holds no plain token: what could be one is sealed', (file) => {
  const sealed = /eyJ[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}/g
  for (const payload of payloadsOf(read(file))) {
    expect(payload).not.toMatch(/access_token|"refresh_token":|client_secret|Bearer |Basic /)
    // every token and key of the stack that these come from is longer, every id and fingerprint of ours shorter
    expect(payload.replace(sealed, '')).not.toMatch(/[\w-]{40}/)
  }
})

test('a history in which something else was done is refused: a change of the workflow is noticed', async () => {
  const text = readFileSync(join(folder, files.find((file) => shapeOf(file) === 'refreshed') ?? ''), 'utf8')
  const changed = text.replaceAll('"activityType":{"name":"refresh"}', '"activityType":{"name":"announce"}')
  expect(changed).not.toBe(text)
  await expect(replay(JSON.parse(text) as RecordedHistory)).resolves.toBeUndefined()
  const replayed = replay(JSON.parse(changed) as RecordedHistory)
  await expect(replayed).rejects.toBeInstanceOf(DeterminismViolationError)
})

/** Everything that was handed over, decoded. */
function payloadsOf(history: RecordedHistory): string[] {
  const payloads: string[] = []
  JSON.stringify(history, (name, value: unknown) => {
    if (name === 'data' && typeof value === 'string') payloads.push(Buffer.from(value, 'base64').toString())
    return value
  })
  return payloads
}
