/**
 * What perennial.yaml declares, before any secret is read. Pure.
 */

import type { GrantKind } from '../credential.ts'
import { nearest } from '../nearest.ts'
import { catalogue } from '../providers/catalogue/index.ts'
import { type Entries, inherited, isProblem } from '../providers/inheritance.ts'
import type { ClientAuthMethod, Provider } from '../providers/provider.ts'
import { behaviourProblems, chosen, clientParameterProblems, entryProblems, resolved } from '../providers/resolve.ts'
import { type Behaviour, type ProviderEntry, providerSchema, sendsSecret, signsJwt } from '../providers/schema.ts'
import { textsIn } from '../providers/template.ts'
import { check, type Problem } from './problem.ts'
import {
  clientSchema,
  type DeclaredClient,
  documentSchema,
  entriesSchema,
  keysSchema,
  metricsSchema,
  readersSchema,
  redisSchema,
  type SecretSource,
  warningsSchema,
} from './schema.ts'

export interface Declaration {
  /** absent when it was not declared rightly, which is a problem of its own */
  redisUrl?: SecretSource
  keys: { grant: SecretSource[]; reader: SecretSource[] }
  readers: { sealed: boolean; tenants: Record<string, string[]> }
  reconnectSoonDays: number[]
  metrics: { prometheus?: string }
  clients: { name: string; declared: DeclaredClient; grant: GrantKind; provider: Provider }[]
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
  const { prometheus } = check(metricsSchema, ['metrics'], sections.metrics, problems) ?? {}
  const providers = declareProviders(sections.providers, problems)
  return {
    ...(redis === undefined ? {} : { redisUrl: redis.url }),
    keys: keys ?? { grant: [], reader: [] },
    readers: {
      sealed: readers?.sealed ?? true,
      tenants: Object.fromEntries(
        Object.entries(readers?.tenants ?? {}).map(([tenant, declared]) => [tenant, declared?.passwordHashes ?? []]),
      ),
    },
    reconnectSoonDays: warnings?.reconnectSoonDays ?? [],
    metrics: prometheus === undefined ? {} : { prometheus },
    clients: declareClients(sections.clients, providers, problems),
  }
}

/** undefined: there is an entry of that name, and it is wrong */
type DeclaredProviders = Map<string, ProviderEntry | undefined>

/** The user's own entries, with all that they inherit. */
function declareProviders(section: unknown, problems: Problem[]): DeclaredProviders {
  const entries = check(entriesSchema, ['providers'], section, problems) ?? named(section)
  const right: Entries = Object.fromEntries(
    Object.entries(entries).flatMap(([name, entry]) => {
      const declared = check(providerSchema, ['providers', name], entry ?? {}, problems)
      return declared === undefined ? [] : [[name, declared]]
    }),
  )
  const declareOne = (name: string): ProviderEntry | undefined => {
    if (!Object.hasOwn(right, name)) return undefined
    const entry = inherited(name, right, catalogue)
    const found = isProblem(entry) ? [entry] : entryProblems(entry)
    problems.push(...found.map(({ path, message }) => ({ path: ['providers', name, ...path], message })))
    return isProblem(entry) || found.length > 0 ? undefined : entry
  }
  return new Map(Object.keys(entries).map((name) => [name, declareOne(name)]))
}

function declareClients(section: unknown, providers: DeclaredProviders, problems: Problem[]): Declaration['clients'] {
  const entries = check(entriesSchema, ['clients'], section, problems) ?? named(section)
  return Object.entries(entries).flatMap(([name, entry]) => {
    const path = ['clients', name]
    const declared = check(clientSchema, path, entry ?? {}, problems)
    if (declared === undefined) return []
    const known = providers.has(declared.provider) ? providers.get(declared.provider) : ofCatalogue(declared.provider)
    if (known === undefined) {
      // a wrong entry was told of already
      if (!providers.has(declared.provider))
        problems.push({ path: [...path, 'provider'], message: undefinedProvider(declared.provider, providers) })
      return []
    }
    const result = declareClient(declared, known)
    if (!Array.isArray(result)) return [{ name, declared, ...result }]
    problems.push(...result.map(({ path: inner, message }) => ({ path: [...path, ...inner], message })))
    return []
  })
}

function ofCatalogue(name: string): ProviderEntry | undefined {
  if (!Object.hasOwn(catalogue, name)) return undefined
  const entry = inherited(name, {}, catalogue)
  if (isProblem(entry)) throw new TypeError(`catalogue entry ${name}: ${entry.path.join('.')} ${entry.message}`)
  return entry
}

