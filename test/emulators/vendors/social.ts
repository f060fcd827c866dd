import { jsonReply, oauthError } from '../answers.ts'
import type { Profile, Reply } from '../profile.ts'
import {
  answersSame,
  basic,
  accessToken as bearer,
  neverRotates,
  post,
  postAs,
  publicClient,
  query,
  reuseRevokes,
  rfcAnswer,
  singleUse,
  variant,
  vendor,
} from '../vendor.ts'

/** Networks, media, advertising. */

const discord = vendor('discord', {
  sources: [
    'https://github.com/discord/discord-api-docs/blob/main/developers/topics/oauth2.mdx',
    'https://github.com/discord/discord-api-docs/issues/5942',
    'https://github.com/member-gentei/member-gentei/issues/18',
  ],
  token: 'https://discord.com/api/oauth2/token',
  client: basic,
  alsoAccepts: [post],
  accessSeconds: 604800,
  // user report: many failed calls, and the address is out for a day
  bansCallers: true,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'identify guilds' }),
  errors: {
    deadGrant: [
      jsonReply(400, { error: 'invalid_grant' }),
      // user report: a used refresh token
      oauthError(400, 'invalid_request', 'Invalid "refresh_token" in request.'),
    ],
    throttled: [
      {
        ...jsonReply(429, { message: 'You are being rate limited.', retry_after: 17, global: false }),
        headers: { 'retry-after': '17' },
      },
    ],
    clientError: [jsonReply(401, { error: 'invalid_client' })],
  },
  // one call kills every token of that authorization
  revocation: { url: 'https://discord.com/api/oauth2/token/revoke', ends: 'the consent' },
})

const douyinError = (code: number, description: string): Reply =>
  jsonReply(200, { data: { error_code: code, description }, message: 'error' })

const douyin = vendor('douyin', {
  sources: [
    'https://developer.open-douyin.com/docs/resource/zh-CN/dop/develop/openapi/account-permission/refresh-access-token',
    'https://developer.open-douyin.com/docs/resource/zh-CN/dop/develop/openapi/account-permission/refresh-token',
  ],
  token: 'https://open.douyin.com/oauth/refresh_token/',
  client: { by: 'none', id: 'client_key' },
  // the refresh token stays, and its 30 days are not extended
  rotation: answersSame,
  accessSeconds: 1296000,
  refreshAbsoluteSeconds: 2592000,
  refreshExpiry: 'stated',
  answer: ({ access, refresh, accessSeconds, refreshSeconds }) => ({
    data: {
      access_token: access,
      captcha: '',
      desc_url: '',
      description: '',
      error_code: 0,
      expires_in: String(accessSeconds),
      log_id: '2026',
      open_id: 'open-1',
      refresh_expires_in: String(refreshSeconds),
      refresh_token: refresh,
      scope: 'user_info',
    },
    message: 'success',
  }),
  errors: {
    deadGrant: [douyinError(10010, 'refresh_token过期')],
    clientError: [douyinError(10003, 'client_key错误'), douyinError(10013, 'client_key或者client_secret错误')],
    malformed: douyinError(10005, '缺少参数'),
  },
})

const graphError = (status: number, message: string, code: number, more: object = {}): Reply =>
  jsonReply(status, { error: { message, type: 'OAuthException', code, ...more, fbtrace_id: 'A1' } })

const graphErrors = {
  deadGrant: [
    graphError(400, 'Error validating access token: Session has expired on Friday, 27-Nov-26 00:00:00 PST.', 190, {
      error_subcode: 463,
    }),
  ],
  throttled: [
    graphError(400, '(#4) Application request limit reached', 4, { is_transient: true }),
    graphError(403, '(#17) User request limit reached', 17),
    graphError(400, 'An unknown error occurred', 1, { is_transient: true }),
    graphError(400, 'Service temporarily unavailable', 2, { is_transient: true }),
  ],
  malformed: graphError(400, 'Unsupported get request.', 100),
} as const

