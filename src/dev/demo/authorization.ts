import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, Provider } from 'oidc-provider'
import type { Exchange, GrantStore } from './grants.ts'
import type { DemoClient, DemoSettings, Fault, TokenResponse } from './settings.ts'

const scope = 'offline_access harvest'
const yearSeconds = 365 * 24 * 3_600

/**
 * A strict authorization server: every refresh token is good for one use, and a second use ends the whole grant
 * (RFC 9700 section 4.14.2; oidc-provider does so whenever it rotates).
 */
export function createProvider(settings: DemoSettings, store: GrantStore, faults: () => Fault[]): Provider {
  const provider = new Provider(issuer(settings), {
    clients: settings.clients.map(registration),
    adapter: (model: string) => store.adapter(model),
    rotateRefreshToken: true,
    scopes: scope.split(' '),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
    },
    ttl: {
      AccessToken: settings.tokenSeconds,
      ClientCredentials: settings.tokenSeconds,
      RefreshToken: yearSeconds,
      Grant: 10 * yearSeconds,
    },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
  })
  provider.use((context, next) => exchange(context, next, store, faults()))
  provider.on('server_error', (_, error) => console.error(error.stack))
  return provider
}

export const issuer = (settings: DemoSettings): string => `http://127.0.0.1:${settings.port}`

function registration(client: DemoClient): Record<string, unknown> {
  const interactive = client.grant === 'refresh_token'
  return {
    client_id: client.id,
    client_secret: client.secret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: interactive ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
    response_types: interactive ? ['code'] : [],
    redirect_uris: interactive ? ['http://127.0.0.1/callback'] : [],
  }
}

async function exchange(
  context: Context,
  next: () => Promise<void>,
  store: GrantStore,
  faults: Fault[],
): Promise<void> {
  if (context.path !== '/token') return store.transaction(next)
  const client = basicClientId(context) ?? ''
  const fault = faults.find((candidate) => candidate.client === undefined || candidate.client === client)
  if (fault?.delayMs !== undefined) await sleep(fault.delayMs)
  if (fault?.answer !== undefined) {
    context.res.writeHead(fault.answer.status, { 'content-type': 'application/json', ...fault.answer.headers })
    context.res.end(fault.answer.body)
    return
  }
  await store.transaction(async () => {
    await next()
    const delivered = store.recordExchange({ ...described(context, store), client })
    context.res.once('finish', delivered)
  })
  if (fault?.holdAnswerMs !== undefined) await sleep(fault.holdAnswerMs)
}

function described(context: Context, store: GrantStore): Omit<Exchange, 'id' | 'delivered' | 'client'> {
  const presented = context.oidc?.params?.refresh_token
  const subject = presented === undefined ? undefined : store.subjectOf(presented)
  const answer = typeof context.body === 'object' && context.body !== null ? context.body : {}
  const text = (name: string) =>
    Object.entries(answer).find(([key, value]) => key === name && typeof value === 'string')?.[1]
  const error = text('error')
  const accessToken = text('access_token')
  const refreshToken = text('refresh_token')
  return {
    at: new Date().toISOString(),
    status: context.status,
    ...(subject === undefined ? {} : { subject }),
    ...(error === undefined ? {} : { error }),
    ...(presented === undefined ? {} : { presented }),
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
  }
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function basicClientId(context: Context): string | undefined {
  const encoded = context.res.req.headers.authorization?.match(/^Basic (.+)$/i)?.[1]
  if (encoded === undefined) return undefined
  const [id = ''] = Buffer.from(encoded, 'base64').toString().split(':')
  return new URLSearchParams(`id=${id}`).get('id') ?? undefined
}

/** Lets a user consent without a browser: what the authorization code exchange would have answered. */
export async function mintGrant(
  provider: Provider,
  settings: DemoSettings,
  subject: string,
  clientId: string,
): Promise<TokenResponse | undefined> {
  const client = await provider.Client.find(clientId)
  if (client === undefined) return undefined
  const grant = new provider.Grant({ accountId: subject, clientId })
  grant.addOIDCScope(scope)
  const common = {
    accountId: subject,
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope,
    claims: {},
  }
  const iiat = Math.floor(Date.now() / 1_000)
  const refresh_token = await new provider.RefreshToken({ ...common, iiat, rotations: 0 }).save()
  const access_token = await new provider.AccessToken(common).save()
  return { access_token, token_type: 'Bearer', expires_in: settings.tokenSeconds, refresh_token, scope }
}
