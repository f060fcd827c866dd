import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessKey, statusKey } from '../../packages/reader/src/format.ts'
import { Store } from '../../src/store/store.ts'
import { grantKey, newCredential, startTestRedis, type TestRedis } from '../store/redis.ts'
import { commandsOn, connectionVia } from './commands.ts'
import { Keyspace } from './keyspace.ts'

let it: TestRedis

beforeAll(async () => {
  it = await startTestRedis()
})
afterAll(() => it.stop())

const family = fc.constantFrom('f1', 'f2', 'f3')
const generation = fc.integer({ min: 0, max: 5 })
const run = fc.constantFrom('run-1', 'run-2')
const namespace = fc.oneof({ weight: 9, arbitrary: fc.constant('default') }, fc.constant('other'))
const owner = fc.record({ namespace, run })
const status = { status: 'active', since: '2026-01-01T00:00:00.000Z', generation: 0 } as const
const number = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined })
const grant = fc.option(fc.constantFrom('grant-1', 'grant-2'), { nil: undefined })
/** far enough from the moment of the script that the time a command takes decides nothing */
const agoMs = fc.option(fc.constantFrom(0, 500_000, 1_000_000), { nil: undefined })

type Step = (store: Store, credential: string, nowMs: number) => Promise<unknown>

/** Fields that are undefined are left out. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

const steps: fc.Arbitrary<{ name: string; of: object; step: Step }> = fc.oneof(
  fc
    .record({ owner, family, generation, send: number, previousRun: fc.option(run, { nil: undefined }), take: number })
    .map((of) => ({
      name: 'begin',
      of,
      step: (store: Store, credential: string) => {
        const { send, previousRun, take, ...rest } = of
        return store.begin(credential, { ...rest, ...given({ send, previousRun }), take: take === 1 })
      },
    })),
  fc
    .record({ owner, family, generation, grant, writer: number, began: number, waited: agoMs, access: fc.boolean() })
    .map((of) => ({
      name: 'write',
      of,
      step: (store: Store, credential: string, nowMs: number) => {
        const { writer = 0, began = 0, waited, access } = of
        return store.write(of.owner, {
          credential,
          family: of.family,
          generation: of.generation,
          writer: `writer-${writer}`,
          beganMs: began,
          seeds: ['s1', 's2'],
          parameters: {},
          status,
          ...given({
            grant: of.grant,
            waitedMs: waited,
            access: access ? { value: `access-${writer}`, expiresAtMs: Math.floor(nowMs) + 600_000 } : undefined,
          }),
        })
      },
    })),
  fc
    .record({ owner, family, generation, grant, known: fc.boolean(), settled: fc.boolean(), asked: agoMs })
    .map((of) => ({
      name: 'fence',
      of,
      step: (store: Store, credential: string, nowMs: number) => {
        const { owner, family, generation, grant, settled, asked } = of
        return store.fence({
          credential,
          status: { ...status, status: 'revoked' },
          settled,
          ...given({
            known: of.known ? { owner, family, generation, ...given({ grant }) } : undefined,
            askedAtMs: asked === undefined ? undefined : Math.floor(nowMs) - 250_000 - asked,
          }),
        })
      },
    })),
  fc.record({ family, generation, namespace }).map((of) => ({
    name: 'announce',
    of,
    step: (store: Store, credential: string) => store.announce(credential, { ...of, status }),
  })),
)

/** Neither the time that passes between two commands, nor the order of a hash's fields, is a difference. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null))
}

test('the scripts of the model do what the real ones do', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 12 }), async (sequence) => {
      const credential = newCredential()
      const keyspace = new Keyspace()
      const { carryOut } = commandsOn(keyspace)
      const model = new Store(connectionVia(async (name, args) => carryOut(name, args)))
      for (const { step } of sequence) {
        const nowMs = await it.store.nowMs()
        const real = await step(it.store, credential, nowMs)
        // the model's script runs at the moment that the real one says
        keyspace.nowMs = (real as { nowMs?: number }).nowMs ?? nowMs
        expect(comparable(await step(model, credential, nowMs))).toEqual(comparable(real))
        const { hash, access, status: document, ...ends } = await it.everything(credential)
        expect({
          hash: Object.fromEntries(keyspace.fields(grantKey(credential))),
          access: keyspace.get(accessKey(credential)) ?? null,
          status: comparable(JSON.parse(keyspace.get(statusKey(credential)) ?? 'null')),
          hashEndsAtMs: keyspace.endsAtMs(grantKey(credential)),
          accessEndsAtMs: keyspace.endsAtMs(accessKey(credential)),
          statusEndsAtMs: keyspace.endsAtMs(statusKey(credential)),
        }).toEqual({ hash, access, status: comparable(document), ...ends })
      }
    }),
    { numRuns: 600, seed: Number(process.env.MODEL_SEED ?? 20_261_127) },
  )
})
