import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Setting, startSetting } from '../activities/setting.ts'
import { profileOf } from '../emulators/vendors/index.ts'
import { disagreements } from './agreement.ts'
import { entriesOf } from './entries.ts'
import { exercises } from './exercise.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import { type Hall, openHall, Stand } from './stand.ts'

/** all of them: `MUTATIONS=10000 npx vitest run test/providers/mutations.test.ts`, some minutes */
const howMany = Number(process.env.MUTATIONS ?? 100)
/** any other does as well: `MUTATION_SEED=7 npx vitest run test/providers/mutations.test.ts` */
const seed = Number(process.env.MUTATION_SEED ?? 1)

let setting: Setting
let hall: Hall

beforeAll(async () => {
  setting = await startSetting()
  hall = await openHall(setting)
})
afterAll(async () => {
  await hall.close()
  await setting.stop()
})

/** The tests of an entry are worth what they notice. */
describe(`of one field that is changed in an entry (seed ${seed})`, () => {
  test.each(sample(allMutations(), howMany))('$what is noticed', async (mutation) => {
    expect(await noticed(mutation)).toBe(true)
  })
})

function allMutations(): Mutation[] {
  return entriesOf().flatMap((entry) => mutationsOf(entry, profileOf(entry.name)))
}

/** By the comparison of the two readings, or by an exercise that fails. */
async function noticed({ entry, mutated, behaviour }: Mutation): Promise<boolean> {
  const profile = profileOf(entry.name)
  if (disagreements(behaviour, profile).length > 0) return true
  for (const { run } of exercises.filter(({ applies }) => applies(profile)))
    if (await fails(async () => run(await Stand.of(hall, { entry: mutated, variant: undefined }, profile)))) return true
  return false
}

const fails = async (work: () => Promise<void>) =>
  await work().then(
    () => false,
    () => true,
  )

/** Different ones, the same for the same seed (mulberry32). */
function sample<T>(all: readonly T[], count: number): T[] {
  const rest = [...all]
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return Array.from({ length: count }, () => rest.splice(Math.floor(next() * rest.length), 1)).flat()
}
