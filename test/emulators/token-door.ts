import { isReply, jsonReply } from './answers.ts'
import { any, assertionDoubt, type Call, carriedIn, differs, doubtOf, parametersOf } from './client-authentication.ts'
import type { Consent, Refreshed } from './consent.ts'
import type { Decision, Emulator, Fault } from './emulator.ts'
import type { Parameters, Profile, Reply } from './profile.ts'
import { open, type Received } from './request.ts'

/** What a vendor's token endpoint makes of a request: its form first, then who asks, then what for. */
export function tokenDecision(emulator: Emulator, received: Received): Decision {
  const { profile, registration } = emulator
  const { errors } = profile
  const opened = open(profile.token, emulator.urlOf(profile.token.url), received)
  const parameters = 'because' in opened ? {} : opened.parameters
  const strange = Object.keys(parameters).filter((name) => !listed(profile).includes(name))
  const about = { door: 'token', received, parameters, strange } as const
  const refuse = (because: string, reply: Reply): Decision => ({ ...about, accepted: false, because, reply })
  if ('because' in opened) return refuse(opened.because, errors.malformed)
  const header = headerDoubt(profile, received)
  if (header !== undefined) return refuse(header, headerReply(profile, header))
  const call = emulator.call(received, parameters)
  const [believed, doubt] = authenticate(profile, call)
  if (doubt !== undefined) return refuse(doubt, errors.clientError[0])
  const wrong = parameterDoubt(emulator, parameters)
  if (wrong !== undefined) return refuse(wrong, errors.malformed)
  const [fault] = emulator.faults.splice(0, 1)
  if (fault !== undefined && fault !== 'lost')
    return refuse(`the test asked for ${typeof fault === 'string' ? fault : fault.status}`, faultReply(profile, fault))
  if (!emulator.spend()) return refuse('the budget is spent', errors.throttled[0])
  const granted = grant(emulator, call)
  if ('because' in granted)
    return refuse(granted.because, granted.tooEarly && errors.tooEarly ? errors.tooEarly : refusalOf(profile))
  const minted = emulator.minted(granted.pair, call)
  const answer = profile.answer({ ...minted, account: { ...minted.account, client_id: registration.clientId } })
  return {
    ...about,
    accepted: true,
    because: granted.again ? 'the same pair again' : 'a new pair',
    reply: fault === 'lost' ? undefined : isReply(answer) ? answer : jsonReply(200, answer),
    minted,
    ...(believed !== profile.client.by && { otherwise: believed }),
  }
}

/** An assertion that is not believed is the client's fault. */
const refusalOf = ({ grant: { kind }, errors }: Profile): Reply =>
  kind === 'assertion' ? errors.clientError[0] : errors.deadGrant[0]

function headerDoubt({ headers }: Profile, received: Received): string | undefined {
  const wrong = Object.entries(headers).find(([name, value]) => !value.test(received.headers[name.toLowerCase()] ?? ''))
  return wrong === undefined ? undefined : `the header ${wrong[0]} must match ${wrong[1]}`
}

/** A vendor that counts user agents throttles; all others find the request malformed. */
const headerReply = ({ errors }: Profile, doubt: string): Reply =>
  /user-agent/i.test(doubt) ? errors.throttled[0] : errors.malformed

function authenticate({ client, alsoAccepts }: Profile, call: Call): [string, undefined] | [undefined, string] {
  const doubt = doubtOf(client, call)
  if (doubt === undefined) return [client.by, undefined]
  const other = alsoAccepts.find((one) => doubtOf(one, call) === undefined)
  return other === undefined ? [undefined, doubt] : [other.by, undefined]
}

function parameterDoubt(emulator: Emulator, parameters: Parameters): string | undefined {
  const { requires, requiresOfUser, clientAsks } = emulator.profile
  const needed = Object.fromEntries(carriedNames(emulator.profile).map((name) => [name, any]))
  return differs(parameters, { ...emulator.valuesOf({ ...requires, ...requiresOfUser, ...clientAsks }), ...needed })
}

/** What the page names, at all. */
function listed(profile: Profile): readonly string[] {
  const { requires, requiresOfUser, clientAsks, optional, client, alsoAccepts } = profile
  const clients = [client, ...alsoAccepts].flatMap(parametersOf)
  return [
    ...Object.keys({ ...requires, ...requiresOfUser, ...clientAsks }),
    ...optional,
    ...carriedNames(profile),
    ...clients,
  ]
}

function carriedNames({ grant }: Profile): readonly string[] {
  return 'carried' in grant && grant.carried.in === 'parameter' ? [grant.carried.name] : []
}

function grant(emulator: Emulator, call: Call): Refreshed {
  const { grant } = emulator.profile
  if (grant.kind === 'nothing') return { because: 'there is nothing to refresh with' }
  if (grant.kind === 'client_credentials') return { pair: emulator.consent().newest, again: false }
  const token = carriedIn(grant.carried, call)
  if (grant.kind === 'assertion') {
    const doubt = assertionDoubt(token, grant.assertion, call)
    return doubt === undefined ? { pair: emulator.consent().newest, again: false } : { because: doubt }
  }
  if (grant.kind === 'exchange')
    return emulator.consentOf(token)?.exchange(token) ?? { because: 'the access token is unknown' }
  const consent = emulator.consents.find(({ pairs }) => pairs.some((pair) => pair.refresh === token))
  if (consent === undefined) return { because: 'the refresh token is unknown' }
  return beside(emulator, consent, call) ?? consent.refresh(token)
}

/** Where the access token has to come along, it must be the one of this grant (OneLogin). */
function beside({ profile }: Emulator, consent: Consent, { parameters }: Call): Refreshed | undefined {
  if (profile.requires.access_token === undefined) return undefined
  const fits = consent.pairs.some(({ access }) => access === parameters.access_token)
  return fits ? undefined : { because: 'access_token is not the one of this grant' }
}

function faultReply({ name, errors }: Profile, fault: Exclude<Fault, 'lost'> | Reply): Reply {
  if (typeof fault === 'object') return fault
  switch (fault) {
    case 'dead grant':
      return errors.deadGrant[0]
    case 'throttled':
      return errors.throttled[0]
    case 'client error':
      return errors.clientError[0]
    case 'too early':
      if (errors.tooEarly === undefined) throw new Error(`${name} never says that it is too early`)
      return errors.tooEarly
  }
}
