import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../src/nearest.ts'

describe('the nearest word', () => {
  test.each([
    ['clientID', 'clientId'],
    ['tokenEndpiont', 'tokenEndpoint'],
    ['rotations', 'rotation'],
    ['qwerty', undefined],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, ['clientId', 'tokenEndpoint', 'rotation'])).toBe(expected)
  })

  test('is measured by a distance that is symmetric, zero for the same word, one for a swap', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abc'), maxLength: 6 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
    expect(editDistance('abcd', 'abdc')).toBe(1)
  })
})
