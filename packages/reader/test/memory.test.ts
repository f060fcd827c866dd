import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newCredential } from '../../../test/store/redis.ts'
import { accessKey } from '../src/format.ts'
import type { Change } from '../src/index.ts'
import { type Line, openLine } from './line.ts'
import { type Setting, startSetting } from './setting.ts'

let setting: Setting
const lines: Line[] = []

beforeAll(async () => {
  setting = await startSetting()
})

afterAll(() => setting.stop())

afterEach(async () => {
  await setting.closeReaders()
  for (const line of lines.splice(0)) line.close()
})

async function watched() {
  const line = await openLine(new URL(setting.readerUrl))
  lines.push(line)
  return line
}

describe('a token in memory', () => {
  test('is handed out without another look, and is one and the same', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url })
    const first = await tokens.get(id)
    expect(await tokens.get(id, { minRemainingMs: 30_000 })).toBe(first)
    expect(await tokens.get(id)).toBe(first)
    expect(line.sent(accessKey(id))).toBe(1)
    expect(Object.isFrozen(first)).toBe(true)
  })

  test('costs one read, however many ask for it at first', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url })
    const all = await Promise.all(Array.from({ length: 1_000 }, () => tokens.get(id)))
    expect(new Set(all).size).toBe(1)
    expect(line.sent(accessKey(id))).toBe(1)
  })

  test('is read again by one who wants what stands there now, and not from a read that began before', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url })
    const before = tokens.get(id)
    const after = [tokens.get(id, { fresh: true }), tokens.get(id, { fresh: true })]
    expect(await before).toMatchObject({ generation: 1 })
    await Promise.all(after)
    expect(line.sent(accessKey(id))).toBe(2)
  })

  test('is replaced as soon as a newer one was written', async () => {
    const id = newCredential()
    const tokens = setting.reader()
    for (let generation = 1; generation <= 20; generation++) {
      await setting.write(id, generation)
      await expect.poll(async () => (await tokens.get(id)).generation, { interval: 1, timeout: 1_000 }).toBe(generation)
    }
  })

  test('is not handed out any more once it was revoked', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const tokens = setting.reader()
    await tokens.get(id)
    await setting.fence(id, 1)
    await expect
      .poll(() => tokens.get(id).catch((error: Error) => error.name), { interval: 1, timeout: 1_000 })
      .toBe('CredentialRevoked')
  })

  test('is dropped for another when there are too many', async () => {
    const ids = [newCredential(), newCredential(), newCredential()] as const
    for (const id of ids) await setting.write(id, 1)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url, maxEntries: 2 })
    for (const id of [...ids, ids[2], ids[1], ids[0]]) await tokens.get(id)
    expect(ids.map((id) => line.sent(accessKey(id)))).toEqual([2, 1, 1])
  })

  test('is not kept at all where none may be', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url, maxEntries: 0 })
    await tokens.get(id)
    expect(await tokens.get(id)).toMatchObject({ generation: 1 })
    expect(line.sent(accessKey(id))).toBe(2)
  })

  test('is read each time where the server refuses the notices', async () => {
    const mute = ['reset', 'on', '>pw', 'resetchannels', '%R~perennial:*', '-@all', '+get', '+time', '+hello', '+auth']
    await setting.redis.sendCommand(['ACL', 'SETUSER', 'mute', ...mute, '+subscribe', '+client|setname'])
    const id = newCredential()
    await setting.write(id, 1)
    const url = new URL(setting.readerUrl)
    url.username = 'mute'
    const tokens = setting.reader({ redis: url.href })
    expect(await tokens.get(id)).toMatchObject({ generation: 1, stale: false })
    await setting.write(id, 2)
    expect(await tokens.get(id)).toMatchObject({ generation: 2, stale: false })
  })

  test('outlives a generation of its family that was put back, which is refused', async () => {
    const id = newCredential()
    await setting.write(id, 4)
    const older = (await setting.redis.get(accessKey(id))) ?? ''
    await setting.write(id, 5)
    const tokens = setting.reader()
    await tokens.get(id)
    await setting.redis.set(accessKey(id), older)
    await expect(tokens.get(id, { fresh: true })).rejects.toMatchObject({ code: 'rolled_back', retryable: true })
    expect(await tokens.get(id)).toMatchObject({ generation: 5, stale: true })
  })

  test('outlives a Redis that was emptied and is being filled again, whose notices are of no revoke', async () => {
    const id = newCredential()
    await setting.write(id, 3)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url })
    await tokens.get(id)
    await setting.redis.flushAll()
    await setting.restore(id, 3)
    await expect.poll(() => line.sent(accessKey(id))).toBeGreaterThan(1)
    expect(await tokens.get(id)).toMatchObject({ generation: 3, stale: true })
    line.cut()
    expect(await tokens.get(id)).toMatchObject({ generation: 3, stale: true })
    // a notice of the same generation, and no Redis to say whether it was a revoke
    await expect.poll(() => tokens.get(id, { fresh: true }).catch(({ code }) => code)).toBe('token_pending')
    await setting.fence(id, 3)
    await expect.poll(() => tokens.get(id).catch(({ code }) => code)).toBe('credential_revoked')
  })

  test('is replaced by a lower generation of another family', async () => {
    const id = newCredential()
    await setting.write(id, 5)
    const tokens = setting.reader()
    await tokens.get(id)
    await setting.redis.flushAll()
    await setting.write(id, 1, { family: 'f2' })
    expect(await tokens.get(id, { fresh: true })).toMatchObject({ generation: 1, family: 'f2' })
  })
})

describe('onChange', () => {
  test('tells of each write and of the end, until it is stopped', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const tokens = setting.reader()
    const changes: Change[] = []
    const stop = tokens.onChange(id, (change) => changes.push(change))
    await tokens.get(id)
    await setting.write(id, 2)
    await setting.write(newCredential(), 1)
    await setting.fence(id, 2)
    const expected = [
      { credential: id, generation: 2 },
      { credential: id, generation: 2 },
    ]
    await expect.poll(() => changes).toEqual(expected)
    stop()
    await setting.fence(id, 2)
    await tokens.get(id, { fresh: true }).catch(() => undefined)
    expect(changes).toEqual(expected)
  })

  test('says that notices may have been missed when the reader was cut off', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const line = await watched()
    const tokens = setting.reader({ redis: line.url })
    const changes: Change[] = []
    const ending = new AbortController()
    tokens.onChange(id, (change) => changes.push(change), { signal: ending.signal })
    await tokens.get(id)
    line.cut()
    await expect.poll(() => changes).toEqual([{ credential: id }])
    ending.abort()
    await setting.write(id, 2)
    await tokens.get(id, { fresh: true })
    expect(changes).toHaveLength(1)
  })
})
