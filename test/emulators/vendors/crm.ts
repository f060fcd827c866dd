import { jsonReply, oauthError } from '../answers.ts'
import { vendorJwt } from '../jwt.ts'
import type { Profile } from '../profile.ts'
import {
  answersSame,
  basic,
  form,
  json,
  neverRotates,
  post,
  query,
  rfcAnswer,
  singleUse,
  untilRevoked,
  variant,
  vendor,
} from '../vendor.ts'

/** Customers, sales, marketing, support. */

const aweber = vendor('aweber', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://auth.aweber.com/oauth2/token',
  client: basic,
})

const constantContact = vendor('constant-contact', {
  sources: [
    'https://v3.developer.constantcontact.com/api_guide/server_flow.html',
    'https://community.constantcontact.com/t5/API-Developer-Support/Refresh-token-expiry/td-p/402882',
  ],
  token: 'https://authz.constantcontact.com/oauth2/default/v1/token',
  client: basic,
  accessSeconds: 86400,
  refreshIdleSeconds: 15552000,
  // the page decodes the token for its expiry
  expiry: 'in the token',
  mintAccess: ({ serial, nowMs, livesSeconds = 86400 }) =>
    vendorJwt({ jti: serial, exp: Math.floor(nowMs / 1000) + livesSeconds }),
  answer: ({ access, refresh }) => ({
    token_type: 'Bearer',
    access_token: access,
    refresh_token: refresh,
    scope: 'contact_data',
  }),
})
const constantContactLongLived = variant(constantContact, 'long-lived', { rotation: answersSame })

const gohighlevel = vendor('gohighlevel', {
  sources: [
    'https://github.com/GoHighLevel/highlevel-api-docs/blob/main/apps/oauth.json',
    'https://github.com/GoHighLevel/highlevel-api-docs/blob/main/docs/oauth/Authorization.md',
  ],
  token: 'https://services.leadconnectorhq.com/oauth/token',
  client: post,
  optional: ['redirect_uri'],
  // Company or Location
  requiresOfUser: { user_type: 'Location' },
  accessSeconds: 86400,
  refreshIdleSeconds: 31536000,
  metadata: ['locationId', 'companyId', 'userType'],
  answer: (minted) => ({
    ...rfcAnswer(minted),
    scope: 'contacts.readonly',
    userType: 'Location',
    locationId: 'loc-1',
    companyId: 'company-1',
  }),
  errors: {
    malformed: jsonReply(422, {
      statusCode: 422,
      message: ['user_type must be a string'],
      error: 'Unprocessable Entity',
    }),
  },
})

const gong = vendor('gong', {
  sources: [
    'https://nango.dev/blog/gong-oauth-refresh-token-invalid-grant',
    'https://terapi.gitbook.io/terapi-api-explorer/integrations/gong',
  ],
  token: 'https://app.gong.io/oauth2/generate-customer-token',
  client: basic,
  exampleSeconds: 86400,
  metadata: ['api_base_url_for_customer'],
  answer: (minted) => ({
    ...rfcAnswer(minted),
    scope: 'api:calls:read:basic',
    api_base_url_for_customer: 'https://acme.api.gong.io',
  }),
})

