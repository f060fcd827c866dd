import { describe, expect, test } from 'vitest'
import { profiles } from '../emulators/vendors/index.ts'
import { disagreements } from './agreement.ts'
import { entriesOf } from './entries.ts'

/** The catalogue and the emulators were written by different people from the same pages. */
describe('two readings of the vendors agree', () => {
  test.each(entriesOf())('on $name', ({ name, behaviour }) => {
    const profile = profiles.get(name)
    if (profile === undefined) throw new Error(`${name} has no emulator: write one from the vendor's page`)
    expect(disagreements(behaviour, profile)).toEqual([])
  })

  test('and no vendor is emulated that the catalogue does not have', () => {
    const names = entriesOf().map(({ name }) => name)
    expect([...profiles.keys()].filter((name) => !names.includes(name))).toEqual([])
  })
})
