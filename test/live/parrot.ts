import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { GrantKind } from '../../src/credential.ts'
import { freePort } from '../../src/dev/ports.ts'
import type { ProviderEntry } from '../../src/providers/schema.ts'
import { httpAnswer, type RawServer, rawServer } from '../oauth/raw-server.ts'
import type { Secret } from './secret-search.ts'

/**
 * A provider that repeats the whole request before it does what it is asked, and clients that ask it in every way there
 * is: each client authentication, each grant, each place for the parameters.
 */
export interface Parrot {
  /** perennial.yaml with a provider and a client for each way */
  configFile: string
  ways: readonly Way[]
  /** a token response to begin a credential with, where the way needs one */
  grantFor(way: Way): { access_token: string; refresh_token: string; expires_in: number } | undefined
  /** how many requests of a way it has answered with what it was asked for */
  granted(way: Way): number
  /** every token that it gave, every signature that it was sent, and what the clients have */
  secrets(): Secret[]
  close(): Promise<void>
}

export interface Way {
  name: string
  grant?: GrantKind
  provider: Omit<ProviderEntry, 'tokenEndpoint'>
  client?: { clientSecrets?: string[]; privateKey?: true; certificate?: true }
}

const random = (name: string) => `${name}-${randomBytes(24).toString('base64url')}`

const withSecret = () => ({ clientSecrets: [random('cs')] })
const withKey = { privateKey: true as const }
const es256 = { assertion: { algorithm: 'ES256' as const } }

export const ways: readonly Way[] = [
  { name: 'basic-form', provider: { clientAuth: 'client_secret_basic' }, client: withSecret() },
  {
    name: 'basic-raw-json',
    provider: { clientAuth: 'client_secret_basic_raw', tokenRequest: { encoding: 'json' } },
    client: withSecret(),
  },
  {
    name: 'post-query',
    provider: { clientAuth: 'client_secret_post', tokenRequest: { encoding: 'query' } },
    client: withSecret(),
  },
  {
    name: 'post-get',
    provider: { clientAuth: 'client_secret_post', tokenRequest: { method: 'GET' } },
    client: withSecret(),
  },
  { name: 'username-form', provider: { clientAuth: 'secret_as_username' }, client: withSecret() },
  { name: 'none-form', provider: { clientAuth: 'none' } },
  { name: 'key-form', provider: { clientAuth: 'private_key_jwt', ...es256 }, client: withKey },
  {
    name: 'signed-json',
    provider: { clientAuth: 'signed_client_secret', ...es256, tokenRequest: { encoding: 'json' } },
    client: withKey,
  },
  { name: 'tls-form', provider: { clientAuth: 'tls_client_auth' }, client: { ...withKey, certificate: true } },
  {
    name: 'machine-json',
    grant: 'client_credentials',
    provider: { clientAuth: 'client_secret_post', tokenRequest: { encoding: 'json' } },
    client: withSecret(),
  },
  { name: 'assertion-form', grant: 'jwt_bearer', provider: { clientAuth: 'none', ...es256 }, client: withKey },
  {
    name: 'assertion-bearer',
    grant: 'jwt_bearer',
    provider: { clientAuth: 'none', assertion: { algorithm: 'ES256', sentAs: 'bearer' } },
    client: withKey,
  },
  {
    name: 'renewed-get',
    grant: 'access_token',
    provider: {
      clientAuth: 'client_secret_post',
      tokenRequest: { method: 'GET', grantType: 'exchange', add: { access_token: '{access_token}' } },
    },
    client: withSecret(),
  },
]

/** @param mark in the name of each provider, which goes wherever one goes */
export async function startParrot(mark: string): Promise<Parrot> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-parrot-'))
  const given: Secret[] = []
  const issued = (name: string) => {
    const value = random(name)
    given.push({ name: `${name} ${given.length}`, value })
    return value
  }
  const granted = new Map<string, number>()
  const asked = new Map<string, number>()
  const server: RawServer = await rawServer((socket, request) => {
    const path = /^\w+ (\/[\w-]+\/\w+)/.exec(request)?.[1] ?? ''
    const count = (asked.get(path) ?? 0) + 1
    asked.set(path, count)
    // every other time it talks before it acts
    if (count % 2 === 1) return socket.end(repeated(request))
    granted.set(path, (granted.get(path) ?? 0) + 1)
    const tokens = { access_token: issued('at'), refresh_token: issued('rt'), token_type: 'Bearer', expires_in: 600 }
    socket.end(httpAnswer(200, path.endsWith('/revoke') ? '' : JSON.stringify(tokens)))
  })
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const keyFile = join(folder, 'key.pem')
  await writeFile(keyFile, privateKey, { mode: 0o600 })
  const configFile = join(folder, 'perennial.yaml')
  const metrics = { prometheus: `127.0.0.1:${await freePort()}` }
  const document = { ...configurationFor(server.url, keyFile, mark), metrics }
  await writeFile(configFile, stringify(document), { mode: 0o600 })
  return {
    configFile,
    ways,
    grantFor: ({ grant = 'refresh_token' }) =>
      grant === 'client_credentials' || grant === 'jwt_bearer'
        ? undefined
        : { access_token: issued('at'), refresh_token: issued('rt'), expires_in: 600 },
    granted: ({ name }) => granted.get(`/${name}/token`) ?? 0,
    secrets: () => [
      ...given,
      ...ways.flatMap(({ name, client }) =>
        (client?.clientSecrets ?? []).map((value) => ({ name: `secret of ${name}`, value })),
      ),
      { name: 'private key', value: privateKey.replace(/-----[A-Z ]+-----|\s/g, '') },
      ...signatures(server.requests),
    ],
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The request as a description and as a code, and a token that is nobody's. */
function repeated(request: string): string {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const words = request
    .split(/[&?=",{}:\s]+/)
    .reverse()
    .join(' ')
  return httpAnswer(400, JSON.stringify({ error: 'nope', error_description: `${words} ${head} ${body}`, url: head }))
}

/** What makes each JWT one that a server believes. */
const signatures = (requests: readonly string[]): Secret[] =>
  requests
    .flatMap((request) => [...decodeURIComponent(request).matchAll(/eyJ[\w-]+\.[\w-]+\.([\w-]{86})/g)])
    .map(([, value = ''], index) => ({ name: `signature ${index}`, value }))

function configurationFor(url: string, keyFile: string, mark: string) {
  const at = (name: string, door: string) => url.replace('/token', `/${name}/${door}`)
  const certificate = { file: join(import.meta.dirname, '../oauth/fixtures/cert.pem') }
  const tlsKey = { file: join(import.meta.dirname, '../oauth/fixtures/key.pem') }
  return {
    providers: Object.fromEntries(
      ways.map(({ name, provider }) => [
        `parrot-${name}-${mark}`,
        {
          tokenEndpoint: at(name, 'token'),
          revocationEndpoint: at(name, 'revoke'),
          rotation: 'rotates_old_valid',
          ...provider,
        },
      ]),
    ),
    clients: Object.fromEntries(
      ways.map(({ name, grant, client = {} }) => [
        `parrot-${name}`,
        {
          provider: `parrot-${name}-${mark}`,
          clientId: `id-${name}`,
          ...(grant && { grant }),
          ...(client.clientSecrets && { clientSecrets: client.clientSecrets }),
          ...(client.privateKey && { privateKey: client.certificate ? tlsKey : { file: keyFile } }),
          ...(client.certificate && { certificate }),
        },
      ]),
    ),
  }
}
