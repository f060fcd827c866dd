import type { ProviderEntry } from '../schema.ts'

/** Tasks, boards, calendars and automation. */
export const work: Record<string, ProviderEntry> = {
  asana: {
    displayName: 'Asana',
    tokenEndpoint: 'https://app.asana.com/-/oauth_token',
    revocationEndpoint: 'https://app.asana.com/-/oauth_revoke',
    parameters: {
      redirect_uri: {
        description: 'the redirect URI of the consent request',
        example: 'https://app.acme.example/callback',
      },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { add: { redirect_uri: '{redirect_uri}' } },
    accessTokenSeconds: 3600,
    rotation: 'none',
    revocation: { tokens: ['refresh_token'] },
    notes:
      'The refresh token comes with the code exchange only and serves on. A revocation is answered with 200 for unknown tokens too.',
    sources: [
      {
        url: 'https://github.com/Asana/developer-docs/blob/master/source/includes/markdown/_auth.html.md',
        says: 'endpoints, 3600 s, refresh token only on code exchange, revoke rules',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  clickup: {
    displayName: 'ClickUp',
    tokenEndpoint: 'https://api.clickup.com/api/v2/oauth/token',
    grant: 'access_token',
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'json' },
    accessTokenNeverExpires: true,
    notes: 'The answer holds an access token and nothing else; it is reported not to expire.',
    sources: [
      {
        url: 'https://withone.ai/knowledge/click-up/conn_mod_def%3A%3AGJ1NNVov7Pg%3A%3A1Jc2RvBcS4iQxZG7IvdHBA',
        says: 'response with access_token only',
      },
      {
        url: 'https://github.com/jeremylongshore/claude-code-plugins-plus-skills',
        says: 'third party: OAuth tokens do not expire',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  monday: {
    displayName: 'monday.com',
    tokenEndpoint: 'https://auth.monday.com/oauth2/token',
    grant: 'access_token',
    clientAuth: 'client_secret_post',
    accessTokenNeverExpires: true,
    variants: {
      'oauth-2-1': {
        when: 'the app uses the OAuth 2.1 flow, in beta in 2026',
        set: {
          grant: 'refresh_token',
          tokenEndpoint: 'https://auth.monday.com/oauth_ms/oauth/token',
          accessTokenNeverExpires: false,
        },
      },
    },
    notes:
      'Classic tokens live until the app is uninstalled. The newer flow has refresh tokens that change, at another endpoint.',
    sources: [
      { url: 'https://developer.monday.com/apps/docs/oauth', says: 'token valid until uninstall' },
      {
        url: 'https://developer-community.monday.com/product-updates/join-the-beta-oauth-2-1-for-monday-apps-5273',
        says: 'OAuth 2.1 beta: refresh, rotation, revocation, discovery',
      },
      {
        url: 'https://skillsmp.com/de/skills/mondaycom-agentic-monday-plugins-official-monday-api-skills-monday-oauth-migrate-skill-md',
        says: 'new token path oauth_ms/oauth/token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  miro: {
    displayName: 'Miro',
    tokenEndpoint: 'https://api.miro.com/v1/oauth/token',
    revocationEndpoint: 'https://api.miro.com/v2/oauth/revoke',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 3600,
    refreshTokenIdleSeconds: 5_184_000,
    revocation: {
      encoding: 'json',
      auth: 'none',
      tokens: ['access_token'],
      tokenParameter: 'accessToken',
      add: { clientId: '{client_id}', clientSecret: '{client_secret}' },
    },
    variants: {
      'non-expiring': {
        when: 'the app setting to expire user tokens is off',
        set: { grant: 'access_token', accessTokenNeverExpires: true },
      },
    },
    notes:
      'Expiring tokens are a setting of the app. Its pages show parameters in the query, and recommend the body. Revoking an access token ends its refresh token.',
    sources: [
      {
        url: 'https://developers.miro.com/reference/ne-exchange-authorization-code-with-access-token',
        says: 'parameters are recommended to be in the body',
      },
      {
        url: 'https://developers.miro.com/reference/get-new-access-token-using-refresh-token',
        says: '1 h / 60 d, query plus body parameters, app setting',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://github.com/miroapp/api-clients/blob/main/packages/generator/spec.json',
        says: 'v2 revocation endpoint with JSON body; refresh token revoked too',
      },
      {
        url: 'https://developers.miro.com/v1.0/reference/get-new-access-token-using-refresh-token',
        says: 'every parameter in the query',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
  },
  todoist: {
    displayName: 'Todoist',
    tokenEndpoint: 'https://todoist.com/oauth/access_token',
    clientAuth: 'client_secret_post',
    rotation: 'single_use',
    variants: {
      'long-lived': {
        when: 'the app has no refresh tokens, as those made before 2026',
        set: { grant: 'access_token', accessTokenNeverExpires: true },
      },
    },
    notes: 'New apps have refresh tokens, which change with each refresh; others have access tokens that live on.',
    sources: [
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      {
        url: 'https://doist.github.io/todoist-sdk-typescript/api/functions/refreshAuthToken',
        says: 'SDK of the vendor: refresh tokens are the default of new apps and are rotated; client id and secret in the request',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
    unsure: ['clientAuth'],
  },
  wrike: {
    displayName: 'Wrike',
    tokenEndpoint: 'https://www.wrike.com/oauth2/token',
    sources: [{ url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'unverified',
  },
  smartsheet: {
    displayName: 'Smartsheet',
    tokenEndpoint: 'https://api.smartsheet.com/2.0/token',
    revocationEndpoint: 'https://api.smartsheet.com/2.0/token',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 604_799,
    revocation: { method: 'DELETE', encoding: 'none', auth: 'access_token', tokens: ['access_token'] },
    notes:
      'A hash of secret and token can stand in for the secret; the secret is sent. With deleteAllForApiClient=true a revocation would end every token of the user and client.',
    sources: [
      { url: 'https://smartsheet.redoc.ly/tag/token', says: 'token parameters, hash, 604799 s, DELETE revocation' },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  basecamp: {
    displayName: 'Basecamp (37signals Launchpad)',
    tokenEndpoint: 'https://launchpad.37signals.com/authorization/token',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 1_209_600,
    expiryLookup: {
      endpoint: 'https://launchpad.37signals.com/authorization.json',
      expiresIn: 'expires_at',
      expiresInForm: 'iso8601',
    },
    notes:
      'Began with draft 5 of OAuth 2 (type=refresh and no grant_type); the standard form is accepted and documented today.',
    sources: [
      {
        url: 'https://github.com/basecamp/api/blob/master/sections/authentication.md',
        says: 'draft 5, type=refresh, two-week access tokens, expires_at from authorization.json',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      {
        url: 'https://github.com/basecamp/bc3-api/blob/master/sections/authentication.md',
        says: 'standard grant_type now documented, legacy type still accepted, expires_in 1209600',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  harvest: {
    displayName: 'Harvest (v1 documentation)',
    tokenEndpoint: 'https://{account}.harvestapp.com/oauth2/token',
    parameters: {
      account: { description: 'name of the account, as in its host name at harvestapp.com', example: 'acme' },
    },
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 64_800,
    notes: 'From the archived documentation of version 1; today’s identity host is not verified.',
    sources: [
      {
        url: 'https://github.com/harvesthq/api/blob/master/Authentication/OAuth%202.0.md',
        says: 'v1: expires_in 64799, new refresh token on refresh, form encoding',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['tokenEndpoint'],
  },
  make: {
    displayName: 'Make',
    tokenEndpoint: 'https://www.make.com/oauth/v2/token',
    revocationEndpoint: 'https://www.make.com/oauth/v2/revoke',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 300,
    refreshTokenLifetimeSeconds: 15_552_000,
    notes: 'Five-minute access tokens; public clients get no refresh token.',
    sources: [
      {
        url: 'https://developers.make.com/api-documentation/authentication/oauth-flow/token-expiration',
        says: '5 minutes and 6 months',
      },
      {
        url: 'https://developers.make.com/api-documentation/authentication/oauth-flow',
        says: 'token and revocation endpoints',
      },
      {
        url: 'https://developers.make.com/api-documentation/api-reference/oidc-authentication/get--oidc--.well-known--openid-configuration',
        says: 'client_secret_post',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
  },
  calcom: {
    displayName: 'Cal.com',
    tokenEndpoint: 'https://app.cal.com/api/auth/oauth/refreshToken',
    clientAuth: 'client_secret_post',
    tokenRequest: { headers: { Authorization: 'Bearer {refresh_token}' }, remove: ['refresh_token'] },
    notes: 'The refresh token travels as bearer, at an endpoint for refreshes alone.',
    sources: [
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
    unsure: ['clientAuth'],
  },
  calendly: {
    displayName: 'Calendly',
    tokenEndpoint: 'https://auth.calendly.com/oauth/token',
    revocationEndpoint: 'https://auth.calendly.com/oauth/revoke',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 7200,
    rotation: 'single_use',
    minRefreshIntervalSeconds: 8,
    revocation: { auth: 'client_secret_post' },
    notes:
      'Eight token requests a minute for one user. The token endpoint takes Basic, revocation takes the client in the body. Since 2025 a refresh token dies at its use, no longer when the new access token is used.',
    sources: [
      {
        url: 'https://developer.calendly.com/refresh-token-rotation-guide',
        says: 'refresh token revoked right after a successful call; reuse fails',
      },
      {
        url: 'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token.md',
        says: '2 h access tokens, no refresh expiry until used, 8 tokens per user per minute, basic auth for web clients',
      },
      {
        url: 'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-revoke.md',
        says: 'revocation endpoint and parameters',
      },
      {
        url: 'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-introspect.md',
        says: 'introspection endpoint',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
