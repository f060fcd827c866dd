import { randomUUID } from 'node:crypto'
import { ApplicationFailure } from '@temporalio/common'
import { expect } from 'vitest'
import { open, readerKey, sealingKey } from '../../packages/reader/src/sealed.ts'
import { type ActivityDeps, type Caller, createActivities, type Keyring } from '../../src/activities/index.ts'
import type { ClientConfig } from '../../src/config.ts'
import type {
  Discovered,
  LookupRequest,
  TokenEndpoint,
  TokenRequest,
  TokenSet,
  Verdict,
} from '../../src/oauth/index.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { Gate } from '../../src/store/gate.ts'
import { newSealingKey, seal } from '../../src/store/sealing.ts'
import type { TokenSetWrite } from '../../src/store/store.ts'
import type { ClaimInput, FailureType, RefreshInput, RetryNotice } from '../../src/workflows/messages.ts'
import { setOf, startTestRedis, type TestRedis } from '../store/redis.ts'

export type Answer = Verdict | ((request: TokenRequest) => Verdict | Promise<Verdict>)

const masterKey = newSealingKey()
const grantKey = sealingKey(newSealingKey())
const keyring: Keyring = { grant: [grantKey], reader: [sealingKey(masterKey)] }

/** Activities on a real Redis, with a provider that answers by a script and a caller that a test can set. */
export interface Setting {
  it: TestRedis
  deps: ActivityDeps
  activities: ReturnType<typeof createActivities>
  keyring: Keyring
  caller: Caller
  /** what the provider answers next, in order */
  answers: Answer[]
  /** what it was sent */
  requests: TokenRequest[]
  /** what it was asked about the expiry of tokens, and what it says next */
  lookUps: LookupRequest[]
  livesMs: number | undefined | Promise<undefined>
  /** what an issuer says of itself */
  discovered: Discovered | string
  told: RetryNotice[]
  woken: string[]
  logged: unknown[]
  counted: Record<string, string>[]
  /** adds a client with a provider of its own, and returns a credential of it */
  credential(client?: Partial<ClientConfig>, provider?: Partial<Provider>): string
  stop(): Promise<void>
}

export async function startSetting(): Promise<Setting> {
  const it = await startTestRedis()
  const clients = new Map<string, ClientConfig>()
  const setting = {
    answers: [],
    requests: [],
    lookUps: [],
    told: [],
    woken: [],
    logged: [],
    counted: [],
  } as unknown as Setting
  const caller: Caller = { namespace: 'default', run: 'run-1', attempt: 1, activityId: '1', scheduledAtMs: Date.now() }
  const tokenEndpoint: TokenEndpoint = {
    exchange: async (request) => {
      setting.requests.push(request)
      const answer = setting.answers.shift() ?? {
        kind: 'unsent',
        reason: 'unexpected',
        detail: 'the test has no answer',
      }
      return typeof answer === 'function' ? await answer(request) : answer
    },
    discover: async () => setting.discovered,
    lookUp: async (request) => {
      setting.lookUps.push(request)
      return await setting.livesMs
    },
    revoke: async () => ({ kind: 'revoked' }),
    close: async () => {},
  }
  const log = (fields: unknown, message: string) => setting.logged.push([fields, message])
  const deps: ActivityDeps = {
    config: {
      source: 'perennial.yaml',
      redis: { url: it.server.url },
      keys: { grant: ['unused'], reader: [masterKey] },
      readers: { sealed: true },
      warnings: { reconnectSoonMs: [14 * 86_400_000, 3 * 86_400_000] },
      metrics: {},
      clients,
    },
    store: it.store,
    gate: new Gate(it.redis),
    tokenEndpoint,
    keyring,
    caller: () => setting.caller,
    tellWorkflow: async (notice) => void setting.told.push(notice),
    wakeClient: (client) => setting.woken.push(client),
    log: { info: log, warn: log },
    count: (counter, labels) => setting.counted.push({ counter, ...labels }),
  }
  const stop = () => it.stop()
  const credential: Setting['credential'] = (client = {}, provider = {}) => {
    const name = `orchard-${clients.size}`
    clients.set(name, {
      name,
      grant: 'refresh_token',
      clientId: 'app',
      clientSecrets: ['cs-secret-1', 'cs-secret-2'],
      parameters: {},
      request: {},
      ...client,
      provider: {
        name: `provider-${clients.size}`,
        tokenEndpoint: 'https://id.orchard.example/token',
        clientAuth: 'client_secret_basic',
        rotation: 'single_use',
        ...provider,
      },
    })
    return `acme/${name}/alice`
  }
  return Object.assign(setting, { it, deps, activities: createActivities(deps), keyring, caller, credential, stop })
}

