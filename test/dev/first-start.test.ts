import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DemoDev } from './demo-dev.ts'

test('a first start shows its table within 30 s, and 75 s later each of 13 credentials is at generation 4', async () => {
  const dev = new DemoDev(await mkdtemp(join(tmpdir(), 'perennial-first-')))
  onTestFinished(async () => {
    await dev.end()
    await rm(dev.dataDir, { recursive: true })
  })
  await dev.table(30_000)
  await dev.until(
    async () => {
      const documents = [...(await dev.statuses()).values()]
      expect(documents).toHaveLength(13)
      for (const { status, generation } of documents) {
        expect(status).toBe('active')
        expect(generation).toBeGreaterThanOrEqual(4)
      }
    },
    75_000,
    500,
  )
  expect((await dev.admin.record()).exchanges.filter(({ error }) => error !== undefined)).toEqual([])
}, 150_000)