function undefinedProvider(name: string, providers: DeclaredProviders): string {
  const guess = nearest(name, [...providers.keys(), ...Object.keys(catalogue)])
  const advice =
    guess === undefined ? 'define it under providers' : `define it under providers, or did you mean ${guess}?`
  return `provider ${JSON.stringify(name)} is not defined; ${advice}`
}

/** The provider as a client meets it, or what is wrong with the client's settings. */
function declareClient(
  client: DeclaredClient,
  entry: ProviderEntry,
): { grant: GrantKind; provider: Provider } | Problem[] {
  const { variant, rotation, graceSeconds, clientAuth } = client
  const behaviour = chosen(entry, { variant, rotation, graceSeconds, clientAuth })
  if (isProblem(behaviour)) return [behaviour]
  const grant = client.grant ?? behaviour.grant ?? 'refresh_token'
  const provider = resolved(client.provider, behaviour, clientAuthOf(client, behaviour))
  const found = [
    ...whereProblems(client, behaviour),
    ...behaviourProblems({ ...behaviour, grant, clientAuth: provider.clientAuth }),
    ...identityProblems(client, provider, grant),
    ...clientParameterProblems(provider, client.parameters),
  ]
  return found.length > 0 ? found : { grant, provider }
}

function whereProblems({ provider }: DeclaredClient, { tokenEndpoint, issuer }: Behaviour): Problem[] {
  if (tokenEndpoint !== undefined || issuer !== undefined) return []
  return [
    {
      path: ['provider'],
      message: `provider ${provider} has no tokenEndpoint, and no issuer at which it could be discovered; add one under providers.${provider}`,
    },
  ]
}

/** Whether the client has what it proves itself with, and nothing that would never be used. */
function identityProblems(client: DeclaredClient, provider: Provider, grant: GrantKind): Problem[] {
  const { clientAuth, tokenRequest, revocation, assertion } = provider
  const because = `clientAuth of provider ${client.provider} is ${clientAuth}`
  const problem = (path: string, message: string) => [{ path: [path], message }]
  const inTemplate = [tokenRequest?.add, tokenRequest?.headers, revocation?.add, revocation?.headers]
    .flatMap(textsIn)
    .some((text) => text.includes('{client_secret}'))
  const wantsSecret = sendsSecret(clientAuth) || inTemplate
  const signs = signsJwt(clientAuth, grant)
  const wantsCertificate = clientAuth === 'tls_client_auth' || assertion?.certificateThumbprint === true
  const wantsKey = signs || clientAuth === 'tls_client_auth'
  return [
    ...(wantsSecret && client.clientSecrets.length === 0
      ? problem('clientSecrets', `needs at least one secret: ${because}`)
      : []),
    ...(!wantsSecret && client.clientSecrets.length > 0
      ? problem('clientSecrets', `would never be used: ${because}; remove them or change it`)
      : []),
    // RFC 6749 section 4.4: this grant is for confidential clients only
    ...(grant === 'client_credentials' && clientAuth === 'none' && !wantsSecret
      ? problem('clientSecrets', 'is missing; grant client_credentials needs a client secret')
      : []),
    ...(wantsKey && client.privateKey === undefined
      ? problem(
          'privateKey',
          `is missing: ${signs && grant === 'jwt_bearer' ? 'grant jwt_bearer signs with it' : because}`,
        )
      : []),
    ...(!wantsKey && client.privateKey !== undefined
      ? problem('privateKey', `would never be used: ${because}, and the grant is ${grant}; remove it or change one`)
      : []),
    ...(!signs && client.keyId !== undefined ? problem('keyId', 'would never be used: nothing is signed') : []),
    ...(wantsCertificate && client.certificate === undefined ? problem('certificate', `is missing: ${because}`) : []),
    ...(!wantsCertificate && client.certificate !== undefined
      ? problem('certificate', `would never be used: ${because}; remove it or change it`)
      : []),
  ]
}

const clientAuthOf = ({ clientSecrets }: DeclaredClient, { clientAuth }: Behaviour): ClientAuthMethod =>
  clientAuth ?? (clientSecrets.length > 0 ? 'client_secret_basic' : 'none')

/** What a section with a bad name in it holds beside that. */
function named(section: unknown): Record<string, unknown> {
  if (!isMapping(section)) return {}
  return Object.fromEntries(
    Object.entries(section).filter(([name]) => entriesSchema.safeParse({ [name]: null }).success),
  )
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
