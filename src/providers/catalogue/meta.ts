import type { ProviderEntry } from '../schema.ts'

/** The products of Meta, whose access tokens renew themselves. */
export const meta: Record<string, ProviderEntry> = {
  facebook: {
    displayName: 'Facebook and Meta Marketing API (user tokens)',
    tokenEndpoint: 'https://graph.facebook.com/{version}/oauth/access_token',
    revocationEndpoint: 'https://graph.facebook.com/{version}/me/permissions',
    parameters: {
      version: {
        description: 'version of the Graph API; versions are retired after about two years',
        example: 'v25.0',
        pattern: 'v\\d+\\.\\d+',
      },
    },
    grant: 'access_token',
    clientAuth: 'client_secret_post',
    tokenRequest: {
      method: 'GET',
      encoding: 'query',
      grantType: 'fb_exchange_token',
      add: { fb_exchange_token: '{access_token}' },
    },
    errors: {
      code: ['error.code', 'error'],
      message: 'error.message',
      deadGrant: [{ code: '190' }],
      throttled: [{ code: '4' }, { code: '17' }, { code: '1', message: 'unknown error' }, { code: '2' }],
      // code 1 is said of a wrong secret too
      clientRefused: [{ code: '1', message: 'client secret' }, { code: '100' }, { code: '101' }],
    },
    accessTokenSeconds: 5_184_000,
    neverAfterExpiry: true,
    revocation: {
      method: 'DELETE',
      encoding: 'none',
      auth: 'access_token',
      tokens: ['access_token'],
      endsConsent: true,
    },
    notes:
      'There is no refresh token: an access token that still lives is exchanged for one of about 60 days. One that has ended needs a new sign-in.',
    sources: [
      {
        url: 'https://developers.facebook.com/docs/facebook-login/access-tokens/refreshing',
        says: 'GET exchange, about 60 days, expired tokens not accepted',
      },
      {
        url: 'https://github.com/python-social-auth/social-core/tree/master/social_core/backends',
        says: 'token and revocation endpoint',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://developers.facebook.com/docs/graph-api/guides/error-handling/',
        says: '190: the access token has expired or is invalid; 4 and 17: too many calls; 1 and 2: try again',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  instagram: {
    displayName: 'Instagram (Instagram Login)',
    tokenEndpoint: 'https://graph.instagram.com/refresh_access_token',
    grant: 'access_token',
    clientAuth: 'none',
    tokenRequest: {
      method: 'GET',
      encoding: 'query',
      grantType: 'ig_refresh_token',
      add: { access_token: '{access_token}' },
      remove: ['client_id'],
    },
    errors: {
      code: ['error.code', 'error'],
      message: 'error.message',
      deadGrant: [{ code: '190' }],
      throttled: [{ code: '4' }, { code: '17' }, { code: '1' }, { code: '2' }],
      clientRefused: [{ code: '100' }],
    },
    accessTokenSeconds: 5_184_000,
    neverAfterExpiry: true,
    notBeforeSeconds: 86_400,
    notes:
      'There is no refresh token: the long-lived access token is exchanged for the next, not before it is a day old and never after its 60 days. The code exchange gives one of an hour; trade that for the long-lived one before perennial start.',
    sources: [
      {
        url: 'https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token',
        says: 'GET, at least 24 hours old, unexpired, 60 days from refresh',
      },
      {
        url: 'https://developers.facebook.com/documentation/instagram-platform/reference/access_token',
        says: 'one-hour token exchanged with ig_exchange_token for 60 days',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  threads: {
    displayName: 'Threads',
    extends: 'instagram',
    tokenEndpoint: 'https://graph.threads.net/refresh_access_token',
    tokenRequest: {
      method: 'GET',
      encoding: 'query',
      grantType: 'th_refresh_token',
      add: { access_token: '{access_token}' },
      remove: ['client_id'],
    },
    notes: 'As Instagram. Permissions of a private profile lapse after 90 days.',
    sources: [
      {
        url: 'https://developers.facebook.com/docs/threads/get-started/long-lived-tokens',
        says: '60 days, at least 24 hours old and unexpired, 90-day permissions for private profiles',
      },
      {
        url: 'https://github.com/nextauthjs/next-auth/blob/main/packages/core/src/providers/threads.ts',
        says: 'authorization and code-exchange endpoints',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
