import { jsonReply, oauthError } from '../answers.ts'
import { any } from '../client-authentication.ts'
import { vendorJwt } from '../jwt.ts'
import type { Profile, Revocation } from '../profile.ts'
import {
  answersSame,
  basic,
  form,
  grace,
  graceThenRevokes,
  json,
  neverRotates,
  post,
  publicClient,
  reuseRevokes,
  rfcAnswer,
  rfcErrors,
  singleUse,
  variant,
  vendor,
} from '../vendor.ts'

/** Servers that others run, and identity services: what they do with a refresh token is often a setting. */

const host = { host: 'id.acme.example' }

const airlock = vendor('airlock-iam', {
  sources: ['https://docs.airlock.com/iam/7.7/data/data/1594920812889.html'],
  token: 'https://{host}/{loginapp}/oauth2/v3/{server}/token',
  account: { ...host, loginapp: 'auth', server: 'main' },
  // the old token may come again until the new pair is used, and only the newest child lives
  rotation: { kind: 'until_new_used', replay: 'new pair', newestWins: true },
})
const airlockImmediate = variant(airlock, 'immediate', { rotation: singleUse })

const wso2 = vendor('wso2', {
  sources: [
    'https://wso2.com/asgardeo/docs/references/tokens/refresh-tokens/',
    'https://github.com/wso2/docs-is/pull/6173',
  ],
  introspection: 'https://{host}/oauth2/introspect',
  token: 'https://{host}/oauth2/token',
  account: host,
  rotation: answersSame,
  revocation: { url: 'https://{host}/oauth2/revoke' },
})
const wso2Renewing = variant(wso2, 'renewing', {
  // 30 s by default; a replay makes a new child and revokes the one before
  rotation: { kind: 'until_new_used', seconds: 30, replay: 'new pair', newestWins: true },
})
const asgardeo: Profile = {
  ...wso2,
  name: 'asgardeo',
  token: form('https://api.asgardeo.io/t/{organization}/oauth2/token'),
  account: { organization: 'acme' },
  introspection: 'https://api.asgardeo.io/t/{organization}/oauth2/introspect',
  revocation: at(wso2, 'https://api.asgardeo.io/t/{organization}/oauth2/revoke'),
}
const asgardeoRenewing: Profile = {
  ...wso2Renewing,
  ...asgardeo,
  name: 'asgardeo/renewing',
  rotation: wso2Renewing.rotation,
}

