import { afterAll, beforeAll, expect, test } from 'vitest'
import { statuses } from '../../src/credential.ts'
import { eventFields, eventId, eventNames, eventOf, type LifecycleEvent } from '../../src/store/events.ts'
import { startTestRedis, type TestRedis } from './redis.ts'

let it: TestRedis

beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it.stop())

const event: LifecycleEvent = {
  event: 'at_risk',
  credential: 'acme/google-main/alice',
  family: 'f1',
  generation: 42,
  status: 'at_risk',
  reason: 'answer_lost',
}

test('an event has the same id whenever it is told again, and another one for every change', () => {
  expect(eventId(event)).toBe('f1/42/at_risk')
  expect(eventId({ ...event })).toBe(eventId(event))
  const changes: Partial<LifecycleEvent>[] = [
    { family: 'f2' },
    { generation: 43 },
    { event: 'recovered' },
    { mark: '14d' },
  ]
  const ids = changes.map((change) => eventId({ ...event, ...change }))
  expect(new Set([eventId(event), ...ids]).size).toBe(1 + changes.length)
})

test.each([
  ['active', undefined, 'recovered'],
  ['pending', undefined, undefined],
  ['pending', 'store_lost_it', undefined],
  ['pending', 'no_access_token', 'retrying'],
  ['retrying', 'http_503', 'retrying'],
  ['at_risk', 'answer_lost', 'at_risk'],
] as const)('%s because of %s is told as %s', (status, reason, name) => {
  expect(eventOf(status, reason)).toBe(name)
})

test('every status that is told has an event of its own', () => {
  const told = statuses.map((status) => eventOf(status, undefined)).filter((name) => name !== undefined)
  expect(new Set(told).size).toBe(statuses.length - 1)
  for (const name of told) expect(eventNames).toContain(name)
})

test('the stream keeps every field, and about the last 100,000 events', async () => {
  await it.store.record(event)
  await it.store.record({ ...event, event: 'recovered', status: 'active' })
  const [told, recovered] = await it.events(event.credential)
  expect(told).toEqual(eventFields(event))
  expect(told).toEqual({
    id: 'f1/42/at_risk',
    event: 'at_risk',
    credential: 'acme/google-main/alice',
    generation: '42',
    status: 'at_risk',
    reason: 'answer_lost',
  })
  expect(recovered).toMatchObject({ id: 'f1/42/recovered', status: 'active' })
  const many = `for i = 1, 101000 do redis.call('XADD', KEYS[1], '*', 'id', i) end`
  await it.redis.eval(many, { keys: ['perennial:events'], arguments: [] })
  await it.store.record(event)
  const kept = await it.redis.xLen('perennial:events')
  // trimmed by whole nodes of 100 entries
  expect(kept).toBeGreaterThanOrEqual(100_000)
  expect(kept).toBeLessThan(100_200)
})
