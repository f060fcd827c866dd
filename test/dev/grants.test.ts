import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GrantStore } from '../../src/dev/demo/grants.ts'
import { Journal } from '../../src/dev/demo/journal.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-grants-'))
  file = join(folder, 'grants.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a process would find that starts after a kill at this moment. */
function afterKill(): GrantStore {
  const copy = join(folder, 'after-kill.jsonl')
  copyFileSync(file, copy)
  return new GrantStore(copy)
}

const token = (generation: number) => ({ accountId: 'plum', grantId: 'g1', generation })

test('a kill in the middle of an exchange leaves the old refresh token alive, after it only the new one', async () => {
  const store = new GrantStore(file)
  const tokens = store.adapter('RefreshToken')
  await tokens.upsert('old', token(1), 3_600)
  await store.transaction(async () => {
    await tokens.consume('old')
    await tokens.upsert('new', token(2), 3_600)
    expect(store.alive()).toEqual({ plum: ['new'] })
    expect(afterKill().alive()).toEqual({ plum: ['old'] })
  })
  const restarted = afterKill()
  expect(restarted.alive()).toEqual({ plum: ['new'] })
  expect(await restarted.adapter('RefreshToken').find('old')).toMatchObject({ consumed: expect.any(Number) })
})

test('what has expired is not found', async () => {
  const store = new GrantStore(file)
  const tokens = store.adapter('AccessToken')
  await tokens.upsert('past', token(1), -1)
  await tokens.upsert('future', token(1), 60)
  expect(await tokens.find('past')).toBeUndefined()
  expect(await tokens.find('future')).toEqual(token(1))
})

test('revoking a grant takes all its tokens and no others, also after a restart', async () => {
  const store = new GrantStore(file)
  await store.adapter('RefreshToken').upsert('mine', token(1), 60)
  await store.adapter('AccessToken').upsert('mine', token(1), 60)
  await store.adapter('RefreshToken').upsert('other', { accountId: 'fig', grantId: 'g2' }, 60)
  await store.adapter('RefreshToken').revokeByGrantId('g1')
  for (const each of [store, afterKill()]) {
    expect(each.alive()).toEqual({ fig: ['other'] })
    expect(await each.adapter('AccessToken').find('mine')).toBeUndefined()
  }
})

test('a grant remembers its last hundred used tokens and forgets older ones', async () => {
  const store = new GrantStore(file)
  const tokens = store.adapter('RefreshToken')
  for (let generation = 0; generation <= 120; generation++) {
    await tokens.upsert(`t${generation}`, token(generation), 3_600)
    if (generation > 0) await tokens.consume(`t${generation - 1}`)
  }
  expect(await tokens.find('t19')).toBeUndefined()
  expect(await tokens.find('t20')).toMatchObject({ consumed: expect.any(Number) })
  expect(store.alive()).toEqual({ plum: ['t120'] })
})

test('a last line that a kill cut off is dropped, and the lines before it are kept', () => {
  writeFileSync(file, '{"n":1}\n{"n":2}\n{"n":')
  const seen: { n: number }[] = []
  const journal = new Journal<{ n: number }>(
    file,
    (entry) => seen.push(entry),
    () => seen,
  )
  journal.append([{ n: 3 }])
  expect(seen).toEqual([{ n: 1 }, { n: 2 }])
  expect(readFileSync(file, 'utf8')).toBe('{"n":1}\n{"n":2}\n{"n":3}\n')
})

test('a journal that has grown is replaced by what still counts, and is private', () => {
  const large = 'x'.repeat(100_000)
  const journal = new Journal<{ text: string }>(
    file,
    () => {},
    () => [{ text: 'all that counts' }],
  )
  for (let i = 0; i < 60; i++) journal.append([{ text: large }])
  expect(statSync(file).size).toBeLessThan(4_500_000)
  expect(readFileSync(file, 'utf8')).toContain('all that counts')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
