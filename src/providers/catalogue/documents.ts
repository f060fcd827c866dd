import type { ProviderEntry } from '../schema.ts'

/** Files, documents and signatures. */
export const documents: Record<string, ProviderEntry> = {
  notion: {
    displayName: 'Notion',
    tokenEndpoint: 'https://api.notion.com/v1/oauth/token',
    revocationEndpoint: 'https://api.notion.com/v1/oauth/revoke',
    introspectionEndpoint: 'https://api.notion.com/v1/oauth/introspect',
    clientAuth: 'client_secret_basic',
    tokenRequest: { encoding: 'json' },
    revocation: { encoding: 'json' },
    notes:
      'JSON body with Basic. No answer says how long an access token lives. Tokens from before refresh existed have no refresh token.',
    sources: [
      {
        url: 'https://developers.notion.com/reference/refresh-a-token.md',
        says: 'refresh yields new access and new refresh token; OAuth endpoints use basic authentication',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/makenotion/notion-sdk-js/blob/main/src/api-endpoints/oauth.ts',
        says: 'token response has no expires_in, refresh_token may be null; revoke and introspect endpoints (introspection has no exp)',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  airtable: {
    displayName: 'Airtable',
    tokenEndpoint: 'https://airtable.com/oauth2/v1/token',
    clientAuth: 'client_secret_basic',
    rotation: 'single_use',
    refreshTokenIdleSeconds: 5_184_000,
    variants: { 'public-client': { when: 'the integration has no client secret', set: { clientAuth: 'none' } } },
    notes: 'Reuse ends the whole integration, and the user is told by mail. Clients without a secret (PKCE) send none.',
    sources: [
      {
        url: 'https://support.airtable.com/docs/troubleshooting-oauth-integrations-in-airtable',
        says: 'integrations that break OAuth security measures are revoked',
      },
      { url: 'https://nango.dev/blog/airtable-oauth-refresh-token-invalid-grant', says: 'endpoint, rotation, 60 days' },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  canva: {
    displayName: 'Canva',
    tokenEndpoint: 'https://api.canva.com/rest/v1/oauth/token',
    revocationEndpoint: 'https://api.canva.com/rest/v1/oauth/revoke',
    introspectionEndpoint: 'https://api.canva.com/rest/v1/oauth/introspect',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 14_400,
    rotation: 'single_use',
    revocation: { endsConsent: true },
    notes: 'Access tokens can be 4 KB. Revoking a refresh token ends its whole line and the consent.',
    sources: [
      {
        url: 'https://www.canva.dev/docs/apps/rest-apis/reference/authentication/generate-access-token/',
        says: '4-hour tokens up to 4 KB, basic or body client auth',
      },
      {
        url: 'https://www.canva.dev/docs/apps/rest-apis/reference/authentication/revoke-token/',
        says: 'revocation endpoint and lineage semantics',
      },
      {
        url: 'https://github.com/jeremylongshore/tons-of-skills-marketplace',
        says: 'third-party note: single-use refresh tokens',
      },
      {
        url: 'https://github.com/canva-sdks/canva-connect-api-starter-kit/blob/main/openapi/spec.yml',
        says: 'refresh returns a new refresh token; error body uses code and message',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation'],
  },
  dropbox: {
    displayName: 'Dropbox',
    tokenEndpoint: 'https://api.dropboxapi.com/oauth2/token',
    revocationEndpoint: 'https://api.dropboxapi.com/2/auth/token/revoke',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 14_400,
    rotation: 'none',
    revocation: { encoding: 'none', auth: 'access_token', tokens: ['access_token'] },
    consent: 'token_access_type=offline',
    notes: 'The refresh token serves on until it is revoked.',
    sources: [
      {
        url: 'https://dropbox.tech/developers/using-oauth-2-0-with-offline-access',
        says: 'short-lived access tokens, offline access gives a refresh token',
      },
      { url: 'https://github.com/boly38/dropbox-refresh-token', says: 'about four hours; refresh token reused' },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  box: {
    displayName: 'Box',
    tokenEndpoint: 'https://api.box.com/oauth2/token',
    revocationEndpoint: 'https://api.box.com/oauth2/revoke',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 3600,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 5_184_000,
    variants: {
      jwt: {
        when: 'the app authenticates as itself or a managed user (server authentication with JWT)',
        set: {
          grant: 'jwt_bearer',
          parameters: {
            subject: { description: 'id of the enterprise or of the user', example: '123456789' },
            subject_type: {
              description: 'what that id is',
              values: ['enterprise', 'user'],
              example: 'enterprise',
              default: 'enterprise',
            },
          },
          assertion: {
            algorithm: 'RS256',
            issuer: '{client_id}',
            subject: '{subject}',
            audience: 'https://api.box.com/oauth2/token',
            claims: { box_sub_type: '{subject_type}' },
            lifetimeSeconds: 45,
          },
        },
      },
      'client-credentials': {
        when: 'the app authenticates by client credentials',
        set: {
          grant: 'client_credentials',
          parameters: {
            subject: { description: 'id of the enterprise or of the user', example: '123456789' },
            subject_type: {
              description: 'what that id is',
              values: ['enterprise', 'user'],
              example: 'enterprise',
              default: 'enterprise',
            },
          },
          tokenRequest: { add: { box_subject_type: '{subject_type}', box_subject_id: '{subject}' } },
        },
      },
    },
    notes: 'A refresh token works once, within 60 days.',
    sources: [
      {
        url: 'https://developer.box.com/guides/authentication/tokens/refresh',
        says: 'refresh token valid 60 days and usable once; a new one comes with each refresh',
      },
      {
        url: 'https://developer.box.com/guides/authentication/tokens/access-tokens',
        says: 'user token example shows expires_in 3600, server tokens have no refresh token',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://developer.box.com/guides/authentication/jwt/without-sdk/',
        says: 'claims of the assertion: box_sub_type, jti, exp of at most 60 seconds, key id in the header',
      },
      {
        url: 'https://developer.box.com/guides/authentication/client-credentials/',
        says: 'box_subject_type and box_subject_id',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  docusign: {
    displayName: 'Docusign',
    tokenEndpoint: 'https://{server}.docusign.com/oauth/token',
    parameters: {
      server: {
        description: 'account, or account-d for the demo environment',
        values: ['account', 'account-d'],
        example: 'account',
        default: 'account',
      },
    },
    clientAuth: 'client_secret_basic',
    rotation: 'single_use',
    refreshTokenIdleSeconds: 2_592_000,
    refreshTokensPerUser: 5,
    variants: {
      jwt: {
        when: 'the app acts for a user with a signed assertion (JWT Grant)',
        set: {
          grant: 'jwt_bearer',
          clientAuth: 'none',
          parameters: {
            user: {
              description: 'id of the user that the app acts for',
              example: '7f26f6bb-8a39-444d-9f99-aaaabbbbcccc',
            },
          },
          tokenRequest: { remove: ['client_id'] },
          assertion: {
            algorithm: 'RS256',
            issuer: '{client_id}',
            subject: '{user}',
            audience: '{server}.docusign.com',
            claims: { scope: 'signature impersonation' },
            lifetimeSeconds: 3600,
          },
        },
      },
    },
    consent: 'scope extended',
    notes:
      'Single use and the number of living refresh tokens rest on a third party. The base of the API is told by the userinfo endpoint.',
    sources: [
      {
        url: 'https://developers.docusign.com/platform/auth/reference/obtain-access-token.md',
        says: 'refresh exchanges for an access token and a new refresh token',
      },
      {
        url: 'https://www.volcengine.com/article/3402631',
        says: 'third party: 30 days, used token invalid at once, at most five live refresh tokens',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://developers.docusign.com/platform/auth/jwt.md',
        says: 'JWT Grant acts for a user and brings no refresh token',
      },
      {
        url: 'https://developers.docusign.com/platform/auth/jwt-get-token.md',
        says: 'claims of the assertion: iss, sub, aud without https, scope',
      },
    ],
    checked: '2026-11-27',
    confidence: 'third_party',
    unsure: ['rotation', 'refreshTokensPerUser', 'refreshTokenIdleSeconds'],
  },
  'adobe-sign': {
    displayName: 'Adobe Acrobat Sign',
    tokenEndpoint: 'https://api.{shard}.adobesign.com/oauth/v2/refresh',
    parameters: {
      shard: {
        description: 'shard of the account, as in api_access_point of the code exchange',
        example: 'na1',
        pattern: '[a-z]{2}\\d+',
      },
    },
    clientAuth: 'client_secret_post',
    tokenResponse: { keep: { api_access_point: 'api_access_point' } },
    accessTokenSeconds: 3600,
    rotation: 'none',
    refreshTokenIdleSeconds: 5_184_000,
    notes:
      'A refresh has an endpoint of its own, on the shard of the account. Revoking an access token ends its refresh token.',
    sources: [
      {
        url: 'https://opensource.adobe.com/acrobat-sign/developer_guide/oauth.html',
        says: 'separate refresh path, 1 h, 60 days idle reset on use',
      },
      {
        url: 'https://developer.adobe.com/acrobat-sign/docs/overview/developer_guide/oauth',
        says: 'revoking an access token that has a refresh token also affects the refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
