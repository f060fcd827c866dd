/**
 * From an entry, its variant and a client's own settings to the provider as that client meets it; and what is wrong
 * with one. Pure.
 */
import type { RotationClass } from '../credential.ts'
import { nearest } from '../nearest.ts'
import { endpointProblem, parameterRule, parameterValue } from './endpoint.ts'
import { type EntryProblem, layered } from './inheritance.ts'
import { endpointsOf, mayNameSite, usedParameters, valueProblem } from './parameters.ts'
import type { Provider } from './provider.ts'
import { type Behaviour, behaviourSchema, type ClientAuthMethod, type ProviderEntry } from './schema.ts'
import { placeholders, requestNames } from './template.ts'

/** What a client may say differently, for its own registration. */
export interface ClientSettings {
  variant?: string | undefined
  rotation?: RotationClass | undefined
  graceSeconds?: number | undefined
  clientAuth?: ClientAuthMethod | undefined
}

/** What an entry says about behaviour, without what is for people. */
export function behaviourOf(entry: ProviderEntry): Behaviour {
  const known = Object.keys(behaviourSchema.shape)
  return Object.fromEntries(Object.entries(entry).filter(([key]) => known.includes(key)))
}

/** The behaviour that a client meets, or what is wrong with its settings, at their names. */
export function chosen(entry: ProviderEntry, settings: ClientSettings): Behaviour | EntryProblem {
  const { variant, ...overrides } = settings
  const base = behaviourOf(entry)
  if (variant === undefined) return layered(base, overrides)
  const variants = entry.variants ?? {}
  const set = Object.hasOwn(variants, variant) ? variants[variant]?.set : undefined
  if (set === undefined) return { path: ['variant'], message: unknownVariant(variant, Object.keys(variants)) }
  return layered(layered(base, set), overrides)
}

function unknownVariant(variant: string, known: readonly string[]): string {
  const guess = nearest(variant, known)
  const advice =
    known.length === 0 ? 'it has none' : guess === undefined ? `it has ${known.join(', ')}` : `did you mean ${guess}?`
  return `${JSON.stringify(variant)} is no variant of the provider; ${advice}`
}

/** What becomes of what nobody knows: the safe side. */
export function resolved(name: string, behaviour: Behaviour, clientAuth: ClientAuthMethod): Provider {
  const { grant: _, graceSeconds, rotation = 'single_use', ...others } = behaviour
  const { refreshTokenIdleSeconds, refreshTokenAbsoluteSeconds, refreshTokenLifetimeSeconds, ...timed } = others
  const { notBeforeSeconds, minRefreshIntervalSeconds, refreshBeforeExpirySeconds, ...rest } = timed
  return {
    ...rest,
    name,
    clientAuth,
    rotation,
    ...inMs({
      graceMs: graceSeconds,
      refreshTokenIdleMs: refreshTokenIdleSeconds,
      refreshTokenAbsoluteMs: refreshTokenAbsoluteSeconds,
      refreshTokenLifetimeMs: refreshTokenLifetimeSeconds,
      notBeforeMs: notBeforeSeconds,
      minRefreshIntervalMs: minRefreshIntervalSeconds,
      refreshBeforeExpiryMs: refreshBeforeExpirySeconds,
    }),
  }
}

/** Seconds, where there are any, as milliseconds. */
function inMs<K extends string>(seconds: Record<K, number | undefined>): { [_ in K]?: number } {
  const known = Object.entries<number | undefined>(seconds).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value * 1000]],
  )
  return Object.fromEntries(known)
}

/** An entry, as it stands after inheritance, and each of its variants: what no single field shows. */
export function entryProblems(entry: ProviderEntry): EntryProblem[] {
  const base = behaviourOf(entry)
  const ofVariants = Object.entries(entry.variants ?? {}).flatMap(([name, { set }]) =>
    behaviourProblems(layered(base, set))
      .filter(({ path }) => Object.hasOwn(set, path[0] ?? ''))
      .map(({ path, message }) => ({ path: ['variants', name, 'set', ...path], message })),
  )
  return [...behaviourProblems(base), ...ofVariants]
}

export const behaviourProblems = (behaviour: Behaviour): EntryProblem[] => [
  ...rotationProblems(behaviour),
  ...parameterProblems(behaviour),
  ...endpointProblems(behaviour),
  ...requestProblems(behaviour),
  ...answerProblems(behaviour),
]

function rotationProblems({ rotation = 'single_use', graceSeconds }: Behaviour): EntryProblem[] {
  const path = ['graceSeconds']
  if (rotation === 'grace' && graceSeconds === undefined)
    return [
      {
        path,
        message: 'is missing; rotation grace needs the seconds for which a used refresh token is still accepted',
      },
    ]
  if (rotation !== 'grace' && rotation !== 'until_new_used' && graceSeconds !== undefined)
    return [
      {
        path,
        message: `belongs to rotation grace or until_new_used, and rotation is ${rotation}; remove one of the two`,
      },
    ]
  return []
}

