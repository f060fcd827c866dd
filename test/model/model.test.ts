import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import {
  breakPart,
  brokenEnding,
  brokenKeep,
  brokenParts,
  brokenRequests,
  brokenRotation,
  brokenTransitions,
  brokenWorlds,
} from './broken.ts'
import { live } from './life.ts'
import { type Act, frozenScenarios, lateScenarios, type Scenario, scenarios, tell, type Wait } from './scenario.ts'
import { type Broken, theWorld } from './world.ts'

vi.mock('@temporalio/workflow', () => import('./workflow-api.ts'))
vi.mock('node:timers/promises', () => import('./timers.ts'))
vi.mock('../../src/client/temporal.ts', async (original) => ({
  ...(await original<typeof import('../../src/client/temporal.ts')>()),
  openTemporal: () => theWorld().openTemporal(),
}))
vi.mock('../../src/store/connection.ts', () => ({
  connect: () => theWorld().redis.connection(),
  ready: async () => {},
}))

vi.mock('../../src/activities/keep.ts', async (original) => brokenKeep(await original()))
vi.mock('../../src/workflows/ending.ts', async (original) => brokenEnding(await original()))
vi.mock('../../src/workflows/requests.ts', async (original) => brokenRequests(await original()))
vi.mock('../../src/workflows/rotation.ts', async (original) => brokenRotation(await original()))
vi.mock('../../src/workflows/transitions.ts', async (original) => brokenTransitions(await original()))

const runs = Number(process.env.MODEL_RUNS ?? 2_000)
const seed = Number(process.env.MODEL_SEED ?? 20_261_127)

/** The shrunk scenario with all that happened in it. */
async function explain(scenario: Scenario): Promise<string> {
  const { violation, trace } = await live(scenario)
  return `${violation}\n\n${tell(scenario)}\n\n${trace.slice(-400).join('\n')}`
}

test('whatever happens to a credential, what is promised of it holds', { timeout: 600_000 }, async () => {
  const ends = new Map<string, number>()
  let sends = 0
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    const lived = await live(scenario)
    sends += lived.sends
    ends.set(lived.end, (ends.get(lived.end) ?? 0) + 1)
    return lived.violation === undefined
  })
  const beganMs = performance.now()
  const { failed, counterexample, seed: used } = await fc.check(property, { numRuns: runs, seed })
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1)
  console.log(`model: ${runs} lives in ${seconds} s, ${sends} sends, seed ${used}: ${JSON.stringify([...ends])}`)
  if (failed && counterexample !== null) expect.fail(await explain(counterexample[0]))
})

/** What once went wrong, as short as it was found. */
describe('a life', () => {
  const holding = {
    kind: 'refresh_token',
    rotation: 'single_use',
    tokenSeconds: 40,
    graceSeconds: 60,
    refreshesPerRun: 10,
  } as const

  const held = async (steps: [Wait, Act][], changes: Partial<Scenario['holding']> = {}) => {
    const does = steps.map(([wait, does]) => ({ wait, does }))
    const scenario: Scenario = { seed: 0, holding: { ...holding, ...changes }, steps: does }
    if ((await live(scenario)).violation !== undefined) expect.fail(await explain(scenario))
  }

  test('that begins while it is revoked from outside ends, and the revoke says so', async () => {
    await held([
      [{ effects: 0 }, { act: 'mishap', after: 0, mishap: { kind: 'freeze', side: 'after', forMs: 40 } }],
      [{ effects: 0 }, { act: 'revoke' }],
    ])
  })

  test('of a client that needs nobody begins anew while it is being revoked, and after', async () => {
    const ownCredential = { kind: 'client_credentials' } as const
    await held(
      [
        [{ effects: 5 }, { act: 'revoke' }],
        [{ effects: 7 }, { act: 'reconnect' }],
      ],
      ownCredential,
    )
    await held(
      [
        [{ ms: 16_000 }, { act: 'revoke' }],
        [{ ms: 60_000 }, { act: 'reconnect' }],
      ],
      ownCredential,
    )
  })

  test('of such a client begins anew where the workflow has not come to the revoke yet', async () => {
    await held(
      [
        [{ effects: 4 }, { act: 'mishap', after: 3, mishap: { kind: 'crash', side: 'before' } }],
        [{ effects: 5 }, { act: 'revoke' }],
        [{ ms: 60 }, { act: 'reconnect' }],
      ],
      { kind: 'client_credentials' },
    )
  })

  test('that is revoked while it takes a second grant over ends with the first one covered', async () => {
    await held([
      [{ ms: 4_000 }, { act: 'mishap', after: 8, mishap: { kind: 'freeze', side: 'before', forMs: 12_000 } }],
      [{ ms: 0 }, { act: 'reconnect' }],
      [{ ms: 4_000 }, { act: 'reconnect' }],
      [{ ms: 0 }, { act: 'revoke' }],
    ])
  })

  test('that has ended is not reminded of its tokens by a fence of a process that was frozen', async () => {
    await held([
      [{ ms: 16_000 }, { act: 'mishap', after: 6, mishap: { kind: 'freeze', side: 'before', forMs: 12_000 } }],
      [{ effects: 0 }, { act: 'revoke' }],
    ])
  })
})

describe('it is noticed where', () => {
  const fewEnough = 3_000

  async function expectNoticed(of: fc.Arbitrary<Scenario>, broken: Broken = {}): Promise<void> {
    const holds = async (scenario: Scenario) => (await live(scenario, broken)).violation === undefined
    const wrong = { numRuns: fewEnough, seed, endOnFailure: true }
    const { failed, numRuns, counterexample } = await fc.check(fc.asyncProperty(of, holds), wrong)
    if (!failed || counterexample === null) expect.fail(`nothing was noticed in ${fewEnough} lives`)
    const { violation } = await live(counterexample[0], broken)
    console.log(`model: after ${numRuns} lives: ${violation}`)
  }

  /** What shows only where processes stand still, or only where they do so at the wrong moment. */
  const shownBy = new Map([
    ['a fence is carried out however late', frozenScenarios],
    ['an attempt that timed out counts as not sent', frozenScenarios],
    ['a request is sent however old its attempt is', lateScenarios],
  ])

  test.each(Object.entries(brokenWorlds))('%s', { timeout: 120_000 }, async (name, broken) => {
    await expectNoticed(shownBy.get(name) ?? scenarios, broken)
  })

  test.each(brokenParts)('%s', { timeout: 120_000 }, async (part) => {
    breakPart(part)
    try {
      await expectNoticed(shownBy.get(part) ?? scenarios)
    } finally {
      breakPart(undefined)
    }
  })

  test('nothing, as long as nothing is broken', { timeout: 120_000 }, async () => {
    for (const of of [frozenScenarios, lateScenarios]) {
      const holds = async (scenario: Scenario) => (await live(scenario)).violation === undefined
      const numRuns = Math.ceil(runs / 10)
      const { failed, counterexample } = await fc.check(fc.asyncProperty(of, holds), { numRuns, seed })
      if (failed && counterexample !== null) expect.fail(await explain(counterexample[0]))
    }
  })
})
