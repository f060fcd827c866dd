import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RotationClass, rotationClasses } from '../../src/credential.ts'
import { accepted, accessRemainingMs, begin, deliver, end, type Family, type Outcome, present } from './families.ts'

const graceMs = 1_000
const accessLifetimeMs = 20_000

const consented = (rotation: RotationClass): Family =>
  begin({ id: 'f1', user: 'alice', client: 'c', rotation, graceMs }, { nowMs: 0, accessLifetimeMs })

interface Presented {
  serial: number
  nowMs: number
  outcome: Outcome
  before: Family
  after: Family
}

/** A token by its serial, or by how many were minted after it. */
type Which = number | { back: number }

type Presentation = readonly [which: Which, nowMs: number]

const serialOf = (which: Which, { newest }: Family) => (typeof which === 'number' ? which : newest - which.back)

/** Presents tokens one after another and keeps every step. */
function play(rotation: RotationClass, presentations: readonly Presentation[], from = consented(rotation)) {
  let family = from
  return presentations.map(([which, nowMs]): Presented => {
    const before = family
    const serial = serialOf(which, before)
    const step = present(before, serial, { nowMs, accessLifetimeMs })
    family = step.family
    return { serial, nowMs, outcome: step.outcome, before, after: family }
  })
}

/** In order of time: mostly the newest token, often one of the last, at times one that there never was. */
const back = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.constantFrom(1, 2, 3, -1) })
const presentations = fc
  .array(fc.tuple(back, fc.integer({ min: 0, max: 700 })), { minLength: 1, maxLength: 30 })
  .map((steps) => {
    let nowMs = 0
    return steps.map(([back, laterMs]): Presentation => {
      nowMs += laterMs
      return [{ back }, nowMs]
    })
  })

const kinds = (steps: Presented[]) =>
  steps.map(({ outcome }) => (outcome.kind === 'refused' ? outcome.why : outcome.kind))
const granted = (steps: Presented[]) => steps.filter(({ outcome }) => outcome.kind === 'granted')

describe('what each class does with a token that comes again', () => {
  const again: [RotationClass, [number, number][], string[], number[]][] = [
    [
      'none',
      [
        [1, 0],
        [1, 9_000],
      ],
      ['granted', 'granted'],
      [1],
    ],
    [
      'rotates_old_valid',
      [
        [1, 0],
        [1, 9_000],
        [2, 9_001],
      ],
      ['granted', 'granted', 'granted'],
      [1, 2, 3, 4],
    ],
    [
      'grace',
      [
        [1, 0],
        [1, 999],
        [2, 5_000],
      ],
      ['granted', 'granted', 'granted'],
      [3, 2, 4],
    ],
    [
      'grace',
      [
        [1, 0],
        [1, 1_000],
        [2, 1_001],
      ],
      ['granted', 'second_use', 'ended'],
      [],
    ],
    [
      'grace',
      [
        [1, 0],
        [1, 900],
        [1, 1_800],
      ],
      ['granted', 'granted', 'second_use'],
      [],
    ],
    [
      'until_new_used',
      [
        [1, 0],
        [1, 9_000],
      ],
      ['granted', 'granted'],
      [1, 3],
    ],
    [
      'until_new_used',
      [
        [1, 0],
        [1, 1],
        [2, 2],
        [3, 3],
        [1, 4],
      ],
      ['granted', 'granted', 'superseded', 'granted', 'superseded'],
      [3, 4],
    ],
    [
      'single_use',
      [
        [1, 0],
        [2, 1],
      ],
      ['granted', 'granted'],
      [3],
    ],
    [
      'single_use',
      [
        [1, 0],
        [1, 1],
        [2, 2],
      ],
      ['granted', 'second_use', 'ended'],
      [],
    ],
  ]
  test.each(again)('%s %j → %j, then accepted: %j', (rotation, steps, outcomes, open) => {
    const played = play(rotation, steps)
    expect(kinds(played)).toEqual(outcomes)
    const last = played.at(-1)
    expect(accepted(last?.after ?? consented(rotation), last?.nowMs ?? 0)).toEqual(open)
  })
})

test('a second use takes the access tokens along and says how long the delivered one would have lived', () => {
  const first = present(consented('single_use'), 1, { nowMs: 4_000, accessLifetimeMs })
  // the new access token was lost with its answer, so the client has the one of the consent
  const lost = present(first.family, 1, { nowMs: 5_000, accessLifetimeMs })
  expect(lost.outcome).toEqual({ kind: 'second_use', accessRemainingMs: 15_000 })
  expect(accessRemainingMs(lost.family, 1, 5_000)).toBe(0)
  const arrived = present(deliver(first.family, 2), 1, { nowMs: 5_000, accessLifetimeMs })
  expect(arrived.outcome).toEqual({ kind: 'second_use', accessRemainingMs: 19_000 })
})

