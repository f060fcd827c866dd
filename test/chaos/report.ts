import { busiest, type RequestRecord } from '../referee/index.ts'
import type { Evidence } from './evidence.ts'
import type { Stretch } from './readers.ts'
import { overlapMs, type Span, validSpans } from './spans.ts'
import { tokenSeconds } from './stage.ts'
import type { FoundLoss } from './watch.ts'

/** The report; the first twelve members are those of interfaces.md. */
export interface ChaosReport {
  seconds: number
  seed: number
  faults: Record<string, number>
  credentials: number
  /** exchanges that the provider granted */
  refreshes: number
  lostAvoidably: number
  lostInWindow: number
  lostUnavoidably: number
  /** times at which a credential became at_risk */
  atRisk: number
  /** reads that returned a token after its revoke had returned */
  revokedReadable: number
  /** summed over all credentials: the provider took a token that had been delivered, and readers did not get it */
  unreadableSeconds: number
  /** the longest time for which a credential had no token to read, whatever the cause */
  longestRecoverySeconds: number
  /** summed over all credentials: no token to read, by the error that readers got */
  withoutTokenSeconds: Record<string, number>
  readsPerSecondPerCredential: number
  /** two requests with tokens of one family at the same time */
  overlappingRequests: number
  /** spent tokens that came again while the access token had more than 10 s to live */
  earlySecondUses: number
  slowestReconnectSeconds: number
  /** requests that met a fault; a storm or a black hole meets many */
  requestsMet: Record<string, number>
  endedEarly: boolean
  budget: { client: string; perSecond: number; busiestSecond: number; busiestTenSeconds: number; kept: boolean }
  flushes: FlushRecovery[]
  losses: ExplainedLoss[]
  longest: {
    credential: string
    at: string
    seconds: number
    codes: Record<string, number>
    before: string[]
    requests: string[]
  }[]
  revokedReads: Evidence['revokedReads']
  /** revoked credentials of which the provider still accepts something */
  unrevokedAtProvider: string[]
  unsettled: string[]
  troubles: string[]
  kills: { at: string; process: string }[]
}

export interface FlushRecovery {
  at: string
  /** credentials that had no token to read after it */
  unreadable: number
  /** until each of them had one again */
  allReadableAfterSeconds: number
  /** at the provider meanwhile, in one second */
  busiestSecond: { allClients: number; budgetedClient: number }
}

export interface ExplainedLoss {
  credential: string
  verdict: FoundLoss['verdict']
  because: string
  foundAt: string
  reconnectedAfterSeconds?: number
  /** whether `at_risk` came before the end, as it must where nothing could be done */
  wasAtRisk: boolean
  /** of the event stream */
  statuses: string[]
  /** of the search attribute: what readers and operators could not be told is here */
  shown: string[]
  requests: string[]
  kills: string[]
}

