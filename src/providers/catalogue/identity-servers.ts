import type { ProviderEntry } from '../schema.ts'

/** Authorization servers that people run themselves; the host is theirs. */
export const identityServers: Record<string, ProviderEntry> = {
  keycloak: {
    displayName: 'Keycloak',
    tokenEndpoint: 'https://{host}/realms/{realm}/protocol/openid-connect/token',
    revocationEndpoint: 'https://{host}/realms/{realm}/protocol/openid-connect/revoke',
    introspectionEndpoint: 'https://{host}/realms/{realm}/protocol/openid-connect/token/introspect',
    parameters: {
      host: { description: 'host name of your Keycloak', example: 'id.acme.example', setBy: 'client' },
      realm: { description: 'name of the realm', example: 'main' },
    },
    clientAuth: 'client_secret_post',
    tokenResponse: { refreshExpiresIn: 'refresh_expires_in' },
    rotation: 'rotates_old_valid',
    variants: {
      'revoke-refresh-token': {
        when: 'Revoke Refresh Token is on in the realm, with a Refresh Token Max Reuse of 0',
        set: { rotation: 'single_use' },
      },
      'mutual-tls': {
        when: 'the client authenticator is X509 Certificate',
        set: { clientAuth: 'tls_client_auth' },
      },
    },
    notes:
      'A refresh token ends with the session of its user unless scope offline_access was granted. Behind a path prefix or a port, write an entry that extends this one and give its own endpoints.',
    sources: [
      {
        url: 'https://www.keycloak.org/docs/latest/server_admin/',
        says: 'Revoke Refresh Token is off by default; where it is on, Refresh Token Max Reuse is 0 by default; client authenticators',
      },
      {
        url: 'https://www.keycloak.org/server/mutual-tls',
        says: 'what a server needs for clients that show a certificate',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation', 'revocationEndpoint', 'introspectionEndpoint'],
  },
  'ory-hydra': {
    displayName: 'Ory Hydra / Ory Network',
    tokenEndpoint: 'https://{host}/oauth2/token',
    revocationEndpoint: 'https://{host}/oauth2/revoke',
    parameters: {
      host: {
        description: 'host name of your Ory Hydra or Ory Network project',
        example: 'acme.projects.oryapis.com',
        setBy: 'client',
      },
    },
    clientAuth: 'client_secret_basic',
    errors: { deadGrant: [{ code: 'token_inactive' }] },
    rotation: 'single_use',
    variants: {
      graceful: {
        when: 'a rotation grace period of 60 seconds or more is set',
        set: { rotation: 'grace', graceSeconds: 60 },
      },
    },
    notes:
      'A second use ends the whole family. A grace period can be limited by a number of replays too. Introspection is on the admin port, which workers rarely reach.',
    sources: [
      {
        url: 'https://github.com/ory/docs/blob/master/docs/hydra/guides/graceful-token-refresh.mdx',
        says: 'grace period, reuse count, chain semantics',
      },
      {
        url: 'https://github.com/ory/hydra/issues/3004',
        says: 'a refresh token that is no longer active is answered with 401 token_inactive',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  dex: {
    displayName: 'Dex',
    tokenEndpoint: 'https://{host}/token',
    parameters: { host: { description: 'host name of your Dex', example: 'id.acme.example', setBy: 'client' } },
    rotation: 'grace',
    graceSeconds: 3,
    refreshTokenIdleSeconds: 7_776_000,
    refreshTokenAbsoluteSeconds: 14_256_000,
    variants: { static: { when: 'disableRotation is true', set: { rotation: 'none' } } },
    notes:
      'Every number here is that of the example configuration; reuse interval, idle and absolute lifetime are settings of the server.',
    sources: [
      {
        url: 'https://github.com/dexidp/dex/blob/master/cmd/dex/config.go',
        says: 'disableRotation, reuseInterval, absoluteLifetime, validIfNotUsedFor',
      },
      {
        url: 'https://github.com/dexidp/dex/blob/master/config.yaml.dist',
        says: 'example values: reuseInterval 3s, 90 days idle, 165 days absolute',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  doorkeeper: {
    displayName: 'Doorkeeper',
    tokenEndpoint: 'https://{host}/oauth/token',
    revocationEndpoint: 'https://{host}/oauth/revoke',
    introspectionEndpoint: 'https://{host}/oauth/introspect',
    parameters: {
      host: { description: 'host name of your Rails application', example: 'id.acme.example', setBy: 'client' },
    },
    accessTokenSeconds: 7200,
    rotation: 'until_new_used',
    variants: {
      immediate: {
        when: 'the table of access tokens has no column previous_refresh_token',
        set: { rotation: 'single_use' },
      },
    },
    notes:
      'The old refresh token is revoked when the new access token is first used. Many Rails products behave this way.',
    sources: [
      {
        url: 'https://github.com/doorkeeper-gem/doorkeeper/blob/main/lib/doorkeeper/models/access_token_mixin.rb',
        says: 'revoke_previous_refresh_token on use of the new token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'django-oauth-toolkit': {
    displayName: 'Django OAuth Toolkit',
    tokenEndpoint: 'https://{host}/o/token/',
    revocationEndpoint: 'https://{host}/o/revoke_token/',
    introspectionEndpoint: 'https://{host}/o/introspect/',
    parameters: {
      host: { description: 'host name of your Django application', example: 'id.acme.example', setBy: 'client' },
    },
    rotation: 'single_use',
    variants: {
      grace: { when: 'REFRESH_TOKEN_GRACE_PERIOD_SECONDS is 60 or more', set: { rotation: 'grace', graceSeconds: 60 } },
      static: { when: 'ROTATE_REFRESH_TOKEN is False', set: { rotation: 'none' } },
    },
    notes:
      'With REFRESH_TOKEN_REUSE_PROTECTION a second use ends the whole family. A replay inside the grace period was reported to return the old refresh token.',
    sources: [
      {
        url: 'https://github.com/jazzband/django-oauth-toolkit/blob/master/docs/settings.rst',
        says: 'rotation, grace and reuse-protection settings',
      },
      {
        url: 'https://github.com/jazzband/django-oauth-toolkit/issues/702',
        says: 'replay in grace returned the revoked refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'duende-identityserver': {
    displayName: 'Duende IdentityServer',
    tokenEndpoint: 'https://{host}/connect/token',
    revocationEndpoint: 'https://{host}/connect/revocation',
    introspectionEndpoint: 'https://{host}/connect/introspect',
    parameters: {
      host: { description: 'host name of your IdentityServer', example: 'id.acme.example', setBy: 'client' },
    },
    rotation: 'none',
    refreshTokenAbsoluteSeconds: 2_592_000,
    variants: {
      'one-time': { when: 'RefreshTokenUsage of the client is OneTimeOnly', set: { rotation: 'single_use' } },
      sliding: { when: 'RefreshTokenExpiration of the client is Sliding', set: { refreshTokenIdleSeconds: 1_296_000 } },
    },
    notes: 'By default one refresh token serves for 30 days from consent and no refresh moves that.',
    sources: [
      {
        url: 'https://github.com/DuendeSoftware/docs.duendesoftware.com/blob/main/astro/src/content/docs/identityserver/reference/v7/models/client.md',
        says: 'lifetimes and usage modes',
      },
      {
        url: 'https://github.com/DuendeSoftware/docs.duendesoftware.com/blob/main/astro/src/content/docs/identityserver/reference/v7/services/refresh-token-service.md',
        says: 'consumed tokens rejected by default',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'spring-authorization-server': {
    displayName: 'Spring Authorization Server',
    tokenEndpoint: 'https://{host}/oauth2/token',
    revocationEndpoint: 'https://{host}/oauth2/revoke',
    introspectionEndpoint: 'https://{host}/oauth2/introspect',
    parameters: {
      host: { description: 'host name of your authorization server', example: 'id.acme.example', setBy: 'client' },
    },
    accessTokenSeconds: 300,
    rotation: 'none',
    refreshTokenAbsoluteSeconds: 3600,
    variants: { 'one-time': { when: 'reuseRefreshTokens is false', set: { rotation: 'single_use' } } },
    notes: 'The defaults are short: access tokens of five minutes, and after an hour the user signs in again.',
    sources: [
      {
        url: 'https://github.com/spring-projects/spring-authorization-server/blob/main/oauth2-authorization-server/src/main/java/org/springframework/security/oauth2/server/authorization/settings/TokenSettings.java',
        says: 'default lifetimes and reuseRefreshTokens true',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'oidc-provider': {
    displayName: 'node-oidc-provider',
    tokenEndpoint: 'https://{host}/token',
    revocationEndpoint: 'https://{host}/token/revocation',
    introspectionEndpoint: 'https://{host}/token/introspection',
    parameters: { host: { description: 'host name of your provider', example: 'id.acme.example', setBy: 'client' } },
    accessTokenSeconds: 3600,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 1_209_600,
    notes:
      'By default a public client gets a new refresh token each time, any other when its own has lived 70 % of its life. A second use of a rotated one revokes the grant.',
    sources: [
      {
        url: 'https://github.com/panva/node-oidc-provider/blob/main/lib/helpers/defaults.js',
        says: 'rotateRefreshToken default, TTL defaults',
      },
      {
        url: 'https://github.com/panva/node-oidc-provider/blob/main/lib/actions/grants/refresh_token.js',
        says: 'reuse of a consumed token destroys it and revokes the grant',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
