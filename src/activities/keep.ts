import { setTimeout as sleep } from 'node:timers/promises'
import type { GrantKind } from '../credential.ts'
import type { Owner, TokenSetWrite, WriteVerdict } from '../store/store.ts'
import type { Refreshed } from '../workflows/messages.ts'
import type { Clocks } from './clocks.ts'
import { type ActivityDeps, openGrant, sealGrant } from './deps.ts'
import { found, type Generation, prepare, revokedBy } from './token-set.ts'

/** Redis gets this long before the tokens go back to Temporal instead, which keeps them until Redis is there. */
const storeWithinMs = 250
/** beside that, this process goes on trying, in case Temporal is what cannot be reached */
const keepTryingForMs = 60_000

/** Writes a new generation, and says what the workflow is to go on with. Never fails: what was obtained is kept. */
export async function keep(
  deps: ActivityDeps,
  owner: Owner,
  clocks: Clocks,
  generation: Generation,
): Promise<Refreshed> {
  const { write, refreshed } = prepare(deps, clocks, generation)
  const writing = deps.store.write(owner, write)
  const written = await within(storeWithinMs, writing)
  if (written === undefined) {
    keepTrying(deps, owner, write)
    return { ...refreshed, unstored: sealGrant(deps.keyring, write, sealedFor(write)) }
  }
  clocks.redisSaid(written.nowMs)
  if (written.verdict === 'written' || written.verdict === 'same') return refreshed
  // a late answer of an attempt that was sent before this one came first: ours is the one that lives
  if (written.verdict === 'tie')
    return await keep(deps, owner, clocks, { ...generation, generation: write.generation + 1 })
  const { hash } = written
  if (hash === undefined || written.verdict === 'foreign_namespace')
    return { ...refreshed, unstored: sealGrant(deps.keyring, write, sealedFor(write)) }
  return hash.tombstone ? revokedBy(hash, clocks) : found(hash, generation.kind, generation.credential, clocks)
}

/**
 * Writes what Redis did not take in time. Fails for as long as it does not; the caller repeats it.
 *
 * @returns undefined when it is in the store, or what is there instead
 */
export async function persist(
  deps: ActivityDeps,
  owner: Owner,
  clocks: Clocks,
  from: { credential: string; kind: GrantKind; sealed: string },
): Promise<Refreshed | undefined> {
  const write = openGrant<TokenSetWrite>(deps.keyring, from.sealed, from.credential)
  const { verdict, nowMs, hash } = await deps.store.write(owner, write)
  clocks.redisSaid(nowMs)
  if (verdict === 'written' || verdict === 'same') return undefined
  if (verdict === 'tie') return await writeHigher(deps, owner, clocks, from.kind, write)
  if (hash === undefined || verdict === 'foreign_namespace') throw new ForeignNamespace()
  return hash.tombstone ? revokedBy(hash, clocks) : found(hash, from.kind, from.credential, clocks)
}

/** The hash belongs to another Temporal namespace, and stays its until an operator decides otherwise. */
export class ForeignNamespace extends Error {
  constructor() {
    super(
      'this credential in Redis belongs to another Temporal namespace: two systems share one Redis by mistake? nothing was sent or written',
    )
  }
}

/** The grant inside was sealed for its generation and opens for the next one too; only the number moves. */
async function writeHigher(
  deps: ActivityDeps,
  owner: Owner,
  clocks: Clocks,
  kind: GrantKind,
  write: TokenSetWrite,
): Promise<Refreshed | undefined> {
  const generation = write.generation + 1
  const next = { ...write, generation, status: { ...write.status, generation } }
  const { verdict, hash } = await deps.store.write(owner, next)
  const accepted: WriteVerdict[] = ['written', 'same']
  const now = accepted.includes(verdict) ? (await deps.store.read(write.credential)).hash : hash
  return now === undefined ? undefined : found(now, kind, write.credential, clocks)
}

function keepTrying(deps: ActivityDeps, owner: Owner, write: TokenSetWrite): void {
  const untilMs = performance.now() + keepTryingForMs
  const { credential, generation } = write
  const again = async () => {
    while (performance.now() < untilMs) {
      await sleep(1000, undefined, { ref: false })
      const written = await deps.store.write(owner, write).catch(() => undefined)
      if (written !== undefined) return deps.log.info({ credential, generation }, 'Redis took the tokens after all')
    }
  }
  deps.log.warn({ credential, generation }, 'Redis did not take new tokens in time; they are kept in Temporal')
  again().catch(() => {})
}

const sealedFor = ({ credential, family, generation }: TokenSetWrite) => ({ cred: credential, family, gen: generation })

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([work.catch(() => undefined), late])
  } finally {
    timer.abort()
  }
}
