import type { ProviderEntry } from '../schema.ts'

/** Customer relations and sales. */
export const sales: Record<string, ProviderEntry> = {
  salesforce: {
    displayName: 'Salesforce',
    tokenEndpoint: 'https://{domain}.salesforce.com/services/oauth2/token',
    revocationEndpoint: 'https://{domain}.salesforce.com/services/oauth2/revoke',
    introspectionEndpoint: 'https://{domain}.salesforce.com/services/oauth2/introspect',
    parameters: {
      domain: {
        description: 'what stands before .salesforce.com: login, test (sandboxes) or your My Domain',
        example: 'acme.my',
        default: 'login',
      },
    },
    clientAuth: 'client_secret_post',
    tokenResponse: { keep: { instance_url: 'instance_url' } },
    errors: { clientRefused: [{ code: 'invalid_client_id' }] },
    accessTokenSeconds: 3600,
    expiryLookup: { expiresIn: 'exp', expiresInForm: 'epoch_seconds' },
    rotation: 'none',
    variants: {
      rotation: { when: 'Refresh Token Rotation is on in the app', set: { rotation: 'single_use' } },
      'idle-limit': {
        when: 'the app limits idle refresh tokens to 30 days',
        set: { refreshTokenIdleSeconds: 2_592_000 },
      },
      jwt: {
        when: 'the app signs for a user with a certificate (JWT bearer flow)',
        set: {
          grant: 'jwt_bearer',
          clientAuth: 'none',
          parameters: { user: { description: 'user name that the app acts for', example: 'integration@acme.example' } },
          tokenRequest: { remove: ['client_id'] },
          assertion: {
            algorithm: 'RS256',
            issuer: '{client_id}',
            subject: '{user}',
            audience: 'https://login.salesforce.com',
            lifetimeSeconds: 180,
          },
        },
      },
      'client-credentials': {
        when: 'the app runs as its integration user (client credentials flow), at your My Domain',
        set: { grant: 'client_credentials' },
      },
    },
    notes:
      'No answer says how long the access token lives: introspection does, and an hour is assumed where it cannot be asked. instance_url is the base of the API and can change with a refresh. Rotation and a sliding limit of 30 days are settings of each app, and partner apps are being moved to them.',
    sources: [
      {
        url: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flow_errors.htm',
        says: 'error codes, invalid_client_id among them',
      },
      {
        url: 'https://help.salesforce.com/s/articleView?id=sf.connected_app_manage_oauth.htm',
        says: 'token policies are set per connected app',
      },
      {
        url: 'https://github.com/python-social-auth/social-core/tree/master/social_core/backends',
        says: 'token and revocation endpoint',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      {
        url: 'https://github.com/PostHog/posthog/blob/master/posthog/models/integration.py',
        says: 'expires_in absent in initial and refresh responses; one hour assumed',
      },
      {
        url: 'https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/intro_oauth_tokens.htm',
        says: 'session timeout setting governs access-token expiry; refresh response fields without expires_in',
      },
      {
        url: 'https://help.salesforce.com/s/articleView?id=xcloud.connected_app_limit_idle_ttl.htm&language=en_US&type=5',
        says: 'optional 30-day sliding idle limit, also caps the other policies',
      },
      {
        url: 'https://help.salesforce.com/apex/HTViewHelpDoc?id=remoteaccess_oauth_refresh_token_flow.htm&language=en_US',
        says: 'rotation setting: each refresh returns a new refresh token and invalidates the previous one',
      },
      {
        url: 'https://developer.salesforce.com/docs/platform/isvforce/guide/secure-code-ac-eca.md',
        says: 'security requirements with deadlines for partner apps',
      },
      {
        url: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm&type=5',
        says: 'iss, sub, aud and exp of the assertion; no refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation', 'accessTokenSeconds'],
  },
  hubspot: {
    displayName: 'HubSpot',
    tokenEndpoint: 'https://api.hubapi.com/oauth/2026-03/token',
    revocationEndpoint: 'https://api.hubapi.com/oauth/2026-03/token/revoke',
    introspectionEndpoint: 'https://api.hubapi.com/oauth/2026-03/token/introspect',
    clientAuth: 'client_secret_post',
    errors: {
      deadGrant: [{ code: 'BAD_REFRESH_TOKEN' }],
      clientRefused: [{ code: 'BAD_CLIENT_ID' }, { code: 'BAD_CLIENT_SECRET' }],
    },
    accessTokenSeconds: 1800,
    variants: {
      v1: {
        when: 'the endpoints of version 1 are still used; they end on 2027-02-16',
        set: { tokenEndpoint: 'https://api.hubapi.com/oauth/v1/token' },
      },
    },
    notes:
      'Tokens can be 300 characters long. Sources disagree on whether the refresh token changes: what comes back is kept. Revoking the refresh token leaves access tokens alive.',
    sources: [
      {
        url: 'https://developers.hubspot.com/changelog/upcoming-expiration-of-oauth-access-tokens-is-changing',
        says: '30 minutes, refresh tokens unaffected',
      },
      {
        url: 'https://legacydocs.hubspot.com/docs/methods/oauth2/refresh-access-token',
        says: 'form post, token size advice',
      },
      {
        url: 'https://www.educative.io/courses/building-websites-using-hubspot-cms-apis-in-javascript/refreshing-tokens',
        says: 'third-party claim that the old refresh token becomes invalid',
      },
      {
        url: 'https://github.com/python-social-auth/social-core/tree/master/social_core/backends',
        says: 'token and revocation endpoint',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      {
        url: 'https://developers.hubspot.com/changelog/v1-oauth-api-deprecation',
        says: 'v1 ends 2027-02-16; token, introspect and revoke paths of the date-versioned API',
      },
      {
        url: 'https://developers.hubspot.com/docs-beta/oauth/tokens',
        says: 'deleting the refresh token leaves access tokens alive; tokens up to 300 characters',
      },
      {
        url: 'https://nango.dev/blog/hubspot-oauth-bad-refresh-token',
        says: 'error body of the v1 endpoint for a dead refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  zoho: {
    displayName: 'Zoho',
    tokenEndpoint: 'https://accounts.zoho.{dc}/oauth/v2/token',
    revocationEndpoint: 'https://accounts.zoho.{dc}/oauth/v2/token/revoke',
    parameters: {
      dc: {
        description: 'data centre of the account, as the callback named it (accounts-server)',
        values: ['com', 'eu', 'in', 'com.au', 'jp', 'sa', 'com.cn'],
        example: 'eu',
        default: 'com',
      },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'query' },
    tokenResponse: { keep: { api_domain: 'api_domain' } },
    errors: {
      deadGrant: [{ code: 'invalid_code' }],
      throttled: [{ code: 'Access Denied' }],
      clientRefused: [{ code: 'invalid_client_secret' }],
    },
    accessTokenSeconds: 3600,
    rotation: 'none',
    minRefreshIntervalSeconds: 60,
    refreshTokensPerUser: 20,
    revocation: { encoding: 'query', tokens: ['refresh_token'] },
    notes:
      'Ten access tokens in ten minutes for one refresh token, then none for the rest of the window. The 16th living access token ends the oldest (older pages: the 11th), the 21st refresh token likewise. Failures come with status 200. Accounts in Canada are at zohocloud.ca: an entry of your own that extends this one.',
    sources: [
      {
        url: 'https://zoho.com/crm/developer/docs/api/v3/token-validity.html',
        says: '1 h, no expiry, 10 per 10 minutes with Access Denied body, 15 active access tokens, 20 refresh tokens per user',
      },
      {
        url: 'https://zoho.com/developer/docs/vertical-solutions/api/v6/token-validity.html',
        says: 'revoked refresh token returns invalid_code; revoking kills its access tokens',
      },
      {
        url: 'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html',
        says: 'parameters, api_domain, revoke endpoint',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  pipedrive: {
    displayName: 'Pipedrive',
    tokenEndpoint: 'https://oauth.pipedrive.com/oauth/token',
    clientAuth: 'client_secret_basic',
    tokenResponse: { keep: { api_domain: 'api_domain' } },
    accessTokenSeconds: 3600,
    refreshTokenIdleSeconds: 5_184_000,
    notes: 'api_domain is the base of the API for this company.',
    sources: [
      {
        url: 'https://mdsite.deno.dev/https://developers.pipedrive.com/docs/api/v1/Oauth',
        says: 'OAuth reference (mirror of the vendor page)',
      },
      {
        url: 'https://withone.ai/knowledge/pipedrive/conn_mod_def%3A%3AGJ6GccwjnGc%3A%3AShP44SUrR_qx9ULRzf8xkQ',
        says: '3600 s, 60 days unused, api_domain',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  outreach: {
    displayName: 'Outreach',
    tokenEndpoint: 'https://api.outreach.io/oauth/token',
    parameters: {
      redirect_uri: {
        description: 'the redirect URI of the consent request',
        example: 'https://app.acme.example/callback',
      },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { add: { redirect_uri: '{redirect_uri}' } },
    accessTokenSeconds: 7200,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 1_209_600,
    sources: [
      { url: 'https://developers.outreach.io/api/getting-started/', says: 'short-lived tokens, OAuth flow' },
      {
        url: 'https://rdrr.io/github/JosiahParry/outReach/man/refresh_auth_token.html',
        says: '120 minutes; redirect passed on refresh',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
    unsure: ['rotation', 'refreshTokenIdleSeconds'],
  },
  salesloft: {
    displayName: 'Salesloft',
    tokenEndpoint: 'https://accounts.salesloft.com/oauth/token',
    sources: [{ url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'unverified',
  },
  gong: {
    displayName: 'Gong',
    tokenEndpoint: 'https://app.gong.io/oauth2/generate-customer-token',
    clientAuth: 'client_secret_basic',
    tokenResponse: { keep: { api_base_url_for_customer: 'api_base_url_for_customer' } },
    rotation: 'single_use',
    notes: 'The base of the API is per customer and comes with the token.',
    sources: [
      {
        url: 'https://nango.dev/blog/gong-oauth-refresh-token-invalid-grant',
        says: 'endpoint, Basic auth, one-time refresh tokens',
      },
      { url: 'https://terapi.gitbook.io/terapi-api-explorer/integrations/gong', says: 'api_base_url_for_customer' },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
}
