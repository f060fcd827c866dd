/**
 * One entry over another: `extends`, the user's override of a catalogue entry, variants, a client's own settings.
 */
import { nearest } from '../nearest.ts'
import type { ProviderEntry } from './schema.ts'

export type Entries = Readonly<Record<string, ProviderEntry>>

/** What is wrong with an entry, at a path inside it. */
export interface EntryProblem {
  path: readonly string[]
  message: string
}

/**
 * An entry with everything that it inherits. An entry of the user that has the name of a catalogue entry and extends
 * no other is an override of that.
 *
 * @param own entries of perennial.yaml, which are found first
 */
export function inherited(name: string, own: Entries, catalogue: Entries): ProviderEntry | EntryProblem {
  return inherit({ name, from: Object.hasOwn(own, name) ? own : catalogue }, own, catalogue, [])
}

interface Place {
  name: string
  from: Entries
}

function inherit(
  place: Place,
  own: Entries,
  catalogue: Entries,
  below: readonly Place[],
): ProviderEntry | EntryProblem {
  const entry = Object.hasOwn(place.from, place.name) ? place.from[place.name] : undefined
  const path = below.length === 0 ? [] : ['extends']
  if (entry === undefined) return { path, message: unknownEntry(place.name, [own, catalogue]) }
  if (below.some(({ name, from }) => name === place.name && from === place.from))
    return { path, message: `leads back to itself: ${[...below, place].map(({ name }) => name).join(' extends ')}` }
  const base = baseOf(place, entry, own, catalogue)
  if (base === undefined) return entry
  const above = inherit(base, own, catalogue, [...below, place])
  if (isProblem(above)) return above
  const { extends: _, ...fields } = entry
  return layered(above, fields)
}

function baseOf(place: Place, entry: ProviderEntry, own: Entries, catalogue: Entries): Place | undefined {
  const name = entry.extends ?? place.name
  // its own name means the entry of the catalogue that it stands before
  if (name === place.name && place.from === own && Object.hasOwn(catalogue, name)) return { name, from: catalogue }
  if (entry.extends === undefined) return undefined
  return { name, from: Object.hasOwn(own, name) ? own : catalogue }
}

function unknownEntry(name: string, entries: readonly Entries[]): string {
  const guess = nearest(
    name,
    entries.flatMap((one) => Object.keys(one)),
  )
  return `names ${JSON.stringify(name)}, which is no entry${guess === undefined ? '' : `; did you mean ${guess}?`}`
}

export const isProblem = (result: object): result is EntryProblem => 'message' in result && 'path' in result

/**
 * Objects are merged, everything else is replaced. A grace period belongs to the rotation that it is given with: a
 * layer that sets another rotation leaves it behind.
 */
export function layered<T extends object>(base: T, over: { [K in keyof T]?: T[K] | undefined }): T {
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(base))
  if ('rotation' in over && over.rotation !== undefined && over.rotation !== merged.rotation) delete merged.graceSeconds
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const under = merged[key]
    merged[key] = isMapping(value) && isMapping(under) ? layered(under, value) : value
  }
  return merged as T
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
