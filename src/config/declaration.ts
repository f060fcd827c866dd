/**
 * What perennial.yaml declares, before any secret is read. Pure.
 */

import { endpointParameters } from '../providers/endpoint.ts'
import type { ClientAuthMethod, Provider } from '../providers/provider.ts'
import { nearest } from './nearest.ts'
import { check, type Problem } from './problem.ts'
import {
  clientSchema,
  type DeclaredClient,
  type DeclaredProvider,
  documentSchema,
  entriesSchema,
  keysSchema,
  providerSchema,
  readersSchema,
  redisSchema,
  type SecretSource,
  warningsSchema,
} from './schema.ts'

export interface Declaration {
  /** absent when it was not declared rightly, which is a problem of its own */
  redisUrl?: SecretSource
  keys: { grant: SecretSource[]; reader: SecretSource[] }
  sealed: boolean
  reconnectSoonDays: number[]
  clients: { name: string; declared: DeclaredClient; provider: Provider }[]
}

/** Takes the document apart; everything wrong with it goes to `problems`, and only what is right is returned. */
export function declare(document: unknown, problems: Problem[]): Declaration {
  if (document === null || document === undefined)
    problems.push({ path: [], message: 'is empty; it needs redis, keys, clients and providers' })
  check(documentSchema, [], document, problems)
  const sections = isMapping(document) ? document : {}
  const redis = check(redisSchema, ['redis'], sections.redis, problems)
  const keys = check(keysSchema, ['keys'], sections.keys, problems)
  const readers = check(readersSchema, ['readers'], sections.readers, problems)
  const warnings = check(warningsSchema, ['warnings'], sections.warnings, problems)
  const providers = declareProviders(sections.providers, problems)
  return {
    ...(redis === undefined ? {} : { redisUrl: redis.url }),
    keys: keys ?? { grant: [], reader: [] },
    sealed: readers?.sealed ?? true,
    reconnectSoonDays: warnings?.reconnectSoonDays ?? [],
    clients: declareClients(sections.clients, providers, problems),
  }
}

/** undefined: there is an entry of that name, and it is wrong */
type DeclaredProviders = Map<string, DeclaredProvider | undefined>

function declareProviders(section: unknown, problems: Problem[]): DeclaredProviders {
  const entries = check(entriesSchema, ['providers'], section, problems) ?? named(section)
  const providers: DeclaredProviders = new Map()
  for (const [name, entry] of Object.entries(entries)) {
    const path = ['providers', name]
    const declared = check(providerSchema, path, entry ?? {}, problems)
    const grace = declared === undefined ? undefined : graceProblem(declared)
    if (grace !== undefined) problems.push({ path: [...path, 'graceSeconds'], message: grace })
    providers.set(name, declared)
  }
  return providers
}

function graceProblem({ rotation, graceSeconds }: DeclaredProvider): string | undefined {
  if (rotation === 'grace' && graceSeconds === undefined)
    return 'is missing; rotation grace needs the seconds for which a used refresh token is still accepted'
  if (rotation !== 'grace' && graceSeconds !== undefined)
    return `belongs to rotation grace alone, and rotation is ${rotation}; remove one of the two`
  return undefined
}

function declareClients(section: unknown, providers: DeclaredProviders, problems: Problem[]): Declaration['clients'] {
  const entries = check(entriesSchema, ['clients'], section, problems) ?? named(section)
  return Object.entries(entries).flatMap(([name, entry]) => {
    const path = ['clients', name]
    const declared = check(clientSchema, path, entry ?? {}, problems)
    if (declared === undefined) return []
    if (!providers.has(declared.provider)) {
      problems.push({ path: [...path, 'provider'], message: undefinedProvider(declared.provider, providers) })
      return []
    }
    const provider = providers.get(declared.provider)
    if (provider === undefined) return []
    const found = clientProblems(declared, provider)
    problems.push(...found.map(({ path: inner, message }) => ({ path: [...path, ...inner], message })))
    return found.length > 0 ? [] : [{ name, declared, provider: resolveProvider(declared, provider) }]
  })
}

