import type { ProviderEntry } from '../schema.ts'

/** Where code lives. */
export const sourceCode: Record<string, ProviderEntry> = {
  'github-app': {
    displayName: 'GitHub App (user tokens)',
    tokenEndpoint: 'https://github.com/login/oauth/access_token',
    revocationEndpoint: 'https://api.github.com/applications/{client_id}/token',
    clientAuth: 'client_secret_post',
    tokenRequest: { headers: { Accept: 'application/json' } },
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in', scopeSeparator: ',' },
    errors: { deadGrant: [{ code: 'bad_refresh_token' }], clientRefused: [{ code: 'incorrect_client_credentials' }] },
    accessTokenSeconds: 28_800,
    rotation: 'single_use',
    oldAccessTokenDies: true,
    refreshTokenLifetimeSeconds: 15_897_600,
    revocation: {
      method: 'DELETE',
      encoding: 'json',
      auth: 'client_secret_basic',
      tokens: ['access_token'],
      tokenParameter: 'access_token',
    },
    variants: {
      'non-expiring': {
        when: 'expiry of user tokens is switched off in the app',
        set: { grant: 'access_token', accessTokenNeverExpires: true },
      },
    },
    notes:
      'A refresh ends the refresh token and the access token in use at once. Errors come with status 200. Without the Accept header the answer is form-encoded.',
    sources: [
      {
        url: 'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
        says: '8 h, 6 months, old refresh and access token stop working, parameters',
      },
      {
        url: 'https://docs.gitguardian.com/secrets-detection/secrets-detection-engine/detectors/specifics/github_refresh_token',
        says: 'credential revocation API, client secret not needed for device flow',
      },
      { url: 'https://github.com/orgs/community/discussions/24745', says: 'bad_refresh_token reports' },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://docs.github.com/en/rest/apps/oauth-applications',
        says: 'DELETE /applications/{client_id}/token with Basic and a JSON body that names access_token',
      },
      {
        url: 'https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors',
        says: 'incorrect_client_credentials: the client id or secret is wrong',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'github-app-installation': {
    displayName: 'GitHub App (installation tokens)',
    tokenEndpoint: 'https://api.github.com/app/installations/{installation_id}/access_tokens',
    revocationEndpoint: 'https://api.github.com/installation/token',
    parameters: {
      installation_id: {
        description: 'id of the installation, from the webhook or GET /app/installations',
        example: '12345678',
        pattern: '\\d+',
      },
    },
    grant: 'jwt_bearer',
    clientAuth: 'none',
    tokenRequest: {
      encoding: 'json',
      remove: ['grant_type', 'client_id'],
      headers: { Accept: 'application/vnd.github+json' },
    },
    tokenResponse: { accessToken: 'token', expiresIn: 'expires_at', expiresInForm: 'iso8601' },
    errors: {
      message: 'message',
      deadGrant: [{ status: 404 }],
      clientRefused: [{ status: 401 }],
      throttled: [{ status: 403, message: 'rate limit' }],
    },
    assertion: { algorithm: 'RS256', issuer: '{client_id}', lifetimeSeconds: 540, sentAs: 'bearer' },
    accessTokenSeconds: 3600,
    rotation: 'none',
    revocation: { method: 'DELETE', encoding: 'none', auth: 'access_token', tokens: ['access_token'] },
    notes:
      'clientId is the client id of the app; its private key signs. The app has to be installed again where an installation is gone (404).',
    sources: [
      {
        url: 'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app',
        says: 'POST with the JWT of the app as bearer; the token lives for an hour',
      },
      {
        url: 'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app',
        says: 'RS256, iss is the client id, ten minutes at most',
      },
      {
        url: 'https://docs.github.com/en/rest/apps/apps',
        says: 'answer with token and expires_at in ISO 8601; 401, 403 and 404',
      },
      {
        url: 'https://docs.github.com/en/rest/apps/installations',
        says: 'DELETE /installation/token ends the token that it is called with',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
  },
  gitlab: {
    displayName: 'GitLab',
    tokenEndpoint: 'https://{host}/oauth/token',
    revocationEndpoint: 'https://{host}/oauth/revoke',
    parameters: {
      host: {
        description: 'host name of GitLab',
        example: 'gitlab.acme.example',
        default: 'gitlab.com',
        setBy: 'client',
      },
      redirect_uri: {
        description: 'the redirect URI of the consent request',
        example: 'https://app.acme.example/callback',
      },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { add: { redirect_uri: '{redirect_uri}' } },
    accessTokenSeconds: 7200,
    rotation: 'single_use',
    oldAccessTokenDies: true,
    notes:
      'A refresh ends the refresh token and the access token in use at once. redirect_uri has to be that of the consent request.',
    sources: [
      {
        url: 'https://gitlab.com/gitlab-org/gitlab/-/issues/372358',
        says: 'documentation quoted: refresh invalidates existing access and refresh token; race between processes',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      {
        url: 'https://github.com/gitlabhq/gitlabhq/blob/master/doc/api/oauth2.md',
        says: 'expires_in 7200, refresh invalidates the existing access and refresh token, redirect_uri must match the original request, created_at in Unix seconds',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  bitbucket: {
    displayName: 'Bitbucket Cloud',
    tokenEndpoint: 'https://bitbucket.org/site/oauth2/access_token',
    clientAuth: 'client_secret_basic',
    tokenResponse: { scope: ['scope', 'scopes'] },
    accessTokenSeconds: 7200,
    refreshTokenIdleSeconds: 7_776_000,
    notes:
      'Since 2026-05-04 each refresh brings a new refresh token, and one that is unused for three months dies. Whether the old one lives on for a while is not stated.',
    sources: [
      {
        url: 'https://community.developer.atlassian.com/t/oauth-2-0-and-api-authentication-changes-for-bitbucket-cloud/99003',
        says: 'rotating refresh tokens, 3-month idle expiry, scopes renamed, from 2026-05-04',
      },
      { url: 'https://developer.atlassian.com/cloud/bitbucket/oauth-2', says: 'endpoints, basic auth' },
      {
        url: 'https://community.developer.atlassian.com/t/oauth2-token-lifetime-expiration-clarification/22136',
        says: 'vendor staff: two hours',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  atlassian: {
    displayName: 'Atlassian Cloud (Jira, Confluence)',
    tokenEndpoint: 'https://auth.atlassian.com/oauth/token',
    clientAuth: 'client_secret_post',
    errors: { deadGrant: [{ code: 'unauthorized_client', message: 'refresh_token is invalid' }] },
    accessTokenSeconds: 3600,
    rotation: 'grace',
    graceSeconds: 600,
    refreshTokenIdleSeconds: 7_776_000,
    consent: 'scope offline_access and audience=api.atlassian.com',
    notes:
      'A dead refresh token is answered with 403, and with invalid_grant or unauthorized_client. Reuse after ten minutes ends the grant. A single token cannot be revoked by API.',
    sources: [
      {
        url: 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens',
        says: 'rotating refresh tokens, parameters',
      },
      { url: 'https://community.developer.atlassian.com/t/54172', says: '10-minute leeway, 90 days inactivity' },
      {
        url: 'https://nango.dev/blog/jira-oauth-refresh-token-invalid-grant',
        says: 'status is often 403 with invalid_grant',
      },
      {
        url: 'https://github.com/raycast/extensions/issues/11836',
        says: 'user report: a dead refresh token is answered with 403 unauthorized_client, refresh_token is invalid',
      },
      {
        url: 'https://docs.gitguardian.com/secrets-detection/secrets-detection-engine/detectors/specifics/atlassian_auth_key',
        says: 'no individual revocation',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
