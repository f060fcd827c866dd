import type { ProviderEntry } from '../schema.ts'

/** Service desks and field service. */
export const serviceDesks: Record<string, ProviderEntry> = {
  jobber: {
    displayName: 'Jobber',
    tokenEndpoint: 'https://api.getjobber.com/api/oauth/token',
    clientAuth: 'client_secret_post',
    rotation: 'single_use',
    variants: { static: { when: 'Refresh Token Rotation is off in the app', set: { rotation: 'none' } } },
    notes:
      'With rotation on, which the marketplace asks for, a refresh token must never be sent twice. That a user has disconnected the app is told by the API alone, in the text of a GraphQL error; have the reader reject the token then.',
    sources: [
      {
        url: 'https://developer.getjobber.com/docs/building_your_app/refresh_token_rotation',
        says: 'rotation setting, same token returned when off, never reuse when on',
      },
      { url: 'https://developer.getjobber.com/docs/building_your_app/app_lifecycle', says: 'disconnect error text' },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  zendesk: {
    displayName: 'Zendesk Support',
    tokenEndpoint: 'https://{subdomain}.zendesk.com/oauth/tokens',
    parameters: {
      subdomain: { description: 'name of the account, as in its host name at zendesk.com', example: 'acme' },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'json', add: { expires_in: 1800, refresh_token_expires_in: 2_592_000 } },
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in' },
    accessTokenSeconds: 1800,
    rotation: 'single_use',
    oldAccessTokenDies: true,
    refreshTokenLifetimeSeconds: 2_592_000,
    notes:
      'A refresh ends the tokens before it at once. Older clients learn of an expiry only when they ask for a lifetime, so it is asked for. Refreshing becomes mandatory on 2027-04-01.',
    sources: [
      {
        url: 'https://github.com/NangoHQ/nango/issues/6775',
        says: 'issue report: expires_in omitted unless requested, 30 minutes and about 30 days',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://support.zendesk.com/hc/en-us/articles/9182123625370',
        says: 'previous access and refresh tokens deleted, expires_in and refresh_token_expires_in request parameters, dates',
      },
      {
        url: 'https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token',
        says: 'refresh flow',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  intercom: {
    displayName: 'Intercom',
    tokenEndpoint: 'https://api.intercom.io/auth/eagle/token',
    grant: 'access_token',
    clientAuth: 'client_secret_post',
    accessTokenNeverExpires: true,
    notes: 'There is no refresh token: the access token lives until it is revoked, and only a refused call tells.',
    sources: [
      {
        url: 'https://community.intercom.com/apps-integrations-25/clarification-needed-on-intercom-oauth-access-token-and-refresh-token-for-multitenant-apps-11092',
        says: 'vendor engineer: no refresh token, no expiry',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  servicenow: {
    displayName: 'ServiceNow',
    tokenEndpoint: 'https://{instance}.service-now.com/oauth_token.do',
    parameters: {
      instance: { description: 'name of the instance, as in its host name at service-now.com', example: 'acme' },
    },
    clientAuth: 'client_secret_post',
    errors: { deadGrant: [{ code: 'server_error', message: 'access_denied' }] },
    accessTokenSeconds: 1800,
    refreshTokenLifetimeSeconds: 8_640_000,
    notes:
      'A dead refresh token and a wrong client secret get the same answer, 401 with server_error and access_denied: where all credentials of a client ask for a reconnect at once, look at its secret first. Lifetimes are settings of the instance, 30 minutes and 100 days by default. A request while a token lives can return that token with its expiry moved.',
    sources: [
      {
        url: 'https://support.servicenow.com/kb?id=kb_article_view&sysparm_article=KB0791140',
        says: 'default 30 minutes and 100 days, same token returned, configurable',
      },
      {
        url: 'https://docs.servicenow.com/bundle/utah-platform-security/page/administer/security/task/t_ManageTokens.html',
        says: 'default lifespans',
      },
      {
        url: 'https://github.com/pipeshub-ai/pipeshub-ai/blob/main/backend/python/app/connectors/core/base/token_service/oauth_service.py',
        says: 'what a widely used client takes for a dead refresh token here: 401 server_error, access_denied',
      },
      {
        url: 'https://github.com/demisto/content-docs/issues/1301',
        says: 'user report: the same answer where the credentials of the client are wrong',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
