import type { ProviderEntry } from '../schema.ts'

/** Banks, payments and coins. */
export const payments: Record<string, ProviderEntry> = {
  wise: {
    displayName: 'Wise',
    tokenEndpoint: 'https://api.wise.com/oauth/token',
    clientAuth: 'client_secret_basic',
    accessTokenSeconds: 43_200,
    oldAccessTokenDies: true,
    refreshBeforeExpirySeconds: 21_600,
    refreshTokenLifetimeSeconds: 630_720_000,
    notes:
      'A refresh ends the access token in use, so all readers have to change at once. Older text gives the refresh token three months instead of 20 years.',
    sources: [
      {
        url: 'https://docs.wise.com/api-docs/features/authentication-access/user-tokens',
        says: '12 h, 20 years, previous access token invalidated on refresh',
      },
      {
        url: 'https://docs.wise.com/api-docs/guides/customer-account-wise-kyc/refreshing-access',
        says: 'Basic auth example, created_at, refresh-token validity notes',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  monzo: {
    displayName: 'Monzo',
    tokenEndpoint: 'https://api.monzo.com/oauth2/token',
    revocationEndpoint: 'https://api.monzo.com/oauth2/logout',
    clientAuth: 'client_secret_post',
    errors: {
      code: 'code',
      deadGrant: [{ code: 'unauthorized.bad_refresh_token' }, { code: 'unauthorized.bad_refresh_token.evicted' }],
    },
    accessTokenSeconds: 21_600,
    rotation: 'single_use',
    oldAccessTokenDies: true,
    revocation: { encoding: 'none', auth: 'access_token', tokens: ['access_token'] },
    notes: 'A refresh works once and ends the access token in use. Public clients get no refresh token.',
    sources: [
      {
        url: 'https://github.com/monzo/docs/blob/master/source/includes/_authentication.md',
        says: 'expires_in 21600, one-time refresh, previous token invalidated, logout',
      },
      {
        url: 'https://docs.monzo.com/#errors',
        says: 'status codes and the member code of an error',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  coinbase: {
    displayName: 'Coinbase',
    tokenEndpoint: 'https://login.coinbase.com/oauth2/token',
    revocationEndpoint: 'https://login.coinbase.com/oauth2/revoke',
    clientAuth: 'client_secret_post',
    errors: { deadGrant: [{ status: 401 }] },
    accessTokenSeconds: 3600,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 47_304_000,
    revocation: { auth: 'access_token', tokens: ['access_token'] },
    consent: 'scope offline_access',
    notes: 'A dead refresh token is answered with 401. A revocation is answered with 200 whether it revoked or not.',
    sources: [
      {
        url: 'https://docs.cdp.coinbase.com/coinbase-app/authentication-authorization/oauth2/access-and-refresh-tokens',
        says: 'one hour, 1.5 years, one exchange, 401, revoke semantics',
      },
      {
        url: 'https://github.com/python-social-auth/social-core/tree/master/social_core/backends',
        says: 'token and revocation endpoint',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  cybersource: {
    displayName: 'Cybersource',
    tokenEndpoint: 'https://api-ma.cybersource.com/oauth2/v3/token',
    clientAuth: 'client_secret_post',
    errors: { deadGrant: [{ status: 500 }] },
    accessTokenSeconds: 900,
    refreshTokenIdleSeconds: 31_536_000,
    notes:
      'Every failure, a dead refresh token included, is answered with 500. One 500 is therefore taken for a refusal, and the credential asks again by itself later.',
    sources: [
      {
        url: 'https://developer.cybersource.com/docs/cybs/en-us/oauth/developer/all/rest/oauth/refreshing-the-refresh-token.html',
        says: '15-minute access token, one year reset on use, any token failure answered with HTTP 500, six-month grace for a new refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  square: {
    displayName: 'Square',
    tokenEndpoint: 'https://connect.squareup.com/oauth2/token',
    revocationEndpoint: 'https://connect.squareup.com/oauth2/revoke',
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'json' },
    tokenResponse: { expiresIn: 'expires_at', expiresInForm: 'iso8601' },
    accessTokenSeconds: 2_592_000,
    rotation: 'none',
    refreshBeforeExpirySeconds: 1_987_200,
    revocation: {
      encoding: 'json',
      auth: 'none',
      tokens: ['access_token'],
      tokenParameter: 'access_token',
      add: { client_id: '{client_id}' },
      headers: { Authorization: 'Client {client_secret}' },
    },
    variants: {
      pkce: { when: 'the app is a public client (PKCE)', set: { clientAuth: 'none', rotation: 'single_use' } },
      'short-lived': {
        when: 'access tokens of a day are wanted',
        set: {
          tokenRequest: { add: { short_lived: true } },
          accessTokenSeconds: 86_400,
          refreshBeforeExpirySeconds: 3600,
        },
      },
      sandbox: {
        when: 'the app is in the sandbox',
        set: {
          tokenEndpoint: 'https://connect.squareupsandbox.com/oauth2/token',
          revocationEndpoint: 'https://connect.squareupsandbox.com/oauth2/revoke',
        },
      },
    },
    notes: 'The vendor asks for a refresh every seven days, of tokens that live for thirty.',
    sources: [
      {
        url: 'https://developer.squareup.com/reference/square/o-auth/obtain-token',
        says: 'code flow returns the same refresh token, PKCE flow a new one, short_lived parameter',
      },
      {
        url: 'https://developer.squareup.com/reference/square/objects/ObtainTokenResponse',
        says: 'expires_at in ISO 8601, 30-day access tokens',
      },
      {
        url: 'https://developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope',
        says: 'renew every 7 days or less, alert when older than 8 days',
      },
      { url: 'https://developer.squareup.com/docs/oauth-api/overview', says: 'code-flow refresh tokens do not expire' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'stripe-apps': {
    displayName: 'Stripe Apps',
    tokenEndpoint: 'https://api.stripe.com/v1/oauth/token',
    clientAuth: 'secret_as_username',
    errors: { clientRefused: [{ status: 401 }] },
    accessTokenSeconds: 3600,
    rotation: 'single_use',
    refreshTokenIdleSeconds: 31_536_000,
    notes:
      'clientSecrets hold the secret API key, sent as the user name of Basic. No answer says that the access token lives for an hour.',
    sources: [
      { url: 'https://docs.stripe.com/error-codes', says: '401 for an API key that is not valid' },
      { url: 'https://docs.stripe.com/stripe-apps/api-authentication/oauth', says: 'OAuth for Stripe Apps' },
      {
        url: 'https://nango.dev/blog/stripe-oauth-refresh-token-invalid-grant',
        says: 'separate endpoints for Apps and Connect',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation', 'refreshTokenIdleSeconds'],
  },
  'stripe-connect': {
    displayName: 'Stripe Connect',
    tokenEndpoint: 'https://connect.stripe.com/oauth/token',
    clientAuth: 'client_secret_post',
    accessTokenNeverExpires: true,
    notes:
      'Access tokens live until the account disconnects; the platform can call with its own key and the account id instead. clientSecrets hold the secret API key.',
    sources: [
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      {
        url: 'https://docs.stripe.com/connect/oauth-reference',
        says: 'token endpoint, client_secret is the secret API key; no expiry in the answer',
      },
    ],
    checked: '2026-11-27',
    confidence: 'unverified',
    unsure: ['accessTokenNeverExpires'],
  },
  mercadopago: {
    displayName: 'Mercado Pago',
    tokenEndpoint: 'https://api.mercadopago.com/oauth/token',
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'json' },
    errors: { throttled: [{ code: 'local_rate_limited' }] },
    accessTokenSeconds: 15_552_000,
    consent: 'scope offline_access',
    notes: 'Each renewal brings a new refresh token; what becomes of the old one is not stated.',
    sources: [
      {
        url: 'https://www.mercadopago.com.mx/developers/en/docs/security/oauth/renewal',
        says: '180 days, new pair on renewal',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://mercadopago.com.mx/developers/en/reference/oauth/_oauth_token/post',
        says: 'JSON request, error codes, rate-limit code',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
