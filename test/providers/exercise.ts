import { ApplicationFailure } from '@temporalio/common'
import { expect } from 'vitest'
import { open, readerKey } from '../../packages/reader/src/sealed.ts'
import { sealDebt } from '../../src/activities/debts.ts'
import { makeSeed } from '../../src/client/seed.ts'
import { textsIn } from '../../src/providers/template.ts'
import type { Refreshed } from '../../src/workflows/messages.ts'
import { decideReplay } from '../../src/workflows/rotation.ts'
import type { Decision, Fault } from '../emulators/emulator.ts'
import { type Minted, type Profile, type Reply, takesBack } from '../emulators/profile.ts'
import { keyring, type Life, type Stand } from './stand.ts'

const refreshes = ({ grant }: Profile) => grant.kind !== 'nothing'
/** Where all failures look alike, nobody can. */
const namesTheClient = (profile: Profile) => refreshes(profile) && profile.errors.alike !== true
const ofPerson = ({ grant }: Profile) => grant.kind === 'refresh_token' || grant.kind === 'exchange'
const isTold = (expiry: Profile['expiry']) => expiry === 'stated' || expiry === 'in the token' || expiry === 'by lookup'
const statesLifetime = (profile: Profile) =>
  refreshes(profile) && (isTold(profile.expiry) || ['stated', 'in the token'].includes(profile.refreshExpiry))

async function refreshesThrice(stand: Stand): Promise<void> {
  const life = await stand.begin()
  if (stand.profile.codeExchange !== undefined) await expectBegun(life)
  for (let turn = 0; turn < 3; turn++) {
    // a grant that no refresh prolongs may end before (Douyin)
    const leftSeconds = life.consent?.refreshSecondsLeft(life.consent.newest) ?? Number.POSITIVE_INFINITY
    if (turn > 0 && leftSeconds * 1000 <= life.latest.dueInMs) break
    life.untilDue()
    await expectRefreshed(life)
  }
}

/** The answer of the code exchange looks otherwise, and is understood all the same. */
async function expectBegun(life: Life): Promise<void> {
  const { emulator, profile } = life.stand
  const { newest } = life.consent ?? emulator.consent()
  const later = membersOf({
    status: 200,
    body: profile.answer(emulator.minted(newest, { parameters: {}, headers: {} })),
  })
  const document = await accessDocument(life)
  expect(document?.access_token === newest.access).toBe(true)
  expect(document?.scope).toBe(scopeOf(later, profile))
  expectNear(life.latest.accessLivesMs ?? 0, newest.accessDiesAtMs - newest.mintedAtMs)
}

/** The answer is believed before the documentation. */
async function livesAsStated(stand: Stand): Promise<void> {
  const { lifetimes, notBeforeSeconds = 0, expiry, refreshExpiry } = stand.profile
  const { accessSeconds, refreshIdleSeconds, refreshSeconds, refreshAbsoluteSeconds } = lifetimes
  const shorter = Math.round(accessSeconds * 0.77)
  const tells = refreshExpiry === 'stated' || refreshExpiry === 'in the token'
  const less = (seconds: number) => Math.round(seconds * 0.9)
  stand.emulator.otherLifetimes = {
    ...(isTold(expiry) && { accessSeconds: shorter > notBeforeSeconds ? shorter : Math.round(accessSeconds * 1.3) }),
    ...(tells && refreshIdleSeconds !== undefined && { refreshIdleSeconds: less(refreshIdleSeconds) }),
    ...(tells && refreshAbsoluteSeconds !== undefined && { refreshAbsoluteSeconds: less(refreshAbsoluteSeconds) }),
    ...(tells && refreshSeconds !== undefined && { refreshSeconds: less(refreshSeconds) }),
  }
  const life = await stand.begin()
  life.untilDue()
  await expectRefreshed(life)
  if (!stand.profile.endStated) return
  // by now it is known which of the two ends a refresh moves
  life.untilDue()
  await expectRefreshed(life)
  expectNear(life.latest.refreshEndsInMs ?? 0, (life.consent?.endsInSeconds ?? 0) * 1000)
}

/** One refresh that the vendor takes as its page shows it, and after which everyone knows what it granted. */
async function expectRefreshed(life: Life): Promise<Minted> {
  const { stand } = life
  const from = stand.emulator.decisions.length
  const refreshed = await life.refresh().catch((error: unknown) => {
    throw new Error(`${said(error)}; the vendor: ${stand.emulator.decisions.slice(from).map(shown).join('; ')}`)
  })
  const decisions = stand.emulator.decisions.slice(from)
  const [decision, ...others] = decisions.filter(({ door }) => door === 'token')
  expect(others.map(shown)).toEqual([])
  // where a client may not ask, the documentation has to do
  const mayFail = ({ door }: Decision) => door === 'lookup' && stand.profile.expiry !== 'by lookup'
  expect(decisions.filter((one) => !one.accepted && !mayFail(one)).map(shown)).toEqual([])
  expect({ strange: decision?.strange, otherwise: decision?.otherwise }).toEqual({ strange: [], otherwise: undefined })
  const minted = decision?.minted
  if (minted === undefined) throw new Error('the vendor minted nothing')
  await expectStored(life, refreshed, minted, decision)
  return minted
}

