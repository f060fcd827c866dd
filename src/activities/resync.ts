import type { Resynced, ResyncInput } from '../workflows/messages.ts'
import { Clocks } from './clocks.ts'
import type { ActivityDeps } from './deps.ts'
import { ForeignNamespace } from './keep.ts'
import { found, newWriter, prepare, revokedBy } from './token-set.ts'

/**
 * Compares what a workflow knows of its credential with what the store holds, and writes the grant where the store
 * has less. The access token is in no workflow: where readers have lost it, it has to be obtained anew.
 */
export const resyncActivity =
  (deps: ActivityDeps) =>
  async (input: ResyncInput): Promise<Resynced> => {
    const { credential, kind, family, generation, grant, seeds, parameters, previousOwner } = input
    const { refreshRemainingMs, refreshEndsInMs } = input
    const owner = deps.caller()
    const clocks = new Clocks(owner)
    const previous = previousOwner === undefined ? {} : { previousRun: previousOwner }
    const { verdict, nowMs, hash } = await deps.store.begin(credential, { owner, family, generation, ...previous })
    clocks.redisSaid(nowMs)
    if (verdict === 'foreign_namespace') throw new ForeignNamespace()
    if (hash !== undefined && verdict === 'tombstone') return { lost: true, found: revokedBy(hash, clocks) }
    if (hash !== undefined && verdict === 'newer')
      return { lost: false, found: found(deps, hash, kind, credential, clocks, grant) }
    // another run may be sending: its refresh decides, by its own rules
    if (verdict === 'foreign_run') return { lost: false }
    const whole = hash?.writer !== undefined && hash.family === family && hash.generation === generation
    if (whole) return { lost: !(await deps.store.isReadable(credential)) }
    const { write } = prepare(deps, clocks, {
      credential,
      kind,
      family,
      generation,
      writer: newWriter(),
      beganMs: nowMs,
      tokens: {},
      ends: {
        ...(refreshRemainingMs === undefined ? {} : { livesMs: refreshRemainingMs }),
        ...(refreshEndsInMs === undefined ? {} : { endsInMs: refreshEndsInMs }),
      },
      seeds,
      parameters: parameters ?? {},
      ...(grant === undefined ? {} : { heldGrant: grant }),
    })
    await deps.store.write(owner, write)
    return { lost: true }
  }
