import { createPrivateKey, X509Certificate } from 'node:crypto'
import { sealingKey } from '../packages/reader/src/sealed.ts'
import { type Declaration, declare } from './config/declaration.ts'
import type { Path, Problem } from './config/problem.ts'
import type { DeclaredClient, SecretSource } from './config/schema.ts'
import { SecretFiles } from './config/secret-files.ts'
import { readSecret, type SecretPlaces } from './config/secrets.ts'
import { readSource } from './config/source.ts'
import type { GrantKind } from './credential.ts'
import { keyProblem } from './oauth/jwt.ts'
import type { Provider } from './providers/provider.ts'
import { signsJwt } from './providers/schema.ts'

/** An OAuth client registration, with its provider resolved. */
export interface ClientConfig {
  name: string
  provider: Provider
  grant: GrantKind
  clientId: string
  /** in the order in which they are tried; empty for public clients */
  clientSecrets: string[]
  /** PEM; signs for the client, or belongs to its certificate */
  privateKey?: string
  keyId?: string
  /** PEM */
  certificate?: string
  /** endpoints that are discovered, or that parameters fill, may be at private addresses */
  allowPrivateAddresses?: boolean
  /** fills placeholders of the provider's endpoints and requests; a credential's own parameters win */
  parameters: Record<string, string>
  /** parameters of every token request of this client: scope, audience, resource (RFC 8707) */
  request: Record<string, string>
}

/** perennial.yaml, checked, with every secret read. */
export interface Config {
  /** where it was read from, as messages name it */
  source: string
  redis: { url: string }
  keys: {
    /** base64url of 32 bytes; the first seals, all open */
    grant: [string, ...string[]]
    reader: [string, ...string[]]
  }
  /** `tenants`: those whose readers have a Redis user of their own, with the SHA-256 of its passwords */
  readers: { sealed: boolean; tenants?: Record<string, string[]> }
  /** how long before the end of a grant that no refresh moves it is told, longest first */
  warnings: { reconnectSoonMs: number[] }
  /** where a worker tells its metrics to Prometheus: IP address and port */
  metrics: { prometheus?: string }
  clients: ReadonlyMap<string, ClientConfig>
  /** takes over what has changed in the files of a client's secrets */
  rereadSecrets?(client: string): Promise<void>
}

export interface LoadOptions {
  /** where `{ env: NAME }` looks; the environment of the process */
  env?: NodeJS.ProcessEnv
  /** accept secrets that stand in the file itself, as the dev stack does */
  allowLiterals?: boolean
}