async function expectStored(life: Life, refreshed: Refreshed, minted: Minted, decision: Decision | undefined) {
  const { stand } = life
  const { profile, emulator } = stand
  const document = await accessDocument(life)
  expect(document?.access_token === minted.access).toBe(true)
  expect(String(document?.token_type).toLowerCase()).toBe((profile.scheme ?? 'Bearer').toLowerCase())
  expect(emulator.callApi(minted.access)).toBeUndefined()
  const answer = membersOf(decision?.reply)
  expect(document?.scope).toBe(scopeOf(answer, profile))
  const atStart = membersOf({ status: 200, body: life.response })
  for (const name of profile.metadata) expect(Object.values(document?.values ?? {})).toContain(answer[name])
  for (const name of profile.metadataAtStart ?? [])
    expect(Object.values(document?.values ?? {})).toContain(atStart[name])
  const { newest } = life.consent ?? {}
  expect(heldBy(life) === (profile.grant.kind === 'exchange' ? newest?.access : newest?.refresh)).toBe(true)
  expectLife(profile, refreshed, minted)
  expect(document?.dies_at_refresh ?? false).toBe(profile.oldAccessTokenDies)
  expectLate(profile, refreshed)
  // of a pair that came before, the time that has passed since is not told
  if (decision?.because === 'a new pair') expectDeadline(life, refreshed)
}

/** What the grant goes on with. */
function heldBy({ latest: { grant }, credential, client }: Life): string | undefined {
  if (grant === undefined) return undefined
  const held = JSON.parse(open(grant, keyring.grant, { cred: credential }).plaintext) as Record<string, string>
  return client.grant === 'access_token' ? held.access_token : held.refresh_token
}

function expectLife({ expiry, lifetimes }: Profile, { accessLivesMs = 0 }: Refreshed, minted: Minted): void {
  const knownSeconds = {
    stated: minted.accessSeconds,
    'in the token': minted.accessSeconds,
    'by lookup': minted.accessSeconds,
    documented: lifetimes.accessSeconds,
    // the default, where nobody says anything
    unknown: 1800,
    never: undefined,
  }[expiry]
  if (knownSeconds === undefined) expect(accessLivesMs).toBeGreaterThan(365 * 86_400_000)
  else expectNear(accessLivesMs, knownSeconds * 1000)
}

/** Where a refresh takes the token from its readers, it leaves them no more than an exchange needs, or the vendor asks. */
function expectLate({ oldAccessTokenDies, vendorLeadSeconds = 0 }: Profile, { accessLivesMs = 0, dueInMs }: Refreshed) {
  const leadMs = accessLivesMs - dueInMs
  if (oldAccessTokenDies) expect(leadMs).toBeLessThanOrEqual(Math.max(120_000, vendorLeadSeconds * 1000))
}

/** When the refresh token dies is known as well as the vendor lets it be known. */
function expectDeadline({ consent, stand }: Life, { refreshLivesMs, refreshEndsInMs }: Refreshed): void {
  const { refreshExpiry } = stand.profile
  const truth = refreshExpiry === 'unknown' ? undefined : consent?.refreshSecondsLeft(consent.newest)
  const known = [refreshLivesMs, refreshEndsInMs].filter((ms) => ms !== undefined)
  if (truth === undefined) expect(known).toEqual([])
  else expectNear(Math.min(...known), truth * 1000)
}

const expectNear = (ms: number, expectedMs: number) => expect(Math.abs(ms - expectedMs)).toBeLessThan(5_000)

/** The vendor has done its work: what the entry says of its rotation decides what is lost. */
async function survivesLoss(stand: Stand): Promise<void> {
  const life = await stand.begin()
  life.untilDue()
  stand.emulator.faults.push('lost')
  const failure = await failureOf(life.refresh())
  const { rotation, graceMs } = life.client.provider
  const mayRepeat = rotation === 'none' || rotation === 'rotates_old_valid'
  expect(failure.type).toBe(mayRepeat ? 'Unclear' : 'Ambiguous')
  const { atRisk, withinMs } = decideReplay({
    rotation,
    ...(graceMs === undefined ? {} : { graceMs }),
    how: 'answer_lost',
    sinceFirstUseMs: 0,
    accessRemainingMs: 600_000,
  })
  // nobody can save it, and it is known that it may be lost
  if (atRisk) return
  // at the last moment that is taken for safe
  stand.aheadMs += withinMs === undefined ? 0 : withinMs - 1_000
  await expectRefreshed(life)
  life.untilDue()
  await expectRefreshed(life)
}

