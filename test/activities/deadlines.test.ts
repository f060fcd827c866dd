import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answered, deadlines } from '../../src/activities/deadlines.ts'
import type { Refreshed } from '../../src/workflows/messages.ts'
import { claimOf, granted, refreshOf, type Setting, startSetting, storedSet, tokens } from './setting.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

describe('the end of a refresh token', () => {
  const idle = { refreshTokenIdleMs: 14 * day }
  const absolute = { refreshTokenAbsoluteMs: 90 * day }
  const lifetime = { refreshTokenLifetimeMs: 30 * day }
  test.each<[string, Partial<Answered>, { livesMs?: number; endsInMs?: number }]>([
    ['is unknown where nobody says anything', {}, {}],
    ['of a new grant is what the answer says', { saidMs: day }, { livesMs: day }],
    ['of a new grant is the idle time of the entry', { rules: idle }, { livesMs: 14 * day }],
    ['of a new grant is the earliest of all', { rules: { ...idle, ...absolute }, saidMs: day }, end(day, 90 * day)],
    ['is moved by a refresh where the entry says idle', { rules: idle, before: { livesMs: day } }, end(14 * day)],
    [
      'stays where the entry says absolute',
      { rules: absolute, before: end(80 * day, 80 * day) },
      end(80 * day, 80 * day),
    ],
    [
      'is the absolute one once that is the nearer',
      { rules: { ...idle, ...absolute }, before: end(10 * day, 10 * day) },
      end(10 * day, 10 * day),
    ],
    ['moves when the answer names a later one', { saidMs: day, before: { livesMs: 23 * hour, ageMs: hour } }, end(day)],
    [
      'is absolute when the answer names the same',
      { saidMs: 23 * hour, before: { livesMs: 23 * hour, ageMs: hour } },
      end(23 * hour, 23 * hour),
    ],
    [
      'is absolute when the answer names it in whole seconds',
      { saidMs: 23 * hour + 1_000, before: { livesMs: 23 * hour, ageMs: hour } },
      end(23 * hour + 1_000, 23 * hour + 1_000),
    ],
    [
      'is absolute no more when a refresh has moved it',
      { saidMs: day, before: { ...end(23 * hour, 23 * hour), ageMs: hour } },
      end(day),
    ],
    ['is not decided by two refreshes in a row', { saidMs: day, before: { livesMs: day - 500, ageMs: 500 } }, end(day)],
    [
      'stays absolute through two refreshes in a row',
      { saidMs: day, before: { ...end(day, day), ageMs: 500 } },
      end(day, day),
    ],
    [
      'is not decided where it is not known when the last one was named',
      { saidMs: day, before: { livesMs: day } },
      end(day),
    ],
    ['is absolute where neither token nor deadline changed', { before: { livesMs: day } }, end(day, day)],
    ['of a token that came without one is unknown', { rotated: true, before: { livesMs: day } }, {}],
    [
      'of a token that came without one is the lifetime of the entry',
      { rotated: true, rules: lifetime, before: { livesMs: day } },
      end(30 * day),
    ],
    [
      'of a token that stayed the same is not restarted by a lifetime of the entry',
      { rules: lifetime, before: { livesMs: day } },
      end(day, day),
    ],
  ])('%s', (_name, answered, expected) => {
    expect(deadlines({ rules: {}, rotated: false, ...answered })).toEqual(expected)
  })

  test('lies never behind the end that no refresh moves, and never behind what the answer says', () => {
    const ms = fc.option(fc.integer({ min: 1, max: 400 * day }), { nil: undefined })
    const rules = fc.record({ refreshTokenIdleMs: ms, refreshTokenAbsoluteMs: ms, refreshTokenLifetimeMs: ms })
    const before = fc.option(fc.record({ livesMs: ms, endsInMs: ms, ageMs: ms }), { nil: undefined })
    fc.assert(
      fc.property(rules, ms, fc.boolean(), before, (rule, saidMs, rotated, known) => {
        const { livesMs = Number.POSITIVE_INFINITY, endsInMs } = deadlines({
          rules: given(rule),
          saidMs,
          rotated,
          before: known === undefined ? undefined : given(known),
        })
        expect(livesMs).toBeLessThanOrEqual(endsInMs ?? livesMs)
        expect(livesMs).toBeLessThanOrEqual(saidMs ?? livesMs)
        const { refreshTokenAbsoluteMs: absoluteMs } = rule
        if (absoluteMs !== undefined) expect(endsInMs).toBeLessThanOrEqual(known?.endsInMs ?? absoluteMs)
      }),
    )
  })
})

