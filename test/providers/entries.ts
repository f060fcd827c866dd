import { catalogue } from '../../src/providers/catalogue/index.ts'
import { inherited, isProblem } from '../../src/providers/inheritance.ts'
import { chosen } from '../../src/providers/resolve.ts'
import type { Behaviour, ProviderEntry } from '../../src/providers/schema.ts'

/** An entry of the catalogue, with what it inherits, or one of its variants. */
export interface Entry {
  /** `okta`, `okta/static` */
  name: string
  id: string
  variant: string | undefined
  entry: ProviderEntry
  behaviour: Behaviour
}

export function entriesOf(): Entry[] {
  return Object.keys(catalogue).flatMap((id) => {
    const entry = inherited(id, {}, catalogue)
    if (isProblem(entry)) throw new Error(`catalogue entry ${id}: ${entry.path.join('.')} ${entry.message}`)
    return [undefined, ...Object.keys(entry.variants ?? {})].map((variant) => entryOf(id, entry, variant))
  })
}

export function entryOf(id: string, entry: ProviderEntry, variant: string | undefined): Entry {
  const behaviour = chosen(entry, { variant })
  if (isProblem(behaviour)) throw new Error(`catalogue entry ${id}: ${behaviour.message}`)
  return { name: variant === undefined ? id : `${id}/${variant}`, id, variant, entry, behaviour }
}
