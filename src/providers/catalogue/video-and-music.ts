import type { ProviderEntry } from '../schema.ts'

/** Video, streaming and music. */
export const videoAndMusic: Record<string, ProviderEntry> = {
  tiktok: {
    displayName: 'TikTok',
    tokenEndpoint: 'https://open.tiktokapis.com/v2/oauth/token/',
    revocationEndpoint: 'https://open.tiktokapis.com/v2/oauth/revoke/',
    clientAuth: 'client_secret_post',
    tokenRequest: { rename: { client_id: 'client_key' } },
    tokenResponse: { refreshExpiresIn: 'refresh_expires_in', scopeSeparator: ',' },
    accessTokenSeconds: 7200,
    rotation: 'single_use',
    revocation: {
      auth: 'none',
      tokens: ['access_token'],
      add: { client_key: '{client_id}', client_secret: '{client_secret}' },
    },
    refreshTokenLifetimeSeconds: 15_552_000,
    notes: 'Pages of November 2026 say 2 hours and 180 days, older ones 24 hours and 365 days; the answer decides.',
    sources: [
      {
        url: 'https://developers.tiktok.com/docs/en/oauth-refresh-a-user-access-token',
        says: '2-hour access token, rotation, previous token stops working, client_key',
      },
      {
        url: 'https://developers.tiktok.com/docs/zh-Hans/oauth-user-access-token-management',
        says: '2 h and 180 d with expires_in and refresh_expires_in',
      },
      {
        url: 'https://developers.tiktok.com/doc/oauth-user-access-token-management',
        says: 'older page: 24 h and 365 d',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'tiktok-merchant': {
    displayName: 'TikTok (merchant tokens)',
    tokenEndpoint: 'https://open.tiktokapis.com/merchant/oauth/token/',
    parameters: {
      merchant_id: { description: 'id of the merchant', example: '7123456789' },
      idc: { description: 'data centre, as in the header x-tt-target-idc', example: 'alisg', default: 'alisg' },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: {
      rename: { client_id: 'client_key' },
      add: { merchant_id: '{merchant_id}' },
      headers: { 'x-tt-target-idc': '{idc}' },
    },
    tokenResponse: {
      expiresIn: 'expires_in',
      expiresInForm: 'epoch_seconds',
      refreshExpiresIn: 'refresh_expires_in',
      refreshExpiresInForm: 'epoch_seconds',
    },
    notes:
      'expires_in and refresh_expires_in are points in time in spite of their names. grant_type is a word for the action; that of the first call is access_token. The page of August 2026 leaves the header out.',
    sources: [
      {
        url: 'https://developers.tiktok.com/doc/obtain-access-token-for-apis',
        says: 'parameters, header; expires_in and refresh_expires_in as Unix timestamps',
      },
      {
        url: 'https://developers.tiktok.com/docs/en/obtain-access-token-for-apis',
        says: 'page of August 2026: no data centre header any more',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
  },
  douyin: {
    displayName: 'Douyin Open Platform',
    tokenEndpoint: 'https://open.douyin.com/oauth/refresh_token/',
    clientAuth: 'none',
    tokenRequest: { rename: { client_id: 'client_key' } },
    tokenResponse: {
      accessToken: 'data.access_token',
      refreshToken: 'data.refresh_token',
      expiresIn: 'data.expires_in',
      refreshExpiresIn: 'data.refresh_expires_in',
      scope: 'data.scope',
      success: { path: 'data.error_code', is: 0 },
    },
    errors: {
      code: 'data.error_code',
      message: 'data.description',
      deadGrant: [{ code: '10010' }],
      clientRefused: [{ code: '10003' }, { code: '10013' }],
    },
    accessTokenSeconds: 1_296_000,
    rotation: 'none',
    refreshTokenAbsoluteSeconds: 2_592_000,
    notes:
      'A refresh leaves the 30 days of the refresh token as they are. An app with the permission for it can extend them five times by /oauth/renew_refresh_token/; do that outside and hand over the result with perennial reconnect.',
    sources: [
      {
        url: 'https://developer.open-douyin.com/docs/resource/zh-CN/dop/develop/openapi/account-permission/refresh-access-token',
        says: '15 days, 30 days unchanged by refreshing, error_code 10010, fields in data, no client secret in the request',
      },
      {
        url: 'https://developer.open-douyin.com/docs/resource/zh-CN/dop/develop/openapi/account-permission/refresh-token',
        says: 'renewal call, old refresh token dies, at most five times, error 10020 with HTTP 200',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  twitch: {
    displayName: 'Twitch',
    tokenEndpoint: 'https://id.twitch.tv/oauth2/token',
    revocationEndpoint: 'https://id.twitch.tv/oauth2/revoke',
    clientAuth: 'client_secret_post',
    errors: {
      deadGrant: [{ message: 'Invalid refresh token' }, { status: 401 }],
      clientRefused: [{ message: 'invalid client' }],
    },
    revocation: { auth: 'none', tokens: ['access_token'], add: { client_id: '{client_id}' } },
    expiryLookup: {
      endpoint: 'https://id.twitch.tv/oauth2/validate',
      scheme: 'OAuth',
      expiresIn: 'expires_in',
      expiresInForm: 'seconds',
    },
    notes:
      'Errors carry the words of the HTTP status as error, and only the message tells. The vendor obliges apps to validate a token every hour that they hold a session of a user: that is for the app to do.',
    sources: [
      {
        url: 'https://dev.twitch.tv/docs/authentication/revoke-tokens',
        says: 'client_id and the access token are all that is sent',
      },
      {
        url: 'https://dev.twitch.tv/docs/authentication/refresh-tokens/',
        says: 'reactive refresh advice, response fields',
      },
      {
        url: 'https://hexdocs.pm/hello_twitch_api/TwitchAPI.AuthClient.html',
        says: 'failure body {error: Bad Request, status: 400, message: Invalid refresh token}; refresh response without expires_in',
      },
      { url: 'https://dev.twitch.tv/docs/authentication/validate-tokens', says: 'hourly validation is required' },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  spotify: {
    displayName: 'Spotify',
    tokenEndpoint: 'https://accounts.spotify.com/api/token',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 3600,
    refreshTokenAbsoluteSeconds: 15_552_000,
    notes: 'Since July 2026 a refresh token ends six months after consent, whatever is refreshed.',
    sources: [
      {
        url: 'https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration',
        says: 'six-month absolute lifetime counted from authorization; invalid_grant at the end',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  soundcloud: {
    displayName: 'SoundCloud',
    tokenEndpoint: 'https://secure.soundcloud.com/oauth/token',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 3600,
    rotation: 'single_use',
    notes: 'Frequent client_credentials requests are throttled; a refresh is the way.',
    sources: [
      {
        url: 'https://github.com/soundcloud/api/blob/master/.cursor/skills/soundcloud-api-auth/SKILL.md',
        says: 'token host, single-use refresh tokens',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
