import { iso, jsonReply, oauthError } from '../answers.ts'
import { vendorJwt } from '../jwt.ts'
import type { Profile, Reply } from '../profile.ts'
import {
  answersSame,
  basic,
  accessToken as bearer,
  form,
  grace,
  json,
  neverRotates,
  post,
  publicClient,
  rfcAnswer,
  singleUse,
  untilRevoked,
  variant,
  vendor,
} from '../vendor.ts'

/** Money, people, goods: accounting, banks, payroll, shops. */

const amazon = vendor('amazon-sp-api', {
  sources: [
    'https://developer-docs.amazon.com/sp-api/docs/renew-authorizations',
    'https://amazon-integration-doc.emagicone.com/2-quick-start-guide-2-1-registration/2-0-login-to-amazon-seller-account',
  ],
  accessSeconds: 3600,
  rotationUnknown: true,
  token: 'https://api.amazon.com/auth/o2/token',
  client: post,
  // sellers authorise again every 365 days, which no answer announces
  refreshAbsoluteSeconds: 31536000,
  rotation: answersSame,
})

const bamboohr = vendor('bamboohr', {
  sources: [
    'https://www.openlm.com/documentation/cloud/services/data-collection/interfacing-lms/saas-platforms/bamboohr',
  ],
  // the query belongs to the address
  accessSeconds: 3600,
  consentAsksForMore: true,
  token: json('https://{company}.bamboohr.com/token.php?request=token'),
  account: { company: 'acme' },
  client: post,
  optional: ['redirect_uri', 'scope'],
})

const coinbase = vendor('coinbase', {
  sources: ['https://docs.cdp.coinbase.com/coinbase-app/authentication-authorization/oauth2/access-and-refresh-tokens'],
  accessSeconds: 3600,
  consentAsksForMore: true,
  token: 'https://login.coinbase.com/oauth2/token',
  client: post,
  refreshIdleSeconds: 47304000,
  rotation: singleUse,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'wallet:user:read offline_access' }),
  errors: {
    deadGrant: [
      // the page names the status alone
      jsonReply(401, { message: 'Unauthorized' }),
      oauthError(401, 'invalid_grant', 'The provided authorization grant is invalid, expired or revoked.'),
    ],
  },
  // with the access token as bearer, and again as the token; 200 whatever happens
  revocation: {
    url: 'https://login.coinbase.com/oauth2/revoke',
    client: bearer,
    parameter: 'token',
    takes: 'access',
    ends: 'the token',
  },
})

const cybersourceFailure: Reply = jsonReply(500, { message: 'Server error' })

const cybersource = vendor('cybersource', {
  sources: [
    'https://developer.cybersource.com/docs/cybs/en-us/oauth/developer/all/rest/oauth/refreshing-the-refresh-token.html',
  ],
  rotationUnknown: true,
  token: 'https://api-ma.cybersource.com/oauth2/v3/token',
  client: post,
  accessSeconds: 900,
  refreshIdleSeconds: 31536000,
  rotation: answersSame,
  // any failure of a token request is 500
  errors: {
    deadGrant: [cybersourceFailure],
    clientError: [cybersourceFailure],
    malformed: cybersourceFailure,
    alike: true,
  },
})

const ebay = vendor('ebay', {
  sources: [
    'https://developer.ebay.com/api-docs/static/oauth-refresh-token-request.html',
    'https://gist.github.com/mudassaralichouhan/d952b464b2907c7f833c87c05152eb76',
  ],
  token: 'https://api.ebay.com/identity/v1/oauth2/token',
  client: basic,
  optional: ['scope'],
  accessSeconds: 7200,
  refreshAbsoluteSeconds: 47304000,
  rotation: neverRotates,
  answer: (minted) => ({ ...rfcAnswer(minted), token_type: 'User Access Token' }),
})

const etsy = vendor('etsy', {
  sources: ['https://developers.etsy.com/documentation/essentials/authentication'],
  token: 'https://api.etsy.com/v3/public/oauth/token',
  // the keystring is all
  client: publicClient,
  refreshIdleSeconds: 7776000,
})

const eventbrite = vendor('eventbrite', {
  sources: ['https://www.eventbrite.com/platform/docs/authentication'],
  token: 'https://www.eventbrite.com/oauth/token',
  client: post,
  ...untilRevoked,
})

