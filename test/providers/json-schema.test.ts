import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../src/providers/catalogue/index.ts'
import { providerSchema } from '../../src/providers/schema.ts'

const schema = z.toJSONSchema(providerSchema, { io: 'input' })
// what a string means (a date, an endpoint) is said in words, and checked by the worker
const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)

describe('the JSON Schema of an entry', () => {
  test.each(Object.entries(catalogue))('accepts %s of the catalogue, as the worker does', (_, entry) => {
    expect(providerSchema.safeParse(entry).success).toBe(true)
    expect(accepts(entry)).toBe(true)
  })

  test.each([
    { tokenEndPoint: 'https://id.example.com/token' },
    { rotation: 'sometimes' },
    { tokenRequest: { method: 'PUT' } },
    { tokenResponse: { expiresInForm: 'minutes' } },
    { errors: { deadGrant: [{ status: 7 }] } },
    { graceSeconds: 0 },
    { variants: { v: { set: {} } } },
    { rateLimit: { requests: 5 } },
  ])('refuses %j, as the worker does', (entry) => {
    expect(providerSchema.safeParse(entry).success).toBe(false)
    expect(accepts(entry)).toBe(false)
  })

  test('says of every field what it is', () => {
    const nameless = Object.entries(schema.properties ?? {}).filter(
      ([, field]) => typeof field !== 'object' || field.description === undefined,
    )
    expect(nameless.map(([name]) => name)).toEqual([])
  })
})