describe('for every class and any order of presentations', () => {
  const anyCase = fc.tuple(fc.constantFrom(...rotationClasses), presentations)

  test('what was just granted is accepted, and only a grant mints', () => {
    fc.assert(
      fc.property(anyCase, ([rotation, steps]) => {
        for (const { outcome, before, after, nowMs } of play(rotation, steps)) {
          const minted = after.newest - before.newest
          expect(minted).toBe(outcome.kind === 'granted' && rotation !== 'none' ? 1 : 0)
          expect(after.accessMinted - before.accessMinted).toBe(outcome.kind === 'granted' ? 1 : 0)
          if (outcome.kind === 'granted') expect(accepted(after, nowMs).at(-1)).toBe(after.newest)
        }
      }),
    )
  })

  test('a token is granted exactly when it was accepted before', () => {
    fc.assert(
      fc.property(anyCase, ([rotation, steps]) => {
        for (const { serial, nowMs, outcome, before } of play(rotation, steps))
          expect(outcome.kind === 'granted').toBe(accepted(before, nowMs).includes(serial))
      }),
    )
  })

  test('a family that has ended stays ended, with every token', () => {
    fc.assert(
      fc.property(anyCase, fc.nat(29), ([rotation, steps], at) => {
        const reached = play(rotation, steps.slice(0, at)).at(-1)?.after ?? consented(rotation)
        const ended = end(reached, 'revoked', steps[at]?.[1] ?? 0)
        for (const { outcome, after, nowMs } of play(rotation, steps.slice(at), ended)) {
          expect(outcome.kind).toBe('refused')
          expect(accepted(after, nowMs)).toEqual([])
          expect(after.access).toEqual([])
        }
      }),
    )
  })

  test('while a family lives its newest token does, so whoever keeps the latest answer never loses it', () => {
    fc.assert(
      fc.property(anyCase, ([rotation, steps]) => {
        for (const { after, nowMs } of play(rotation, steps))
          expect(accepted(after, nowMs).at(-1)).toBe(after.ended === undefined ? after.newest : undefined)
      }),
    )
  })
})

describe('each class, told from its history alone', () => {
  test('none and rotates_old_valid refuse nothing that they ever minted', () => {
    fc.assert(
      fc.property(fc.constantFrom('none' as const, 'rotates_old_valid' as const), presentations, (rotation, steps) => {
        for (const { serial, outcome, before } of play(rotation, steps))
          expect(outcome.kind).toBe(serial >= 1 && serial <= before.newest ? 'granted' : 'refused')
      }),
    )
  })

  test('single_use grants each token once, and the first that comes again is the end', () => {
    fc.assert(
      fc.property(presentations, (steps) => {
        const played = play('single_use', steps)
        const serials = granted(played).map(({ serial }) => serial)
        expect(serials).toEqual(serials.map((_, index) => index + 1))
        const known = played.filter(({ serial, before }) => serial >= 1 && serial <= before.newest)
        const firstAgain = known.findIndex(({ serial }, at) =>
          known.slice(0, at).some((other) => other.serial === serial),
        )
        if (firstAgain < 0) expect(granted(known)).toEqual(known)
        else
          expect(kinds(known.slice(firstAgain))).toEqual(
            kinds(known.slice(firstAgain)).map((_, index) => (index === 0 ? 'second_use' : 'ended')),
          )
      }),
    )
  })

  test('grace grants a token for the window from its first use, and ends with the first that comes later', () => {
    fc.assert(
      fc.property(presentations, (steps) => {
        const firstUse = new Map<number, number>()
        let ended = false
        for (const { serial, nowMs, outcome, before } of play('grace', steps)) {
          if (serial < 1 || serial > before.newest) continue
          const late = nowMs >= (firstUse.get(serial) ?? nowMs) + graceMs
          expect(outcome.kind).toBe(ended ? 'refused' : late ? 'second_use' : 'granted')
          ended ||= late
          if (!firstUse.has(serial)) firstUse.set(serial, nowMs)
        }
      }),
    )
  })

  test('until_new_used grants the token of the latest answer and the one that bought it, and no other', () => {
    fc.assert(
      fc.property(presentations, (steps) => {
        const played = play('until_new_used', steps)
        for (const [at, { serial, outcome, before }] of played.entries()) {
          const buyer = granted(played.slice(0, at)).at(-1)?.serial
          expect(outcome.kind === 'granted').toBe(serial === before.newest || serial === buyer)
        }
      }),
    )
  })
})