function undefinedProvider(name: string, providers: DeclaredProviders): string {
  const guess = nearest(name, [...providers.keys()])
  const advice =
    guess === undefined ? 'define it under providers' : `define it under providers, or did you mean ${guess}?`
  return `provider ${JSON.stringify(name)} is not defined; ${advice}`
}

function clientProblems(client: DeclaredClient, provider: DeclaredProvider): Problem[] {
  const problems: Problem[] = []
  const auth = clientAuthOf(client, provider)
  if (auth !== 'none' && client.clientSecrets.length === 0)
    problems.push({
      path: ['clientSecrets'],
      message: `needs at least one secret: clientAuth of provider ${client.provider} is ${auth}`,
    })
  if (auth === 'none' && client.clientSecrets.length > 0)
    problems.push({
      path: ['clientSecrets'],
      message: `would never be used: clientAuth of provider ${client.provider} is none; remove them or change it`,
    })
  // RFC 6749 section 4.4: this grant is for confidential clients only
  if (auth === 'none' && client.grant === 'client_credentials')
    problems.push({ path: ['clientSecrets'], message: 'is missing; grant client_credentials needs a client secret' })
  return [...problems, ...unusedParameters(client, provider)]
}

function unusedParameters(client: DeclaredClient, provider: DeclaredProvider): Problem[] {
  const { tokenEndpoint, revocationEndpoint = '', introspectionEndpoint = '' } = provider
  const used = [tokenEndpoint, revocationEndpoint, introspectionEndpoint].flatMap(endpointParameters)
  return Object.keys(client.parameters)
    .filter((name) => !used.includes(name))
    .map((name) => {
      const guess = nearest(name, used)
      const known = used.length === 0 ? 'they have none' : `they have ${used.join(', ')}`
      const advice = guess === undefined ? known : `did you mean ${guess}?`
      return {
        path: ['parameters', name],
        message: `no placeholder {${name}} in the endpoints of provider ${client.provider}; ${advice}`,
      }
    })
}

/** The provider as this client meets it. */
function resolveProvider(client: DeclaredClient, provider: DeclaredProvider): Provider {
  const { tokenEndpoint, revocationEndpoint, introspectionEndpoint, revocationEndsConsent } = provider
  const { rotation, graceSeconds, rateLimit } = provider
  const { refreshTokenIdleSeconds, refreshTokenAbsoluteSeconds, refreshTokenLifetimeSeconds } = provider
  return {
    name: client.provider,
    tokenEndpoint,
    clientAuth: clientAuthOf(client, provider),
    rotation,
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
    ...(introspectionEndpoint === undefined ? {} : { introspectionEndpoint }),
    ...(revocationEndsConsent === undefined ? {} : { revocationEndsConsent }),
    ...(graceSeconds === undefined ? {} : { graceMs: graceSeconds * 1000 }),
    ...(refreshTokenIdleSeconds === undefined ? {} : { refreshTokenIdleMs: refreshTokenIdleSeconds * 1000 }),
    ...(refreshTokenAbsoluteSeconds === undefined
      ? {}
      : { refreshTokenAbsoluteMs: refreshTokenAbsoluteSeconds * 1000 }),
    ...(refreshTokenLifetimeSeconds === undefined
      ? {}
      : { refreshTokenLifetimeMs: refreshTokenLifetimeSeconds * 1000 }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
  }
}

const clientAuthOf = (client: DeclaredClient, provider: DeclaredProvider): ClientAuthMethod =>
  provider.clientAuth ?? (client.clientSecrets.length > 0 ? 'client_secret_basic' : 'none')

/** What a section with a bad name in it holds beside that. */
function named(section: unknown): Record<string, unknown> {
  if (!isMapping(section)) return {}
  return Object.fromEntries(
    Object.entries(section).filter(([name]) => entriesSchema.safeParse({ [name]: null }).success),
  )
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