const exactTooEarly = oauthError(400, 'invalid_request', 'Rate limit exceeded: access_token not expired')

const exact = vendor('exact-online', {
  sources: [
    'https://github.com/websmurf/laravel-exact-online/issues/23',
    'https://github.com/picqer/exact-php-client/issues/300',
    'https://github.com/picqer/exact-php-client/issues/644',
    'https://help.flowgear.net/articles/nodes/exact-online',
    'https://github.com/picqer/exact-php-client/blob/main/src/Picqer/Financials/Exact/Connection.php',
  ],
  token: 'https://start.exactonline.{region}/api/oauth2/token',
  account: { region: 'nl' },
  client: post,
  accessSeconds: 600,
  refreshIdleSeconds: 2592000,
  rotation: singleUse,
  oldAccessTokenDies: true,
  // only shortly before the ten minutes end
  notBeforeSeconds: 570,
  answer: (minted) => ({ ...rfcAnswer(minted), token_type: 'bearer', expires_in: String(minted.accessSeconds) }),
  errors: {
    deadGrant: [
      oauthError(400, 'invalid_request', 'The refresh token expired at 11/23/2026 10:00:00 AM.'),
      oauthError(400, 'invalid_grant'),
      oauthError(401, 'unauthorized_client', 'Old refresh token used.'),
    ],
    tooEarly: exactTooEarly,
  },
})

const freshbooks = vendor('freshbooks', {
  sources: [
    'https://www.freshbooks.com/api/authentication',
    'https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api',
  ],
  token: 'https://api.freshbooks.com/auth/oauth/token',
  client: post,
  requiresOfUser: { redirect_uri: '{redirectUri}' },
  accessSeconds: 43200,
  rotation: singleUse,
  answer: (minted) => ({
    ...rfcAnswer(minted),
    created_at: Math.floor(minted.nowMs / 1000),
    scope: 'user:profile:read',
  }),
})

const gusto = vendor('gusto', {
  sources: [
    'https://docs.gusto.com/app-integrations/v2024-04-01/reference/refresh-access-token',
    'https://docs.gusto.com/embedded-payroll/v2023-04-01/docs/authentication',
  ],
  token: 'https://api.gusto.com/oauth/token',
  client: post,
  requiresOfUser: { redirect_uri: '{redirectUri}' },
  accessSeconds: 7200,
  // the previous one is revoked on the first use of the new access token
  rotation: { kind: 'until_new_used', replay: 'new pair', newestWins: false },
  answer: (minted) => ({ ...rfcAnswer(minted), created_at: Math.floor(minted.nowMs / 1000), scope: 'public' }),
})

const gustoDemo = variant(gusto, 'demo', { token: form('https://api.gusto-demo.com/oauth/token') })

const harvest = vendor('harvest', {
  sources: ['https://github.com/harvesthq/api/blob/master/Authentication/OAuth%202.0.md'],
  token: 'https://{account}.harvestapp.com/oauth2/token',
  account: { account: 'acme' },
  client: post,
  accessSeconds: 64800,
})

const mercadoError = (error: string, message: string): Reply =>
  jsonReply(400, { message, error, status: 400, cause: [] })

const mercadolibre = vendor('mercadolibre', {
  sources: [
    'https://dev.to/javiersivack/el-refresh-token-de-mercado-libre-es-de-un-solo-uso-como-no-desconectar-a-tus-vendedores-137g',
    'https://developers.mercadolibre.com.ar/en_us/authentication-and-authorization',
  ],
  token: 'https://api.mercadolibre.com/oauth/token',
  client: post,
  accessSeconds: 21600,
  rotation: singleUse,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'offline_access read write', user_id: 8035443 }),
  errors: {
    deadGrant: [
      mercadoError(
        'invalid_grant',
        'Error validating grant. Your authorization code or refresh token may be expired or it was already used',
      ),
    ],
    clientError: [mercadoError('invalid_client', 'invalid client_id or client_secret.')],
  },
})

