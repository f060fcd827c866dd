import { setTimeout as sleep } from 'node:timers/promises'
import { openGrant } from '../../src/activities/deps.ts'
import type { Grant } from '../../src/activities/grant.ts'
import { type Kill, type RequestRecord, tokenIdOf } from '../referee/index.ts'
import type { Case, End } from './case.ts'
import type { Rig } from './rig.ts'
import { keyringOf } from './workers.ts'

/**
 * What a case came to. `lost`: nobody could have kept it, and it went as it should. `orphaned`: revoked, save for
 * what an answer brought that died with its process. Everything else is an objection.
 */
export interface Verdict {
  outcome: End | 'lost' | 'orphaned'
  objections: string[]
}

/** how late the event loop of a busy machine may see an answer that has arrived */
const windowMs = 20_000
/** what Redis did not take in time is written by the workflow */
const storedWithinMs = 15_000

/** Asks the referee, the store and the workflow's history. */
export async function judge(rig: Rig, one: Case, end: End, kills: Kill[]): Promise<Verdict> {
  const verdict = await judgeEnd(rig, one, end, kills)
  const requests = await rig.referee.requests({ user: one.user })
  const overlapping = requests.filter(({ overlaps }) => overlaps.length > 0).map(({ id }) => id)
  const early = requests.filter((request) => cameTooEarly(request, one)).map(({ id }) => id)
  if (overlapping.length > 0) verdict.objections.push(`requests ${overlapping} overlap`)
  if (early.length > 0) verdict.objections.push(`replays ${early} came while the access token had more than 10 s`)
  return verdict
}

/** The referee takes an access token for held that died with the process it was given to: what we hold is older. */
const cameTooEarly = ({ secondUse, atMs }: RequestRecord, one: Case): boolean =>
  secondUse?.tooEarly === true && !(diedWithAnswer(one) && atMs >= one.accessExpiresAtMs - 10_000)

async function judgeEnd(rig: Rig, one: Case, end: End, kills: Kill[]): Promise<Verdict> {
  if (end === 'closed') return await judgeClosed(rig, one)
  if (end === 'reconnect_required') return await judgeLost(rig, one, kills)
  const objections = await notHeld(rig, one)
  // and the workflow holds it too: it buys one more
  const before = await storedGeneration(rig, one)
  await rig.perennial.refreshNow(one.credential)
  const untilMs = performance.now() + storedWithinMs
  while ((await storedGeneration(rig, one)) <= before && performance.now() < untilMs) await sleep(200)
  if ((await storedGeneration(rig, one)) <= before) objections.push('one more refresh brought nothing')
  return { outcome: end, objections: [...objections, ...(await notHeld(rig, one))] }
}

/** Of what a worker wrote. */
async function storedGeneration({ store }: Rig, { credential }: Case): Promise<number> {
  const { hash } = await store.read(credential)
  return hash?.writer === undefined ? 0 : hash.generation
}

/** What is not as it should be with the grant and the access token that stand in the store. */
async function notHeld({ store, referee, worker, reader }: Rig, one: Case): Promise<string[]> {
  const objections: string[] = []
  const keyring = keyringOf(worker.config)
  const { hash } = await store.read(one.credential)
  if (one.holding.kind === 'refresh_token') {
    const held = openGrant<Grant>(keyring, hash?.grant ?? '', one.credential).refresh_token ?? ''
    const [grant] = await referee.alive(one.user)
    if (grant?.living !== held)
      objections.push(`held is ${tokenIdOf(held)}, living is ${tokenIdOf(grant?.living ?? 'nothing')}`)
  }
  const token = await reader.get(one.credential).then(
    ({ accessToken }) => accessToken,
    () => '',
  )
  if ((await referee.accessRemainingMs(token)) === 0) objections.push('readers have no token that the provider accepts')
  return objections
}