/** Says what the evidence means. */
export function report(evidence: Evidence): ChaosReport {
  const { losses, requests, stretches, revokedReads, beganMs, endedMs } = evidence
  const lost = (verdict: FoundLoss['verdict']) => losses.filter((loss) => loss.verdict === verdict).length
  const reconnects = losses.map(({ reconnectedAtMs = endedMs, sinceMs }) => reconnectedAtMs - sinceMs)
  const byLength = [...stretches].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))
  return {
    seconds: seconds(endedMs - beganMs),
    seed: evidence.seed,
    faults: counted(evidence.made.map(({ kind }) => kind)),
    credentials: evidence.credentials,
    refreshes: requests.filter(({ endpoint, decision }) => endpoint === 'token' && decision === 'granted').length,
    lostAvoidably: lost('avoidable'),
    lostInWindow: lost('in_window'),
    lostUnavoidably: lost('unavoidable'),
    atRisk: evidence.events.filter(({ status }) => status === 'at_risk').length,
    revokedReadable: revokedReads.length,
    unreadableSeconds: seconds(stretches.reduce((sum, stretch) => sum + validMs(stretch, evidence), 0)),
    longestRecoverySeconds: seconds(Math.max(0, ...stretches.map(({ fromMs, toMs }) => toMs - fromMs))),
    withoutTokenSeconds: byCode(stretches),
    readsPerSecondPerCredential: rounded(evidence.readsPerSecondEach),
    overlappingRequests: requests.filter(({ overlaps }) => overlaps.length > 0).length,
    earlySecondUses: requests.filter(({ secondUse }) => secondUse?.tooEarly).length,
    slowestReconnectSeconds: seconds(Math.max(0, ...reconnects)),
    requestsMet: evidence.requestsMet,
    endedEarly: evidence.endedEarly,
    budget: budget(evidence),
    flushes: evidence.flushedAtMs.map((atMs) => flushRecovery(atMs, evidence)),
    losses: losses.map((loss) => explain(loss, evidence)),
    longest: byLength.slice(0, 5).map((stretch) => ({
      credential: stretch.credential,
      at: time(stretch.fromMs),
      seconds: seconds(stretch.toMs - stretch.fromMs),
      codes: stretch.codes,
      before: happened(stretch, evidence),
      requests: requestsAround(stretch, evidence),
    })),
    revokedReads,
    unrevokedAtProvider: unrevoked(evidence),
    unsettled: evidence.unsettled,
    troubles: evidence.troubles,
    kills: evidence.kills.map(({ atMs, process }) => ({ at: time(atMs), process })),
  }
}

/** The part of a stretch in which a token was there to be read, as the referee and the last read tell it. */
function validMs(stretch: Stretch, { users, requests, consents, families }: Evidence): number {
  const user = users[stretch.credential]
  const span: Span = [stretch.fromMs, stretch.toMs]
  const lastRead: Span = [0, stretch.lastTokenUntilMs]
  // all credentials of client_credentials are one user: whose token an answer held is not known
  if (user === undefined || stretch.credential.includes('/client_credentials/')) return overlapMs(span, [lastRead])
  const valid = validSpans({
    requests: requests.filter((request) => request.user === user),
    consents: consents.filter((consent) => consent.user === user),
    families: families.filter((family) => family.user === user),
    lifeMs: tokenSeconds * 1_000,
  })
  return overlapMs(span, valid)
}

function byCode(stretches: readonly Stretch[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { fromMs, toMs, codes } of stretches) {
    const reads = Object.values(codes).reduce((sum, one) => sum + one, 0)
    for (const [code, count] of Object.entries(codes))
      sums[code] = (sums[code] ?? 0) + ((toMs - fromMs) * count) / reads
  }
  return Object.fromEntries(Object.entries(sums).map(([code, ms]) => [code, seconds(ms)]))
}

function budget({ budget: { client, perSecond }, rates }: Evidence): ChaosReport['budget'] {
  const buckets = rates[client] ?? []
  const busiestTenSeconds = busiest(buckets, 10)
  // a token bucket lets what it has saved up in one second go at once
  const kept = busiestTenSeconds <= 11 * perSecond
  return { client, perSecond, busiestSecond: busiest(buckets, 1), busiestTenSeconds, kept }
}

const noticedWithinMs = 3_000

function flushRecovery(atMs: number, { stretches, rates, budget: { client } }: Evidence): FlushRecovery {
  const after = stretches.filter(({ fromMs }) => fromMs >= atMs - 100 && fromMs <= atMs + noticedWithinMs)
  const endMs = Math.max(atMs, ...after.map(({ toMs }) => toMs))
  const during = (names: string[]) => {
    const requests: Record<number, number> = {}
    for (const { second, token } of names.flatMap((name) => rates[name] ?? []))
      if (second >= Math.floor(atMs / 1_000) && second * 1_000 <= endMs)
        requests[second] = (requests[second] ?? 0) + token
    return Math.max(0, ...Object.values(requests))
  }
  return {
    at: time(atMs),
    unreadable: new Set(after.map(({ credential }) => credential)).size,
    allReadableAfterSeconds: seconds(endMs - atMs),
    busiestSecond: { allClients: during(Object.keys(rates)), budgetedClient: during([client]) },
  }
}

