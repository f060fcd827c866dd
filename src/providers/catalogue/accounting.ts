import type { ProviderEntry } from '../schema.ts'

/** Bookkeeping and ERP. */
export const accounting: Record<string, ProviderEntry> = {
  quickbooks: {
    displayName: 'QuickBooks Online',
    tokenEndpoint: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    revocationEndpoint: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    clientAuth: 'client_secret_basic',
    tokenRequest: { headers: { 'x-include-refresh-token-hard-expires-in': 'true' } },
    tokenResponse: {
      refreshExpiresIn: 'x_refresh_token_expires_in',
      refreshHardExpiresIn: 'x_refresh_token_hard_expires_in',
    },
    accessTokenSeconds: 3600,
    refreshTokenIdleSeconds: 8_640_000,
    refreshTokenAbsoluteSeconds: 157_680_000,
    revocation: { encoding: 'json' },
    notes:
      '100 days from each refresh, and five years from consent at most. The refresh token is reported to change about once a day: what comes back is kept.',
    sources: [
      {
        url: 'https://github.com/intuit/QuickBooks-V3-Java-SDK/releases/tag/v6.5.4',
        says: 'five-year maximum; hard expiry returned on request',
      },
      {
        url: 'https://github.com/IntuitDeveloper/OAuth2-Dotnet_UsingSDK/blob/master/docs/help/Tokens.md',
        says: 'one hour, 100 days',
      },
      {
        url: 'https://docs.devart.com/dotconnect/quickbooks/Devart.Data.QuickBooks~Devart.Data.QuickBooks.QuickBooksConnectionStringBuilder~RefreshToken.html',
        says: 'third party: old token may be revoked after 24 hours',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/intuit/oauth-jsclient/blob/master/CHANGELOG.md',
        says: 'header and field for the five-year limit',
      },
      { url: 'https://github.com/intuit/oauth-jsclient/blob/master/src/OAuthClient.js', says: 'revocation endpoint' },
      {
        url: 'https://github.com/airbytehq/airbyte/issues/7296',
        says: 'user report: refresh token value can change after 24 hours',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  xero: {
    displayName: 'Xero',
    tokenEndpoint: 'https://identity.xero.com/connect/token',
    revocationEndpoint: 'https://identity.xero.com/connect/revocation',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 1800,
    rotation: 'grace',
    graceSeconds: 1800,
    refreshTokenIdleSeconds: 5_184_000,
    revocation: { tokens: ['refresh_token'], endsConsent: true },
    variants: {
      'custom-connection': {
        when: 'the app is a custom connection, without a user',
        set: { grant: 'client_credentials' },
      },
    },
    notes:
      'A refresh whose answer was lost can be repeated for 30 minutes. Revoking removes every connection of the user to the app.',
    sources: [
      {
        url: 'https://developer.xero.com/faq/oauth2',
        says: '60 days unused, 30-minute retry window, 30-minute access tokens',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://github.com/XeroAPI/xero-node/releases/tag/4.10.1',
        says: "vendor SDK: revoking the refresh token calls the revocation endpoint and removes all of the user's connections to the app",
      },
      {
        url: 'https://developer.xero.com/documentation/guides/oauth2/custom-connections/',
        says: 'custom connections use client credentials',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['revocationEndpoint', 'clientAuth'],
  },
  freshbooks: {
    displayName: 'FreshBooks',
    tokenEndpoint: 'https://api.freshbooks.com/auth/oauth/token',
    parameters: {
      redirect_uri: {
        description: 'the redirect URI of the consent request',
        example: 'https://app.acme.example/callback',
      },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { add: { redirect_uri: '{redirect_uri}' } },
    accessTokenSeconds: 43_200,
    rotation: 'single_use',
    notes: 'A refresh token has no time limit, and works once.',
    sources: [
      {
        url: 'https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api',
        says: '12 hours; refresh token never expires but can be used once',
      },
      { url: 'https://www.freshbooks.com/api/authentication', says: 'flow and 12-hour lifetime' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'sage-accounting': {
    displayName: 'Sage Business Cloud Accounting',
    tokenEndpoint: 'https://oauth.accounting.sage.com/token',
    revocationEndpoint: 'https://oauth.accounting.sage.com/revoke',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 300,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 2_678_400,
    notes: 'Five-minute access tokens and a refresh token that changes each time: up to 288 rotations a day.',
    sources: [
      {
        url: 'https://developer.sage.com/accounting/guides/authenticating/authentication',
        says: 'authorization URL with filter parameter, refresh flow',
      },
      {
        url: 'https://www.maesn.com/blogs/sage-accounting-api-integration',
        says: 'third party: five minutes, previous refresh token invalidated',
      },
      {
        url: 'https://developer.sage.com/accounting/docs/v1.0.0/guides/learning/key-concepts/faq',
        says: 'token host; dead grants answered with invalid_grant',
      },
      {
        url: 'https://truto.one/blog/how-to-create-a-full-technical-integration-guide-for-sage-business-cloud-accounting.md',
        says: 'third party: five minutes, rotation on every use',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
    unsure: ['revocationEndpoint', 'refreshTokenIdleSeconds'],
  },
  'exact-online': {
    displayName: 'Exact Online',
    tokenEndpoint: 'https://start.exactonline.{region}/api/oauth2/token',
    parameters: {
      region: {
        description: 'country of the account, as in the host name of Exact Online',
        values: ['nl', 'be', 'de', 'fr', 'es', 'co.uk', 'com'],
        example: 'nl',
      },
    },
    clientAuth: 'client_secret_post',
    errors: {
      deadGrant: [
        { code: 'invalid_request', message: 'refresh token expired' },
        { code: 'unauthorized_client', message: 'old refresh token used' },
      ],
      tooEarly: [{ message: 'not expired' }],
    },
    accessTokenSeconds: 600,
    rotation: 'single_use',
    oldAccessTokenDies: true,
    notBeforeSeconds: 570,
    refreshTokenIdleSeconds: 2_592_000,
    notes:
      'Ten-minute access tokens, and a refresh is refused until shortly before their end. A refresh ends the access token in use.',
    sources: [
      {
        url: 'https://sqlkover.com/azure-data-factory-and-the-exact-online-rest-api-fetching-your-first-refresh-access-tokens',
        says: '10-minute access token, new refresh token each time, 30 days, old token sometimes still accepted',
      },
      { url: 'https://help.flowgear.net/articles/nodes/exact-online', says: 'one access token valid per client' },
      {
        url: 'https://github.com/picqer/exact-php-client/blob/main/src/Picqer/Financials/Exact/Connection.php',
        says: 'client credentials in the body; expires_in handled as a string; locking hooks around refresh',
      },
      {
        url: 'https://github.com/picqer/exact-php-client/issues/644',
        says: 'user report: a used refresh token is answered with 401 unauthorized_client, Old refresh token used',
      },
      {
        url: 'https://github.com/picqer/exact-php-client/issues/300',
        says: 'vendor mail quoted: a refresh token may not be used more than once since the end of 2018; each refresh returns a new one',
      },
      {
        url: 'https://github.com/websmurf/laravel-exact-online/issues/23',
        says: 'user report: an expired refresh token is answered with 400 invalid_request and a text naming the date',
      },
      {
        url: 'https://github.com/websmurf/laravel-exact-online/issues/19',
        says: 'user report: unused for 30 days ends the refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
    unsure: ['rotation', 'notBeforeSeconds', 'oldAccessTokenDies'],
  },
  myob: {
    displayName: 'MYOB Business',
    tokenEndpoint: 'https://secure.myob.com/oauth2/v1/authorize',
    clientAuth: 'client_secret_post',
    notes: 'The token endpoint is itself called authorize.',
    sources: [
      {
        url: 'https://developer.myob.com/api/accountright/api-overview/authentication',
        says: 'authorization and token URLs, parameters',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  netsuite: {
    displayName: 'Oracle NetSuite',
    tokenEndpoint: 'https://{account}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
    parameters: {
      account: {
        description: 'account id as in its host name at netsuite.com, sandboxes with a hyphen',
        example: '1234567-sb1',
      },
    },
    clientAuth: 'client_secret_basic',
    tokenResponse: { refreshTokenIsJwt: true },
    accessTokenSeconds: 3600,
    rotation: 'none',
    refreshTokenLifetimeSeconds: 604_800,
    variants: {
      'public-client': {
        when: 'the integration record is a public client',
        set: { clientAuth: 'none', rotation: 'single_use', refreshTokenLifetimeSeconds: 10_800 },
      },
      'machine-to-machine': {
        when: 'the integration signs with a certificate (client credentials flow)',
        set: {
          grant: 'client_credentials',
          clientAuth: 'private_key_jwt',
          parameters: {
            scope: { description: 'which APIs', example: 'rest_webservices', default: 'rest_webservices' },
          },
          assertion: { algorithm: 'PS256', claims: { scope: '{scope}' } },
        },
      },
    },
    notes:
      'A refresh brings no refresh token: the first one, a JWT with its own end, serves until then (7 days in the documented sample).',
    sources: [
      {
        url: 'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158082518856.html',
        says: 'endpoint, basic auth, 3600 s, public clients: three hours and one-time use, invalid_grant on expiry',
      },
      {
        url: 'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158255317571.html',
        says: 'token claims exp, iat, oit',
      },
      {
        url: 'https://github.com/amp-labs/connectors/blob/main/providers/netsuiteM2M.go',
        says: 'third party: refresh tokens said to end after 30 days, hence the M2M variant',
      },
      {
        url: 'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162686838198.html',
        says: 'client credentials flow with a signed client assertion: PS256 among its algorithms, scope among its claims',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
