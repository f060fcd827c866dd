import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CredentialEvent, eventFields, eventId } from '../../src/store/events.ts'
import { startTestRedis, type TestRedis } from './redis.ts'

let it: TestRedis

beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it.stop())

const event: CredentialEvent = {
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
  const changes: Partial<CredentialEvent>[] = [
    { family: 'f2' },
    { generation: 43 },
    { event: 'recovered' },
    { mark: '14d' },
  ]
  const ids = changes.map((change) => eventId({ ...event, ...change }))
  expect(new Set([eventId(event), ...ids]).size).toBe(1 + changes.length)
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
    client: '',
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

describe('a client that is refused', () => {
  const met = { credential: 'acme/google-main/alice', generation: 42 }
  const told = (credential = met.credential) => it.events(credential)
  let client = ''
  beforeEach(async () => {
    client = `google-${Math.random()}`
    await it.redis.del('perennial:events')
  })
  const refused = (credential = met.credential, quietMs = 60_000) =>
    it.store.recordClientRefused(client, { ...met, credential, reason: 'invalid_client' }, quietMs)

  test('is told of once for all of its credentials, and once when it works again', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, n) => refused(`acme/google-main/user${n}`)))
    await refused('acme/google-main/late')
    const all = await it.redis.xRange('perennial:events', '-', '+')
    expect(all?.map(({ message }) => message)).toMatchObject([
      { event: 'misconfigured', client, reason: 'invalid_client' },
    ])
    await it.store.recordClientRecovered(client, met)
    await it.store.recordClientRecovered(client, met)
    const [recovered, ...more] = await told()
    expect(more).toEqual([])
    expect(recovered).toMatchObject({ event: 'recovered', client, status: 'active', reason: '' })
    const [misconfigured] = (all ?? []).map(({ message }) => message.id?.split('/').slice(0, 3))
    expect(recovered?.id?.split('/').slice(0, 3)).toEqual(misconfigured)
  })

  test('is told of again by the same id where whoever told it first has died over that', async () => {
    await it.redis.set(`perennial:client:${client}:told`, String((await it.store.nowMs()) - 5_000), { PX: 60_000 })
    await refused()
    await refused()
    const since = (await it.redis.get(`perennial:client:${client}:told`))?.split(' ')[0]
    expect(await told()).toMatchObject([{ id: `client/${client}/${since}/misconfigured` }])
  })

  test('is told of anew when it was well for a while, or has recovered', async () => {
    await refused(met.credential, 50)
    await new Promise((resolve) => setTimeout(resolve, 80))
    await refused()
    await it.store.recordClientRecovered(client, met)
    await refused()
    const events = await told()
    expect(events.map(({ event }) => event)).toEqual(['misconfigured', 'misconfigured', 'recovered', 'misconfigured'])
    expect(new Set(events.map(({ id }) => id)).size).toBe(4)
  })
})
