import { formReply, iso, jsonReply, oauthError } from '../answers.ts'
import type { Assertion, Minted, Profile, Reply } from '../profile.ts'
import {
  answersSame,
  basic,
  accessToken as bearer,
  graceThenRevokes,
  json,
  neverRotates,
  post,
  rfcAnswer,
  singleUse,
  untilRevoked,
  variant,
  vendor,
} from '../vendor.ts'

/** Platforms that developers build on: code, clouds, app stores. */

const apple = vendor('apple', {
  sources: [
    'https://developer.apple.com/documentation/sign_in_with_apple/generate_and_validate_tokens',
    'https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret',
    'https://developer.apple.com/forums/thread/708415',
  ],
  token: 'https://appleid.apple.com/auth/token',
  // a JWT of the developer's key, six months at most
  client: {
    by: 'signed secret',
    algorithm: 'ES256',
    issuer: '{team_id}',
    audience: 'https://appleid.apple.com',
    maximumSeconds: 15777000,
  },
  account: { team_id: 'A1B2C3D4E5' },
  rotation: neverRotates,
  revocation: {
    url: 'https://appleid.apple.com/auth/revoke',
    ends: 'the grant',
  },
})

const atlassian = vendor('atlassian', {
  sources: [
    'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens',
    'https://community.developer.atlassian.com/t/54172',
    'https://nango.dev/blog/jira-oauth-refresh-token-invalid-grant',
    'https://github.com/raycast/extensions/issues/11836',
  ],
  accessSeconds: 3600,
  consentAsksForMore: true,
  token: 'https://auth.atlassian.com/oauth/token',
  client: post,
  refreshIdleSeconds: 7776000,
  // reuse beyond the leeway invalidates the grant
  rotation: graceThenRevokes(600),
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'read:jira-work offline_access' }),
  errors: {
    deadGrant: [
      oauthError(403, 'invalid_grant', 'Unknown or invalid refresh token.'),
      oauthError(403, 'unauthorized_client', 'refresh_token is invalid'),
    ],
  },
})

const autodesk = vendor('autodesk-aps', {
  sources: [
    'https://github.com/autodesk-platform-services/aps-sdk-node/blob/main/authentication/source/api/tokenApi.ts',
    'https://aps.autodesk.com/node/734',
  ],
  token: 'https://developer.api.autodesk.com/authentication/v2/token',
  client: basic,
  optional: ['scope'],
  refreshIdleSeconds: 1209600,
  budget: { of: 'the client', requests: 100, perSeconds: 60 },
  revocation: { url: 'https://developer.api.autodesk.com/authentication/v2/revoke' },
})

const bitbucket = vendor('bitbucket', {
  sources: [
    'https://community.developer.atlassian.com/t/oauth-2-0-and-api-authentication-changes-for-bitbucket-cloud/99003',
    'https://developer.atlassian.com/cloud/bitbucket/oauth-2',
  ],
  token: 'https://bitbucket.org/site/oauth2/access_token',
  client: basic,
  accessSeconds: 7200,
  refreshIdleSeconds: 7776000,
  // renamed from scopes in May 2026
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'account repository', state: 'refresh_token' }),
  // what was answered before, and may have been kept
  codeExchange: ({ access, refresh, accessSeconds }) => ({
    access_token: access,
    refresh_token: refresh,
    expires_in: accessSeconds,
    token_type: 'bearer',
    scopes: 'account repository',
  }),
})

const digitalocean = vendor('digitalocean', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://cloud.digitalocean.com/v1/oauth/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
})

const githubErrors = {
  deadGrant: [
    jsonReply(200, {
      error: 'bad_refresh_token',
      error_description: 'The refresh token passed is incorrect or expired.',
      error_uri: 'https://docs.github.com',
    }),
  ],
  clientError: [
    jsonReply(200, {
      error: 'incorrect_client_credentials',
      error_description: 'The client_id and/or client_secret passed are incorrect.',
      error_uri: 'https://docs.github.com',
    }),
  ],
} as const

const github = vendor('github-app', {
  sources: [
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
    'https://docs.github.com/en/apps/maintaining-github-apps/troubleshooting-authorization-request-errors',
    'https://github.com/orgs/community/discussions/24745',
  ],
  token: 'https://github.com/login/oauth/access_token',
  client: post,
  scopeSeparator: ',',
  rotation: singleUse,
  oldAccessTokenDies: true,
  accessSeconds: 28800,
  refreshSeconds: 15897600,
  refreshExpiry: 'stated',
  answer: githubAnswer,
  errors: githubErrors,
  revocation: {
    url: 'https://api.github.com/applications/{client_id}/token',
    method: 'DELETE',
    encoding: 'json',
    client: { by: 'basic', encoding: 'either' },
    parameter: 'access_token',
    takes: 'access',
    success: { status: 204, body: '' },
    unknownToken: jsonReply(422, { message: 'Validation Failed' }),
  },
})