function parameterProblems({ parameters = {} }: Behaviour): EntryProblem[] {
  return Object.entries(parameters).flatMap(([name, rules]) => {
    const path = ['parameters', name]
    if (requestNames.some((known) => known === name))
      return [{ path, message: `is a name of Perennial's own (${requestNames.join(', ')}); take another` }]
    return (['default', 'example'] as const).flatMap((field) => {
      const value = rules[field]
      const problem = value === undefined ? undefined : valueProblem(value, rules)
      return problem === undefined ? [] : [{ path: [...path, field], message: problem }]
    })
  })
}

const endpointNames = ['issuer', 'tokenEndpoint', 'revocationEndpoint', 'introspectionEndpoint'] as const

function endpointProblems(behaviour: Behaviour): EntryProblem[] {
  const { parameters = {}, expiryLookup } = behaviour
  const named: { path: string[]; template: string | undefined }[] = [
    ...endpointNames.map((name) => ({ path: [name], template: behaviour[name] })),
    { path: ['expiryLookup', 'endpoint'], template: expiryLookup?.endpoint },
  ]
  return named.flatMap(({ path, template }) => {
    if (template === undefined) return []
    const message = endpointProblem(template, (name) => mayNameSite(parameters[name]))
    return message === undefined ? [] : [{ path, message: siteAdvice(message) }]
  })
}

const siteAdvice = (message: string) =>
  /followed by a dot/.test(message)
    ? `${message}; or list its values, or let perennial.yaml alone set it (setBy: client)`
    : message

/** What the product writes into a token request by itself, and an entry may rename or leave out. */
const standardParameters = [
  'grant_type',
  'refresh_token',
  'client_id',
  'client_secret',
  'assertion',
  'client_assertion',
  'client_assertion_type',
]

function requestProblems(behaviour: Behaviour): EntryProblem[] {
  const { tokenRequest = {}, grant, clientAuth, assertion, accessTokenNeverExpires } = behaviour
  const { method, encoding, rename = {}, remove = [] } = tokenRequest
  const problems: EntryProblem[] = []
  if (method === 'GET' && encoding !== undefined && encoding !== 'query')
    problems.push({ path: ['tokenRequest', 'encoding'], message: `is ${encoding}, and a GET has no body: query` })
  for (const [field, names] of [
    ['rename', Object.keys(rename)],
    ['remove', remove],
  ] as const)
    for (const name of names.filter((one) => !standardParameters.includes(one)))
      problems.push({
        path: ['tokenRequest', field],
        message: `names ${JSON.stringify(name)}, which is not sent; known here: ${standardParameters.join(', ')}`,
      })
  const named = tokenRequest.grantType !== undefined || remove.includes('grant_type')
  // a token that never expires is exchanged for nothing
  if (grant === 'access_token' && !named && !accessTokenNeverExpires)
    problems.push({
      path: ['tokenRequest', 'grantType'],
      message: 'is missing; grant access_token has no standard one (remove: [grant_type] where none is sent)',
    })
  if (assertion?.sentAs === 'bearer' && clientAuth?.startsWith('client_secret_basic'))
    problems.push({
      path: ['assertion', 'sentAs'],
      message: `is bearer, and clientAuth ${clientAuth} needs the same header; change one of the two`,
    })
  return problems
}

function answerProblems(behaviour: Behaviour): EntryProblem[] {
  const { expiryLookup, introspectionEndpoint, issuer } = behaviour
  if (expiryLookup !== undefined && (expiryLookup.endpoint ?? introspectionEndpoint ?? issuer) === undefined)
    return [{ path: ['expiryLookup', 'endpoint'], message: 'is missing, and there is no introspectionEndpoint' }]
  return []
}

/** What a client's own parameters have against them, by name. */
export function clientParameterProblems(provider: Provider, given: Readonly<Record<string, string>>): EntryProblem[] {
  const used = usedParameters(provider)
  const inEndpoints = endpointsOf(provider).flatMap(placeholders)
  return Object.entries(given).flatMap(([name, value]) => {
    const path = ['parameters', name]
    if (!used.includes(name)) return [{ path, message: unusedParameter(name, used, provider.name) }]
    const misplaced = inEndpoints.includes(name) && !parameterValue.test(value)
    const problem = misplaced ? `must be ${parameterRule}` : valueProblem(value, provider.parameters?.[name])
    return problem === undefined ? [] : [{ path, message: problem }]
  })
}

function unusedParameter(name: string, used: readonly string[], provider: string): string {
  const guess = nearest(name, used)
  const known = used.length === 0 ? 'it has none' : `it has ${used.join(', ')}`
  return `no placeholder {${name}} in the endpoints and requests of provider ${provider}; ${guess === undefined ? known : `did you mean ${guess}?`}`
}