async function judgeLost(rig: Rig, one: Case, kills: Kill[]): Promise<Verdict> {
  const { store, referee, worker } = rig
  const objections: string[] = []
  const { hash } = await store.read(one.credential)
  const held = openGrant<Grant>(keyringOf(worker.config), hash?.grant ?? '', one.credential).refresh_token ?? ''
  const [loss] = await referee.losses({ [one.user]: held }, kills, windowMs)
  if (one.holding.rotation !== 'single_use') objections.push(`lost, though the provider is ${one.holding.rotation}`)
  if (loss === undefined) objections.push('given up, though it is accepted')
  else if (loss.verdict === 'avoidable') objections.push(`avoidable: ${loss.because}`)
  else if (loss.verdict === 'in_window' && !diedWithAnswer(one)) objections.push('lost, though it was written down')
  if (!(await wasAtRisk(rig, one.credential))) objections.push('never at risk')
  return { outcome: 'lost', objections }
}

async function judgeClosed({ referee, store }: Rig, one: Case): Promise<Verdict> {
  const objections: string[] = []
  const [requests, { hash }, [document], readable] = await Promise.all([
    referee.requests({ user: one.user }),
    store.read(one.credential),
    store.statuses([one.credential]),
    store.isReadable(one.credential),
  ])
  if (!hash?.tombstone || hash.grant !== undefined || hash.access !== undefined)
    objections.push('the tombstone does not stand, or remembers tokens')
  if (document?.status !== 'revoked' || document.reason !== undefined)
    objections.push(`readers are told ${document?.status}, ${document?.reason}`)
  if (readable) objections.push('readers still find a token')
  const left =
    one.holding.kind === 'refresh_token' ? (await referee.alive(one.user)).length : notRevoked(requests).length
  if (left === 0) return { outcome: 'closed', objections }
  // what it brought nobody knows; a token that had been exchanged takes nothing along
  const orphans = diedWithAnswer(one, 'tokenEndpoint.revoke') && left === 1
  const possible = one.holding.rotation === 'single_use' || one.holding.kind === 'client_credentials'
  if (!orphans || !possible) objections.push(`${left} alive at the provider`)
  return { outcome: 'orphaned', objections }
}

/** Access tokens that the provider gave out and was not asked to revoke. */
function notRevoked(requests: RequestRecord[]): string[] {
  const revoked = requests.filter(({ decision }) => decision === 'revoked').map(({ presented }) => presented)
  return requests.flatMap(({ minted }) => minted?.access ?? []).filter((id) => !revoked.includes(id))
}

/**
 * What was stopped had an answer, and nothing had come of it yet: it was not written, or, under a tombstone, which
 * refuses the write, not revoked; and the attempt had not returned.
 */
function diedWithAnswer({ target = '', trace }: Case, saved: 'store.write' | 'tokenEndpoint.revoke' = 'store.write') {
  const names = trace.map(({ name }) => name)
  const done = names.slice(0, names.indexOf(target) + 1)
  const [attempt] = done.findLast((name) => name.startsWith('refresh#'))?.split(' ') ?? []
  const steps = done.filter((name) => name.startsWith(`${attempt} `))
  const isSent = steps.some((name) => name.includes('tokenEndpoint.exchange') && name.endsWith('after'))
  const isSaved = steps.some((name) => name.includes(saved) && name.endsWith('after'))
  const hasReturned = steps.some((name) => name !== target && name.endsWith('answer before'))
  return isSent && !isSaved && !hasReturned
}

/** Whether the status was shown to operators, in the search attribute. */
async function wasAtRisk({ temporal }: Rig, credential: string): Promise<boolean> {
  const { events } = await temporal.client.workflow.getHandle(`credential/${credential}`).fetchHistory()
  return (events ?? []).some(({ upsertWorkflowSearchAttributesEventAttributes: upserted }) => {
    const data = upserted?.searchAttributes?.indexedFields?.CredentialStatus?.data
    return data !== undefined && data !== null && Buffer.from(data).toString() === '"at_risk"'
  })
}