/** A form, unless JSON is asked for. */
function githubAnswer({ access, refresh, accessSeconds, refreshSeconds, headers }: Minted): object | Reply {
  const members = {
    access_token: access,
    expires_in: accessSeconds,
    refresh_token: refresh ?? '',
    refresh_token_expires_in: refreshSeconds ?? 0,
    // an OAuth App's; a GitHub App's is empty
    scope: 'repo,gist',
    token_type: 'bearer',
  }
  return headers.accept?.split(/, ?/).includes('application/json') ? members : formReply(200, members)
}

/** Without expiry there is nothing to refresh with. */
const githubLasting = variant(github, 'non-expiring', untilRevoked)

const installationJwt: Assertion = {
  algorithm: 'RS256',
  audience: '',
  // ten minutes into the future at most
  maximumSeconds: 600,
  claims: { iss: '{clientId}' },
  needs: ['iat', 'exp'],
}

const githubInstallation = vendor('github-app-installation', {
  sources: [
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app',
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app',
  ],
  accessSeconds: 3600,
  token: json('https://api.github.com/app/installations/{installation_id}/access_tokens'),
  account: { installation_id: '4711' },
  client: { by: 'none' },
  // GitHub's API refuses requests without an agent, and asks for its own media type
  headers: { 'User-Agent': /\S/, Accept: /^application\/vnd\.github\+json$/ },
  grant: { kind: 'assertion', carried: { in: 'bearer header' }, assertion: installationJwt },
  optional: ['repositories', 'repository_ids', 'permissions'],
  answer: ({ access, nowMs, accessSeconds }) => ({
    status: 201,
    body: {
      token: access,
      expires_at: iso(nowMs + accessSeconds * 1000).replace(/\.\d+Z$/, 'Z'),
      permissions: { contents: 'read' },
      repository_selection: 'all',
    },
  }),
  revocation: {
    url: 'https://api.github.com/installation/token',
    method: 'DELETE',
    encoding: 'query',
    client: bearer,
    takes: 'access',
    success: { status: 204, body: '' },
  },
  errors: {
    deadGrant: [jsonReply(404, { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' })],
    clientError: [
      jsonReply(401, {
        message: 'A JSON web token could not be decoded',
        documentation_url: 'https://docs.github.com/rest',
      }),
    ],
    throttled: [
      { ...jsonReply(403, { message: 'You have exceeded a secondary rate limit.' }), headers: { 'retry-after': '17' } },
    ],
  },
})

const gitlab = vendor('gitlab', {
  sources: [
    'https://github.com/gitlabhq/gitlabhq/blob/master/doc/api/oauth2.md',
    'https://gitlab.com/gitlab-org/gitlab/-/issues/372358',
  ],
  token: 'https://{host}/oauth/token',
  account: { host: 'gitlab.acme.example' },
  client: post,
  // must match the original request
  requiresOfUser: { redirect_uri: '{redirectUri}' },
  rotation: singleUse,
  oldAccessTokenDies: true,
  accessSeconds: 7200,
  answer: (minted) => ({ ...rfcAnswer(minted), created_at: Math.floor(minted.nowMs / 1000) }),
  revocation: { url: 'https://{host}/oauth/revoke' },
})

const google = vendor('google', {
  sources: [
    'https://developers.google.com/identity/protocols/oauth2',
    'https://developers.google.com/identity/protocols/oauth2/web-server',
  ],
  accessSeconds: 3600,
  consentAsksForMore: true,
  token: 'https://oauth2.googleapis.com/token',
  client: post,
  rotation: neverRotates,
  refreshIdleSeconds: 15552000,
  tokensPerUser: 100,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'https://www.googleapis.com/auth/drive.metadata.readonly' }),
  errors: {
    deadGrant: [oauthError(400, 'invalid_grant', 'Token has been expired or revoked.')],
    clientError: [
      oauthError(401, 'invalid_client', 'The provided client secret is invalid.'),
      oauthError(401, 'deleted_client', 'The OAuth client was deleted.'),
    ],
  },
  // either token ends the grant
  revocation: {
    url: 'https://oauth2.googleapis.com/revoke',
    client: { by: 'anyone' },
    ends: 'the grant',
    unknownToken: oauthError(400, 'invalid_token', 'Token expired or revoked'),
  },
})
const googleTesting = variant(google, 'testing', {
  sources: ['https://support.google.com/cloud/answer/9028764'],
  lifetimes: {
    accessSeconds: 3600,
    accessDocumented: true,
    refreshDocumented: true,
    refreshIdleSeconds: 15552000,
    refreshAbsoluteSeconds: 604800,
  },
})
const googleServiceAccount = vendor('google-service-account', {
  sources: ['https://developers.google.com/identity/protocols/oauth2/service-account'],
  client: { by: 'none' },
  grant: {
    kind: 'assertion',
    carried: { in: 'parameter', name: 'assertion' },
    assertion: {
      algorithm: 'RS256',
      audience: 'https://oauth2.googleapis.com/token',
      maximumSeconds: 3600,
      claims: { iss: '{clientId}', scope: '{scope}' },
      needs: ['iat', 'exp'],
    },
  },
  requires: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
  accessSeconds: 3600,
  account: { scope: 'https://mail.google.com/' },
  token: 'https://oauth2.googleapis.com/token',
  answer: google.answer,
  errors: { ...google.errors, clientError: [google.errors.clientError[0]] },
})
/** It acts for a user of the domain. */
const googleDelegated = variant(googleServiceAccount, 'delegated', {
  grant: delegated(googleServiceAccount.grant),
})

function delegated(grant: Profile['grant']): Profile['grant'] {
  if (grant.kind !== 'assertion') throw new Error('a service account signs')
  const { assertion } = grant
  return { ...grant, assertion: { ...assertion, claims: { ...assertion.claims, sub: '{subject}' } } }
}

const heroku = vendor('heroku', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://id.heroku.com/oauth/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
})

