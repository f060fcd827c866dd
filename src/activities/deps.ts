import { type UnreadableCode, UnreadableValue } from '../../packages/reader/src/errors.ts'
import { open, readerKey, type SealingKey } from '../../packages/reader/src/sealed.ts'
import type { ClientConfig, Config } from '../config.ts'
import { parseCredentialId } from '../credential.ts'
import type { TokenEndpoint } from '../oauth/index.ts'
import type { Gate, Reports } from '../store/gate.ts'
import { seal } from '../store/sealing.ts'
import type { Owner, Store } from '../store/store.ts'
import type { RetryNotice } from '../workflows/messages.ts'
import type { ClientSecrets } from './client-secrets.ts'

/** What activities are made with; a test passes its own. */
export interface ActivityDeps {
  config: Config
  store: Store
  gate: Gate
  tokenEndpoint: TokenEndpoint
  keyring: Keyring
  /** the run and the attempt that call */
  caller(): Caller
  /** tells the calling workflow that its refresh keeps failing */
  tellWorkflow(notice: RetryNotice): Promise<void>
  /** a client that was refused works again: its other credentials need not wait */
  wakeClient(client: string): void
  log: Log
  /** adds one to a counter that operators watch; its labels hold no secret and name no user */
  count(counter: Counter, labels: Record<string, string>): void
}

/** What one process learns beside: how the activities know each other's findings. */
export interface ProcessDeps extends ActivityDeps {
  secrets: ClientSecrets
  reports: Reports
}

/** What is counted, by name; operators see `perennial_<name>_total`. */
export const counters = {
  client_secret_fallbacks: 'Token requests that were granted with another client secret than the first',
} as const

export type Counter = keyof typeof counters

export interface Caller extends Owner {
  attempt: number
  activityId: string
  /** when the server scheduled this attempt, by its clock */
  scheduledAtMs: number
}

export interface Log {
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
}

/** The keys of a worker. Grants and access tokens are sealed apart, so that a reader opens no grant. */
export interface Keyring {
  /** the first seals, all open */
  grant: readonly [SealingKey, ...SealingKey[]]
  reader: readonly [SealingKey, ...SealingKey[]]
}

export interface SealedFor {
  cred: string
  family: string
  gen: number
}

export const sealGrant = ({ grant }: Keyring, value: unknown, context: SealedFor) =>
  seal(JSON.stringify(value), grant[0], context)

/** @throws UnreadableValue */
export const openGrant = <T>({ grant }: Keyring, sealed: string, cred: string): T =>
  parse(open(sealed, grant, { cred }).plaintext, cred) as T

/** Why the grant that stands in Redis is not gone on with: a word for programs, and a sentence. */
export interface GrantProblem {
  reason: /** changed after it was sealed, or not sealed at all */
    | 'stored_grant_tampered'
    | 'stored_grant_unknown_key'
    /** of another credential */
    | 'stored_grant_swapped'
    /** of another family, a later generation, or one that was spent already */
    | 'stored_grant_misplaced'
  detail: string
}

const problemReasons: Record<UnreadableCode, GrantProblem['reason']> = {
  tampered: 'stored_grant_tampered',
  malformed: 'stored_grant_tampered',
  unknown_key: 'stored_grant_unknown_key',
  other_credential: 'stored_grant_swapped',
  rolled_back: 'stored_grant_misplaced',
}

/**
 * What is wrong with a sealed grant that claims to be of this credential, family and generation, if anything.
 *
 * @param held the grant of the workflow that asks: what stands there is not older, where it is of the same family
 */
export function grantProblem(
  { grant }: Pick<Keyring, 'grant'>,
  sealed: string,
  cred: string,
  { family, generation, held }: { family: string; generation: number; held?: string },
): GrantProblem | undefined {
  const misplaced = (detail: string): GrantProblem => ({ reason: 'stored_grant_misplaced', detail })
  try {
    const opened = open(sealed, grant, { cred })
    if (opened.family !== family) return misplaced('it was sealed for another family of this credential')
    if (opened.gen > generation)
      return misplaced(`it was sealed for generation ${opened.gen}, and generation ${generation} stands there`)
    // a provider that does not rotate leaves the grant of an earlier generation standing, but none comes back
    const known = held === undefined ? undefined : sealedFor(grant, held, cred)
    if (known?.family === family && opened.gen < known.gen)
      return misplaced(`it was sealed for generation ${opened.gen}, and that of generation ${known.gen} is known`)
    return undefined
  } catch (error) {
    if (error instanceof UnreadableValue) return { reason: problemReasons[error.code], detail: error.message }
    return { reason: 'stored_grant_tampered', detail: 'it cannot be opened' }
  }
}

/** Nothing where a key is missing: what cannot be opened is compared with nothing. */
function sealedFor(keys: Keyring['grant'], sealed: string, cred: string) {
  try {
    return open(sealed, keys, { cred })
  } catch {
    return undefined
  }
}

/** Seals what a tenant's services may read. */
export function sealAccess({ reader: [master] }: Keyring, value: unknown, context: SealedFor): string {
  return seal(JSON.stringify(value), tenantKey(master, context.cred), context)
}

/** @throws UnreadableValue */
export function openAccess<T>({ reader }: Keyring, sealed: string, cred: string): T {
  const keys = reader.map((master) => tenantKey(master, cred))
  return parse(open(sealed, keys, { cred }).plaintext, cred) as T
}

function parse(plaintext: string, cred: string): unknown {
  try {
    return JSON.parse(plaintext)
  } catch {
    // the parser's own message quotes the text, which may be a token
    throw new UnreadableValue('malformed', `what was sealed for ${cred} is not JSON`)
  }
}

const tenantKeys = new WeakMap<SealingKey, Map<string, SealingKey>>()

/** Derived once for each tenant. */
function tenantKey(master: SealingKey, credential: string): SealingKey {
  const known = tenantKeys.get(master) ?? new Map<string, SealingKey>()
  tenantKeys.set(master, known)
  const { tenant } = partsOf(credential)
  const key = known.get(tenant) ?? readerKey(master, tenant)
  known.set(tenant, key)
  return key
}

export function partsOf(credential: string) {
  const parts = parseCredentialId(credential)
  if (typeof parts === 'string') throw new TypeError(parts)
  return parts
}

/** The client of a credential, as it is configured now; undefined when it was taken out of the configuration. */
export const clientOf = ({ config }: ActivityDeps, credential: string): ClientConfig | undefined =>
  config.clients.get(partsOf(credential).client)
