import { describe, expect, test } from 'vitest'
import { catalogue } from '../../src/providers/catalogue/index.ts'
import { type ProviderEntry, providerSchema } from '../../src/providers/schema.ts'

const entries = Object.entries(catalogue)

describe.each(entries)('catalogue entry %s', (id, entry) => {
  test('obeys the schema', () => {
    expect(providerSchema.safeParse(entry).error).toBeUndefined()
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  })

  test('says what it is, where from, and when it was looked at', () => {
    const { displayName, sources = [], checked, confidence } = entry
    expect({ displayName, checked, confidence }).toEqual({
      displayName: expect.any(String),
      checked: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      confidence: expect.any(String),
    })
    expect(sources.length).toBeGreaterThan(0)
    for (const { url } of sources) expect(url).toMatch(/^https:\/\//)
  })

  test('has an example for each parameter', () => {
    for (const { parameters = {} } of [entry, ...variantsOf(entry)])
      for (const { example, pattern, values } of Object.values(parameters)) {
        expect(example).toBeDefined()
        if (pattern !== undefined) expect(example).toMatch(new RegExp(`^(?:${pattern})$`))
        if (values !== undefined) expect(values).toContain(example)
      }
  })

  test('names only fields that it has where it is unsure', () => {
    for (const field of entry.unsure ?? []) expect(entry).toHaveProperty(field)
  })
})

const variantsOf = (entry: ProviderEntry) => Object.values(entry.variants ?? {}).map(({ set }) => set)
