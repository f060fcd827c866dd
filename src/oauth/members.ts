/** Values in the JSON of an answer, by the paths of a provider's entry. */

export type Members = Record<string, unknown>

/** `data.access_token`: names of members with dots between them, from the root. */
export function memberAt(members: Members, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    const inner = typeof value === 'object' && value !== null ? value : {}
    return Object.hasOwn(inner, name) ? Reflect.get(inner, name) : undefined
  }, members)
}

/** What the first of the paths holds that reads. */
export function valueAt<T>(
  members: Members,
  paths: string | readonly string[] | undefined,
  read: (value: unknown) => T | undefined,
): T | undefined {
  return listed(paths)
    .map((path) => read(memberAt(members, path)))
    .find(isGiven)
}

/** The same for names of members, in which a dot is nothing but a dot (`.expires`). */
export function valueIn<T>(
  members: Members,
  names: readonly string[],
  read: (value: unknown) => T | undefined,
): T | undefined {
  return names.map((name) => read(members[name])).find(isGiven)
}

export const listed = (paths: string | readonly string[] | undefined): readonly string[] =>
  paths === undefined ? [] : typeof paths === 'string' ? [paths] : paths

export function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}

export const textOf = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value : undefined)

export const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value)

export const isGiven = <T>(value: T | undefined): value is T => value !== undefined

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Only the fields that have a value. */
export function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}
