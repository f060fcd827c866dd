import { isReply, jsonReply } from './answers.ts'
import { any, assertionDoubt, type Call, differs, doubtOf, filled, parametersOf } from './client-authentication.ts'
import { Consent, end, type Pair, type Refreshed } from './consent.ts'
import type { Carried, Door, Minted, Parameters, Profile, Reply } from './profile.ts'
import type { Registration } from './registration.ts'
import { open, type Received } from './request.ts'

/** What the vendor answers next, whatever it is asked. */
export type Fault = 'dead grant' | 'throttled' | 'client error' | 'too early'

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
  reply: Reply
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
  /** a lifetime other than the documented one, for tokens that are minted from now on */
  accessSeconds: number | undefined
  readonly #now: () => number
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
    this.#now = now
    this.#addressOf = addressOf
  }

  /** A user agrees; the pair is what the code exchange answers. */
  consent(): Consent {
    const { lifetimes } = this.profile
    const { accessSeconds = lifetimes.accessSeconds } = this
    const profile = { ...this.profile, lifetimes: { ...lifetimes, accessSeconds } }
    const consent = new Consent(profile, this.#now, () => `${this.profile.name.replaceAll('/', '-')}-${++this.#serial}`)
    this.consents.push(consent)
    return consent
  }

  /** The access token is used at the vendor's API; a sentence says why it is refused. */
  callApi(access: string): string | undefined {
    const consent = this.#consentOf(access)
    return consent === undefined ? 'the access token is unknown' : consent.use(access)
  }

  /** The vendor's address with the account's values in it. */
  urlOf = (url: string): string => filled(url, { ...this.profile.account, client_id: this.registration.clientId })

  async answer(received: Received): Promise<Decision> {
    const decision = this.#decide(received)
    this.decisions.push(decision)
    return decision
  }

  #decide(received: Received): Decision {
    const { token, revocation, lookup } = this.profile
    const isAt = (door: Door) => withoutQuery(this.urlOf(door.url)) === received.url
    // one address may be two doors, told apart by method (Smartsheet)
    if (revocation && isAt(revocation.door) && (!isAt(token) || received.method !== token.method))
      return this.#revoke(received)
    if (isAt(token)) return this.#token(received)
    if (lookup && isAt(lookup.door)) return this.#look(received)
    const reply = jsonReply(404, { error: 'not_found' })
    const because = `${this.profile.name} has nothing at ${received.url}; its token endpoint is ${this.urlOf(token.url)}`
    return { door: 'none', received, parameters: {}, accepted: false, because, strange: [], reply }
  }

  #token(received: Received): Decision {
    const { profile } = this
    const { errors } = profile
    const opened = open(profile.token, this.urlOf(profile.token.url), received)
    const parameters = 'because' in opened ? {} : opened.parameters
    const strange = Object.keys(parameters).filter((name) => !this.#listed().includes(name))
    const about = { door: 'token', received, parameters, strange } as const
    const refuse = (because: string, reply: Reply): Decision => ({ ...about, accepted: false, because, reply })
    if ('because' in opened) return refuse(opened.because, errors.malformed)

    const header = Object.entries(profile.headers).find(
      ([name, value]) => !value.test(received.headers[name.toLowerCase()] ?? ''),
    )
    if (header !== undefined)
      return refuse(`the header ${header[0]} must match ${header[1]}`, this.#headerReply(header[0]))
    const call = this.#call(received, parameters)
    const [believed, doubt] = this.#authenticate(call)
    if (doubt !== undefined) return refuse(doubt, errors.clientError[0])
    const wrong = this.#parameterDoubt(parameters)
    if (wrong !== undefined) return refuse(wrong, errors.malformed)
    const fault = this.faults.shift()
    if (fault !== undefined)
      return refuse(`the test asked for ${typeof fault === 'string' ? fault : fault.status}`, this.#faultReply(fault))
    if (this.#overBudget()) return refuse('the budget is spent', errors.throttled[0])
    const granted = this.#grant(call)
    if ('because' in granted)
      return refuse(granted.because, granted.tooEarly && errors.tooEarly ? errors.tooEarly : errors.deadGrant[0])
    const minted = this.#minted(granted, call)
    const answer = profile.answer(minted)
    const reply = isReply(answer) ? answer : jsonReply(200, answer)
    const otherwise = believed === profile.client.by ? {} : { otherwise: believed }
    return {
      ...about,
      accepted: true,
      because: granted.again ? 'the same pair again' : 'a new pair',
      reply,
      minted,
      ...otherwise,
    }
  }

  /** A vendor that counts user agents throttles; all others find the request malformed. */
  #headerReply(name: string): Reply {
    const { errors } = this.profile
    return name.toLowerCase() === 'user-agent' ? errors.throttled[0] : errors.malformed
  }

  #authenticate(call: Call): [string, undefined] | [undefined, string] {
    const { client, alsoAccepts } = this.profile
    const doubt = doubtOf(client, call)
    if (doubt === undefined) return [client.by, undefined]
    const other = alsoAccepts.find((one) => doubtOf(one, call) === undefined)
    return other === undefined ? [undefined, doubt] : [other.by, undefined]
  }

  #parameterDoubt(parameters: Parameters): string | undefined {
    const { requires, requiresOfUser, grant } = this.profile
    const known = { ...this.profile.account, ...this.registration }
    const values = Object.entries({ ...requires, ...requiresOfUser }).map(([name, value]) => [
      name,
      filled(value, known),
    ])
    const needed = 'carried' in grant && grant.carried.in === 'parameter' ? { [grant.carried.name]: any } : {}
    return differs(parameters, { ...Object.fromEntries(values), ...needed })
  }

  #listed(): readonly string[] {
    const { requires, requiresOfUser, optional, grant, client, alsoAccepts } = this.profile
    const carried = 'carried' in grant && grant.carried.in === 'parameter' ? [grant.carried.name] : []
    const clients = [client, ...alsoAccepts].flatMap(parametersOf)
    return [...Object.keys(requires), ...Object.keys(requiresOfUser), ...optional, ...carried, ...clients]
  }

  #call(received: Received, parameters: Parameters): Call {
    const vendorUrl = this.urlOf(this.profile.token.url)
    return {
      registration: this.registration,
      parameters,
      headers: received.headers,
      addresses: [vendorUrl, this.#addressOf(vendorUrl)],
      account: this.profile.account,
      nowMs: this.#now(),
      seenIds: this.#seenIds,
    }
  }

  #grant(call: Call): Refreshed {
    const { grant } = this.profile
    if (grant.kind === 'client_credentials') return { pair: this.consent().newest, again: false }
    const token = carriedIn(grant.carried, call)
    if (grant.kind === 'assertion') {
      const doubt = assertionDoubt(token, grant.assertion, call)
      return doubt === undefined ? { pair: this.consent().newest, again: false } : { because: doubt }
    }
    if (grant.kind === 'exchange') {
      const consent = this.#consentOf(token)
      // what is sent beside it, as OneLogin asks, is looked at where the refresh token is
      return consent === undefined ? { because: 'the access token is unknown' } : consent.exchange(token)
    }
    const consent = this.consents.find(({ pairs }) => pairs.some((pair) => pair.refresh === token))
    return consent === undefined
      ? { because: 'the refresh token is unknown' }
      : (this.#beside(consent, call) ?? consent.refresh(token))
  }

  /** Where the access token has to come along, it must be the one of this grant. */
  #beside(consent: Consent, { parameters }: Call): Refreshed | undefined {
    if (this.profile.requires.access_token === undefined) return undefined
    const fits = consent.pairs.some(({ access }) => access === parameters.access_token)
    return fits ? undefined : { because: 'access_token is not the one of this grant' }
  }

  #minted({ pair }: { pair: Pair }, { parameters, headers }: Call): Minted {
    const { grant, rotation } = this.profile
    const consent = this.consents.findLast(({ pairs }) => pairs.includes(pair))
    const refreshSeconds = consent?.refreshSecondsLeft(pair)
    const nowMs = this.#now()
    const hasRefresh = grant.kind === 'refresh_token' && !(rotation.kind === 'none' && rotation.answers === 'absent')
    return {
      access: pair.access,
      ...(hasRefresh && { refresh: pair.refresh }),
      accessSeconds: Math.round((pair.accessDiesAtMs - nowMs) / 1000),
      ...(refreshSeconds !== undefined && { refreshSeconds }),
      nowMs,
      consentedAtMs: consent?.consentedAtMs ?? nowMs,
      account: this.profile.account,
      parameters,
      headers,
    }
  }

  #faultReply(fault: Fault | Reply): Reply {
    const { errors } = this.profile
    if (typeof fault === 'object') return fault
    switch (fault) {
      case 'dead grant':
        return errors.deadGrant[0]
      case 'throttled':
        return errors.throttled[0]
      case 'client error':
        return errors.clientError[0]
      case 'too early': {
        if (errors.tooEarly === undefined) throw new Error(`${this.profile.name} never says that it is too early`)
        return errors.tooEarly
      }
    }
  }

  #overBudget(): boolean {
    const { budget } = this.profile
    if (budget === undefined) return false
    const nowMs = this.#now()
    const recent = this.#spentAtMs.filter((spentAtMs) => spentAtMs > nowMs - budget.perSeconds * 1000)
    if (recent.length >= budget.requests) return true
    this.#spentAtMs.splice(0, this.#spentAtMs.length, ...recent, nowMs)
    return false
  }

  #revoke(received: Received): Decision {
    const { revocation } = this.profile
    if (revocation === undefined) throw new Error('only a vendor that can revoke comes here')
    const opened = open(revocation.door, this.urlOf(revocation.door.url), received)
    const parameters = 'because' in opened ? {} : opened.parameters
    const about = { door: 'revocation', received, parameters, strange: [] } as const
    const refuse = (because: string, reply: Reply): Decision => ({ ...about, accepted: false, because, reply })
    if ('because' in opened) return refuse(opened.because, this.profile.errors.malformed)
    const call = this.#call(received, parameters)
    const doubt = doubtOf(revocation.client, call) ?? differs(parameters, this.#filledAll(revocation.requires))
    if (doubt !== undefined) return refuse(doubt, this.profile.errors.clientError[0])
    const token =
      revocation.parameter === undefined ? carriedIn({ in: 'bearer header' }, call) : parameters[revocation.parameter]
    if (token === undefined) return refuse(`${revocation.parameter} is missing`, this.profile.errors.malformed)
    return this.#ended(token, about, refuse)
  }

  #ended(
    token: string,
    about: Pick<Decision, 'door' | 'received' | 'parameters' | 'strange'>,
    refuse: (because: string, reply: Reply) => Decision,
  ): Decision {
    const { revocation } = this.profile
    if (revocation === undefined) throw new Error('only a vendor that can revoke comes here')
    const { takes, ends, success, unknownToken } = revocation
    const fits = ({ access, refresh }: Pair) =>
      (takes !== 'refresh' && access === token) || (takes !== 'access' && refresh === token)
    const consent = this.consents.find(({ pairs }) => pairs.some(fits))
    if (consent === undefined)
      return refuse(`it is no ${takes === 'either' ? '' : takes} token that was handed out`, unknownToken)
    if (ends === 'the grant') consent.revoked ??= 'it was revoked'
    for (const pair of consent.pairs.filter(fits)) {
      if (pair.access === token) pair.accessDead ??= 'it was revoked'
      else end(pair, 'it was revoked')
    }
    return { ...about, accepted: true, because: `revoked ${ends}`, reply: success }
  }

  #look(received: Received): Decision {
    const { lookup } = this.profile
    if (lookup === undefined) throw new Error('only a vendor with a lookup comes here')
    const opened = open(lookup.door, this.urlOf(lookup.door.url), received)
    const parameters = 'because' in opened ? {} : opened.parameters
    const about = { door: 'lookup', received, parameters, strange: [] } as const
    const refuse = (because: string, status = 401): Decision => ({
      ...about,
      accepted: false,
      because,
      reply: jsonReply(status, { error: 'invalid_token' }),
    })
    if ('because' in opened) return refuse(opened.because, 400)
    const call = this.#call(received, parameters)
    const doubt = doubtOf(lookup.client, call)
    if (doubt !== undefined) return refuse(doubt)
    const token =
      lookup.parameter === undefined ? carriedIn({ in: 'bearer header' }, call) : (parameters[lookup.parameter] ?? '')
    const consent = this.#consentOf(token)
    const pair = consent?.pairs.find(({ access }) => access === token)
    if (pair === undefined || consent?.accessDoubt(pair) !== undefined) return refuse('the access token does not live')
    return {
      ...about,
      accepted: true,
      because: 'it lives',
      reply: jsonReply(200, lookup.answer(this.#minted({ pair }, call))),
    }
  }

  #filledAll(parameters: Parameters): Parameters {
    const known = { ...this.profile.account, ...this.registration }
    return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, filled(value, known)]))
  }

  #consentOf(access: string): Consent | undefined {
    return this.consents.find(({ pairs }) => pairs.some((pair) => pair.access === access))
  }
}

/** Some schemes are the vendor's own (`OAuth`, `token`); the token is what follows. */
function carriedIn(carried: Carried, { parameters, headers }: Call): string {
  if (carried.in === 'parameter') return parameters[carried.name] ?? ''
  return headers.authorization?.match(/^Bearer (.+)$/)?.[1] ?? ''
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
