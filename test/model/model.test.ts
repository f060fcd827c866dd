import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { live } from './life.ts'
import { type Act, type Scenario, scenarios, tell, type Wait } from './scenario.ts'
import { theWorld } from './world.ts'

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

const numRuns = Number(process.env.MODEL_RUNS ?? 3_000)
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
  const { failed, counterexample, seed: used } = await fc.check(property, { numRuns, seed, endOnFailure: false })
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1)
  console.log(`model: ${numRuns} lives in ${seconds} s, ${sends} sends, seed ${used}: ${JSON.stringify([...ends])}`)
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

  test('that has ended is not reminded of its tokens by a fence of a process that was frozen', async () => {
    await held([
      [{ ms: 16_000 }, { act: 'mishap', after: 6, mishap: { kind: 'freeze', side: 'before', forMs: 12_000 } }],
      [{ effects: 0 }, { act: 'revoke' }],
    ])
  })
})