const mercadopago = vendor('mercadopago', {
  sources: [
    'https://mercadopago.com.mx/developers/en/reference/oauth/_oauth_token/post',
    'https://www.mercadopago.com.mx/developers/en/docs/security/oauth/renewal',
  ],
  consentAsksForMore: true,
  token: json('https://api.mercadopago.com/oauth/token'),
  client: post,
  accessSeconds: 15552000,
  answer: (minted) => ({
    ...rfcAnswer(minted),
    scope: 'offline_access payments',
    user_id: 1,
    public_key: 'pk',
    live_mode: true,
  }),
  errors: {
    deadGrant: [mercadoError('invalid_grant', 'invalid refresh_token')],
    clientError: [mercadoError('invalid_client', 'invalid client_id or client_secret')],
    throttled: [
      jsonReply(400, { message: 'local_rate_limited', error: 'local_rate_limited', status: 400 }),
      jsonReply(429, { message: 'local_rate_limited', error: 'local_rate_limited', status: 429 }),
    ],
  },
})

const monzo = vendor('monzo', {
  sources: [
    'https://github.com/monzo/docs/blob/master/source/includes/_authentication.md',
    'https://docs.monzo.com/#errors',
  ],
  token: 'https://api.monzo.com/oauth2/token',
  client: post,
  accessSeconds: 21600,
  rotation: singleUse,
  oldAccessTokenDies: true,
  answer: (minted) => ({ ...rfcAnswer(minted), client_id: 'app', user_id: 'user_1' }),
  errors: {
    deadGrant: [
      jsonReply(401, {
        code: 'unauthorized.bad_refresh_token.evicted',
        error: 'invalid_token',
        error_description: 'Refresh token has been evicted',
        message: 'Refresh token has been evicted',
      }),
      jsonReply(401, { code: 'unauthorized.bad_refresh_token', message: 'Bad refresh token' }),
    ],
  },
  revocation: { url: 'https://api.monzo.com/oauth2/logout', client: bearer, takes: 'access', ends: 'the grant' },
})

const myob = vendor('myob', {
  sources: ['https://developer.myob.com/api/accountright/api-overview/authentication'],
  // called authorize, and the token endpoint all the same
  token: 'https://secure.myob.com/oauth2/v1/authorize',
  client: post,
  exampleSeconds: 1200,
})

const netsuite = vendor('netsuite', {
  sources: [
    'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158082518856.html',
    'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158255317571.html',
  ],
  accessSeconds: 3600,
  token: 'https://{account}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
  account: { account: '1234567' },
  client: basic,
  rotation: neverRotates,
  refreshSeconds: 604800,
  // the refresh token is a JWT, whose exp is the deadline
  refreshExpiry: 'in the token',
  mintRefresh: ({ serial, consentedAtMs, nowMs, livesSeconds = 604800 }) =>
    vendorJwt({ jti: serial, exp: Math.floor(nowMs / 1000) + livesSeconds, oit: Math.floor(consentedAtMs / 1000) }),
  // a numeric string in the vendor's sample
  answer: ({ access, accessSeconds, refresh }) => ({
    access_token: access,
    expires_in: String(accessSeconds),
    token_type: 'bearer',
    ...(refresh !== undefined && { refresh_token: refresh }),
  }),
})
const netsuitePublic = variant(netsuite, 'public-client', {
  client: publicClient,
  rotation: singleUse,
  lifetimes: { ...netsuite.lifetimes, refreshSeconds: 10800 },
})
const netsuiteMachine = variant(netsuite, 'machine-to-machine', {
  sources: [
    'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162686838198.html',
    'https://github.com/amp-labs/connectors/blob/main/providers/netsuiteM2M.go',
  ],
  client: {
    by: 'signed assertion',
    algorithms: ['PS256', 'ES256'],
    audience: 'the token endpoint',
    maximumSeconds: 3600,
    // the id of the certificate
    header: ['kid'],
    needs: ['iat', 'exp'],
    subject: false,
    claims: { scope: '{scope}' },
  },
  account: { ...netsuite.account, scope: 'restlets' },
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
})

const procore = vendor('procore', {
  sources: ['https://github.com/procore/documentation/blob/master/oauth/oauth_endpoints.md'],
  token: 'https://login.procore.com/oauth/token',
  client: post,
  exampleSeconds: 5400,
  rotation: singleUse,
  answer: (minted) => ({ ...rfcAnswer(minted), created_at: Math.floor(minted.nowMs / 1000) }),
  revocation: { url: 'https://login.procore.com/oauth/revoke', ends: 'the grant' },
})