/**
 * Reads perennial.yaml, checks it, and reads the secrets that it names.
 *
 * @throws PerennialError `config_missing` where there is no such file, `config_invalid` with every problem found, a
 * line each: file and line, path of the key, what to do. No message holds a secret.
 * @example const config = await loadConfig('perennial.yaml')
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  const source = await readSource(path)
  const problems: Problem[] = []
  const declaration = declare(source.value, problems)
  const places = { path, env: options.env ?? process.env, allowLiterals: options.allowLiterals ?? false }
  const config = await readSecrets(declaration, places, problems)
  if (problems.length > 0) throw source.failure(problems)
  return config
}

const dayMs = 24 * 3600_000

type Flaw = (secret: string) => string | undefined

async function readSecrets(declaration: Declaration, places: SecretPlaces, problems: Problem[]): Promise<Config> {
  const read = async (source: SecretSource, path: Path, flaw: Flaw) => {
    const result = await readSecret(source, places)
    const problem = 'problem' in result ? result.problem : flaw(result.value)
    if (problem !== undefined) problems.push({ path, message: problem })
    return 'value' in result ? result.value : ''
  }
  const readAll = (sources: SecretSource[], path: Path, flaw: Flaw) =>
    Promise.all(sources.map((source, i) => read(source, [...path, i], flaw)))

  const { redisUrl, keys, readers, reconnectSoonDays, metrics } = declaration
  const url = redisUrl === undefined ? '' : await read(redisUrl, ['redis', 'url'], redisUrlFlaw)
  const [grant = '', ...olderGrant] = await readAll(keys.grant, ['keys', 'grant'], keyFlaw)
  const [reader = '', ...olderReader] = await readAll(keys.reader, ['keys', 'reader'], (key) =>
    [grant, ...olderGrant].includes(key)
      ? 'is one of keys.grant too; make it another one, or readers could open grants'
      : keyFlaw(key),
  )
  const clients = new Map<string, ClientConfig>()
  const files = new Map<string, SecretFiles>()
  for (const { name, declared, grant, provider } of declaration.clients) {
    const path = ['clients', name]
    const { clientId, keyId, parameters, request, privateKey, certificate, allowPrivateAddresses } = declared
    const client: ClientConfig = {
      name,
      provider,
      grant,
      clientId,
      clientSecrets: await readAll(declared.clientSecrets, [...path, 'clientSecrets'], () => undefined),
      parameters,
      request,
      ...(privateKey && {
        privateKey: await read(privateKey, [...path, 'privateKey'], privateKeyFlaw(provider, grant)),
      }),
      ...(certificate && { certificate: await read(certificate, [...path, 'certificate'], certificateFlaw) }),
      ...(keyId !== undefined && { keyId }),
      ...(allowPrivateAddresses && { allowPrivateAddresses }),
    }
    clients.set(name, client)
    files.set(name, secretFilesOf(client, declared, places))
  }
  return {
    source: places.path,
    redis: { url },
    keys: { grant: [grant, ...olderGrant], reader: [reader, ...olderReader] },
    readers,
    warnings: { reconnectSoonMs: reconnectSoonDays.map((days) => days * dayMs).sort((a, b) => b - a) },
    metrics,
    clients,
    rereadSecrets: async (client) => await files.get(client)?.reread(),
  }
}

function secretFilesOf(client: ClientConfig, declared: DeclaredClient, places: SecretPlaces): SecretFiles {
  const files = new SecretFiles(places)
  for (const [index, source] of declared.clientSecrets.entries())
    files.add(
      source,
      () => true,
      (value) => {
        client.clientSecrets[index] = value
      },
    )
  const { privateKey, certificate } = declared
  if (privateKey !== undefined)
    files.add(
      privateKey,
      (pem) => privateKeyFlaw(client.provider, client.grant)(pem) === undefined,
      (pem) => {
        client.privateKey = pem
      },
    )
  if (certificate !== undefined)
    files.add(
      certificate,
      (pem) => certificateFlaw(pem) === undefined,
      (pem) => {
        client.certificate = pem
      },
    )
  return files
}

function keyFlaw(text: string): string | undefined {
  try {
    sealingKey(text)
    return undefined
  } catch {
    return 'is no key: a key is 32 bytes as base64url, 43 characters; make one with: perennial keys new'
  }
}

/** A key that signs has to be of the kind that the provider's algorithm needs; one that only shows itself may be any. */
const privateKeyFlaw =
  ({ clientAuth, assertion }: Provider, grant: GrantKind): Flaw =>
  (text) => {
    try {
      createPrivateKey(text)
    } catch {
      return 'is no private key: it must be PEM without a passphrase (-----BEGIN PRIVATE KEY-----)'
    }
    return signsJwt(clientAuth, grant) ? keyProblem(text, assertion?.algorithm ?? 'RS256') : undefined
  }

function certificateFlaw(text: string): string | undefined {
  try {
    new X509Certificate(text)
    return undefined
  } catch {
    return 'is no certificate: it must be PEM (-----BEGIN CERTIFICATE-----)'
  }
}

function redisUrlFlaw(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
    return 'is no Redis URL: redis://[user:password@]host:port, or rediss:// for TLS'
  return undefined
}