/** Where nobody consented, it is the client's grant, and nobody to ask for another. */
async function seesDeadGrant(stand: Stand): Promise<void> {
  const type = ofPerson(stand.profile) ? 'GrantRefused' : 'ClientRefused'
  for (const reply of stand.profile.errors.deadGrant) await expectFailure(stand, reply, [type])
}

async function waitsWhenThrottled(stand: Stand): Promise<void> {
  for (const reply of stand.profile.errors.throttled) {
    const { delayMs } = await expectFailure(stand, reply, ['Throttled'])
    const retryAfter = Number(reply.headers?.['retry-after'] ?? 0)
    expect(delayMs).toBeGreaterThanOrEqual(retryAfter * 1000)
  }
}

async function blamesClient(stand: Stand): Promise<void> {
  for (const reply of stand.profile.errors.clientError) await expectFailure(stand, reply, ['ClientRefused'])
}

async function comesTooEarly(stand: Stand): Promise<void> {
  const { tooEarly } = stand.profile.errors
  if (tooEarly !== undefined) await expectFailure(stand, tooEarly, ['Throttled'])
  const life = await stand.begin()
  life.untilDue()
  await expectRefreshed(life)
}

async function expectFailure(stand: Stand, reply: Reply | Fault, types: readonly string[]) {
  const life = await stand.begin()
  life.untilDue()
  stand.emulator.faults.push(reply)
  const failure = await failureOf(life.refresh())
  const told = `${JSON.stringify(reply)} is taken for ${failure.type} (${failure.message})`
  expect(types, told).toContain(failure.type)
  expect(stand.opened.last().because).toContain('the test asked for')
  expectText(reply, failure.message)
  expectNoSecret(stand, failure)
  return failure
}

/** Whoever reads the failure finds what the vendor says to people, as far as it says anything. */
function expectText(reply: Reply | Fault, message: string): void {
  const body = typeof reply === 'object' ? reply.body : ''
  const lettersOf = (text: string) => text.replaceAll(/[^\p{L}\d]/gu, '')
  const texts = textsIn(body).filter((text) => / |[^\p{ASCII}]/u.test(text))
  if (texts.length > 0)
    expect(texts.some((text) => lettersOf(message).includes(lettersOf(text).slice(0, 20)))).toBe(true)
}

async function failureOf(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApplicationFailure)) throw new Error(`no failure of an attempt: ${said(error)}`)
  return { type: error.type ?? '', message: error.message, delayMs: Number(error.nextRetryDelay ?? 0), error }
}

function expectNoSecret({ emulator, hall }: Stand, { error }: { error: ApplicationFailure }): void {
  const { clientSecret } = emulator.registration
  const all = JSON.stringify([error.message, error.stack, error.details, hall.setting.logged, hall.setting.told])
  expect(all).not.toMatch(/(?:at|rt)-secret-/)
  expect(all.includes(clientSecret) || all.includes(encodeURIComponent(clientSecret))).toBe(false)
}

async function revokes(stand: Stand): Promise<void> {
  const { profile, emulator } = stand
  const life = await stand.begin()
  const later = ofPerson(profile) ? emulator.consent() : undefined
  if (profile.grant.kind !== 'nothing') {
    life.untilDue()
    await expectRefreshed(life)
  }
  const from = emulator.decisions.length
  const document = await accessDocument(life)
  const access = String(document?.access_token)
  const refresh = life.consent?.newest.refresh
  const held = profile.grant.kind === 'refresh_token' ? { refresh_token: refresh ?? '' } : {}
  const debt = { ...held, access_token: access, expires_at: document?.expires_at ?? '' }
  const { revoked } = await life.activities.revokeTokens({
    credential: life.credential,
    debt: sealDebt(life.deps, life.credential, life.latest.family, life.latest.generation, debt),
    parameters: life.own,
  })
  const all = emulator.decisions.slice(from)
  const decisions = all.filter(({ door }) => door === 'revocation')
  const mayAsk = profile.introspection !== undefined || profile.lookup?.parameter !== undefined
  if (profile.introspection !== undefined) expect(all.filter(({ accepted }) => !accepted).map(shown)).toEqual([])
  expect(all.some(({ door }) => door === 'lookup')).toBe(mayAsk)
  expect(decisions.filter(({ accepted }) => !accepted).map(shown)).toEqual([])
  expect(decisions.flatMap(({ strange }) => strange)).toEqual([])
  expect(revoked).toBeGreaterThan(0)
  expectRevoked(stand, { access, refresh })
  if (later !== undefined) expectLater(stand, later.newest.access)
}