const trailMs = 60_000

function explain(loss: FoundLoss, evidence: Evidence): ExplainedLoss {
  const untilMs = loss.reconnectedAtMs ?? loss.foundAtMs
  const isNear = (atMs: number) => atMs >= loss.foundAtMs - trailMs && atMs <= untilMs
  const events = evidence.events.filter(({ credential, atMs }) => credential === loss.credential && isNear(atMs))
  const shown = (loss.shown ?? []).filter(({ atMs }) => isNear(atMs))
  const requests = evidence.requests.filter(
    ({ id, user, atMs }) => loss.requests.includes(id) || (user === loss.user && isNear(atMs)),
  )
  return {
    credential: loss.credential,
    verdict: loss.verdict,
    because: loss.because,
    foundAt: time(loss.foundAtMs),
    ...(loss.reconnectedAtMs === undefined
      ? {}
      : { reconnectedAfterSeconds: seconds(loss.reconnectedAtMs - loss.sinceMs) }),
    wasAtRisk: [...events, ...shown].some(({ status }) => status === 'at_risk'),
    statuses: events.map(({ atMs, status, reason, generation }) => `${time(atMs)} ${status} ${reason} (${generation})`),
    shown: shown.map(({ atMs, status }) => `${time(atMs)} ${status}`),
    requests: requests.map(told),
    kills: evidence.kills.filter(({ atMs }) => isNear(atMs)).map(({ atMs, process }) => `${time(atMs)} ${process}`),
  }
}

function requestsAround({ credential, fromMs, toMs }: Stretch, { users, requests }: Evidence): string[] {
  const user = users[credential]
  if (user === 'client_credentials') return []
  return requests.filter((one) => one.user === user && one.atMs >= fromMs - 20_000 && one.atMs <= toMs).map(told)
}

/** One line of the referee's trail. */
function told(request: RequestRecord): string {
  const { id, atMs, endpoint, presented = '', fault, decision, error, minted, delivery, clientLeft, status } = request
  const end = [status, delivery, clientLeft ? 'client left' : undefined].filter((part) => part !== undefined)
  const granted = minted?.refresh === undefined ? '' : ` -> ${minted.refresh}`
  const what = [decision, error, request.why].filter((part) => part !== undefined).join(' ')
  return `#${id} ${time(atMs)} ${endpoint} ${presented}${granted}: ${what}; ${fault ?? 'no fault'}; ${end.join(', ')}`
}

/** What was done to everybody, or to this one, in the time before. */
function happened({ credential, fromMs, toMs }: Stretch, { made }: Evidence): string[] {
  const client = credential.split('/')[1] ?? ''
  return made
    .filter(({ atMs }) => atMs >= fromMs - 20_000 && atMs <= toMs)
    .filter(({ kind, what }) => kind === 'kill' || kind === 'flushall' || isAbout(what, credential, client))
    .map(({ atMs, kind, what }) => `${time(atMs)} ${kind} ${what}`)
}

const isAbout = (what: string, credential: string, client: string) => {
  const named = what.split(/[ ,]/)
  return named.includes(credential) || named.includes(client)
}

function unrevoked({ revoked, families }: Evidence): string[] {
  return revoked
    .filter((one) => families.some(({ id, ended }) => one.families.includes(id) && ended === undefined))
    .map(({ credential }) => credential)
}

function counted(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const rounded = (number: number) => Math.round(number * 10) / 10
const seconds = (ms: number) => rounded(ms / 1_000)
const time = (ms: number) => new Date(ms).toISOString().slice(11, 23)
