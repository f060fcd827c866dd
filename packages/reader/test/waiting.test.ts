import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newCredential } from '../../../test/store/redis.ts'
import { rejectedChannel } from '../src/format.ts'
import { openLine } from './line.ts'
import { type Setting, startSetting } from './setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await startSetting()
})

afterAll(() => setting.stop())

afterEach(() => setting.closeReaders())

const afterMs = (ms: number, work: () => Promise<unknown>) =>
  new Promise((resolve) => setTimeout(() => resolve(work()), ms))

async function timed<T>(call: Promise<T>) {
  const startMs = performance.now()
  const outcome = await call.catch((error: unknown) => error)
  return { outcome, tookMs: performance.now() - startMs }
}

describe('waiting for a token', () => {
  test('that is due, instead of one that is about to die', async () => {
    const id = newCredential()
    await setting.write(id, 1, { lifetimeMs: 5_000 })
    const tokens = setting.reader()
    const call = timed(tokens.get(id, { minRemainingMs: 30_000, waitMs: 10_000 }))
    await afterMs(200, () => setting.write(id, 2))
    const { outcome, tookMs } = await call
    expect(outcome).toMatchObject({ generation: 2 })
    expect(tookMs).toBeLessThan(1_000)
  })

  test('ends with the error that there would have been at once', async () => {
    const id = newCredential()
    await setting.write(id, 1, { lifetimeMs: 5_000 })
    const { outcome, tookMs } = await timed(setting.reader().get(id, { minRemainingMs: 30_000, waitMs: 300 }))
    expect(outcome).toMatchObject({ code: 'token_expired', reason: 'min_remaining', credential: id })
    expect(tookMs).toBeGreaterThan(250)
    expect(tookMs).toBeLessThan(1_000)
  })

  test('is not for what no wait can bring', async () => {
    const { outcome, tookMs } = await timed(setting.reader().get(newCredential(), { waitMs: 5_000 }))
    expect(outcome).toMatchObject({ code: 'credential_not_found' })
    expect(tookMs).toBeLessThan(1_000)
  })

  test('goes on over an outage of Redis', async () => {
    const id = newCredential()
    await setting.write(id, 1, { lifetimeMs: 5_000 })
    const line = await openLine(new URL(setting.readerUrl))
    try {
      const call = setting.reader({ redis: line.url }).get(id, { minRemainingMs: 30_000, waitMs: 10_000 })
      await afterMs(100, async () => line.cut())
      await setting.write(id, 2)
      expect(await call).toMatchObject({ generation: 2 })
    } finally {
      line.close()
    }
  })

  test('ends with its signal', async () => {
    const id = newCredential()
    await setting.write(id, 1, { lifetimeMs: 5_000 })
    const ending = new AbortController()
    const reason = new Error('enough')
    const call = timed(setting.reader().get(id, { minRemainingMs: 30_000, waitMs: 10_000, signal: ending.signal }))
    await afterMs(100, async () => ending.abort(reason))
    expect((await call).outcome).toBe(reason)
  })

  test('ends when the reader is closed', async () => {
    const id = newCredential()
    await setting.write(id, 1, { lifetimeMs: 5_000 })
    const tokens = setting.reader()
    const call = timed(tokens.get(id, { minRemainingMs: 30_000, waitMs: 10_000 }))
    await afterMs(100, () => tokens.close())
    expect((await call).outcome).toMatchObject({ code: 'store_unavailable' })
    await expect(tokens.get(id)).rejects.toMatchObject({ code: 'store_unavailable' })
  })
})

describe('a rejected token', () => {
  async function rejections() {
    const heard: string[] = []
    const listener = setting.redis.duplicate()
    listener.on('error', () => undefined)
    await listener.connect()
    await listener.subscribe(rejectedChannel('acme'), (message) => heard.push(message))
    return { heard, end: () => listener.destroy() }
  }

  const name = (id: string) => id.replace('acme/', '')

  test('is reported once, however often it is rejected, and replaced for all who did', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const { heard, end } = await rejections()
    const tokens = setting.reader()
    await tokens.get(id)
    const calls = Array.from({ length: 50 }, () => tokens.reject(id, 1))
    await afterMs(100, () => setting.write(id, 2))
    for (const newer of await Promise.all(calls)) expect(newer).toMatchObject({ generation: 2 })
    expect(await tokens.reject(id, 1)).toMatchObject({ generation: 2 })
    expect(heard).toEqual([`${name(id)} 1`])
    end()
  })

  test('that was replaced meanwhile is reported to nobody', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const { heard, end } = await rejections()
    const tokens = setting.reader()
    await tokens.get(id)
    await setting.write(id, 2)
    expect(await tokens.reject(id, 1)).toMatchObject({ generation: 2 })
    // nor by a reader that has never seen the newer one
    expect(await setting.reader().reject(id, 1)).toMatchObject({ generation: 2 })
    await setting.redis.publish(rejectedChannel('acme'), 'end')
    await expect.poll(() => heard).toEqual(['end'])
    end()
  })

  test('is waited for once: who rejects it later gets an answer at once', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const tokens = setting.reader()
    await tokens.get(id)
    const first = await timed(tokens.reject(id, 1, { waitMs: 300 }))
    expect(first.outcome).toBeUndefined()
    expect(first.tookMs).toBeGreaterThan(250)
    const second = await timed(tokens.reject(id, 1, { waitMs: 300 }))
    expect(second.outcome).toBeUndefined()
    expect(second.tookMs).toBeLessThan(100)
    // it may have been refused for another reason: it is still the newest
    expect(await tokens.get(id)).toMatchObject({ generation: 1, stale: false })
  })

  test('is not served while Redis is away', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const line = await openLine(new URL(setting.readerUrl))
    const tokens = setting.reader({ redis: line.url })
    await tokens.get(id)
    line.close()
    await expect.poll(() => tokens.get(id)).toMatchObject({ stale: true })
    await expect(tokens.reject(id, 1)).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(tokens.get(id)).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('of a credential that has ended brings the reason', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const tokens = setting.reader()
    await tokens.get(id)
    await setting.fence(id, 1)
    await expect(tokens.reject(id, 1)).rejects.toMatchObject({ code: 'credential_revoked' })
  })

  test('is waited for no longer than a signal allows, while others wait on', async () => {
    const id = newCredential()
    await setting.write(id, 1)
    const tokens = setting.reader()
    await tokens.get(id)
    const ending = new AbortController()
    const first = timed(tokens.reject(id, 1, { signal: ending.signal }))
    const second = tokens.reject(id, 1)
    ending.abort(new Error('enough'))
    expect((await first).outcome).toMatchObject({ message: 'enough' })
    await setting.write(id, 2)
    expect(await second).toMatchObject({ generation: 2 })
  })
})