const facebook = vendor('facebook', {
  sources: [
    'https://developers.facebook.com/docs/facebook-login/access-tokens/refreshing',
    'https://developers.facebook.com/docs/graph-api/guides/error-handling',
  ],
  token: query('https://graph.facebook.com/{version}/oauth/access_token', 'GET'),
  account: { version: 'v24.0' },
  client: post,
  grant: { kind: 'exchange', carried: { in: 'parameter', name: 'fb_exchange_token' } },
  requires: { grant_type: 'fb_exchange_token' },
  rotation: { kind: 'rotates_old_valid' },
  accessSeconds: 5184000,
  answer: ({ access, accessSeconds }) => ({ access_token: access, token_type: 'bearer', expires_in: accessSeconds }),
  errors: {
    ...graphErrors,
    clientError: [
      graphError(400, 'Error validating client secret.', 1),
      graphError(400, 'Error validating application. Invalid application ID.', 101),
      graphError(400, 'Invalid parameter', 100),
    ],
  },
  revocation: {
    url: 'https://graph.facebook.com/{version}/me/permissions',
    method: 'DELETE',
    encoding: 'query',
    client: bearer,
    takes: 'access',
    // all permissions of the user for the app
    ends: 'the consent',
    success: jsonReply(200, { success: true }),
  },
})

const instagram = vendor('instagram', {
  sources: [
    'https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token',
    'https://developers.facebook.com/docs/graph-api/guides/error-handling',
  ],
  token: query('https://graph.instagram.com/refresh_access_token', 'GET'),
  client: { by: 'none' },
  grant: { kind: 'exchange', carried: { in: 'parameter', name: 'access_token' } },
  requires: { grant_type: 'ig_refresh_token' },
  rotation: { kind: 'rotates_old_valid' },
  accessSeconds: 5184000,
  // at least 24 hours old, and not expired
  notBeforeSeconds: 86400,
  answer: ({ access, accessSeconds }) => ({ access_token: access, token_type: 'bearer', expires_in: accessSeconds }),
  errors: {
    ...graphErrors, // there is no client to be wrong, only a request
    clientError: [graphError(400, 'Invalid parameter', 100)],
  },
})

const threads = vendor('threads', {
  ...pageOf(instagram),
  sources: ['https://developers.facebook.com/docs/threads/get-started/long-lived-tokens'],
  token: query('https://graph.threads.net/refresh_access_token', 'GET'),
  requires: { grant_type: 'th_refresh_token' },
  accessSeconds: 5184000,
})

/** Threads has the shape of Instagram. */
function pageOf({ client, grant, rotation, notBeforeSeconds = 0, answer, errors }: Profile) {
  return { client, grant, rotation, notBeforeSeconds, answer, errors }
}

const linkedin = vendor('linkedin', {
  sources: [
    'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
    'https://github.com/trypostit/trypost/pull/299',
  ],
  token: 'https://www.linkedin.com/oauth/v2/accessToken',
  client: post,
  rotation: answersSame,
  accessSeconds: 5184000,
  // fixed at consent; what is stated counts down
  refreshAbsoluteSeconds: 31536000,
  refreshExpiry: 'stated',
  answer: (minted) => ({
    ...rfcAnswer(minted),
    refresh_token_expires_in: minted.refreshSeconds,
    scope: 'r_basicprofile',
  }),
})

const patreon = vendor('patreon', {
  sources: ['https://github.com/Patreon/platform-documentation/blob/master/source/includes/_oauth.md'],
  token: 'https://www.patreon.com/api/oauth2/token',
  client: post,
  exampleSeconds: 2678400,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'identity' }),
})

const pinterest = vendor('pinterest', {
  sources: ['https://github.com/pinterest/api-description/blob/main/v5/openapi.yaml'],
  token: 'https://api.pinterest.com/v5/oauth/token',
  client: basic,
  optional: ['scope', 'continuous_refresh'],
  exampleSeconds: 2592000,
  refreshIdleSeconds: 5184000,
  refreshExpiry: 'stated',
  answer: (minted) => ({
    ...rfcAnswer(minted),
    scope: 'boards:read',
    refresh_token_expires_in: minted.refreshSeconds,
    refresh_token_expires_at: Math.floor(minted.nowMs / 1000) + (minted.refreshSeconds ?? 0),
  }),
})

