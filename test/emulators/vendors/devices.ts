import { jsonReply } from '../answers.ts'
import type { Profile, Reply } from '../profile.ts'
import {
  basic,
  accessToken as bearer,
  grace,
  json,
  post,
  postAs,
  publicClient,
  rfcAnswer,
  singleUse,
  variant,
  vendor,
} from '../vendor.ts'

/** Bodies, cars, doors. */

const fitbitErrors = {
  deadGrant: [
    jsonReply(401, {
      errors: [
        { errorType: 'invalid_grant', message: 'Refresh token invalid: abc. Visit https://dev.fitbit.com/docs/oauth2' },
      ],
      success: false,
    }),
    jsonReply(400, { errors: [{ errorType: 'invalid_grant', message: 'Refresh token invalid' }], success: false }),
    // third party: the status tells
    jsonReply(401, { errors: [{ errorType: 'expired_token', message: 'Refresh token expired' }], success: false }),
  ],
  clientError: [
    jsonReply(401, {
      errors: [{ errorType: 'invalid_client', message: 'Invalid authorization header format.' }],
      success: false,
    }),
  ],
} as const

const fitbit = vendor('fitbit', {
  sources: [
    'https://dev.fitbit.com/build/reference/web-api/authorization/refresh-token',
    'https://dev.fitbit.com/build/reference/web-api/troubleshooting-guide/error-messages/',
  ],
  token: 'https://api.fitbit.com/oauth2/token',
  client: basic,
  optional: ['client_id', 'expires_in'],
  accessSeconds: 28800,
  refreshIdleSeconds: 7776000,
  // the same answer for about two minutes
  rotation: grace(120, 'same pair'),
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'heartrate sleep', user_id: 'ABC' }),
  errors: fitbitErrors,
})

const fitbitClient = variant(fitbit, 'client-app', { client: publicClient })

const garmin = vendor('garmin', {
  sources: ['https://github.com/philosowaffle/peloton-to-garmin/issues/837'],
  token: 'https://diauth.garmin.com/di-oauth2-service/oauth/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
  exampleSeconds: 86400,
})

const oura = vendor('oura', {
  sources: [
    'https://github.com/Schimmilab/oura-mcp-server/releases/tag/v0.9.0',
    'https://cloud.ouraring.com/docs/authentication',
  ],
  token: 'https://api.ouraring.com/oauth/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
  accessSeconds: 86400,
  rotation: singleUse,
})

const smartcar = vendor('smartcar', {
  sources: ['https://smartcar-home.netlify.app/docs/connect/token-management/refresh-refresh-token'],
  token: 'https://auth.smartcar.com/oauth/token',
  client: basic,
  exampleSeconds: 7200,
  refreshIdleSeconds: 5184000,
  // one minute once it has been used
  rotation: grace(60),
})

const stravaError = (resource: string, field: string): Reply =>
  jsonReply(400, { message: 'Bad Request', errors: [{ resource, field, code: 'invalid' }] })

const strava = vendor('strava', {
  sources: [
    'https://developers.strava.com/docs/authentication',
    // the answer to a dead refresh token
    'https://github.com/dreeveapp/dreeve/issues/1449',
  ],
  token: 'https://www.strava.com/api/v3/oauth/token',
  client: post,
  accessSeconds: 21600,
  answer: ({ access, refresh, accessSeconds, nowMs }) => ({
    token_type: 'Bearer',
    access_token: access,
    expires_at: Math.floor(nowMs / 1000) + accessSeconds,
    expires_in: accessSeconds,
    refresh_token: refresh,
  }),
  errors: {
    deadGrant: [stravaError('RefreshToken', 'refresh_token')],
    throttled: [
      jsonReply(429, {
        message: 'Rate Limit Exceeded',
        errors: [{ resource: 'Application', field: 'rate limit', code: 'exceeded' }],
      }),
    ],
    clientError: [
      stravaError('Application', 'client_id'),
      { ...stravaError('Application', 'client_secret'), status: 401 },
    ],
    malformed: stravaError('Application', 'grant_type'),
  },
  revocation: { url: 'https://www.strava.com/oauth/deauthorize', client: bearer, takes: 'access', ends: 'the consent' },
})

const tesla = vendor('tesla', {
  sources: ['https://github.com/timdorr/tesla-api/blob/master/docs/api-basics/authentication.md'],
  token: json('https://auth.tesla.com/oauth2/v3/token'),
  client: publicClient,
  // documented as required
  requires: { scope: 'openid email offline_access' },
  exampleSeconds: 28800,
  answer: (minted) => ({ ...rfcAnswer(minted), id_token: 'e30.e30.c2ln' }),
})

const ttlockError = (errcode: number, errmsg: string): Reply => jsonReply(200, { errcode, errmsg, description: errmsg })

const ttlock = vendor('ttlock', {
  sources: [
    'https://euopen.ttlock.com/document-pages/en/cloud/oauth2/refreshAccessToken',
    // errors come with status 200 and a number
    'https://euopen.ttlock.com/doc/api/error',
  ],
  token: 'https://euapi.ttlock.com/oauth2/token',
  client: postAs('clientId', 'clientSecret'),
  accessSeconds: 7776000,
  // ten years from its creation
  refreshAbsoluteSeconds: 315360000,
  answer: (minted) => ({ ...rfcAnswer(minted), uid: 2340, openid: 1411, scope: 'user,key,room' }),
  errors: {
    deadGrant: [ttlockError(10011, 'invalid refresh_token'), ttlockError(10004, 'invalid grant')],
    throttled: [ttlockError(30006, 'exceeds the restrictions of API call number')],
    clientError: [ttlockError(10001, 'invalid client'), ttlockError(10000, 'invalid client_id')],
    malformed: ttlockError(-3, 'Invalid Parameter.'),
  },
})

const whoop = vendor('whoop', {
  sources: [
    'https://developer.whoop.com/docs/tutorials/refresh-token-javascript',
    'https://developer.whoop.com/docs/tutorials/refresh-token-postman',
  ],
  accessSeconds: 3600,
  consentAsksForMore: true,
  token: 'https://api.prod.whoop.com/oauth/oauth2/token',
  client: post,
  // without it no refresh token is documented to come
  requires: { scope: 'offline' },
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'offline read:recovery' }),
})

export const devices: readonly Profile[] = [fitbit, fitbitClient, garmin, oura, smartcar, strava, tesla, ttlock, whoop]
