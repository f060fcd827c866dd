import type { ProviderEntry } from '../schema.ts'

/** Commercial identity servers. */
export const identityProducts: Record<string, ProviderEntry> = {
  connect2id: {
    displayName: 'Connect2id server',
    tokenEndpoint: 'https://{host}/token',
    revocationEndpoint: 'https://{host}/token/revoke',
    introspectionEndpoint: 'https://{host}/token/introspect',
    parameters: {
      host: { description: 'host name of your Connect2id server', example: 'id.acme.example', setBy: 'client' },
    },
    rotation: 'grace',
    graceSeconds: 5,
    sources: [
      { url: 'https://connect2id.com/blog/connect2id-server-14-2', says: '5-second reuse grace for rotated tokens' },
      {
        url: 'https://connect2id.com/products/server/docs/api',
        says: 'paths of the token, revocation and introspection endpoints',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['tokenEndpoint', 'revocationEndpoint', 'introspectionEndpoint'],
  },
  curity: {
    displayName: 'Curity Identity Server',
    issuer: 'https://{host}/oauth/v2/oauth-anonymous',
    parameters: {
      host: { description: 'host name of your Curity Identity Server', example: 'id.acme.example', setBy: 'client' },
    },
    rotation: 'single_use',
    variants: {
      grace: {
        when: 'a grace of 30 seconds or more is set for revoking used refresh tokens',
        set: { rotation: 'grace', graceSeconds: 30 },
      },
    },
    notes:
      'Endpoints are discovered, so expose-metadata has to be on. A grace for used refresh tokens can be set; there is none by default.',
    sources: [
      {
        url: 'https://curity.io/docs/identity-server/configuration-reference/profiles/profile/settings/authorization-server/refresh-token-revocation',
        says: 'grace setting, default 0',
      },
      {
        url: 'https://curity.io/resources/learn/test-using-oauth-assistant/',
        says: 'the issuer of an installation with default paths',
      },
      {
        url: 'https://www.curity.io/docs/idsvr/latest/token-service-admin-guide/metadata.html',
        says: 'metadata is off until expose-metadata is set',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
    unsure: ['issuer'],
  },
  'airlock-iam': {
    displayName: 'Airlock IAM',
    tokenEndpoint: 'https://{host}/{loginapp}/oauth2/v3/{server}/token',
    parameters: {
      host: { description: 'host name of your Airlock IAM', example: 'id.acme.example', setBy: 'client' },
      loginapp: { description: 'first part of the path of the Loginapp', example: 'auth' },
      server: { description: 'id of the authorization server', example: 'main' },
    },
    rotation: 'until_new_used',
    variants: { immediate: { when: 'reuse until the new pair is used is off', set: { rotation: 'single_use' } } },
    notes: 'A replay mints another pair and only the newest lives.',
    sources: [
      {
        url: 'https://docs.airlock.com/iam/7.7/data/data/1594920812889.html',
        says: 'old token usable until the new pair is used',
      },
      {
        url: 'https://docs.airlock.com/iam/latest/index/1597849731151.html',
        says: 'every endpoint of an authorization server is below <loginapp>/oauth2/v3/<id>',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
    unsure: ['tokenEndpoint'],
  },
  wso2: {
    displayName: 'WSO2 Identity Server',
    tokenEndpoint: 'https://{host}/oauth2/token',
    revocationEndpoint: 'https://{host}/oauth2/revoke',
    introspectionEndpoint: 'https://{host}/oauth2/introspect',
    parameters: {
      host: { description: 'host name of your WSO2 Identity Server', example: 'id.acme.example', setBy: 'client' },
    },
    rotation: 'none',
    variants: {
      renewing: {
        when: 'Renew Refresh Token is on in the application',
        set: { rotation: 'until_new_used', graceSeconds: 30 },
      },
    },
    notes:
      'With renewal on, a replay mints another pair and ends the one before; the window is 30 seconds unless changed, 60 at most.',
    sources: [
      {
        url: 'https://wso2.com/asgardeo/docs/references/tokens/refresh-tokens/',
        says: 'whether a refresh token is renewed is a setting of the application',
      },
      {
        url: 'https://github.com/wso2/docs-is/pull/6173',
        says: '30 seconds by default, 60 at most, 1 to 5 replays; a replay replaces the previous child',
      },
      { url: 'https://is.docs.wso2.com/en/latest/references/grant-types/', says: 'paths of the token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['revocationEndpoint', 'introspectionEndpoint'],
  },
  asgardeo: {
    displayName: 'Asgardeo',
    extends: 'wso2',
    tokenEndpoint: 'https://api.asgardeo.io/t/{organization}/oauth2/token',
    revocationEndpoint: 'https://api.asgardeo.io/t/{organization}/oauth2/revoke',
    introspectionEndpoint: 'https://api.asgardeo.io/t/{organization}/oauth2/introspect',
    parameters: { organization: { description: 'name of the organization in Asgardeo', example: 'acme' } },
    sources: [
      {
        url: 'https://wso2.com/asgardeo/docs/references/tokens/refresh-tokens/',
        says: 'whether a refresh token is renewed is a setting of the application',
      },
      {
        url: 'https://github.com/wso2/docs-is/pull/6173',
        says: 'window and number of replays, shared with WSO2 Identity Server',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