const auth0 = vendor('auth0', {
  sources: [
    'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation',
    'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-expiration',
    'https://community.auth0.com/t/access-denied-unauthorized/11259',
  ],
  token: 'https://{domain}.auth0.com/oauth/token',
  account: { domain: 'acme.eu' },
  client: post,
  alsoAccepts: [basic],
  optional: ['audience', 'scope'],
  // the lifetime is fixed at creation and not extended by rotation
  refreshAbsoluteSeconds: 2592000,
  exampleSeconds: 86400,
  tokensPerUser: 200,
  rotation: reuseRevokes,
  revocation: { url: 'https://{domain}.auth0.com/oauth/revoke', takes: 'refresh', ends: 'the grant' },
  errors: {
    deadGrant: [oauthError(403, 'invalid_grant', 'Unknown or invalid refresh token.')],
    clientError: [oauthError(401, 'access_denied', 'Unauthorized'), ...rfcErrors.clientError],
  },
})
const auth0Leeway = variant(auth0, 'leeway', { rotation: graceThenRevokes(10) })
const auth0Reusing = variant(auth0, 'non-rotating', { rotation: neverRotates })
const auth0Machine = variant(auth0, 'machine-to-machine', {
  sources: ['https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
  // a tenant without a default audience refuses a request that names none
  clientAsks: { audience: 'https://orders.acme.example' },
})

const auth0Domain = variant(auth0, 'custom-domain', {
  token: form('https://{host}/oauth/token'),
  account: { host: 'login.acme.example' },
  revocation: at(auth0, 'https://{host}/oauth/revoke'),
})

const cognito = vendor('cognito', {
  sources: [
    'https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RefreshTokenRotationType.html',
    'https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html',
  ],
  token: 'https://{domain}.amazoncognito.com/oauth2/token',
  account: { domain: 'acme.auth.eu-west-1' },
  client: basic,
  optional: ['client_id'],
  rotation: neverRotates,
  revocation: { url: 'https://{domain}.amazoncognito.com/oauth2/revoke', takes: 'refresh', ends: 'the grant' },
})
const cognitoRotating = variant(cognito, 'rotation', { rotation: grace(60) })
const cognitoOneTime = variant(cognito, 'one-time', { rotation: singleUse })
const cognitoDomain = variant(cognito, 'custom-domain', {
  token: form('https://{host}/oauth2/token'),
  account: { host: 'login.acme.example' },
  revocation: at(cognito, 'https://{host}/oauth2/revoke'),
})

const connect2id = vendor('connect2id', {
  sources: ['https://connect2id.com/blog/connect2id-server-14-2'],
  introspection: 'https://{host}/token/introspect',
  token: 'https://{host}/token',
  account: host,
  rotation: grace(5),
  revocation: { url: 'https://{host}/token/revoke' },
})

const curity = vendor('curity', {
  sources: [
    'https://curity.io/docs/identity-server/configuration-reference/profiles/profile/settings/authorization-server/refresh-token-revocation',
  ],
  token: 'https://{host}/oauth/v2/oauth-token',
  addressIsTheUsers: true,
  account: host,
})
const curityGrace = variant(curity, 'grace', { rotation: grace(30) })

const dex = vendor('dex', {
  sources: [
    'https://github.com/dexidp/dex/blob/master/cmd/dex/config.go',
    'https://github.com/dexidp/dex/blob/master/config.yaml.dist',
  ],
  token: 'https://{host}/token',
  account: host,
  rotation: grace(3),
  refreshIdleSeconds: 7776000,
  refreshAbsoluteSeconds: 14256000,
})
const dexReusing = variant(dex, 'static', { rotation: answersSame })

const djangoToolkit = vendor('django-oauth-toolkit', {
  sources: ['https://github.com/jazzband/django-oauth-toolkit/blob/master/docs/settings.rst'],
  introspection: 'https://{host}/o/introspect/',
  token: 'https://{host}/o/token/',
  account: host,
  revocation: { url: 'https://{host}/o/revoke_token/' },
})
const djangoGrace = variant(djangoToolkit, 'grace', { rotation: grace(60) })
const djangoReusing = variant(djangoToolkit, 'static', { rotation: answersSame })

const doorkeeper = vendor('doorkeeper', {
  sources: ['https://github.com/doorkeeper-gem/doorkeeper/blob/main/lib/doorkeeper/models/access_token_mixin.rb'],
  introspection: 'https://{host}/oauth/introspect',
  token: 'https://{host}/oauth/token',
  account: host,
  accessSeconds: 7200,
  // the old one is revoked when the new access token is first used
  rotation: { kind: 'until_new_used', replay: 'new pair', newestWins: false },
  revocation: { url: 'https://{host}/oauth/revoke' },
})
const doorkeeperPlain = variant(doorkeeper, 'immediate', { rotation: singleUse })

const duende = vendor('duende-identityserver', {
  sources: [
    'https://github.com/DuendeSoftware/docs.duendesoftware.com/blob/main/astro/src/content/docs/identityserver/reference/v7/models/client.md',
  ],
  introspection: 'https://{host}/connect/introspect',
  token: 'https://{host}/connect/token',
  account: host,
  rotation: answersSame,
  refreshAbsoluteSeconds: 2592000,
  revocation: { url: 'https://{host}/connect/revocation' },
})
const duendeOneTime = variant(duende, 'one-time', { rotation: singleUse })
// each use moves the end, up to the absolute one
const duendeSliding = variant(duende, 'sliding', {
  lifetimes: { ...duende.lifetimes, refreshIdleSeconds: 1296000 },
})

const keycloak = vendor('keycloak', {
  sources: ['https://www.keycloak.org/docs/latest/server_admin/'],
  introspection: 'https://{host}/realms/{realm}/protocol/openid-connect/token/introspect',
  token: 'https://{host}/realms/{realm}/protocol/openid-connect/token',
  account: { ...host, realm: 'main' },
  client: post,
  alsoAccepts: [basic],
  // Revoke Refresh Token is off by default
  rotation: { kind: 'rotates_old_valid' },
  exampleSeconds: 300,
  exampleRefreshSeconds: 1800,
  refreshExpiry: 'stated',
  answer: (minted) => ({
    ...rfcAnswer(minted),
    refresh_expires_in: minted.refreshSeconds,
    'not-before-policy': 0,
    session_state: '0c0a-4e',
    scope: 'email profile',
  }),
  revocation: {
    url: 'https://{host}/realms/{realm}/protocol/openid-connect/revoke',
    takes: 'either',
    ends: 'the token',
  },
})
const keycloakRevoking = variant(keycloak, 'revoke-refresh-token', { rotation: reuseRevokes })
const keycloakMutualTls = variant(keycloak, 'mutual-tls', {
  sources: ['https://www.keycloak.org/server/mutual-tls'],
  client: { by: 'certificate' },
  alsoAccepts: [],
})

const entra = vendor('microsoft-entra', {
  sources: [
    'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
    'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
  ],
  accessSeconds: 3600,
  consentAsksForMore: true,
  token: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
  account: { tenant: 'acme.onmicrosoft.com' },
  client: post,
  // replaced on use, the old one is not revoked
  rotation: { kind: 'rotates_old_valid' },
  refreshIdleSeconds: 7776000,
  optional: ['scope'],
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'User.Read', ext_expires_in: minted.accessSeconds }),
  errors: {
    deadGrant: [
      jsonReply(400, {
        error: 'invalid_grant',
        error_description:
          'AADSTS70008: The provided authorization code or refresh token has expired due to inactivity.',
        error_codes: [70008],
      }),
      jsonReply(400, {
        error: 'interaction_required',
        error_description:
          'AADSTS50076: Due to a configuration change made by your administrator, you must use multi-factor authentication.',
        error_codes: [50076],
      }),
    ],
    clientError: [
      jsonReply(401, {
        error: 'invalid_client',
        error_description: 'AADSTS7000215: Invalid client secret provided.',
        error_codes: [7000215],
      }),
    ],
  },
})
const entraCertificate = variant(entra, 'certificate', {
  sources: ['https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials'],
  client: {
    by: 'signed assertion',
    algorithms: ['PS256'],
    audience: 'the token endpoint',
    maximumSeconds: 600,
    // the thumbprint says which certificate it was signed with
    header: ['x5t#S256'],
  },
})