const linear = vendor('linear', {
  sources: ['https://linear.app/developers/oauth-2-0-authentication', 'https://linear.app/docs/oauth/authentication'],
  token: 'https://api.linear.app/oauth/token',
  client: basic,
  alsoAccepts: [post],
  scopeSeparator: ',',
  accessSeconds: 86400,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'read,write' }),
  revocation: { url: 'https://api.linear.app/oauth/revoke' },
})

const stripeErrors = {
  deadGrant: [oauthError(400, 'invalid_grant', 'Refresh token does not exist: rt_1')],
  clientError: [jsonReply(401, { error: { message: 'Invalid API Key provided', type: 'invalid_request_error' } })],
} as const

const stripeApps = vendor('stripe-apps', {
  sources: [
    'https://docs.stripe.com/stripe-apps/api-authentication/oauth',
    'https://nango.dev/blog/stripe-oauth-refresh-token-invalid-grant',
  ],
  accessSeconds: 3600,
  token: 'https://api.stripe.com/v1/oauth/token',
  // the secret API key is the user name
  client: { by: 'secret as user name' },
  // any call to the API may carry the key so
  alsoAccepts: [{ by: 'header', name: 'Authorization', value: 'Bearer {client_secret}' }],
  refreshIdleSeconds: 31536000,
  rotation: singleUse,
  // one hour, and no expires_in
  expiry: 'documented',
  answer: ({ access, refresh }) => ({
    access_token: access,
    livemode: false,
    refresh_token: refresh,
    scope: 'stripe_apps',
    stripe_publishable_key: 'pk_test',
    stripe_user_id: 'acct_1',
    token_type: 'bearer',
  }),
  errors: stripeErrors,
})

const webex = vendor('webex', {
  sources: [
    'https://github.com/webex/integration-refresh',
    'https://github.com/WebexSamples/webex-contact-center-api-samples/blob/main/token-app-sample/README.md',
  ],
  rotationUnknown: true,
  token: 'https://webexapis.com/v1/access_token',
  client: post,
  exampleSeconds: 1209600,
  exampleRefreshSeconds: 7776000,
  refreshExpiry: 'stated',
  // asked more than once a day it returns what there is
  sameTokenForSeconds: 86400,
  rotation: answersSame,
  answer: (minted) => ({ ...rfcAnswer(minted), refresh_token_expires_in: minted.refreshSeconds }),
  errors: {
    deadGrant: [
      jsonReply(400, {
        message: 'The request could not be understood by the server due to malformed syntax.',
        errors: [{ description: 'The refresh token provided is expired, revoked, malformed, or invalid.' }],
        trackingId: 'ROUTER_1',
      }),
      oauthError(400, 'invalid_grant'),
    ],
  },
})

export const developer: readonly Profile[] = [
  apple,
  atlassian,
  autodesk,
  bitbucket,
  digitalocean,
  github,
  githubLasting,
  githubInstallation,
  gitlab,
  google,
  googleTesting,
  googleServiceAccount,
  googleDelegated,
  heroku,
  linear,
  stripeApps,
  webex,
]