/** Each kind of token that the vendor takes back is given back. */
function expectRevoked(
  { profile, emulator }: Stand,
  { access, refresh }: { access: string; refresh: string | undefined },
) {
  const { takes = 'either', ends } = profile.revocation ?? {}
  const sent = emulator.decisions
    .filter(({ door }) => door === 'revocation')
    .map(({ received }) => JSON.stringify(received))
  const was = (token: string) => sent.some((one) => one.includes(token) || one.includes(encodeURIComponent(token)))
  if (takes !== 'refresh') expect(was(access)).toBe(true)
  if (takes !== 'access' && profile.grant.kind === 'refresh_token') expect(was(refresh ?? '')).toBe(true)
  if (takes !== 'refresh' || ends !== 'the token') expect(emulator.callApi(access)).toBeDefined()
}

/** Whether a newer consent of the same user goes along, as the entry says. */
function expectLater({ profile, emulator, client }: Stand, access: string): void {
  const gone = emulator.callApi(access) !== undefined
  expect(gone).toBe(profile.revocation?.ends === 'the consent')
  expect(client.provider.revocation?.endsConsent ?? false).toBe(gone)
}

/** Two credentials that hold one refresh token would end each other. */
async function refusesOthers(stand: Stand): Promise<void> {
  const { profile, emulator, config } = stand
  const minted = emulator.minted(emulator.consent().newest, { parameters: {}, headers: {} })
  const tokenResponse = profile.codeExchangeOfOthers?.(minted)
  expect(() => makeSeed(config, 'acme/app/alice', { tokenResponse })).toThrow(/token response holds no pair/)
}

async function keepsAsItIs(stand: Stand): Promise<void> {
  const life = await stand.begin()
  const { access } = life.consent?.newest ?? {}
  expect((await accessDocument(life))?.access_token).toBe(access)
  const refreshed = await life.refresh()
  expect(stand.emulator.decisions).toEqual([])
  expect((await accessDocument(life))?.access_token).toBe(access)
  expect(refreshed.accessLivesMs).toBeGreaterThan(365 * 86_400_000)
}

async function accessDocument({ credential, stand }: Life) {
  const { access } = await stand.hall.setting.it.everything(credential)
  if (access === null) return undefined
  const key = readerKey(keyring.reader[0], 'acme')
  const { plaintext } = open(access, [key], { cred: credential })
  return JSON.parse(plaintext) as Record<string, unknown> & { expires_at: string; values?: Record<string, unknown> }
}

/** Where vendors put it: at the root, or under `data`. */
function scopeOf(answer: Record<string, unknown>, { scopeSeparator = ' ' }: Profile): string | undefined {
  const { scope } = { ...(answer.data as object | undefined), ...answer }
  if (typeof scope === 'string') return scope.split(scopeSeparator).join(' ')
  return Array.isArray(scope) ? scope.join(' ') : undefined
}

function membersOf(reply: Reply | undefined): Record<string, unknown> {
  if (typeof reply?.body === 'object') return { ...reply.body }
  return Object.fromEntries(new URLSearchParams(reply?.body ?? ''))
}

/** Without secrets: a failing test may be read by anyone. */
const shown = ({ door, received: { method, url }, because, reply, parameters }: Decision) =>
  `${method} ${url} (${door}; ${Object.keys(parameters).join(', ')}) → ${reply?.status}: ${because}`

const said = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Everything that can be tried of an entry, through the real activity, against the vendor that it describes. */
export const exercises: readonly {
  name: string
  applies(profile: Profile): boolean
  run(stand: Stand): Promise<void>
}[] = [
  { name: 'refreshes, and goes on with what came', applies: refreshes, run: refreshesThrice },
  { name: 'lives as long as the vendor says', applies: statesLifetime, run: livesAsStated },
  { name: 'survives an answer that got lost', applies: ofPerson, run: survivesLoss },
  { name: 'sees a dead grant', applies: refreshes, run: seesDeadGrant },
  { name: 'waits when throttled', applies: refreshes, run: waitsWhenThrottled },
  { name: 'does not blame the grant for the client', applies: namesTheClient, run: blamesClient },
  { name: 'is not deterred by too early', applies: ({ errors }) => errors.tooEarly !== undefined, run: comesTooEarly },
  { name: 'revokes', applies: takesBack, run: revokes },
  {
    name: 'takes no tokens of another grant',
    applies: ({ codeExchangeOfOthers }) => codeExchangeOfOthers !== undefined,
    run: refusesOthers,
  },
  { name: 'keeps what lives until it is revoked', applies: (profile) => !refreshes(profile), run: keepsAsItIs },
]