const entraSinglePage = variant(entra, 'single-page', {
  sources: [
    'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
    // AADSTS9002327: only a cross-origin request may redeem what a single-page app was given
    'https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes',
  ],
  client: publicClient,
  alsoAccepts: [],
  headers: { Origin: /^https:\/\/app\.example$/ },
  lifetimes: { ...entra.lifetimes, refreshAbsoluteSeconds: 86400 },
})
const entraAppOnly = variant(entra, 'app-only', {
  sources: ['https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
  requiresOfUser: { scope: 'https://graph.microsoft.com/.default' },
  lifetimes: { accessSeconds: 3600, accessDocumented: true, refreshDocumented: true },
})

const oidcProvider = vendor('oidc-provider', {
  sources: [
    'https://github.com/panva/node-oidc-provider/blob/main/lib/actions/grants/refresh_token.js',
    'https://github.com/panva/node-oidc-provider/blob/main/lib/helpers/defaults.js',
  ],
  accessSeconds: 3600,
  introspection: 'https://{host}/token/introspection',
  token: 'https://{host}/token',
  account: host,
  refreshIdleSeconds: 1209600,
  rotation: reuseRevokes,
  revocation: { url: 'https://{host}/token/revocation', ends: 'the token' },
})

const okta = vendor('okta', {
  sources: [
    'https://github.com/okta/okta-developer-docs/blob/master/packages/%40okta/vuepress-site/docs/guides/refresh-tokens/main/index.md',
  ],
  accessSeconds: 3600,
  introspection: 'https://{org}.okta.com/oauth2/{server}/v1/introspect',
  token: 'https://{org}.okta.com/oauth2/{server}/v1/token',
  account: { org: 'acme', server: 'default' },
  optional: ['scope'],
  refreshIdleSeconds: 604800,
  // reuse after the leeway ends the newest refresh token and all access tokens
  rotation: graceThenRevokes(30),
  revocation: { url: 'https://{org}.okta.com/oauth2/{server}/v1/revoke' },
})
const oktaStatic = variant(okta, 'static', { rotation: answersSame })
const oktaOrg = variant(okta, 'org-server', {
  token: form('https://{org}.okta.com/oauth2/v1/token'),
  account: { org: 'acme' },
  introspection: 'https://{org}.okta.com/oauth2/v1/introspect',
  revocation: at(okta, 'https://{org}.okta.com/oauth2/v1/revoke'),
})
const oktaDomain = variant(okta, 'custom-domain', {
  token: form('https://{host}/oauth2/{server}/v1/token'),
  account: { host: 'login.acme.example', server: 'default' },
  introspection: 'https://{host}/oauth2/{server}/v1/introspect',
  revocation: at(okta, 'https://{host}/oauth2/{server}/v1/revoke'),
})
const oktaService = variant(okta, 'service', {
  sources: ['https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
  clientAsks: { scope: 'okta.users.read' },
  client: {
    by: 'signed assertion',
    algorithms: ['RS256', 'ES256'],
    audience: 'the token endpoint',
    maximumSeconds: 3600,
  },
  lifetimes: { accessSeconds: 3600, accessDocumented: true, refreshDocumented: true },
})

const onelogin = vendor('onelogin', {
  sources: [
    'https://developers.onelogin.com/api-docs/1/oauth20-tokens/refresh-tokens',
    'https://developers.onelogin.com/api-docs/2/oauth20-tokens/refresh-tokens-2',
  ],
  token: json('https://{subdomain}.onelogin.com/auth/oauth2/v2/token'),
  account: { subdomain: 'acme' },
  // nothing but the pair itself: the access token has to come along
  client: { by: 'none' },
  requires: { access_token: any },
  rotation: singleUse,
  oldAccessTokenDies: true,
  exampleSeconds: 36000,
  refreshSeconds: 3888000,
  // flat, where the first version wraps it
  answer: (minted) => ({
    ...rfcAnswer(minted),
    token_type: 'bearer',
    created_at: new Date(minted.nowMs).toISOString(),
    account_id: 555555,
  }),
  errors: {
    deadGrant: [oneloginError(401, 'Unauthorized', 'Authentication Failure')],
    clientError: [oneloginError(400, 'bad request', 'Input JSON is not valid')],
    malformed: oneloginError(400, 'bad request', 'Content Type is not specified or specified incorrectly.'),
  },
})

function oneloginError(code: number, type: string, message: string) {
  return jsonReply(code, { status: { error: true, code, type, message } })
}

const hydra = vendor('ory-hydra', {
  sources: [
    'https://github.com/ory/docs/blob/master/docs/hydra/guides/graceful-token-refresh.mdx',
    'https://github.com/ory/hydra/issues/3004',
  ],
  token: 'https://{host}/oauth2/token',
  account: host,
  client: basic,
  rotation: reuseRevokes,
  revocation: { url: 'https://{host}/oauth2/revoke', ends: 'the grant' },
  errors: {
    deadGrant: [
      ...rfcErrors.deadGrant,
      jsonReply(401, {
        error: 'token_inactive',
        error_description:
          'Token is inactive because it is malformed, expired or otherwise invalid. Token validation failed.',
        error_hint: 'Token validation failed.',
        status_code: 401,
      }),
    ],
  },
})
const hydraGraceful = variant(hydra, 'graceful', { rotation: graceThenRevokes(60) })

const spring = vendor('spring-authorization-server', {
  sources: [
    'https://github.com/spring-projects/spring-authorization-server/blob/main/oauth2-authorization-server/src/main/java/org/springframework/security/oauth2/server/authorization/settings/TokenSettings.java',
  ],
  introspection: 'https://{host}/oauth2/introspect',
  token: 'https://{host}/oauth2/token',
  account: host,
  accessSeconds: 300,
  refreshAbsoluteSeconds: 3600,
  rotation: answersSame,
  revocation: { url: 'https://{host}/oauth2/revoke' },
})
const springRotating = variant(spring, 'one-time', { rotation: singleUse })

const supabase = vendor('supabase-auth', {
  sources: [
    'https://supabase.com/docs/guides/auth/sessions',
    'https://github.com/supabase/auth/blob/master/README.md',
    'https://supabase.com/docs/guides/auth/debugging/error-codes',
  ],
  // the grant type belongs to the address
  token: json('https://{project}.supabase.co/auth/v1/token?grant_type=refresh_token'),
  account: { project: 'abcdefghij' },
  // the gateway asks for the project's public key
  client: { by: 'header', name: 'apikey', value: '{client_id}' },
  requires: { grant_type: undefined },
  rotation: graceThenRevokes(10, 'same pair'),
  answer: (minted) => ({
    ...rfcAnswer(minted),
    expires_at: Math.floor(minted.nowMs / 1000) + minted.accessSeconds,
    user: { id: '5e1f' },
  }),
  errors: {
    deadGrant: [
      jsonReply(400, {
        code: 400,
        error_code: 'refresh_token_not_found',
        msg: 'Invalid Refresh Token: Refresh Token Not Found',
      }),
      jsonReply(400, {
        code: 400,
        error_code: 'session_not_found',
        msg: 'Session from session_id claim in JWT does not exist',
      }),
      jsonReply(400, { code: 400, error_code: 'session_expired', msg: 'Session Expired' }),
      jsonReply(400, {
        code: 400,
        error_code: 'refresh_token_already_used',
        msg: 'Invalid Refresh Token: Already Used',
      }),
    ],
    throttled: [
      jsonReply(429, { code: 429, error_code: 'over_request_rate_limit', msg: 'Request rate limit reached' }),
    ],
    clientError: [jsonReply(401, { message: 'Invalid API key', hint: 'Double check your Supabase `anon` key.' })],
    malformed: jsonReply(400, { code: 400, error_code: 'bad_json', msg: 'Could not parse request body as JSON' }),
  },
})

const workos = vendor('workos', {
  sources: [
    'https://github.com/kurrent-io/kcap-cli/pull/947',
    'https://github.com/kurrent-io/kcap-cli/issues/946',
    'https://workos.com/docs/reference/authkit/authentication/refresh-token',
  ],
  token: json('https://api.workos.com/user_management/authenticate'),
  client: post,
  optional: ['organization_id', 'ip_address', 'user_agent'],
  accessSeconds: 300,
  rotation: grace(30, 'same pair'),
  // the answer holds the tokens and the user; the access token is a JWT that says when it ends
  expiry: 'in the token',
  mintAccess: ({ serial, nowMs, livesSeconds = 300 }) => sessionToken(serial, nowMs, livesSeconds),
  answer: ({ access, refresh }) => ({ user: { id: 'user_01' }, access_token: access, refresh_token: refresh }),
})

function sessionToken(serial: string, nowMs: number, livesSeconds: number): string {
  const iat = Math.floor(nowMs / 1000)
  return vendorJwt({ sub: 'user_01', sid: 'session_01', jti: serial, iat, exp: iat + livesSeconds })
}

/** Known by their addresses only; their rotation is a setting of each application. */
const databricks = vendor('databricks', {
  sources: [
    'https://docs.databricks.com/aws/en/integrations/single-use-tokens',
    'https://docs.databricks.com/aws/en/dev-tools/auth/oauth-u2m',
  ],
  token: 'https://{host}/oidc/v1/token',
  account: { host: 'dbc-1234.cloud.databricks.com' },
})

const databricksSingleUse = variant(databricks, 'single-use', { rotation: singleUse })
const databricksPrincipal = variant(databricks, 'service-principal', {
  sources: ['https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials', scope: 'all-apis' },
})

const snowflake = vendor('snowflake', {
  sources: [
    'https://docs.snowflake.com/en/user-guide/single-use-refresh-tokens',
    'https://docs.snowflake.com/en/user-guide/oauth-custom',
    'https://github.com/epam/ai-dial-core/issues/1527',
  ],
  rotationUnknown: true,
  token: 'https://{account}.snowflakecomputing.com/oauth/token-request',
  account: { account: 'acme-eu' },
  // base64 of id:secret, and nothing undone in either
  client: { by: 'basic', encoding: 'raw' },
  exampleSeconds: 600,
  refreshSeconds: 7776000,
  rotation: answersSame,
})
const snowflakeSingleUse = variant(snowflake, 'single-use', {
  rotationUnknown: false,
  rotation: singleUse,
  oldAccessTokenDies: true,
})

/** The same revocation at another address. */
function at({ name, revocation }: Profile, url: string): Revocation {
  if (revocation === undefined) throw new Error(`${name} revokes nothing`)
  return { ...revocation, door: { ...revocation.door, url } }
}

export const identityServers: readonly Profile[] = [
  airlock,
  airlockImmediate,
  wso2,
  wso2Renewing,
  asgardeo,
  asgardeoRenewing,
  auth0,
  auth0Leeway,
  auth0Reusing,
  auth0Machine,
  auth0Domain,
  cognito,
  cognitoRotating,
  cognitoOneTime,
  cognitoDomain,
  connect2id,
  curity,
  curityGrace,
  databricks,
  databricksSingleUse,
  databricksPrincipal,
  dex,
  dexReusing,
  djangoToolkit,
  djangoGrace,
  djangoReusing,
  doorkeeper,
  doorkeeperPlain,
  duende,
  duendeOneTime,
  duendeSliding,
  keycloak,
  keycloakMutualTls,
  keycloakRevoking,
  entra,
  entraCertificate,
  entraSinglePage,
  entraAppOnly,
  oidcProvider,
  okta,
  oktaStatic,
  oktaOrg,
  oktaDomain,
  oktaService,
  onelogin,
  hydra,
  hydraGraceful,
  snowflake,
  snowflakeSingleUse,
  spring,
  springRotating,
  supabase,
  workos,
]
