import type { ProviderEntry } from '../schema.ts'

/** Clouds and tools for developers and designers. */
export const developerPlatforms: Record<string, ProviderEntry> = {
  digitalocean: {
    displayName: 'DigitalOcean',
    tokenEndpoint: 'https://cloud.digitalocean.com/v1/oauth/token',
    sources: [{ url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'unverified',
  },
  heroku: {
    displayName: 'Heroku',
    tokenEndpoint: 'https://id.heroku.com/oauth/token',
    sources: [{ url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'unverified',
  },
  linear: {
    displayName: 'Linear',
    tokenEndpoint: 'https://api.linear.app/oauth/token',
    revocationEndpoint: 'https://api.linear.app/oauth/revoke',
    clientAuth: 'client_secret_basic',
    tokenResponse: { scopeSeparator: ',' },
    accessTokenSeconds: 86_400,
    notes:
      'Since 2026-04-01 every app has access tokens of a day and a refresh token that changes; before, access tokens lived ten years.',
    sources: [
      {
        url: 'https://linear.app/docs/oauth/authentication',
        says: 'all applications migrated on 2026-04-01, comma separated scopes',
      },
      {
        url: 'https://linear.app/developers/oauth-2-0-authentication',
        says: 'refresh tokens default from 2025-10-01; 24-hour access tokens',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['revocationEndpoint'],
  },
  figma: {
    displayName: 'Figma',
    tokenEndpoint: 'https://api.figma.com/v1/oauth/refresh',
    clientAuth: 'client_secret_basic',
    rotation: 'none',
    notes: 'A refresh has an endpoint of its own and brings no refresh token: the first one serves on.',
    sources: [
      {
        url: 'https://github.com/figma/rest-api-spec/blob/main/openapi/openapi.yaml',
        says: 'refreshUrl differs from tokenUrl',
      },
      { url: 'https://arcticjs.dev/providers/figma', says: 'refresh returns only access token and expiration' },
      { url: 'https://community.auth0.com/t/figma-tokenurl-migration/182728', says: 'old token URL retired' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  databricks: {
    displayName: 'Databricks',
    tokenEndpoint: 'https://{host}/oidc/v1/token',
    parameters: {
      host: { description: 'host name of your workspace', example: 'acme.cloud.databricks.com', setBy: 'client' },
    },
    variants: {
      'single-use': {
        when: 'enable_single_use_refresh_tokens is on in the app integration',
        set: { rotation: 'single_use' },
      },
      'service-principal': {
        when: 'a service principal acts as itself',
        set: {
          grant: 'client_credentials',
          clientAuth: 'client_secret_basic',
          tokenRequest: { add: { scope: 'all-apis' } },
        },
      },
    },
    notes:
      'Lifetimes are settings of each app integration; with single use, a lifetime of the whole session can be set too, and no refresh moves that.',
    sources: [
      {
        url: 'https://docs.databricks.com/aws/en/integrations/single-use-tokens',
        says: 'single-use setting and lifetimes per app',
      },
      {
        url: 'https://databricks.github.io/sdk-js/api/interfaces/_databricks_sdk-oauth.v1.TokenAccessPolicy.html',
        says: 'absolute session lifetime is inherited by rotated tokens',
      },
      {
        url: 'https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m',
        says: 'https://<workspace>/oidc/v1/token with client credentials, Basic and scope all-apis',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  snowflake: {
    displayName: 'Snowflake',
    tokenEndpoint: 'https://{account}.snowflakecomputing.com/oauth/token-request',
    parameters: {
      account: {
        description: 'account identifier, as in its host name at snowflakecomputing.com',
        example: 'acme-eu1',
      },
    },
    clientAuth: 'client_secret_basic_raw',
    refreshTokenLifetimeSeconds: 7_776_000,
    variants: {
      'single-use': {
        when: 'single-use refresh tokens are on in the security integration',
        set: { rotation: 'single_use', oldAccessTokenDies: true },
      },
    },
    notes: 'With single use a refresh ends every refresh and access token before it and starts the 90 days again.',
    sources: [
      {
        url: 'https://docs.snowflake.com/en/ja/user-guide/single-use-refresh-tokens',
        says: 'setting, 90 days default, all previous tokens become invalid',
      },
      {
        url: 'https://docs.snowflake.com/en/user-guide/oauth-custom',
        says: 'path of the token endpoint and Basic with client id and secret as they are',
      },
      {
        url: 'https://github.com/epam/ai-dial-core/issues/1527',
        says: 'user report: client ids hold = and /, and are refused where they are form-encoded first',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
    unsure: ['clientAuth'],
  },
  'autodesk-aps': {
    displayName: 'Autodesk Platform Services',
    tokenEndpoint: 'https://developer.api.autodesk.com/authentication/v2/token',
    revocationEndpoint: 'https://developer.api.autodesk.com/authentication/v2/revoke',
    clientAuth: 'client_secret_basic',
    rotation: 'single_use',
    refreshTokenIdleSeconds: 1_209_600,
    rateLimit: { requests: 100, perSeconds: 60 },
    notes:
      'Later pages say 15 days instead of 14. A scope may narrow what a refresh brings, and then stays in that chain.',
    sources: [
      { url: 'https://aps.autodesk.com/node/734', says: '14 days, usable once, narrower scope on refresh' },
      {
        url: 'https://github.com/autodesk-platform-services/aps-sdk-node/blob/main/authentication/source/api/tokenApi.ts',
        says: 'v2 token and revoke operations, 100 calls per minute',
      },
      {
        url: 'https://aps.autodesk.com/en/docs/oauth/v1/reference/http/refreshtoken-POST',
        says: 'v1 refresh parameters and 100 calls per minute',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
