import { jsonReply } from './answers.ts'
import { carriedIn, differs, doubtOf, parametersOf } from './client-authentication.ts'
import { end, type Pair } from './consent.ts'
import type { Decision, Emulator } from './emulator.ts'
import type { Door, Lookup, Parameters, Reply, Revocation } from './profile.ts'
import { open, type Received } from './request.ts'

/** What becomes of a token that somebody wants ended. */
export function revocationDecision(emulator: Emulator, revocation: Revocation, received: Received): Decision {
  const { errors } = emulator.profile
  const { door, client, requires, parameter, success, unknownToken } = revocation
  const opened = open(door, emulator.urlOf(door.url), received)
  const parameters = 'because' in opened ? {} : opened.parameters
  const strange = Object.keys(parameters).filter((name) => !listed(revocation).includes(name))
  const about = { door: 'revocation', received, parameters, strange } as const
  const refuse = (because: string, reply: Reply): Decision => ({ ...about, accepted: false, because, reply })
  if ('because' in opened) return refuse(opened.because, errors.malformed)
  const call = emulator.call(received, parameters)
  const strayBearer = client.by !== 'access token' && received.headers.authorization?.startsWith('Bearer ')
  const stray = strayBearer ? 'nobody asks for the token as bearer' : undefined
  const doubt = stray ?? doubtOf(client, call) ?? differs(parameters, emulator.valuesOf(requires))
  if (doubt !== undefined) return refuse(doubt, errors.clientError[0])
  const token = parameter === undefined ? carriedIn({ in: 'bearer header' }, call) : parameters[parameter]
  if (token === undefined) return refuse(`${parameter} is missing`, errors.malformed)
  const because = revoke(emulator, revocation, token)
  if (because !== undefined) return refuse(because, unknownToken)
  return { ...about, accepted: true, because: `revoked ${revocation.ends}`, reply: success }
}

const listed = ({ parameter, requires, client }: Revocation): readonly string[] => [
  ...(parameter === undefined ? [] : [parameter]),
  'token_type_hint',
  ...Object.keys(requires),
  ...parametersOf(client),
]

/** Why nothing was revoked; undefined where something was. */
function revoke({ consents }: Emulator, { takes, ends }: Revocation, token: string): string | undefined {
  const fits = ({ access, refresh }: Pair) =>
    (takes !== 'refresh' && access === token) || (takes !== 'access' && refresh === token)
  const consent = consents.find(({ pairs }) => pairs.some(fits))
  if (consent === undefined) return `it is no ${takes === 'either' ? '' : `${takes} `}token that was handed out`
  for (const one of ends === 'the consent' ? consents : ends === 'the grant' ? [consent] : [])
    one.revoked ??= 'it was revoked'
  for (const pair of consent.pairs.filter(fits)) {
    if (pair.access === token) pair.accessDead ??= 'it was revoked'
    else end(pair, 'it was revoked')
  }
  return undefined
}

/** What a vendor says of an access token. */
export function lookupDecision(emulator: Emulator, lookup: Lookup, received: Received): Decision {
  const { door, client, parameter, scheme = 'Bearer' } = lookup
  const opened = open(door, emulator.urlOf(door.url), received)
  const parameters: Parameters = 'because' in opened ? {} : opened.parameters
  const about = { door: 'lookup', received, parameters, strange: [] } as const
  const refuse = (because: string, status = 401): Decision => ({
    ...about,
    accepted: false,
    because,
    reply: jsonReply(status, { error: 'invalid_token' }),
  })
  if ('because' in opened) return refuse(opened.because, 400)
  const call = emulator.call(received, parameters)
  const doubt = doubtOf(client, call)
  if (doubt !== undefined) return refuse(doubt)
  const said = received.headers.authorization?.split(' ')[0]
  if (client.by === 'access token' && said !== scheme) return refuse(`the scheme is ${scheme}, not ${said}`)
  const token = parameter === undefined ? carriedIn({ in: 'bearer header' }, call) : (parameters[parameter] ?? '')
  const consent = emulator.consentOf(token)
  const pair = consent?.pairs.find(({ access }) => access === token)
  if (pair === undefined || consent?.accessDoubt(pair) !== undefined) return refuse('the access token does not live')
  const reply = jsonReply(200, lookup.answer(emulator.minted(pair, call)))
  return { ...about, accepted: true, because: 'it lives', reply }
}

export const formDoor = (url: string): Door => ({ url, method: 'POST', encoding: 'form' })

/** RFC 7662: whether a token of any kind lives. Without a lookup of its own, that is all that it tells. */
export function introspectionDecision(emulator: Emulator, url: string, received: Received): Decision {
  const { revocation, client } = emulator.profile
  const opened = open(formDoor(url), emulator.urlOf(url), received)
  const parameters: Parameters = 'because' in opened ? {} : opened.parameters
  const about = { door: 'lookup', received, parameters, strange: [] } as const
  const doubt =
    'because' in opened ? opened.because : doubtOf(revocation?.client ?? client, emulator.call(received, parameters))
  if (doubt !== undefined)
    return { ...about, accepted: false, because: doubt, reply: jsonReply(401, { error: 'invalid_client' }) }
  const { token = '' } = parameters
  const consent = emulator.consents.find(({ pairs }) =>
    pairs.some(({ access, refresh }) => [access, refresh].includes(token)),
  )
  const pair = consent?.pairs.findLast(({ access, refresh }) => [access, refresh].includes(token))
  const isAccess = pair?.access === token
  const dead = pair === undefined || (isAccess ? consent?.accessDoubt(pair) : (consent?.revoked ?? pair.refreshDead))
  return { ...about, accepted: true, because: 'it was asked', reply: jsonReply(200, { active: !dead }) }
}
