/**
 * The short form: each fault once, in about a minute and a half. `npm run read-faults` goes on for ten minutes, or for as
 * long as it is told to.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Wrong } from './judge.ts'
import { type Account, runFaults } from './run.ts'
import { sentinelPair, standAlone } from './servers.ts'
import { table } from './table.ts'

const stands = [standAlone, sentinelPair]
const accounts = new Map<string, Account>()

beforeAll(async () => {
  await Promise.all(
    stands.map(async (open) => {
      const stand = await open()
      try {
        accounts.set(open.name, await runFaults({ stand, minutes: 1, seed: 1, say: () => {} }))
      } finally {
        await stand.stop()
      }
    }),
  )
  for (const account of accounts.values()) console.log(table(account))
}, 300_000)

describe.each(stands)('a service that reads 200 times a second while its Redis fails ($name)', ({ name }) => {
  const account = (): Account => {
    const made = accounts.get(name)
    if (made === undefined) throw new Error('it did not run')
    return made
  }
  const all = (...kinds: Wrong[]) => account().judge.violations.filter(({ wrong }) => kinds.includes(wrong))

  test('is given no token after its expiry, and none with less left than it asked for', () => {
    expect(all('expired', 'short')).toEqual([])
  })

  test('is given its own tokens, never an older one, and none as the newest that is not', () => {
    expect(all('foreign', 'older', 'outdated')).toEqual([])
  })

  test('gets no error while a token in memory would do', () => {
    expect(all('refused')).toEqual([])
  })

  test('gets errors by type, an answer to every call, and nothing that nobody catches', () => {
    expect(all('untyped')).toEqual([])
    expect(account().counts).toMatchObject({ unsettled: 0, unhandled: [] })
  })

  test('is served again with every credential when all is over, and can end', () => {
    expect(account().unserved).toEqual([])
    expect(account().exit).toBe('0')
  })

  test('has met all that it should', () => {
    const { judge, faults, counts, troubles, written } = account()
    expect(Object.values(faults).every((times) => times > 0)).toBe(true)
    expect(Object.keys(faults)).toHaveLength(5)
    expect(troubles).toEqual([])
    expect(counts.calls).toBeGreaterThan(10_000)
    expect(judge.handedOut + judge.errorsInAll).toBe(counts.calls)
    expect(judge.handedOutStale).toBeGreaterThan(0)
    expect(judge.errorsInAll).toBeGreaterThan(0)
    // a credential is written four times a minute
    expect(written).toBeGreaterThan(1_000)
    // the one before the last fault ended, and then another
    expect(counts.connections.up).toBeGreaterThan(3)
  })
})