const procoreSandbox = variant(procore, 'sandbox', {
  token: form('https://login-sandbox.procore.com/oauth/token'),
  ...(procore.revocation && {
    revocation: { ...procore.revocation, door: form('https://login-sandbox.procore.com/oauth/revoke') },
  }),
})

const quickbooks = vendor('quickbooks', {
  sources: [
    'https://github.com/intuit/oauth-jsclient/blob/master/CHANGELOG.md',
    'https://github.com/intuit/oauth-jsclient/blob/master/src/OAuthClient.js',
    'https://github.com/intuit/QuickBooks-V3-Java-SDK/releases/tag/v6.5.4',
    'https://github.com/airbytehq/airbyte/issues/7296',
  ],
  accessSeconds: 3600,
  token: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  client: basic,
  refreshIdleSeconds: 8640000,
  refreshAbsoluteSeconds: 157680000,
  refreshExpiry: 'stated',
  endStated: true,
  answer: ({ access, refresh, accessSeconds, refreshSeconds = 0, headers, endsInSeconds }) => ({
    token_type: 'bearer',
    expires_in: accessSeconds,
    refresh_token: refresh,
    x_refresh_token_expires_in: refreshSeconds,
    access_token: access,
    ...(headers['x-include-refresh-token-hard-expires-in'] === 'true' && {
      x_refresh_token_hard_expires_in: endsInSeconds,
    }),
  }),
  revocation: { url: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke', encoding: 'json', ends: 'the grant' },
})

const rippling = vendor('rippling', {
  sources: ['https://mcp.waymark.network/r/d9592c47-8da6-4b76-babc-0875b777f282'],
  known: false,
  token: 'https://api.rippling.com/auth/oauth2/token',
  client: basic,
  alsoAccepts: [post],
})

const sage = vendor('sage-accounting', {
  sources: [
    'https://developer.sage.com/accounting/docs/v1.0.0/guides/learning/key-concepts/faq',
    'https://www.maesn.com/blogs/sage-accounting-api-integration',
  ],
  token: 'https://oauth.accounting.sage.com/token',
  client: post,
  accessSeconds: 300,
  refreshIdleSeconds: 2678400,
  rotation: singleUse,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'full_access', requested_by_id: '1' }),
  revocation: { url: 'https://oauth.accounting.sage.com/revoke' },
})

const shopify = vendor('shopify', {
  sources: [
    'https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens',
    'https://shopify.dev/changelog/offline-access-tokens-now-support-expiry-and-refresh',
  ],
  accessSeconds: 3600,
  token: 'https://{shop}.myshopify.com/admin/oauth/access_token',
  account: { shop: 'acme-store' },
  client: post,
  refreshIdleSeconds: 7776000,
  refreshExpiry: 'stated',
  // retried until its replacement is used, 30 days at most
  rotation: { kind: 'until_new_used', seconds: 2592000, replay: 'new pair', newestWins: false },
  answer: ({ access, refresh, accessSeconds, refreshSeconds }) => ({
    access_token: access,
    scope: 'write_orders,read_customers',
    expires_in: accessSeconds,
    refresh_token: refresh,
    refresh_token_expires_in: refreshSeconds,
  }),
})

