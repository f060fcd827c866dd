import { z } from 'zod'
import { catalogue } from '../../src/providers/catalogue/index.ts'
import { providerSchema } from '../../src/providers/schema.ts'

interface JsonSchema {
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  additionalProperties?: JsonSchema | boolean
  anyOf?: JsonSchema[]
  enum?: string[]
}

const schema = z.toJSONSchema(providerSchema, { io: 'input' }) as JsonSchema

/** Every field of an entry by its path: `tokenRequest.encoding`; names that the entry's author chooses are no part. */
export const fields: readonly string[] = [...new Set(fieldsOf(schema, '').map(matcherOnce))]

/** Those of them that the catalogue has. */
export const usedFields: ReadonlySet<string> = new Set(
  Object.values(catalogue).flatMap((entry) => used(entry, schema, '')),
)

/** Every word that a field can be set to, where those are given. */
export const words: readonly string[] = [...new Set(wordsOf(schema))]

/** Those of them that the catalogue says. */
export const usedWords: ReadonlySet<string> = new Set(
  Object.values(catalogue).flatMap((entry) => saidWords(entry, schema)),
)

function saidWords(value: unknown, node: JsonSchema): string[] {
  return inner(node).flatMap((one) => {
    if (typeof value === 'string') return one.enum?.includes(value) ? [value] : []
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([name, below]) => {
      const field = Array.isArray(value) ? one.items : (one.properties?.[name] ?? named(one))
      return field === undefined ? [] : saidWords(below, field)
    })
  })
}

function wordsOf(node: JsonSchema): string[] {
  return inner(node).flatMap((one) => [
    ...(one.enum ?? []),
    ...[...Object.values(one.properties ?? {}), one.items, named(one)].flatMap((below) =>
      below === undefined ? [] : wordsOf(below),
    ),
  ])
}

function fieldsOf(node: JsonSchema, path: string): string[] {
  // a variant sets what an entry has
  if (path === 'variants.set') return []
  return inner(node).flatMap((one) => [
    ...Object.entries(one.properties ?? {}).flatMap(([name, field]) => {
      const at = join(path, name)
      return [at, ...fieldsOf(field, at)]
    }),
    ...[one.items, named(one)].flatMap((below) => (below === undefined ? [] : fieldsOf(below, path))),
  ])
}

function used(value: unknown, node: JsonSchema, path: string): string[] {
  const at = path === 'variants.set' ? '' : path
  return inner(node).flatMap((one) => {
    if (Array.isArray(value)) return value.flatMap((item) => (one.items === undefined ? [] : used(item, one.items, at)))
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([name, below]) => {
      const field = one.properties?.[name]
      if (field !== undefined) return [join(at, name), ...used(below, field, join(at, name))]
      const free = named(one)
      return free === undefined ? [] : used(below, free, at)
    })
  })
}

function inner(node: JsonSchema): JsonSchema[] {
  return node.anyOf ?? [node]
}

function named({ additionalProperties: free }: JsonSchema): JsonSchema | undefined {
  return typeof free === 'object' ? free : undefined
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** The four lists of `errors` hold the same matchers. */
function matcherOnce(field: string): string {
  return field.replace(/^errors\.(?:throttled|tooEarly|clientRefused)\./, 'errors.deadGrant.')
}