const hubspotErrors = {
  deadGrant: [
    jsonReply(400, { error: 'invalid_grant', error_description: 'refresh token is invalid, expired or revoked' }),
    // the endpoint that ends in February 2027
    jsonReply(400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token', correlationId: 'c-1' }),
  ],
  clientError: [
    jsonReply(400, { error: 'invalid_client', error_description: 'missing or invalid client id' }),
    jsonReply(400, { status: 'BAD_CLIENT_SECRET', message: 'missing or invalid client secret', correlationId: 'c-1' }),
    jsonReply(400, { status: 'BAD_CLIENT_ID', message: 'missing or invalid client id', correlationId: 'c-1' }),
  ],
} as const

const hubspot = vendor('hubspot', {
  sources: [
    'https://developers.hubspot.com/changelog/v1-oauth-api-deprecation',
    'https://nango.dev/blog/hubspot-oauth-bad-refresh-token',
    'https://developers.hubspot.com/docs-beta/oauth/tokens',
  ],
  introspection: 'https://api.hubapi.com/oauth/2026-03/token/introspect',
  token: 'https://api.hubapi.com/oauth/2026-03/token',
  client: post,
  accessSeconds: 1800,
  mintAccess: ({ serial }) => serial.padEnd(300, 'x'),
  errors: hubspotErrors,
  // deleting the refresh token leaves access tokens alive
  revocation: { url: 'https://api.hubapi.com/oauth/2026-03/token/revoke', takes: 'either' },
})

const hubspotV1 = variant(hubspot, 'v1', {
  token: form('https://api.hubapi.com/oauth/v1/token'),
  errors: {
    ...hubspot.errors,
    deadGrant: [hubspotErrors.deadGrant[1], hubspotErrors.deadGrant[0]],
  },
})

const intercom = vendor('intercom', {
  sources: [
    'https://community.intercom.com/apps-integrations-25/clarification-needed-on-intercom-oauth-access-token-and-refresh-token-for-multitenant-apps-11092',
  ],
  token: 'https://api.intercom.io/auth/eagle/token',
  client: post,
  ...untilRevoked,
})

const keap = vendor('keap', {
  sources: ['https://developer.infusionsoft.com/getting-started-oauth-keys'],
  token: 'https://api.infusionsoft.com/token',
  // in the body for the code exchange, in the header for the refresh
  client: basic,
  accessSeconds: 86400,
  refreshIdleSeconds: 3888000,
})

const klaviyo = vendor('klaviyo', {
  sources: [
    'https://developers.klaviyo.com/en/docs/troubleshoot_oauth_errors',
    'https://developers.klaviyo.com/en/docs/set_up_oauth',
  ],
  token: 'https://a.klaviyo.com/oauth/token',
  client: basic,
  refreshIdleSeconds: 7776000,
  budget: { of: 'each grant', requests: 10, perSeconds: 60 },
  errors: {
    deadGrant: [
      oauthError(400, 'invalid_grant'),
      // an otherwise right refresh that is answered so has a dead token
      oauthError(400, 'invalid_grant_type'),
    ],
  },
})

const mailchimp = vendor('mailchimp', {
  sources: ['https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/'],
  token: 'https://login.mailchimp.com/oauth2/token',
  client: post,
  ...untilRevoked,
})

const outreach = vendor('outreach', {
  sources: [
    'https://developers.outreach.io/api/getting-started/',
    'https://rdrr.io/github/JosiahParry/outReach/man/refresh_auth_token.html',
  ],
  token: 'https://api.outreach.io/oauth/token',
  client: post,
  requiresOfUser: { redirect_uri: '{redirectUri}' },
  accessSeconds: 7200,
  refreshIdleSeconds: 1209600,
})

const pipedrive = vendor('pipedrive', {
  sources: [
    'https://mdsite.deno.dev/https://developers.pipedrive.com/docs/api/v1/Oauth',
    'https://withone.ai/knowledge/pipedrive/conn_mod_def%3A%3AGJ6GccwjnGc%3A%3AShP44SUrR_qx9ULRzf8xkQ',
  ],
  accessSeconds: 3600,
  token: 'https://oauth.pipedrive.com/oauth/token',
  client: basic,
  refreshIdleSeconds: 5184000,
  metadata: ['api_domain'],
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'base', api_domain: 'https://acme.pipedrive.com' }),
})

const salesforceErrors = {
  deadGrant: [oauthError(400, 'invalid_grant', 'expired access/refresh token')],
  clientError: [
    oauthError(400, 'invalid_client', 'invalid client credentials'),
    oauthError(400, 'invalid_client_id', 'client identifier invalid'),
  ],
} as const

const salesforce = vendor('salesforce', {
  sources: [
    'https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/intro_oauth_tokens.htm',
    'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flow_errors.htm',
    'https://github.com/PostHog/posthog/blob/master/posthog/models/integration.py',
  ],
  token: 'https://{domain}.salesforce.com/services/oauth2/token',
  account: { domain: 'login' },
  client: post,
  // without rotation, the setting that apps begin with, the answer holds no refresh token
  rotation: neverRotates,
  // what clients assume; the policy of the org decides
  accessSeconds: 3600,
  expiry: 'by lookup',
  metadata: ['instance_url'],
  answer: ({ access, refresh, nowMs }) => ({
    access_token: access,
    ...(refresh !== undefined && { refresh_token: refresh }),
    signature: 'c2lnbmF0dXJl',
    scope: 'api refresh_token',
    instance_url: 'https://acme.my.salesforce.com',
    id: 'https://login.salesforce.com/id/00D/005',
    token_type: 'Bearer',
    issued_at: String(nowMs),
  }),
  errors: salesforceErrors,
  lookup: {
    url: 'https://{domain}.salesforce.com/services/oauth2/introspect',
    method: 'POST',
    client: post,
    parameter: 'token',
    answer: ({ nowMs, accessSeconds }) => ({
      active: true,
      token_type: 'access_token',
      exp: Math.floor(nowMs / 1000) + accessSeconds,
      iat: Math.floor(nowMs / 1000),
    }),
  },
  revocation: {
    url: 'https://{domain}.salesforce.com/services/oauth2/revoke',
    client: { by: 'anyone' },
    ends: 'the token',
  },
})
const salesforceRotating = variant(salesforce, 'rotation', { rotation: singleUse })
const salesforceIdle = variant(salesforce, 'idle-limit', {
  lifetimes: { ...salesforce.lifetimes, refreshIdleSeconds: 2592000 },
  refreshExpiry: 'documented',
})
const salesforceClient = variant(salesforce, 'client-credentials', {
  sources: ['https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm'],
  // at the org's own address, never at the login host
  account: { domain: 'acme.my' },
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
})
const salesforceJwt = variant(salesforce, 'jwt', {
  sources: ['https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm'],
  client: { by: 'none' },
  // introspection asks for a secret, which this client has not
  expiry: 'documented',
  grant: {
    kind: 'assertion',
    carried: { in: 'parameter', name: 'assertion' },
    assertion: {
      algorithm: 'RS256',
      audience: 'https://login.salesforce.com',
      // the page: within three minutes
      maximumSeconds: 180,
      claims: { iss: '{clientId}', sub: '{subject}' },
      needs: ['exp'],
    },
  },
  requires: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
})