const square = vendor('square', {
  sources: [
    'https://developer.squareup.com/reference/square/o-auth/obtain-token',
    'https://developer.squareup.com/reference/square/objects/ObtainTokenResponse',
    'https://developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope',
  ],
  token: json('https://connect.squareup.com/oauth2/token'),
  client: post,
  optional: ['short_lived', 'scopes'],
  // the code flow returns the same one each time
  rotation: answersSame,
  accessSeconds: 2592000,
  // renew every 7 days or less
  vendorLeadSeconds: 2592000 - 604800,
  answer: ({ access, refresh, accessSeconds, nowMs }) => ({
    access_token: access,
    token_type: 'bearer',
    expires_at: iso(nowMs + accessSeconds * 1000).replace(/\.\d+Z$/, 'Z'),
    merchant_id: 'MERCHANT',
    refresh_token: refresh,
    short_lived: false,
  }),
  revocation: {
    url: 'https://connect.squareup.com/oauth2/revoke',
    encoding: 'json',
    client: { by: 'header', name: 'Authorization', value: 'Client {client_secret}' },
    parameter: 'access_token',
    requires: { client_id: '{clientId}' },
    takes: 'access',
    ends: 'the grant',
    success: jsonReply(200, { success: true }),
  },
})
const squareShortLived = variant(square, 'short-lived', {
  requires: { ...square.requires, short_lived: 'true' },
  lifetimes: { ...square.lifetimes, accessSeconds: 86400 },
  // seven days are more than its life
  vendorLeadSeconds: 3600,
})
const squareSandbox = variant(square, 'sandbox', {
  token: json('https://connect.squareupsandbox.com/oauth2/token'),
  ...(square.revocation && {
    revocation: { ...square.revocation, door: json('https://connect.squareupsandbox.com/oauth2/revoke') },
  }),
})
const squarePkce = variant(square, 'pkce', { client: publicClient, rotation: singleUse })

const squarespace = vendor('squarespace', {
  sources: ['https://developers.squarespace.com/oauth'],
  consentAsksForMore: true,
  token: 'https://login.squarespace.com/api/1/login/oauth/provider/tokens',
  client: basic,
  exampleSeconds: 1800,
})

const stripeConnect = vendor('stripe-connect', {
  sources: ['https://docs.stripe.com/connect/oauth-standard-accounts'],
  // a refresh brings a token of another scope, never of another lifetime
  expiry: 'never',
  answer: ({ access, refresh }) => ({
    access_token: access,
    refresh_token: refresh,
    token_type: 'bearer',
    livemode: true,
  }),
  token: 'https://connect.stripe.com/oauth/token',
  client: post,
})

const wise = vendor('wise', {
  sources: [
    'https://docs.wise.com/api-docs/features/authentication-access/user-tokens',
    'https://docs.wise.com/api-docs/guides/customer-account-wise-kyc/refreshing-access',
  ],
  rotationUnknown: true,
  token: 'https://api.wise.com/oauth/token',
  client: basic,
  accessSeconds: 43200,
  refreshSeconds: 630720000,
  rotation: answersSame,
  oldAccessTokenDies: true,
  vendorLeadSeconds: 21600,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'transfers', created_at: iso(minted.nowMs) }),
})

const workday = vendor('workday', {
  sources: ['https://github.com/amp-labs/connectors/tree/main/providers'],
  token: 'https://{host}/ccx/oauth2/{tenant}/token',
  account: { host: 'wd2-impl-services1.workday.com', tenant: 'acme' },
  client: basic,
  alsoAccepts: [post],
})

const xero = vendor('xero', {
  sources: ['https://developer.xero.com/faq/oauth2', 'https://github.com/XeroAPI/xero-node/releases/tag/4.10.1'],
  token: 'https://identity.xero.com/connect/token',
  client: basic,
  accessSeconds: 1800,
  refreshIdleSeconds: 5184000,
  // retried for 30 minutes where the answer was lost
  rotation: grace(1800),
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'openid offline_access accounting.transactions' }),
  // removes every connection that the user gave
  revocation: { url: 'https://identity.xero.com/connect/revocation', takes: 'refresh', ends: 'the consent' },
})

const xeroConnection = variant(xero, 'custom-connection', {
  sources: ['https://developer.xero.com/documentation/guides/oauth2/custom-connections/'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
  optional: ['scope'],
  lifetimes: { accessSeconds: 1800, accessDocumented: true, refreshDocumented: true },
})

export const business: readonly Profile[] = [
  amazon,
  bamboohr,
  coinbase,
  cybersource,
  ebay,
  etsy,
  eventbrite,
  exact,
  freshbooks,
  gusto,
  gustoDemo,
  harvest,
  mercadolibre,
  mercadopago,
  monzo,
  myob,
  netsuite,
  netsuitePublic,
  netsuiteMachine,
  procore,
  procoreSandbox,
  quickbooks,
  rippling,
  sage,
  shopify,
  square,
  squareShortLived,
  squareSandbox,
  squarePkce,
  squarespace,
  stripeConnect,
  wise,
  workday,
  xero,
  xeroConnection,
]
