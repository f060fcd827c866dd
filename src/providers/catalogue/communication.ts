import type { ProviderEntry } from '../schema.ts'

/** Chat, meetings and telephones. */
export const communication: Record<string, ProviderEntry> = {
  slack: {
    displayName: 'Slack (token rotation)',
    tokenEndpoint: 'https://slack.com/api/oauth.v2.access',
    revocationEndpoint: 'https://slack.com/api/auth.revoke',
    clientAuth: 'client_secret_post',
    tokenResponse: { pair: 'bot', tokenType: 'Bearer', scopeSeparator: ',', success: { path: 'ok', is: true } },
    errors: {
      deadGrant: [{ code: 'invalid_refresh_token' }],
      throttled: [{ code: 'ratelimited' }],
      clientRefused: [{ code: 'invalid_client_id' }, { code: 'bad_client_secret' }],
    },
    accessTokenSeconds: 43_200,
    rotation: 'single_use',
    revocation: { encoding: 'none', auth: 'access_token', tokens: ['access_token'] },
    variants: {
      user: {
        when: 'the credential is the pair of the user, not of the bot',
        set: { tokenResponse: { pair: 'user' } },
      },
      'non-expiring': {
        when: 'token rotation is off in the app',
        set: { grant: 'access_token', accessTokenNeverExpires: true },
      },
    },
    notes:
      'An installation can hold a pair of the bot and one of the user, each with a refresh token and an end of its own: two credentials, of two clients, the second with variant user. Hand the whole answer of the code exchange to both; each takes its pair, and refuses an answer without it. Errors come with status 200.',
    sources: [
      {
        url: 'https://docs.slack.dev/reference/methods/oauth.v2.access',
        says: 'answer with authed_user and token_type bot or user; codes of a dead refresh token, of throttling, of the client',
      },
      {
        url: 'https://docs.slack.dev/authentication/using-token-rotation',
        says: '12 hours, refresh token revoked after use',
      },
      {
        url: 'https://slack.dev/python-slack-sdk/api-docs/slack_sdk/oauth/token_rotation/rotator.html',
        says: 'bot and user tokens are rotated separately, default 2 hours ahead',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  zoom: {
    displayName: 'Zoom',
    tokenEndpoint: 'https://zoom.us/oauth/token',
    revocationEndpoint: 'https://zoom.us/oauth/revoke',
    clientAuth: 'client_secret_basic',
    errors: { message: 'reason', deadGrant: [{ code: 'invalid_request', message: 'invalid token' }] },
    accessTokenSeconds: 3600,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 7_776_000,
    variants: {
      'server-to-server': {
        when: 'the app is of the kind Server-to-Server OAuth',
        set: {
          parameters: { account_id: { description: 'id of the account', example: 'Ab1Cd2Ef3Gh4Ij5K' } },
          grant: 'client_credentials',
          tokenRequest: { grantType: 'account_credentials', add: { account_id: '{account_id}' } },
        },
      },
    },
    sources: [
      {
        url: 'https://github.com/anthropics/knowledge-work-plugins/blob/main/partner-built/zoom-plugin/skills/oauth/concepts/token-lifecycle.md',
        says: 'one hour, about 90 days, rotation with old token invalid (vendor-contributed plugin)',
      },
      {
        url: 'https://developers.zoom.us/docs/integrations/oauth/',
        says: 'requests and answers; an invalid token is told by a reason beside the code',
      },
      {
        url: 'https://github.com/tl-its-umich-edu/remote-office-hours-queue/issues/363',
        says: 'user report: a dead refresh token is answered with 401 or 400',
      },
      {
        url: 'https://developers.zoom.us/docs/rooms/s2s-oauth/',
        says: 'account_credentials grant, 3600 s, no refresh token',
      },
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
  webex: {
    displayName: 'Cisco Webex',
    tokenEndpoint: 'https://webexapis.com/v1/access_token',
    clientAuth: 'client_secret_post',
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in' },
    errors: { message: 'errors.0.description', deadGrant: [{ message: 'refresh token provided is expired' }] },
    minRefreshIntervalSeconds: 86_400,
    notes:
      'A token can really be refreshed about once a day; before, the same comes back. Lifetimes differ by product.',
    sources: [
      {
        url: 'https://github.com/webex/integration-refresh',
        says: 'vendor sample: refreshes within 24 hours often change nothing',
      },
      {
        url: 'https://github.com/WebexSamples/webex-contact-center-api-samples/blob/main/token-app-sample/README.md',
        says: 'vendor sample: response fields including refresh_token_expires_in, form parameters with client credentials in the body',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  ringcentral: {
    displayName: 'RingCentral',
    tokenEndpoint: 'https://platform.ringcentral.com/restapi/oauth/token',
    revocationEndpoint: 'https://platform.ringcentral.com/restapi/oauth/revoke',
    clientAuth: 'client_secret_basic',
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in' },
    accessTokenSeconds: 3600,
    rotation: 'until_new_used',
    graceSeconds: 3600,
    oldAccessTokenDies: true,
    refreshTokenIdleSeconds: 604_800,
    notes:
      'A replay brings the same pair for an hour, or ten seconds after the new access token is used. The old access token stops at once.',
    sources: [
      { url: 'https://github.com/tylerlong/ringcentral-token-refresh-experiment', says: 'measured replay behaviour' },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://github.com/ringcentral/ringcentral-api-docs/blob/main/docs/authentication/refresh-tokens.md',
        says: '1 h / 7 d; replay returns the same access token for up to 60 minutes or about 10 s after the new token is used; old access token dies at once',
      },
      {
        url: 'https://github.com/ringcentral/ringcentral-api-docs/blob/main/docs/authentication/tokens.md',
        says: 'revocation endpoint',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  goto: {
    displayName: 'GoTo (GoToWebinar, GoToMeeting)',
    tokenEndpoint: 'https://authentication.logmeininc.com/oauth/token',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 3600,
    notes: 'The documented answer to a refresh has no refresh token: the first one serves on.',
    sources: [
      {
        url: 'https://developer.goto.com/how-use-refresh-tokens/',
        says: '60 minutes, basic auth, response without refresh_token',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