describe('a refresh', () => {
  let setting: Setting
  beforeAll(async () => {
    setting = await startSetting()
  })
  beforeEach(() => {
    setting.caller = { ...setting.caller, scheduledAtMs: Date.now() }
  })
  afterAll(() => setting.stop())

  const refreshed = async (credential: string, changes: object, answer = {}) => {
    setting.answers.push(granted(tokens(2, answer)))
    return await setting.activities.refresh(refreshOf(credential, changes))
  }

  test('is due before a refresh token dies that nobody uses, however long the access token lives', async () => {
    const credential = setting.credential({}, { refreshTokenIdleMs: hour })
    const { dueInMs, refreshLivesMs, refreshEndsInMs } = await refreshed(credential, {}, { expiresInMs: 30 * day })
    expect(refreshLivesMs).toBe(hour)
    expect(refreshEndsInMs).toBeUndefined()
    expect(dueInMs).toBeGreaterThan(hour / 2)
    expect(dueInMs).toBeLessThanOrEqual(45 * minute)
  })

  test('asks the provider when a grant has come to its end, and not before for its sake', async () => {
    const credential = setting.credential({}, { refreshTokenAbsoluteMs: 2 * day })
    const endsAtMs = Date.now() + hour
    const known = { refreshExpiresAtMs: endsAtMs, refreshEndsAtMs: endsAtMs }
    const { dueInMs, refreshEndsInMs = 0, warnBeforeMs } = await refreshed(credential, known, { expiresInMs: 30 * day })
    expect(refreshEndsInMs).toBeGreaterThan(hour - 5_000)
    expect(refreshEndsInMs).toBeLessThanOrEqual(hour)
    expect(warnBeforeMs).toEqual([14 * day, 3 * day])
    expect(dueInMs).toBeGreaterThan(refreshEndsInMs)
    expect(dueInMs).toBeLessThan(refreshEndsInMs + 62_000)
    const { status, hash } = await setting.it.everything(credential)
    expect(status).toMatchObject({ status: 'active', reconnectBy: expect.any(String) })
    expect(Math.abs(Number(hash.refreshEnds) - endsAtMs)).toBeLessThan(5_000)
  })

  test('that does not move the deadline of the answer before finds that it is absolute', async () => {
    const credential = setting.credential()
    const nowMs = await setting.it.store.nowMs()
    const began = { beganMs: nowMs - hour, refreshExpiresAtMs: nowMs + day }
    await setting.it.store.write(setting.caller, storedSet(credential, began))
    const known = { refreshExpiresAtMs: Date.now() + day }
    const moved = await refreshed(credential, known, { refreshExpiresInMs: day })
    expect(moved).toMatchObject({ refreshLivesMs: day, refreshEndsInMs: day })
  })

  test('finds in the store what another attempt learned of the end', async () => {
    const credential = setting.credential()
    const nowMs = await setting.it.store.nowMs()
    const ends = { refreshExpiresAtMs: nowMs + hour, refreshEndsAtMs: nowMs + hour }
    await setting.it.store.write(setting.caller, storedSet(credential, { generation: 2, ...ends }))
    const found = await setting.activities.refresh(refreshOf(credential))
    expect(found.generation).toBe(2)
    expect(Math.abs((found.refreshEndsInMs ?? 0) - hour)).toBeLessThan(2_000)
    expect(found.refreshLivesMs).toBe(found.refreshEndsInMs)
  })

  test('of a new grant counts the end from the handing over', async () => {
    const credential = setting.credential({}, { refreshTokenAbsoluteMs: 90 * day })
    const claimed = (await setting.activities.claim(
      claimOf(credential, { refresh_token: 'rt-secret-1', access_token: 'at-secret-1' }, { accessLivesMs: hour }),
    )) as Refreshed
    expect(claimed).toMatchObject({ refreshLivesMs: 90 * day, refreshEndsInMs: 90 * day })
  })

  test('its warning is an event of its own, told with the status as it is', async () => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential))
    const { generation, family } = refreshOf(credential)
    const input = { credential, kind: 'refresh_token', family, generation, status: 'active', sinceMs: 0 } as const
    await setting.activities.announce({ ...input, refreshEndsInMs: 13.9 * day, reconnectSoonMs: 14 * day })
    const events = await setting.it.redis.xRevRange('perennial:events', '+', '-', { COUNT: 1 })
    expect(events?.[0]?.message).toMatchObject({
      id: `${family}/${generation}/reconnect_soon/14d`,
      event: 'reconnect_soon',
      status: 'active',
      reason: 'the grant ends in 14d',
    })
  })

  test.each([
    [1.5 * day, '36h'],
    [2 * day, '2d'],
    [150_000, '150s'],
    [hour / 2, '30m'],
  ])('is told apart from every other: the id of one %d ms before ends in %s', async (reconnectSoonMs, mark) => {
    const credential = setting.credential()
    await setting.it.store.write(setting.caller, storedSet(credential))
    const { generation, family } = refreshOf(credential)
    const input = { credential, kind: 'refresh_token', family, generation, status: 'active', sinceMs: 0 } as const
    await setting.activities.announce({ ...input, refreshEndsInMs: reconnectSoonMs, reconnectSoonMs })
    const events = await setting.it.redis.xRevRange('perennial:events', '+', '-', { COUNT: 1 })
    expect(events?.[0]?.message.id).toBe(`${family}/${generation}/reconnect_soon/${mark}`)
  })
})

function end(livesMs: number, endsInMs?: number) {
  return endsInMs === undefined ? { livesMs } : { livesMs, endsInMs }
}

function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
