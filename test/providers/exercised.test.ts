import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Setting, startSetting } from '../activities/setting.ts'
import { profileOf } from '../emulators/vendors/index.ts'
import { entriesOf } from './entries.ts'
import { exercises } from './exercise.ts'
import { type Hall, openHall, Stand } from './stand.ts'

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

/** An entry without an emulator has no profile, and fails here. */
describe.each(entriesOf())('$name', (entry) => {
  const profile = profileOf(entry.name)

  test.each(exercises.filter(({ applies }) => applies(profile)))('$name', async ({ run }) => {
    const stand = await Stand.of(hall, entry, profile)
    await run(stand)
    expect(stand.emulator.faults).toEqual([])
  })
})
