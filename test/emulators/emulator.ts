import { jsonReply } from './answers.ts'
import { type Call, filled } from './client-authentication.ts'
import { Consent, type Pair } from './consent.ts'
import type { Door, Lifetimes, Minted, Parameters, Profile, Reply } from './profile.ts'
import type { Registration } from './registration.ts'
import type { Received } from './request.ts'
import { formDoor, introspectionDecision, lookupDecision, revocationDecision } from './side-doors.ts'
import { tokenDecision } from './token-door.ts'

/** What the vendor answers next, whatever it is asked. `lost`: it does its work, and the answer never arrives. */
export type Fault = 'dead grant' | 'throttled' | 'client error' | 'too early' | 'lost'

/** One request, and what the vendor made of it. */
export interface Decision {
  door: 'token' | 'revocation' | 'lookup' | 'none'
  received: Received
  parameters: Parameters
  accepted: boolean
  /** what a person needs to know when a test fails */
  because: string
  /** what the page does not list, and vendors ignore: a sign that the sender thinks of somebody else */
  strange: readonly string[]
  /** undefined where it gets lost */
  reply: Reply | undefined
  minted?: Minted
  /** where it was authenticated otherwise than the page recommends */
  otherwise?: string
}

/** One vendor with one client registered, and whatever users granted it. */
export class Emulator {
  readonly profile: Profile
  readonly registration: Registration
  readonly consents: Consent[] = []
  readonly decisions: Decision[] = []
  /** in order; each takes one request to the token endpoint */
  readonly faults: (Fault | Reply)[] = []
  /** lifetimes other than the documented ones, for consents that are given from now on */
  otherLifetimes: Partial<Lifetimes> = {}
  readonly now: () => number
  readonly #addressOf: (vendorUrl: string) => string
  readonly #seenIds = new Set<string>()
  readonly #spentAtMs: number[] = []
  #serial = 0

  constructor(
    profile: Profile,
    registration: Registration,
    now: () => number,
    addressOf: (vendorUrl: string) => string,
  ) {
    this.profile = profile
    this.registration = registration
    this.now = now
    this.#addressOf = addressOf
  }

  /** A user agrees; the pair is what the code exchange answers. */
  consent(): Consent {
    const { lifetimes } = this.profile
    const profile = { ...this.profile, lifetimes: { ...lifetimes, ...this.otherLifetimes } }
    const consent = new Consent(profile, this.now, () => `${this.profile.name.replaceAll('/', '-')}-${++this.#serial}`)
    this.consents.push(consent)
    return consent
  }

  /** The access token is used at the vendor's API; a sentence says why it is refused. */
  callApi(access: string): string | undefined {
    const consent = this.consentOf(access)
    return consent === undefined ? 'the access token is unknown' : consent.use(access)
  }

  /** The vendor's address with the account's values in it. */
  urlOf = (url: string): string => filled(url, { ...this.profile.account, client_id: this.registration.clientId })

  /** What `{clientId}`, `{redirectUri}`, `{realm}` and so on are here. */
  valuesOf = (parameters: Parameters): Parameters => {
    const known = { ...this.profile.account, ...this.registration }
    return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, filled(value, known)]))
  }

  answer(received: Received): Decision {
    const decision = this.#decide(received)
    this.decisions.push(decision)
    return decision
  }

  #decide(received: Received): Decision {
    const { token, revocation, lookup, introspection } = this.profile
    const isAt = (door: Door) => withoutQuery(this.urlOf(door.url)) === received.url
    // one address may be two doors, told apart by method (Smartsheet)
    if (revocation && isAt(revocation.door) && (!isAt(token) || received.method !== token.method))
      return revocationDecision(this, revocation, received)
    if (isAt(token)) return tokenDecision(this, received)
    if (lookup && isAt(lookup.door)) return lookupDecision(this, lookup, received)
    if (introspection && isAt(formDoor(introspection))) return introspectionDecision(this, introspection, received)
    const reply = jsonReply(404, { error: 'not_found' })
    const because = `${this.profile.name} has nothing at ${received.url}; its token endpoint is ${this.urlOf(token.url)}`
    return { door: 'none', received, parameters: {}, accepted: false, because, strange: [], reply }
  }

  call(received: Received, parameters: Parameters): Call {
    const vendorUrl = this.urlOf(this.profile.token.url)
    return {
      registration: this.registration,
      parameters,
      headers: received.headers,
      // the token endpoint, or the door that was knocked at
      addresses: [vendorUrl, received.url].flatMap((url) => [url, this.#addressOf(url)]),
      account: this.profile.account,
      nowMs: this.now(),
      seenIds: this.#seenIds,
    }
  }

  consentOf(access: string): Consent | undefined {
    return this.consents.find(({ pairs }) => pairs.some((pair) => pair.access === access))
  }

  minted(pair: Pair, { parameters, headers }: Pick<Call, 'parameters' | 'headers'>): Minted {
    const { grant, rotation, account } = this.profile
    const consent = this.consents.findLast(({ pairs }) => pairs.includes(pair))
    const refreshSeconds = consent?.refreshSecondsLeft(pair)
    const nowMs = this.now()
    const hasRefresh = grant.kind === 'refresh_token' && !(rotation.kind === 'none' && rotation.answers === 'absent')
    return {
      access: pair.access,
      ...(hasRefresh && { refresh: pair.refresh }),
      accessSeconds: Math.round((pair.accessDiesAtMs - nowMs) / 1000),
      ...(refreshSeconds !== undefined && { refreshSeconds }),
      ...(consent !== undefined && consent.endsInSeconds !== undefined && { endsInSeconds: consent.endsInSeconds }),
      nowMs,
      consentedAtMs: consent?.consentedAtMs ?? nowMs,
      account,
      parameters,
      headers,
    }
  }

  /** Counts a request; false where it is one too many. */
  spend(): boolean {
    const { budget } = this.profile
    if (budget === undefined) return true
    const nowMs = this.now()
    const recent = this.#spentAtMs.filter((spentAtMs) => spentAtMs > nowMs - budget.perSeconds * 1000)
    const fits = recent.length < budget.requests
    this.#spentAtMs.splice(0, this.#spentAtMs.length, ...recent, ...(fits ? [nowMs] : []))
    return fits
  }
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