const reddit = vendor('reddit', {
  sources: [
    'https://github.com/reddit-archive/reddit/blob/master/r2/r2/controllers/oauth2.py',
    'https://github.com/PostHog/posthog/blob/master/posthog/models/integration.py',
  ],
  consentAsksForMore: true,
  token: 'https://www.reddit.com/api/v1/access_token',
  client: basic,
  // the default of a library is throttled
  headers: { 'User-Agent': /^(?!node$|undici|axios|python-requests|node-fetch|got)\S.{5,}/ },
  rotation: neverRotates,
  answer: ({ access, accessSeconds }) => ({
    access_token: access,
    token_type: 'bearer',
    expires_in: accessSeconds,
    scope: 'identity read',
  }),
  errors: {
    // the published server source
    deadGrant: [jsonReply(400, { message: 'Bad Request', error: 'invalid_request' })],
    throttled: [jsonReply(429, { message: 'Too Many Requests', error: 429 })],
    clientError: [
      jsonReply(401, { message: 'Unauthorized', error: 401 }),
      jsonReply(200, { error: 'unsupported_grant_type' }),
    ],
    malformed: jsonReply(200, { error: 'unsupported_grant_type' }),
  },
  revocation: {
    url: 'https://www.reddit.com/api/v1/revoke_token',
    success: { status: 204, body: '' },
    unknownToken: { status: 204, body: '' },
  },
})

const snapchatAds = vendor('snapchat-ads', {
  sources: ['https://github.com/amp-labs/connectors/tree/main/providers'],
  token: 'https://accounts.snapchat.com/login/oauth2/access_token',
  client: post,
  exampleSeconds: 1800,
})

const snapchatLogin = vendor('snapchat-login', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://accounts.snapchat.com/accounts/oauth2/token',
  client: basic,
  alsoAccepts: [post],
})

const soundcloud = vendor('soundcloud', {
  sources: ['https://github.com/soundcloud/api/blob/master/.cursor/skills/soundcloud-api-auth/SKILL.md'],
  accessSeconds: 3600,
  token: 'https://secure.soundcloud.com/oauth/token',
  client: post,
  rotation: singleUse,
})

const spotify = vendor('spotify', {
  sources: ['https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration'],
  accessSeconds: 3600,
  rotationUnknown: true,
  token: 'https://accounts.spotify.com/api/token',
  client: basic,
  // six months from the user's authorization, not extended by refreshing
  refreshAbsoluteSeconds: 15552000,
  rotation: neverRotates,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'user-read-email' }),
  errors: { deadGrant: [oauthError(400, 'invalid_grant', 'Refresh token revoked')] },
})

const tiktok = vendor('tiktok', {
  sources: [
    'https://developers.tiktok.com/docs/en/oauth-refresh-a-user-access-token',
    'https://developers.tiktok.com/docs/zh-Hans/oauth-user-access-token-management',
    'https://developers.tiktok.com/doc/oauth-error-handling',
  ],
  token: 'https://open.tiktokapis.com/v2/oauth/token/',
  client: postAs('client_key', 'client_secret'),
  accessSeconds: 7200,
  refreshSeconds: 15552000,
  refreshExpiry: 'stated',
  scopeSeparator: ',',
  rotation: singleUse,
  answer: (minted) => ({
    ...rfcAnswer(minted),
    open_id: 'open-1',
    scope: 'user.info.basic,video.list',
    refresh_expires_in: minted.refreshSeconds,
  }),
  errors: {
    deadGrant: [
      jsonReply(400, {
        error: 'invalid_grant',
        error_description: 'Refresh token is invalid or expired.',
        log_id: '20',
      }),
      jsonReply(200, {
        error: 'invalid_grant',
        error_description: 'Refresh token is invalid or expired.',
        log_id: '20',
      }),
    ],
    clientError: [
      jsonReply(401, { error: 'invalid_client', error_description: 'Client key is wrong.', log_id: '20' }),
      jsonReply(200, { error: 'invalid_client', error_description: 'Client key is wrong.', log_id: '20' }),
    ],
  },
  revocation: { url: 'https://open.tiktokapis.com/v2/oauth/revoke/', takes: 'access', ends: 'the grant' },
})

const tiktokMerchant = vendor('tiktok-merchant', {
  sources: ['https://developers.tiktok.com/doc/obtain-access-token-for-apis'],
  token: 'https://open.tiktokapis.com/merchant/oauth/token/',
  client: postAs('client_key', 'client_secret'),
  account: { idc: 'alisg' },
  headers: { 'x-tt-target-idc': /^alisg$/ },
  requiresOfUser: { merchant_id: 'merchant-1' },
  exampleSeconds: 432000,
  exampleRefreshSeconds: 157248000,
  refreshExpiry: 'stated',
  // both are absolute in spite of their names
  answer: ({ access, refresh, accessSeconds, refreshSeconds = 0, nowMs }) => ({
    access_token: access,
    expires_in: Math.floor(nowMs / 1000) + accessSeconds,
    refresh_token: refresh,
    refresh_expires_in: Math.floor(nowMs / 1000) + refreshSeconds,
  }),
})

