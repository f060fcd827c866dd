import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessDocument } from '../../packages/reader/src/format.ts'
import type { GrantKind } from '../credential.ts'
import type { Owner, TokenSetWrite } from '../store/store.ts'
import type { Refreshed } from '../workflows/messages.ts'
import type { Clocks } from './clocks.ts'
import { type Debt, sealDebt } from './debts.ts'
import { type ActivityDeps, openAccess, openGrant, type ProcessDeps, sealAccess, sealGrant } from './deps.ts'
import type { Grant } from './grant.ts'
import { revokeOnce } from './revoke.ts'
import { found, type Generation, prepare, revokedBy } from './token-set.ts'

/** Redis gets this long before the tokens go back to Temporal instead, which keeps them until Redis is there. */
const storeWithinMs = 250
/** beside that, this process goes on trying, in case Temporal is what cannot be reached */
const keepTryingForMs = 60_000
/** the attempt has to be back before it times out, with the sealed tokens that the workflow goes on to revoke */
const revokeWithinMs = 2_000

/** Writes a new generation, and says what the workflow is to go on with. Never fails: what was obtained is kept. */
export async function keep(
  deps: ProcessDeps,
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
  const unstored = () => ({ ...refreshed, unstored: sealGrant(deps.keyring, write, sealedFor(write)) })
  if (hash === undefined || written.verdict === 'foreign_namespace') return unstored()
  try {
    if (!hash.tombstone) return found(deps, hash, generation.kind, generation.credential, clocks, generation.heldGrant)
  } catch {
    // something newer stands there that no key opens: what was obtained is kept, and an operator decides
    return unstored()
  }
  // minted tokens are revoked only under a tombstone, never beside a living set of the same family
  return { ...revokedBy(hash, clocks), minted: await revokeMinted(deps, generation) }
}

/** The attempt revokes what it still got, once, itself: whoever asked for it may be gone. The workflow does it again. */
async function revokeMinted(deps: ProcessDeps, from: Generation): Promise<string> {
  const { credential, family, generation, tokens, parameters } = from
  const { refreshToken, accessToken } = tokens
  const debt: Debt = {
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(accessToken === undefined ? {} : { access_token: accessToken }),
  }
  await within(revokeWithinMs, revokeOnce(deps, credential, debt, parameters))
  return sealDebt(deps, credential, family, generation, debt)
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
  const { verdict, nowMs, hash } = await writeLater(deps, owner, write)
  clocks.redisSaid(nowMs)
  if (verdict === 'written' || verdict === 'same') return undefined
  if (hash === undefined || verdict === 'foreign_namespace') throw new ForeignNamespace()
  return hash.tombstone ? revokedBy(hash, clocks) : found(deps, hash, from.kind, from.credential, clocks)
}

/** The hash belongs to another Temporal namespace, and stays its until an operator decides otherwise. */
export class ForeignNamespace extends Error {
  constructor() {
    super(
      'this credential in Redis belongs to another Temporal namespace: two systems share one Redis by mistake? nothing was sent or written',
    )
  }
}

/**
 * Writes a set that was made before. One generation higher where an earlier send has taken its own: what stands in
 * the store is then told as something found, for the workflow does not know that generation yet.
 */
async function writeLater(deps: ActivityDeps, owner: Owner, write: TokenSetWrite) {
  const written = await deps.store.write(owner, write)
  if (written.verdict !== 'tie') return written
  const again = await deps.store.write(owner, oneHigher(deps, write))
  if (again.verdict !== 'written' && again.verdict !== 'same') return again
  return { verdict: 'newer' as const, ...(await deps.store.read(write.credential)) }
}

/** What is sealed inside names its generation too, so it is opened and sealed again. */
function oneHigher({ config, keyring }: ActivityDeps, write: TokenSetWrite): TokenSetWrite {
  const { credential, family, access, grant } = write
  const generation = write.generation + 1
  const context = { cred: credential, family, gen: generation }
  const raised = { ...write, generation, status: { ...write.status, generation } }
  if (grant !== undefined) raised.grant = sealGrant(keyring, openGrant<Grant>(keyring, grant, credential), context)
  if (access === undefined) return raised
  const plain = access.value.startsWith('{')
  const document = plain ? JSON.parse(access.value) : openAccess<AccessDocument>(keyring, access.value, credential)
  const next: AccessDocument = { ...document, generation }
  const value = config.readers.sealed ? sealAccess(keyring, next, context) : JSON.stringify(next)
  return { ...raised, access: { ...access, value } }
}

function keepTrying(deps: ActivityDeps, owner: Owner, write: TokenSetWrite): void {
  const untilMs = performance.now() + keepTryingForMs
  const { credential, generation } = write
  const again = async () => {
    while (performance.now() < untilMs) {
      await sleep(1000, undefined, { ref: false })
      const written = await writeLater(deps, owner, write).catch(() => undefined)
      if (written === undefined) continue
      deps.log.info({ credential, generation, verdict: written.verdict }, 'Redis answers again')
      return
    }
  }
  deps.log.warn({ credential, generation }, 'Redis did not take new tokens in time; they are kept in Temporal')
  again().catch(() => {})
}

const sealedFor = ({ credential, family, generation }: TokenSetWrite) => ({ cred: credential, family, gen: generation })

/** What some work comes to in so long; undefined when it takes longer, or fails. */
export function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    // each exchange waits like this twice, and an aborted signal costs it the stack traces of two errors
    const timer = setTimeout(() => resolve(undefined), ms)
    const end = (value?: T) => {
      clearTimeout(timer)
      resolve(value)
    }
    work.then(end, () => end())
  })
}
