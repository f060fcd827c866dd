import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ReaderMetrics } from '../../packages/reader/src/index.ts'
import { type Line, openLine } from '../../packages/reader/test/line.ts'
import { type Setting, startSetting } from '../../packages/reader/test/setting.ts'
import { newCredential } from '../store/redis.ts'

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

async function known(generation = 1, options: { maxStaleMs?: number; metrics?: ReaderMetrics } = {}, written = {}) {
  const id = newCredential()
  await setting.write(id, generation, written)
  const line = await openLine(new URL(setting.readerUrl))
  lines.push(line)
  const tokens = setting.reader({ redis: line.url, ...options })
  await tokens.get(id)
  return { id, line, tokens }
}

const took = async (call: Promise<unknown>) => {
  const startMs = performance.now()
  await call
  return performance.now() - startMs
}

describe('while Redis is away', () => {
  test('a token in memory is served, and says that it is stale and how old', async () => {
    const { id, line, tokens } = await known()
    line.close()
    await expect.poll(() => tokens.get(id)).toMatchObject({ generation: 1, stale: true })
    const { ageMs } = await tokens.get(id)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const later = await tokens.get(id)
    expect(later.ageMs).toBeGreaterThan(ageMs)
    expect(later.ageMs).toBeLessThan(5_000)
  })

  test('it is served for no longer than maxStaleMs', async () => {
    const { id, line, tokens } = await known(1, { maxStaleMs: 300 })
    line.close()
    await expect
      .poll(() => tokens.get(id).catch((error: Error) => error.name), { timeout: 4_000 })
      .toBe('StoreUnavailable')
  })

  test('it is not served past its expiry, nor for less than was asked for', async () => {
    const { id, line, tokens } = await known(1, {}, { lifetimeMs: 1_500 })
    line.close()
    await expect.poll(() => tokens.get(id)).toMatchObject({ stale: true })
    await expect(tokens.get(id, { minRemainingMs: 10_000 })).rejects.toMatchObject({ code: 'store_unavailable' })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await expect(tokens.get(id)).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('it is not served to one who wants what stands there now', async () => {
    const { id, line, tokens } = await known()
    line.close()
    await expect.poll(() => tokens.get(id)).toMatchObject({ stale: true })
    await expect(tokens.get(id, { fresh: true })).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('a hung server keeps nobody waiting for a token in memory, and for another for two seconds at most', async () => {
    const { id, line, tokens } = await known()
    line.hold()
    const other = newCredential()
    const [cached, uncached] = await Promise.all([
      took(tokens.get(id)),
      took(expect(tokens.get(other)).rejects.toMatchObject({ code: 'store_unavailable' })),
    ])
    expect(cached).toBeLessThan(50)
    expect(uncached).toBeLessThan(2_500)
    expect(await took(tokens.get(id))).toBeLessThan(50)
    expect(await tokens.get(id)).toMatchObject({ stale: true })
    line.free()
    await expect.poll(() => tokens.get(id), { timeout: 5_000 }).toMatchObject({ stale: false })
  })

  test('what happens can be counted', async () => {
    const counts: Record<string, number> = {}
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1
    }
    const metrics: ReaderMetrics = {
      served: (from) => count(`served ${from}`),
      refused: (code) => count(`refused ${code}`),
      read: (tookMs, outcome) => count(`read ${outcome} ${tookMs >= 0}`),
      noticed: () => count('noticed'),
      connection: (up) => count(`connection ${up}`),
    }
    const { id, line, tokens } = await known(1, { metrics })
    await tokens.get(id)
    await tokens.get(newCredential()).catch(() => undefined)
    await setting.write(id, 2)
    await expect.poll(() => counts.noticed).toBe(1)
    line.close()
    await expect.poll(() => tokens.get(id)).toMatchObject({ stale: true })
    expect(counts).toMatchObject({
      'served memory': expect.any(Number),
      'served redis': expect.any(Number),
      'served stale': expect.any(Number),
      'refused credential_not_found': 1,
      'read found true': expect.any(Number),
      'read credential_not_found true': 1,
      'connection true': 1,
      'connection false': 1,
    })
  })
})

describe('when Redis is back', () => {
  test('everything is read again before it is believed', async () => {
    const { id, line, tokens } = await known()
    line.cut()
    await setting.write(id, 2)
    await expect.poll(() => tokens.get(id), { timeout: 3_000 }).toMatchObject({ generation: 2, stale: false })
  })

  test('a token that it has lost is served from memory, as stale', async () => {
    const { id, line, tokens } = await known()
    await setting.redis.flushAll()
    line.cut()
    await expect.poll(() => tokens.get(id), { timeout: 3_000 }).toMatchObject({ generation: 1, stale: true })
    await setting.write(id, 2, { family: 'f2' })
    await expect.poll(() => tokens.get(id), { timeout: 3_000 }).toMatchObject({ generation: 2, stale: false })
  })

  test('a token that was written again is there for the next outage, though nobody has asked for it since', async () => {
    let reads = 0
    const { id, line, tokens } = await known(1, {
      metrics: {
        read: () => {
          reads++
        },
      },
    })
    await setting.write(id, 2)
    await expect.poll(() => reads).toBe(2)
    await setting.redis.flushAll()
    await setting.write(id, 2)
    await expect.poll(() => reads).toBe(3)
    line.close()
    await expect.poll(() => tokens.get(id)).toMatchObject({ generation: 2, stale: true })
  })

  test('a credential that was revoked meanwhile is not served', async () => {
    const { id, line, tokens } = await known()
    line.hold()
    await setting.fence(id, 1)
    line.cut()
    line.free()
    await expect
      .poll(() => tokens.get(id).catch((error: Error) => error.name), { timeout: 3_000 })
      .toBe('CredentialRevoked')
    // it is forgotten for good, not only while Redis can say so
    line.close()
    await expect(tokens.get(id)).rejects.toMatchObject({ name: 'StoreUnavailable' })
  })
})
