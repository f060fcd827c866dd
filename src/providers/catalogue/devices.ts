import type { ProviderEntry } from '../schema.ts'

/** Health, cars and locks. */
export const devices: Record<string, ProviderEntry> = {
  fitbit: {
    displayName: 'Fitbit',
    tokenEndpoint: 'https://api.fitbit.com/oauth2/token',
    clientAuth: 'client_secret_basic',
    errors: { deadGrant: [{ status: 401 }] },
    accessTokenSeconds: 28_800,
    rotation: 'grace',
    graceSeconds: 120,
    refreshTokenIdleSeconds: 7_776_000,
    variants: {
      'client-app': {
        when: 'the app is of the kind Client or Personal and has no secret',
        set: { clientAuth: 'none' },
      },
    },
    notes: 'A replay inside two minutes brings the same pair. A dead refresh token is answered with 401.',
    sources: [
      {
        url: 'https://dev.fitbit.com/build/reference/web-api/authorization/refresh-token',
        says: 'new pair on refresh, 28800 s, Basic for server apps',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['refreshTokenIdleSeconds', 'rotation', 'graceSeconds'],
  },
  garmin: {
    displayName: 'Garmin Connect (OAuth 2 PKCE)',
    tokenEndpoint: 'https://diauth.garmin.com/di-oauth2-service/oauth/token',
    notes:
      'OAuth 1 ends on 2026-12-31, with an exchange for existing users. A refresh brings a new refresh token; what becomes of the old one is not stated.',
    sources: [
      {
        url: 'https://github.com/RADAR-base/RADAR-Rest-Source-Auth/issues/313',
        says: 'vendor announcement quoted: OAuth 1 retirement and token exchange',
      },
      {
        url: 'https://github.com/philosowaffle/peloton-to-garmin/issues/837',
        says: 'user report: token host and rotating refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  oura: {
    displayName: 'Oura',
    tokenEndpoint: 'https://api.ouraring.com/oauth/token',
    accessTokenSeconds: 86_400,
    rotation: 'single_use',
    sources: [
      { url: 'https://cloud.ouraring.com/docs/authentication', says: 'endpoints' },
      { url: 'https://hexdocs.pm/ex_oura/2.0.0/ExOura.OAuth2.html', says: 'third party: expires_in 86400' },
      {
        url: 'https://github.com/Schimmilab/oura-mcp-server/releases/tag/v0.9.0',
        says: 'third party: single-use refresh tokens; personal access tokens deprecated in August 2026',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
    unsure: ['rotation', 'accessTokenSeconds'],
  },
  strava: {
    displayName: 'Strava',
    tokenEndpoint: 'https://www.strava.com/api/v3/oauth/token',
    revocationEndpoint: 'https://www.strava.com/oauth/deauthorize',
    clientAuth: 'client_secret_post',
    errors: {
      code: 'errors.0.resource',
      deadGrant: [{ code: 'RefreshToken' }],
      clientRefused: [
        { code: 'Application', status: 400 },
        { code: 'Application', status: 401 },
      ],
    },
    accessTokenSeconds: 21_600,
    revocation: { encoding: 'none', auth: 'access_token', tokens: ['access_token'], endsConsent: true },
    notes:
      'The answer has a relative and an absolute expiry. Sources disagree on how often the refresh token changes: what comes back is kept.',
    sources: [
      {
        url: 'https://github.com/dreeveapp/dreeve/issues/1449',
        says: 'user report: the answer to a refresh token that is not valid',
      },
      { url: 'https://developers.strava.com/docs/authentication', says: 'refresh flow, deauthorization' },
      {
        url: 'https://git.drupalcode.org/project/strava/-/merge_requests/4',
        says: 'six-hour tokens and rotated refresh token',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/python-social-auth/social-core/tree/master/social_core/backends',
        says: 'token and revocation endpoint',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  whoop: {
    displayName: 'WHOOP',
    tokenEndpoint: 'https://api.prod.whoop.com/oauth/oauth2/token',
    clientAuth: 'client_secret_post',
    tokenRequest: { add: { scope: 'offline' } },
    accessTokenSeconds: 3600,
    consent: 'scope offline',
    notes: 'Without scope offline in the refresh no next refresh token is promised.',
    sources: [
      {
        url: 'https://developer.whoop.com/docs/tutorials/refresh-token-javascript',
        says: 'refresh parameters with scope offline',
      },
      {
        url: 'https://developer.whoop.com/docs/tutorials/refresh-token-postman',
        says: '3600 s example; offline scope gives the new refresh token',
      },
      { url: 'https://developer.whoop.com/docs/developing/oauth', says: 'endpoints' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  tesla: {
    displayName: 'Tesla (owner SSO)',
    tokenEndpoint: 'https://auth.tesla.com/oauth2/v3/token',
    clientAuth: 'none',
    tokenRequest: { encoding: 'json', add: { scope: 'openid email offline_access' } },
    notes: 'The login of car owners, as the community documents it.',
    sources: [
      {
        url: 'https://github.com/timdorr/tesla-api/blob/master/docs/api-basics/authentication.md',
        says: 'JSON refresh request with scope',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  smartcar: {
    displayName: 'Smartcar',
    tokenEndpoint: 'https://auth.smartcar.com/oauth/token',
    clientAuth: 'client_secret_basic',
    rotation: 'grace',
    graceSeconds: 60,
    refreshTokenIdleSeconds: 5_184_000,
    notes: 'Read from a mirror of the vendor’s page.',
    sources: [
      {
        url: 'https://smartcar-home.netlify.app/docs/connect/token-management/refresh-refresh-token',
        says: '60 days ordinarily, one minute after being used, basic auth, form body',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  ttlock: {
    displayName: 'TTLock',
    tokenEndpoint: 'https://euapi.ttlock.com/oauth2/token',
    clientAuth: 'client_secret_post',
    tokenRequest: { rename: { client_id: 'clientId', client_secret: 'clientSecret' } },
    errors: {
      deadGrant: [{ code: '10011' }, { code: '10004' }],
      throttled: [{ code: '30006' }],
      clientRefused: [{ code: '10000' }, { code: '10001' }],
    },
    accessTokenSeconds: 7_776_000,
    refreshTokenAbsoluteSeconds: 315_360_000,
    notes:
      'Client parameters are in camel case. Errors come with status 200 and a number. The refresh token ends ten years after it was made.',
    sources: [
      { url: 'https://euopen.ttlock.com/doc/api/error', says: 'numbers of the errors' },
      {
        url: 'https://euopen.ttlock.com/document-pages/en/cloud/oauth2/refreshAccessToken',
        says: 'parameter names, 7776000 s example, ten years',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
