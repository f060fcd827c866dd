import type { ProviderEntry } from '../schema.ts'

/** Identity as a service. */
export const identityServices: Record<string, ProviderEntry> = {
  auth0: {
    displayName: 'Auth0',
    tokenEndpoint: 'https://{domain}.auth0.com/oauth/token',
    revocationEndpoint: 'https://{domain}.auth0.com/oauth/revoke',
    parameters: { domain: { description: 'tenant and region, as in its host name at auth0.com', example: 'acme.eu' } },
    clientAuth: 'client_secret_post',
    errors: { clientRefused: [{ code: 'access_denied', message: 'unauthorized' }] },
    rotation: 'single_use',
    refreshTokenAbsoluteSeconds: 2_592_000,
    refreshTokensPerUser: 200,
    revocation: { tokens: ['refresh_token'] },
    variants: {
      leeway: {
        when: 'a rotation overlap (leeway) of 10 seconds or more is set',
        set: { rotation: 'grace', graceSeconds: 10 },
      },
      'non-rotating': {
        when: 'refresh token rotation is off, the default of confidential clients',
        set: { rotation: 'none' },
      },
      'machine-to-machine': { when: 'the application is machine to machine', set: { grant: 'client_credentials' } },
      'custom-domain': {
        when: 'the tenant has a domain of its own',
        set: {
          tokenEndpoint: 'https://{host}/oauth/token',
          revocationEndpoint: 'https://{host}/oauth/revoke',
          parameters: {
            host: { description: 'host name of your tenant', example: 'login.acme.example', setBy: 'client' },
          },
        },
      },
    },
    notes:
      'A second use ends the whole family. The absolute lifetime counts from consent; rotation does not move it. With a leeway only the token before the last is accepted.',
    sources: [
      {
        url: 'https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens',
        says: 'the endpoint revokes refresh tokens',
      },
      {
        url: 'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation',
        says: 'leeway off by default, 30 days default, lifetime not extended',
      },
      {
        url: 'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-expiration',
        says: 'absolute 2,592,000 s default, one year maximum, inactivity option',
      },
      {
        url: 'https://community.auth0.com/t/clarifying-refresh-token-rotation-in-auth0/146649',
        says: 'absolute expiry not extended',
      },
      {
        url: 'https://community.auth0.com/t/access-denied-unauthorized/11259',
        says: 'a wrong client secret is answered with 401 access_denied, Unauthorized',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  okta: {
    displayName: 'Okta',
    tokenEndpoint: 'https://{org}.okta.com/oauth2/{server}/v1/token',
    revocationEndpoint: 'https://{org}.okta.com/oauth2/{server}/v1/revoke',
    introspectionEndpoint: 'https://{org}.okta.com/oauth2/{server}/v1/introspect',
    parameters: {
      org: { description: 'name of the organization, as in its host name at okta.com', example: 'acme' },
      server: { description: 'id of the authorization server', example: 'aus1a2b3c4', default: 'default' },
    },
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 3600,
    rotation: 'grace',
    graceSeconds: 30,
    refreshTokenIdleSeconds: 604_800,
    variants: {
      static: { when: 'the app does not rotate, the default of web and native apps', set: { rotation: 'none' } },
      'org-server': {
        when: 'the tokens are for the API of Okta itself',
        set: {
          tokenEndpoint: 'https://{org}.okta.com/oauth2/v1/token',
          revocationEndpoint: 'https://{org}.okta.com/oauth2/v1/revoke',
          introspectionEndpoint: 'https://{org}.okta.com/oauth2/v1/introspect',
        },
      },
      service: {
        when: 'the app is an API service that signs with its own key',
        set: { grant: 'client_credentials', clientAuth: 'private_key_jwt' },
      },
      'custom-domain': {
        when: 'the organization has a domain of its own',
        set: {
          tokenEndpoint: 'https://{host}/oauth2/{server}/v1/token',
          revocationEndpoint: 'https://{host}/oauth2/{server}/v1/revoke',
          introspectionEndpoint: 'https://{host}/oauth2/{server}/v1/introspect',
          parameters: {
            host: { description: 'host name of your organization', example: 'login.acme.example', setBy: 'client' },
          },
        },
      },
    },
    notes:
      'Rotation is a setting of the app; its leeway is 0 to 60 seconds, 30 unless changed. A second use after it ends the newest refresh token and every access token since sign-in. Rotation does not move the lifetime of the first token.',
    sources: [
      {
        url: 'https://github.com/okta/okta-developer-docs/blob/master/packages/%40okta/vuepress-site/docs/guides/refresh-tokens/main/index.md',
        says: 'default 30 s, range 0-60 s, reuse detection, lifetime inherited, unlimited default with 7-day idle, app-type defaults',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/',
        says: 'service apps use client credentials with private_key_jwt',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  cognito: {
    displayName: 'Amazon Cognito user pools',
    tokenEndpoint: 'https://{domain}.amazoncognito.com/oauth2/token',
    revocationEndpoint: 'https://{domain}.amazoncognito.com/oauth2/revoke',
    parameters: {
      domain: {
        description: 'domain of the user pool with its region, as in its host name at amazoncognito.com',
        example: 'acme.auth.eu-west-1',
      },
    },
    clientAuth: 'client_secret_basic',
    rotation: 'none',
    revocation: { tokens: ['refresh_token'] },
    variants: {
      rotation: {
        when: 'RefreshTokenRotation is ENABLED with a RetryGracePeriodSeconds of 60',
        set: { rotation: 'grace', graceSeconds: 60 },
      },
      'one-time': {
        when: 'RefreshTokenRotation is ENABLED with a RetryGracePeriodSeconds of 0',
        set: { rotation: 'single_use' },
      },
      'custom-domain': {
        when: 'the user pool has a domain of its own',
        set: {
          tokenEndpoint: 'https://{host}/oauth2/token',
          revocationEndpoint: 'https://{host}/oauth2/revoke',
          parameters: {
            host: { description: 'host name of your user pool', example: 'login.acme.example', setBy: 'client' },
          },
        },
      },
    },
    notes:
      'Without rotation a refresh brings no refresh token: the first one serves on. The grace is at most 60 seconds.',
    sources: [
      {
        url: 'https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html',
        says: 'refresh tokens only, with the access tokens that came of them',
      },
      {
        url: 'https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RefreshTokenRotationType.html',
        says: 'rotation setting, 0-60 s grace, required API',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'supabase-auth': {
    displayName: 'Supabase Auth',
    tokenEndpoint: 'https://{project}.supabase.co/auth/v1/token?grant_type=refresh_token',
    parameters: {
      project: {
        description: 'reference of the project, as in its host name at supabase.co',
        example: 'abcdefghijklmnopqrst',
        pattern: '[a-z0-9-]+',
      },
    },
    clientAuth: 'none',
    errors: {
      deadGrant: [
        { code: 'refresh_token_not_found' },
        { code: 'refresh_token_already_used' },
        { code: 'session_not_found' },
        { code: 'session_expired' },
      ],
      clientRefused: [{ status: 401 }],
    },
    tokenRequest: { encoding: 'json', remove: ['grant_type', 'client_id'], headers: { apikey: '{client_id}' } },
    rotation: 'grace',
    graceSeconds: 10,
    notes:
      'clientId is the publishable (anon) key of the project. Only the token before the last may be replayed; an older one ends the family. The reuse interval is a setting.',
    sources: [
      {
        url: 'https://supabase.com/docs/guides/auth/debugging/error-codes',
        says: 'codes of refresh tokens and sessions that are gone',
      },
      { url: 'https://github.com/supabase/auth/blob/master/README.md', says: 'rotation and reuse interval settings' },
      { url: 'https://supabase.com/docs/guides/auth/sessions', says: '10-second reuse interval' },
      {
        url: 'https://supabase.com/docs/guides/api/api-keys',
        says: 'every request carries an API key in the header apikey',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['clientAuth'],
  },
  workos: {
    displayName: 'WorkOS AuthKit',
    tokenEndpoint: 'https://api.workos.com/user_management/authenticate',
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'json' },
    accessTokenSeconds: 300,
    rotation: 'grace',
    graceSeconds: 30,
    notes:
      'clientSecrets hold the API key. The vendor asks for a retry with the same token after a time-out, 429 or 5xx; inside 30 seconds it brings the same pair.',
    sources: [
      {
        url: 'https://github.com/kurrent-io/kcap-cli/issues/946',
        says: 'five-minute access tokens, single use, retry advice',
      },
      { url: 'https://github.com/kurrent-io/kcap-cli/pull/947', says: '30-second idempotent replay' },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  onelogin: {
    displayName: 'OneLogin API',
    tokenEndpoint: 'https://{subdomain}.onelogin.com/auth/oauth2/v2/token',
    parameters: {
      subdomain: { description: 'name of the account, as in its host name at onelogin.com', example: 'acme' },
    },
    clientAuth: 'none',
    errors: {
      message: 'status.message',
      deadGrant: [{ status: 401 }],
      clientRefused: [{ status: 400 }],
    },
    tokenRequest: { encoding: 'json', add: { access_token: '{access_token}' }, remove: ['client_id'] },
    rotation: 'single_use',
    oldAccessTokenDies: true,
    refreshTokenLifetimeSeconds: 3_888_000,
    notes:
      'A refresh needs the access token beside its refresh token and ends both. This is version 2; version 1 wraps its answers in status and data.',
    sources: [
      {
        url: 'https://developers.onelogin.com/api-docs/1/oauth20-tokens/refresh-tokens',
        says: 'access_token parameter, old pair stops working, 45 days, non-standard status wrapper in v1',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
    unsure: ['clientAuth'],
  },
}
