import { z } from 'zod'
import { nearest, unknownKey } from '../nearest.ts'

export type Path = readonly (string | number)[]

/** Something in the configuration that someone has to change. */
export interface Problem {
  path: Path
  message: string
}

/** `clients.google-main.clientSecrets[0]` */
export function pathText(path: Path): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`
      if (!/^[A-Za-z0-9_~-]+$/.test(part)) return `[${JSON.stringify(part)}]`
      return i === 0 ? part : `.${part}`
    })
    .join('')
}

/** Checks a piece of the configuration that stands at `path`; what is wrong goes to `problems`. */
export function check<S extends z.ZodType>(
  schema: S,
  path: Path,
  value: unknown,
  problems: Problem[],
): z.output<S> | undefined {
  // `key:` with nothing behind it is null in YAML, and means that nothing was said
  const result = schema.safeParse(value === null ? undefined : value, { reportInput: true })
  if (result.success) return result.data
  problems.push(...result.error.issues.flatMap((issue) => describe(schema, path, issue)))
  return undefined
}

function describe(schema: z.ZodType, base: Path, issue: z.core.$ZodIssue): Problem[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: unknownKey(key, keysOf(schema, issue.path)),
      }))
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? issue.message }]
    case 'invalid_type':
      return [{ path, message: wrongType(issue.expected, issue.input) }]
    case 'invalid_value':
      return [{ path, message: notAmong(issue.values.map(String), issue.input) }]
    default:
      return [{ path, message: issue.message }]
  }
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

function wrongType(expected: string, input: unknown): string {
  const kind = kinds[expected] ?? expected
  if (input === undefined || input === null) return `is missing; it must be ${kind}`
  if (expected === 'string' && ['number', 'boolean', 'bigint'].includes(typeof input))
    return 'must be text: put it in quotes'
  return `must be ${kind}`
}

function notAmong(values: string[], input: unknown): string {
  if (input === undefined) return `is missing; it must be one of ${values.join(', ')}`
  const guess = typeof input === 'string' ? nearest(input, values) : undefined
  return `must be one of ${values.join(', ')}${guess === undefined ? '' : `; did you mean ${guess}?`}`
}

/** The keys that an object of the schema may have. */
function keysOf(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const target = path.reduce<z.core.$ZodType>((outer, part) => {
    if (outer instanceof z.ZodObject) return unwrap(outer.shape[String(part)] ?? outer)
    if (outer instanceof z.ZodRecord) return unwrap(outer.valueType)
    return outer instanceof z.ZodArray ? unwrap(outer.element) : outer
  }, unwrap(schema))
  return target instanceof z.ZodObject ? Object.keys(target.shape) : []
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrap(schema.unwrap())
  return schema
}