const twitchError = (status: number, error: string, message: string): Reply =>
  jsonReply(status, { error, status, message })

const twitch = vendor('twitch', {
  sources: [
    'https://dev.twitch.tv/docs/authentication/refresh-tokens/',
    'https://hexdocs.pm/hello_twitch_api/TwitchAPI.AuthClient.html',
    'https://dev.twitch.tv/docs/authentication/validate-tokens',
  ],
  rotationUnknown: true,
  token: 'https://id.twitch.tv/oauth2/token',
  client: post,
  rotation: answersSame,
  exampleSeconds: 14400,
  // the documented answer to a refresh has no expires_in
  expiry: 'by lookup',
  answer: ({ access, refresh }) => ({
    access_token: access,
    refresh_token: refresh,
    scope: ['channel:read:subscriptions', 'channel:manage:polls'],
    token_type: 'bearer',
  }),
  errors: {
    deadGrant: [
      twitchError(400, 'Bad Request', 'Invalid refresh token'),
      twitchError(401, 'Unauthorized', 'Invalid refresh token'),
      twitchError(401, 'Unauthorized', 'the user is gone'),
    ],
    clientError: [
      twitchError(403, 'Forbidden', 'invalid client secret'),
      twitchError(400, 'Bad Request', 'invalid client'),
    ],
    malformed: twitchError(400, 'Bad Request', 'missing refresh token'),
  },
  lookup: {
    url: 'https://id.twitch.tv/oauth2/validate',
    scheme: 'OAuth',
    answer: ({ accessSeconds }) => ({
      client_id: 'app',
      login: 'alice',
      scopes: [],
      user_id: '1',
      expires_in: accessSeconds,
    }),
  },
  revocation: {
    url: 'https://id.twitch.tv/oauth2/revoke',
    client: publicClient,
    takes: 'access',
    unknownToken: twitchError(400, 'Bad Request', 'Invalid token'),
  },
})

const x = vendor('x', {
  sources: [
    'https://github.com/xdevplatform/docs/blob/main/fundamentals/authentication/oauth-2-0/user-access-token.mdx',
    'https://github.com/trypostit/trypost/issues/126',
    'https://github.com/unasuke/omniauth-twitter2/issues/4',
  ],
  consentAsksForMore: true,
  token: 'https://api.x.com/2/oauth2/token',
  client: basic,
  accessSeconds: 7200,
  refreshSeconds: 15552000,
  // a replay is reported to end the family
  rotation: reuseRevokes,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'tweet.read users.read offline.access' }),
  errors: {
    deadGrant: [
      oauthError(400, 'invalid_request', 'Value passed for the token was invalid.'),
      oauthError(400, 'invalid_grant', 'Value passed for the token was invalid.'),
    ],
    clientError: [oauthError(401, 'unauthorized_client', 'Missing valid authorization header')],
  },
  revocation: { url: 'https://api.x.com/2/oauth2/revoke', success: jsonReply(200, { revoked: true }) },
})

const xPublic = variant(x, 'public-client', { client: publicClient })

const yahoo = vendor('yahoo', {
  sources: ['https://developer.yahooinc.com/dsp/api/docs/authentication/refresh-token.html'],
  accessSeconds: 3600,
  rotationUnknown: true,
  token: 'https://api.login.yahoo.com/oauth2/get_token',
  client: basic,
  requiresOfUser: { redirect_uri: '{redirectUri}' },
  rotation: answersSame,
  answer: (minted) => ({ ...rfcAnswer(minted), xoauth_yahoo_guid: 'guid' }),
})

export const social: readonly Profile[] = [
  discord,
  douyin,
  facebook,
  instagram,
  linkedin,
  patreon,
  pinterest,
  reddit,
  snapchatAds,
  snapchatLogin,
  soundcloud,
  spotify,
  threads,
  tiktok,
  tiktokMerchant,
  twitch,
  x,
  xPublic,
  yahoo,
]
