/**
 * perennial.yaml, piece by piece: each piece is checked by itself, so that a mistake in one does not hide those in
 * the others.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { credentialPart, grantKinds, rotationClasses } from '../credential.ts'
import { unknownKey } from '../nearest.ts'
import { clientAuthMethods } from '../providers/schema.ts'

/** Where a secret is found. */
export type SecretSource = { env: string } | { file: string } | { literal: string } | { harmless: string }

const secretForms = '{ env: NAME } or { file: PATH }'

/** What a secret is written as, or what is wrong with it; never repeats it. */
export function parseSecretSource(value: unknown): SecretSource | string {
  if (typeof value === 'string') return { literal: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return value === undefined ? `is missing; write ${secretForms}` : `must be ${secretForms}`
  const [entry, ...rest] = Object.entries(value)
  if (entry === undefined || rest.length > 0) return `must be either ${secretForms}`
  const [key, text] = entry
  if (key !== 'env' && key !== 'file') return `${unknownKey(key, ['env', 'file'])}; write ${secretForms}`
  if (typeof text !== 'string' || text === '') return `needs a name: ${secretForms}`
  return key === 'env' ? { env: text } : { file: text }
}

const secret = z.unknown().transform((value, context): SecretSource => {
  const source = parseSecretSource(value)
  if (typeof source !== 'string') return source
  context.addIssue({ code: 'custom', message: source })
  return z.NEVER
})

/** Names go into ids, queue names and messages. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,100}$/, 'is no name: 1 to 100 letters, digits and . _ ~ - are allowed')

const text = z.string().min(1, 'is empty')

/** What the product itself puts into a token request. */
const ownRequestParameters = [
  'grant_type',
  'refresh_token',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
]

const requestParameter = z
  .string()
  .min(1, 'is empty')
  .refine((key) => !ownRequestParameters.includes(key), { error: 'is set by Perennial itself; remove it' })

const keys = z.array(secret).min(1, 'needs at least one key; make one with: perennial keys new')

const positive = z.number().positive('must be more than 0')

const listenAddress = z.string().refine((text) => isListenAddress(text), {
  error: 'is no address to listen at: an IP address and a port, as in 0.0.0.0:9464 or [::1]:9464',
})

function isListenAddress(text: string): boolean {
  const [, v6, v4, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  return (isIPv6(v6 ?? '') || isIPv4(v4 ?? '')) && Number(port) > 0 && Number(port) < 65_536
}

/** Its sections; what is in them is checked by the other schemas. */
export const documentSchema = z.strictObject({
  redis: z.unknown().optional(),
  keys: z.unknown().optional(),
  readers: z.unknown().optional(),
  warnings: z.unknown().optional(),
  metrics: z.unknown().optional(),
  clients: z.unknown().optional(),
  providers: z.unknown().optional(),
})

/** An address without credentials is no secret. */
const address = secret.transform((source): SecretSource => {
  if (!('literal' in source) || !URL.canParse(source.literal)) return source
  const { username, password, search } = new URL(source.literal)
  return username + password + search === '' ? { harmless: source.literal } : source
})

export const redisSchema = z.strictObject({ url: address })

export const keysSchema = z.strictObject({ grant: keys, reader: keys })

const tenant = z
  .string()
  .regex(credentialPart, 'is no tenant: it is the first part of a credential id, tenant/client/subject')

const passwordHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'is no hash of a password; make it with: printf %s "$PASSWORD" | sha256sum')

export const readersSchema = z
  .strictObject({
    sealed: z.boolean().default(true),
    /** whose services read with a Redis user of their own: what perennial acl prints and perennial doctor checks */
    tenants: z
      .record(tenant, z.strictObject({ passwordHashes: z.array(passwordHash).default([]) }).nullable())
      .default({}),
  })
  .prefault({})

/** When to tell that a user will have to reconnect, before the end of a grant that no refresh moves. */
export const warningsSchema = z.strictObject({ reconnectSoonDays: z.array(positive).default([14, 3]) }).prefault({})

/** Where a worker tells its metrics, Temporal's and its own: an address of its machine, for Prometheus to read. */
export const metricsSchema = z.strictObject({ prometheus: listenAddress.optional() }).prefault({})

/** Clients and providers by name. */
export const entriesSchema = z.record(name, z.unknown()).prefault({})

export const clientSchema = z.strictObject({
  provider: text,
  /** one of the provider's variants */
  variant: text.optional(),
  grant: z.enum(grantKinds).optional(),
  clientId: text,
  clientSecrets: z.array(secret).default([]),
  clientAuth: z.enum(clientAuthMethods).optional(),
  /** PEM: signs assertions and client assertions, or belongs to the certificate */
  privateKey: secret.optional(),
  /** kid in what it signs */
  keyId: text.optional(),
  /** PEM: what the client shows in mutual TLS, and what x5t#S256 names */
  certificate: secret.optional(),
  rotation: z.enum(rotationClasses).optional(),
  graceSeconds: positive.optional(),
  /** endpoints that are discovered, or that parameters fill, may be at private addresses */
  allowPrivateAddresses: z.boolean().optional(),
  parameters: z.record(z.string(), text).default({}),
  request: z.record(requestParameter, z.string()).default({}),
})

export type DeclaredClient = z.output<typeof clientSchema>
