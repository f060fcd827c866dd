/**
 * Parts that do wrong, one at a time: whoever says that the property holds has to notice each. The test file puts these
 * in the place of the real modules; while nothing is broken they are the real ones.
 */
import type * as keep from '../../src/activities/keep.ts'
import type * as ending from '../../src/workflows/ending.ts'
import type * as requests from '../../src/workflows/requests.ts'
import type * as rotation from '../../src/workflows/rotation.ts'
import type * as transitions from '../../src/workflows/transitions.ts'
import { scripts } from './scripts.ts'
import type { Broken } from './world.ts'

const { begin, write, fence } = scripts

/** What a world of such a kind is made with. */
export const brokenWorlds = {
  'a write goes over a tombstone': {
    scripts: {
      write: (redis, keys, args) => {
        redis.hdel(keys[0] ?? '', 'tombstone')
        return write(redis, keys, args)
      },
    },
  },
  'a write goes over a newer set': {
    scripts: {
      write: (redis, keys, args) => {
        if (redis.fields(keys[0] ?? '').has('writer')) redis.hset(keys[0] ?? '', ['gen', -1])
        return write(redis, keys, args)
      },
    },
  },
  'a run that a reset has left behind is not noticed': {
    scripts: {
      begin: (redis, keys, args) =>
        begin(redis, keys, args.with(2, redis.fields(keys[0] ?? '').get('run') ?? args[2] ?? '')),
    },
  },
  'a fence is carried out however late': {
    scripts: {
      fence: (redis, keys, args) => {
        redis.hdel(keys[0] ?? '', 'fenced', 'settled')
        return fence(redis, keys, args.with(10, ''))
      },
    },
  },
  'a request is sent however old its attempt is': { sendsLate: true },
} satisfies Record<string, Broken>

export const brokenParts = [
  'a single-use token is sent again at once',
  'an attempt that timed out counts as not sent',
  'a claim stands one generation too low',
  'what the store did not take is thrown away',
  'a generation is adopted without its grant',
] as const

let broken: (typeof brokenParts)[number] | undefined

/** Until it is called again, this part does wrong. */
export function breakPart(part: typeof broken): void {
  broken = part
}

export const brokenRotation = (real: typeof rotation): typeof rotation => ({
  ...real,
  decideReplay: (end) => (broken === brokenParts[0] ? { inMs: 0, atRisk: false } : real.decideReplay(end)),
})

export const brokenTransitions = (real: typeof transitions): typeof transitions => ({
  ...real,
  adopt: (state, found, at) => {
    const { grant: _, ...rest } = found
    real.adopt(state, broken === brokenParts[4] ? rest : found, at)
  },
})

export const brokenEnding = (real: typeof ending): typeof ending => ({
  ...real,
  readEnding: (error) => {
    const read = real.readEnding(error)
    const wrong = broken === brokenParts[1] && read.kind === 'unknown' && read.how === 'timed_out'
    return wrong ? { kind: 'failed', failure: read.failure } : read
  },
})

export const brokenRequests = (real: typeof requests): typeof requests => ({
  ...real,
  claimInput: (...args) => {
    const input = real.claimInput(...args)
    const atLeastGeneration = Math.max(1, input.atLeastGeneration - 1)
    return broken === brokenParts[2] ? { ...input, atLeastGeneration } : input
  },
})

export const brokenKeep = (real: typeof keep): typeof keep => ({
  ...real,
  keep: async (...args) => {
    const kept = await real.keep(...args)
    const { unstored, grant: _, ...rest } = kept
    return broken === brokenParts[3] && unstored !== undefined ? rest : kept
  },
})
