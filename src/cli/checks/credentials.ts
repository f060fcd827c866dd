import { Perennial } from '../../client.ts'
import type { Config } from '../../config.ts'
import { type Check, fail, firstFew, ok, reasonOf, warn } from './check.ts'

/** Whether every credential that stands in Redis has a workflow that refreshes it. */
export async function checkCredentials(config: Config): Promise<Check> {
  const perennial = await Perennial.open(config)
  const left: string[] = []
  try {
    for await (const credential of perennial.unattended()) left.push(credential)
  } catch (error) {
    const fix = 'allow SCAN and HGETALL to the user of redis.url, and listing workflows to this client of Temporal'
    return warn('credentials', `could not be compared: ${reasonOf(error)}`, fix)
  } finally {
    await perennial.close()
  }
  if (left.length === 0) return ok('credentials', 'each that stands in Redis has its workflow')
  const message = `nobody refreshes ${firstFew(left)}: in Redis, and without a workflow`
  return fail('credentials', message, 'perennial restore')
}