/** Another process, as a restart makes it, or one with other keys. */
export const another = (setting: Setting, changes: Partial<ActivityDeps> = {}) =>
  createActivities({ ...setting.deps, ...changes })

export const clientName = (credential: string) => credential.split('/')[1] ?? ''

export const granted = (tokens: TokenSet): Verdict => ({ kind: 'granted', tokens })

/** A full answer of the provider; the number is in both tokens. */
export const tokens = (n: number, changes: Partial<TokenSet> = {}): TokenSet => ({
  accessToken: `at-secret-${n}`,
  refreshToken: `rt-secret-${n}`,
  tokenType: 'Bearer',
  expiresInMs: 3600_000,
  ...changes,
})

export const sealRefreshToken = (credential: string, token: string, gen: number, family = 'f1') =>
  seal(JSON.stringify({ refresh_token: token }), grantKey, { cred: credential, family, gen })

/** A token set that stands in the store, its grant sealed as a worker does it. */
export function storedSet(credential: string, changes: Partial<TokenSetWrite> = {}): TokenSetWrite {
  const { family = 'f1', generation = 1 } = changes
  const grant = sealRefreshToken(credential, `rt-secret-${generation}`, generation, family)
  return setOf(credential, { grant, ...changes })
}

/** What the workflow asks of generation `generation`, whose refresh token is `rt-secret-<generation>`. */
export function refreshOf(credential: string, changes: Partial<RefreshInput> = {}): RefreshInput {
  const { generation = 1, kind = 'refresh_token', family = 'f1' } = changes
  const grant = sealRefreshToken(credential, `rt-secret-${generation}`, generation, family)
  return {
    credential,
    kind,
    family,
    generation,
    ...(kind === 'refresh_token' ? { grant } : {}),
    seeds: ['s1'],
    exchangeTimeoutMs: 10_000,
    misconfiguredEveryMs: 300_000,
    ...changes,
  }
}

/** A grant as a caller hands it over. */
export function claimOf(credential: string, response: object, changes: Partial<ClaimInput> = {}): ClaimInput {
  const family = randomUUID()
  return {
    credential,
    kind: 'refresh_token',
    seed: { family, sealed: seal(JSON.stringify(response), grantKey, { cred: credential, family, gen: 0 }) },
    atLeastGeneration: 1,
    seeds: [],
    ...changes,
  }
}

/** What a sealed grant holds, and what it was sealed for. */
export function openGrant(sealed: string | undefined, credential: string) {
  const { plaintext, family, gen } = open(sealed ?? '', keyring.grant, { cred: credential })
  return { ...(JSON.parse(plaintext) as Record<string, unknown>), family, gen }
}

/** What a reader of the tenant finds, with its own key; undefined when there is none. */
export async function readAccess({ it }: Setting, credential: string) {
  const { access } = await it.everything(credential)
  if (access === null) return undefined
  const key = readerKey(sealingKey(masterKey), credential.split('/')[0] ?? '')
  const { plaintext, family, gen } = open(access, [key], { cred: credential })
  return { document: JSON.parse(plaintext) as Record<string, unknown>, sealedFor: { family, gen } }
}

/** The failure that an attempt ends with, after it was searched for secrets. */
export async function failureOf(setting: Setting, work: Promise<unknown>, type: FailureType) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApplicationFailure)) throw new Error('no application failure', { cause: error })
  expect(error.type).toBe(type)
  expectNoSecret(setting, error)
  const [failure] = error.details as [Record<string, unknown>]
  return { error, failure, message: error.message, nonRetryable: error.nonRetryable, delayMs: error.nextRetryDelay }
}

/** A failure, and all that is logged and told, may be read by anyone. */
export function expectNoSecret({ told, logged }: Setting, error: Error): void {
  expect(error.cause).toBeUndefined()
  const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name))
  expect(JSON.stringify([error.message, error.stack, own, told, logged])).not.toMatch(/(rt|at|cs)-secret/)
}
