import fc from 'fast-check'
import { rotationClasses } from '../../src/credential.ts'
import type { Mishap } from './process.ts'
import type { ProviderFault } from './provider.ts'
import type { Holding } from './world.ts'

/** What happens to a credential from outside. */
export type Act =
  | { act: 'revoke' | 'reconnect' | 'repeat' | 'refreshNow' | 'resync' }
  /** befalls the effect that comes after so many others */
  | { act: 'mishap'; after: number; mishap: Mishap }
  /** befalls the next request that has no fault yet */
  | { act: 'provider'; fault: ProviderFault }
  | { act: 'redis'; is: 'away' | 'stalled'; forMs: number }
  | { act: 'temporal'; is: 'away' | 'idle'; forMs: number }
  | { act: 'redisLoses'; what: 'everything' | 'the last second' }
  /** begins the workflow again so many tasks back */
  | { act: 'reset'; tasks: number }
  | { act: 'temporalLoses'; what: 'everything' | 'the run' }
  | { act: 'withdraw' }
  /** a service is refused with the access token in use, rightly or not */
  | { act: 'reject' }

export type Wait = { effects: number } | { ms: number }
export interface Step {
  wait: Wait
  does: Act
}

export interface Scenario {
  seed: number
  holding: Holding
  steps: Step[]
}

const forMs = fc.constantFrom(40, 400, 3_500, 12_000, 20_000, 45_000)
const side = fc.constantFrom('before', 'after')

const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  fc.record({ kind: fc.constant('crash'), side }),
  fc.record({ kind: fc.constant('freeze'), side, forMs }),
  fc.record({ kind: fc.constant('fail'), side }),
  fc.record({ kind: fc.constant('slow'), forMs }),
) as fc.Arbitrary<Mishap>

const fault = fc.constantFrom<ProviderFault[]>(
  'lost',
  'silent',
  'dropped',
  'unreachable',
  'http_500',
  'http_500_committed',
  'http_503',
  'http_429',
  'garbage',
  'truncated',
  'no_access_token',
  'invalid_client',
  'invalid_grant',
)

const act = fc.oneof(
  { weight: 8, arbitrary: fc.record({ act: fc.constant('mishap'), after: fc.nat(12), mishap }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('provider'), fault }) },
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constantFrom('refreshNow', 'refreshNow', 'revoke', 'reconnect', 'reconnect', 'repeat', 'resync'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('redis'), is: fc.constantFrom('away', 'stalled'), forMs }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('temporal'), is: fc.constantFrom('away', 'idle'), forMs }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('redisLoses'),
      what: fc.constantFrom('everything', 'the last second', 'the last second'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('reset'), tasks: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('temporalLoses'), what: fc.constantFrom('the run', 'everything') }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('withdraw') }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('reject') }) },
) as fc.Arbitrary<Act>

const wait: fc.Arbitrary<Wait> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ effects: fc.nat(14) }) },
  { weight: 2, arbitrary: fc.record({ ms: fc.constantFrom(0, 5, 200, 1_000, 4_000, 16_000, 60_000) }) },
)

const holding: fc.Arbitrary<Holding> = fc.record({
  kind: fc.oneof(
    { weight: 9, arbitrary: fc.constant('refresh_token' as const) },
    { weight: 1, arbitrary: fc.constant('client_credentials' as const) },
  ),
  rotation: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...rotationClasses) },
    { weight: 1, arbitrary: fc.constant('single_use' as const) },
  ),
  tokenSeconds: fc.constantFrom(40, 120, 3_600),
  graceSeconds: fc.constantFrom(60, 10, 600),
  refreshesPerRun: fc.constantFrom(10, 2),
})

const scenariosOf = (does: fc.Arbitrary<Act>, maxLength: number): fc.Arbitrary<Scenario> =>
  fc.record({
    seed: fc.nat(1_000_000),
    holding,
    steps: fc.array(fc.record({ wait, does }), { maxLength }),
  })

export const scenarios = scenariosOf(act, 8)

const longMs = fc.constantFrom(12_000, 14_000, 20_000, 45_000)
const freezes = fc.record({ kind: fc.constant('freeze' as const), side: fc.constant('before' as const), forMs: longMs })
const delays = fc.record({ kind: fc.constant('slow' as const), forMs: fc.constantFrom(2_000, 9_000) })

/** Of processes that stand still for long and of answers that take long, and of what is done when they go on. */
export const frozenScenarios = scenariosOf(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant('mishap' as const),
        after: fc.nat(8),
        mishap: fc.oneof(freezes, freezes, delays),
      }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('revoke' as const, 'reconnect' as const) }) },
  ),
  5,
)

/**
 * One attempt stands still at some effect, until about the moment when the workflow gives it up or sends again, and
 * something that comes then is slow.
 */
export const lateScenarios: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.nat(1_000_000),
    rotation: fc.constantFrom<Holding['rotation'][]>('none', 'until_new_used', 'single_use'),
    frozenAfter: fc.constantFrom(0, 0, 0, 3, 4, 5),
    forMs: fc.oneof(fc.integer({ min: 13_500, max: 15_300 }), fc.integer({ min: 29_000, max: 30_300 }), longMs),
    slowAfter: fc.nat(7),
  })
  .map(({ seed, rotation, frozenAfter, forMs, slowAfter }) => ({
    seed,
    holding: { kind: 'refresh_token', rotation, tokenSeconds: 40, graceSeconds: 60, refreshesPerRun: 10 },
    steps: [
      // a second before its first refresh is due
      {
        wait: { ms: 16_000 },
        does: { act: 'mishap', after: frozenAfter, mishap: { kind: 'freeze', side: 'before', forMs } },
      },
      {
        wait: { ms: forMs + 900 },
        does: { act: 'mishap', after: slowAfter, mishap: { kind: 'slow', forMs: 9_000 } },
      },
    ],
  }))

/** As a person reads it. */
export function tell({ seed, holding, steps }: Scenario): string {
  const { kind, rotation, tokenSeconds, graceSeconds, refreshesPerRun } = holding
  const grace = rotation === 'grace' ? ` ${graceSeconds} s` : ''
  const lines = steps.map(({ wait, does }) => {
    const after = 'ms' in wait ? `${wait.ms} ms` : `${wait.effects} effects`
    const { act, ...rest } = does
    return `  ${after} later: ${act} ${Object.keys(rest).length === 0 ? '' : JSON.stringify(rest)}`
  })
  const head = `${kind}, ${rotation}${grace}, tokens of ${tokenSeconds} s, ${refreshesPerRun} refreshes a run, seed ${seed}`
  return [head, ...lines].join('\n')
}
