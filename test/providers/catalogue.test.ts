import { describe, expect, test } from 'vitest'
import { catalogue } from '../../src/providers/catalogue/index.ts'
import { inherited, isProblem, layered } from '../../src/providers/inheritance.ts'
import { usedParameters } from '../../src/providers/parameters.ts'
import { behaviourOf, entryProblems } from '../../src/providers/resolve.ts'
import { type Behaviour, type ProviderEntry, providerSchema } from '../../src/providers/schema.ts'

const entries = Object.entries(catalogue).map(([id, written]) => ({ id, written, entry: whole(id) }))

test('the catalogue holds more than a hundred providers', () => {
  expect(entries.length).toBeGreaterThan(100)
})

describe.each(entries)('catalogue entry $id', ({ id, written, entry }) => {
  test('obeys the schema, and holds together after inheritance, in every variant', () => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(providerSchema.safeParse(written).error).toBeUndefined()
    expect(entryProblems(entry)).toEqual([])
  })

  test('says what it is, where from, and when it was looked at', () => {
    const { displayName, sources = [], checked, confidence } = written
    expect({ displayName, checked, confidence }).toEqual({
      displayName: expect.any(String),
      checked: expect.stringMatching(/^2026-1[12]-\d\d$/),
      confidence: expect.any(String),
    })
    expect(sources.length).toBeGreaterThan(0)
    for (const { url } of sources) expect(url).toMatch(/^https:\/\//)
    expect(new Set(sources.map(({ url }) => url)).size).toBe(sources.length)
    for (const field of written.unsure ?? []) expect(entry).toHaveProperty(field)
  })

  test('is reached by https, at places whose every placeholder is a parameter with an example', () => {
    for (const behaviour of behavioursOf(entry)) {
      expect(behaviour.tokenEndpoint ?? behaviour.issuer).toMatch(/^https:/)
      const parameters = behaviour.parameters ?? {}
      for (const name of usedParameters(behaviour)) expect(parameters).toHaveProperty([name, 'example'])
    }
  })

  test('has no parameter that nothing uses', () => {
    const used = behavioursOf(entry).flatMap((behaviour) => usedParameters(behaviour))
    for (const name of Object.keys(written.parameters ?? {})) expect(used).toContain(name)
  })

  test('holds no secret, only the places of secrets', () => {
    const text = JSON.stringify(written)
    expect(text).not.toMatch(/BEGIN|eyJ[\w-]{10}|(?:secret|token)["=: ]+[\w-]{24}/i)
  })
})

function whole(id: string): ProviderEntry {
  const entry = inherited(id, {}, catalogue)
  if (isProblem(entry)) throw new Error(`${id}: ${entry.message}`)
  return entry
}

function behavioursOf(entry: ProviderEntry): Behaviour[] {
  const base = behaviourOf(entry)
  return [base, ...Object.values(entry.variants ?? {}).map(({ set }) => layered(base, set))]
}