const salesloft = vendor('salesloft', {
  sources: ['https://github.com/amp-labs/connectors/tree/main/providers'],
  known: false,
  token: 'https://accounts.salesloft.com/oauth/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
})

const surveymonkey = vendor('surveymonkey', {
  sources: ['https://github.com/SurveyMonkey/public_api_docs/blob/main/includes/_overview.md'],
  token: 'https://api.surveymonkey.com/oauth/token',
  client: post,
  ...untilRevoked,
})

const typeform = vendor('typeform', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://api.typeform.com/oauth/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
})

const zendesk = vendor('zendesk', {
  sources: [
    'https://support.zendesk.com/hc/en-us/articles/9182123625370',
    'https://github.com/NangoHQ/nango/issues/6775',
    'https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token',
  ],
  token: json('https://{subdomain}.zendesk.com/oauth/tokens'),
  account: { subdomain: 'acme' },
  client: post,
  // what the vendor's newer clients get without asking
  requires: { expires_in: '1800', refresh_token_expires_in: '2592000' },
  optional: ['scope'],
  // 30 minutes, unless the client asks for another lifetime; older clients get none unless they ask
  accessSeconds: 1800,
  refreshSeconds: 2592000,
  refreshExpiry: 'stated',
  rotation: singleUse,
  oldAccessTokenDies: true,
  answer: ({ access, refresh, accessSeconds, refreshSeconds, parameters }) => ({
    access_token: access,
    refresh_token: refresh,
    token_type: 'bearer',
    scope: 'read',
    ...(parameters.expires_in !== undefined && { expires_in: accessSeconds }),
    ...(parameters.refresh_token_expires_in !== undefined && { refresh_token_expires_in: refreshSeconds }),
  }),
})

const zohoBlocked = jsonReply(400, {
  error_description: 'You have made too many requests continuously. Please try again after some time.',
  error: 'Access Denied',
  status: 'failure',
})

const zoho = vendor('zoho', {
  sources: [
    'https://zoho.com/crm/developer/docs/api/v3/token-validity.html',
    'https://zoho.com/developer/docs/vertical-solutions/api/v6/token-validity.html',
    'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html',
  ],
  accessSeconds: 3600,
  token: query('https://accounts.zoho.{dc}/oauth/v2/token'),
  account: { dc: 'eu' },
  client: post,
  optional: ['redirect_uri', 'scope'],
  rotation: neverRotates,
  tokensPerUser: 20,
  budget: { of: 'each grant', requests: 10, perSeconds: 600 },
  metadata: ['api_domain'],
  answer: ({ access, accessSeconds }) => ({
    access_token: access,
    api_domain: 'https://www.zohoapis.eu',
    token_type: 'Bearer',
    expires_in: accessSeconds,
  }),
  errors: {
    // a revoked one answers 200
    deadGrant: [jsonReply(200, { error: 'invalid_code' })],
    throttled: [zohoBlocked, { ...zohoBlocked, status: 200 }],
    clientError: [jsonReply(200, { error: 'invalid_client' }), jsonReply(200, { error: 'invalid_client_secret' })],
  },
  revocation: {
    url: 'https://accounts.zoho.{dc}/oauth/v2/token/revoke',
    encoding: 'query',
    takes: 'refresh',
    client: { by: 'anyone' },
    ends: 'the grant',
  },
})

export const crm: readonly Profile[] = [
  aweber,
  constantContact,
  constantContactLongLived,
  gohighlevel,
  gong,
  hubspot,
  hubspotV1,
  intercom,
  keap,
  klaviyo,
  mailchimp,
  outreach,
  pipedrive,
  salesforce,
  salesforceRotating,
  salesforceIdle,
  salesforceClient,
  salesforceJwt,
  salesloft,
  surveymonkey,
  typeform,
  zendesk,
  zoho,
]
