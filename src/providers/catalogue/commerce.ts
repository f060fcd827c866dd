import type { ProviderEntry } from '../schema.ts'

/** Shops and marketplaces. */
export const commerce: Record<string, ProviderEntry> = {
  shopify: {
    displayName: 'Shopify (expiring offline tokens)',
    tokenEndpoint: 'https://{shop}.myshopify.com/admin/oauth/access_token',
    parameters: {
      shop: {
        description: 'name of the shop, as in its host name at myshopify.com',
        example: 'acme-store',
        pattern: '[a-z0-9][a-z0-9-]*',
      },
    },
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 3600,
    rotation: 'until_new_used',
    graceSeconds: 2_592_000,
    refreshTokenIdleSeconds: 7_776_000,
    notes:
      'The old refresh token may be retried until its successor is used, for 30 days at most (an hour before 2026-08-28). Offline tokens without an expiry end for public apps on 2027-01-01.',
    sources: [
      {
        url: 'https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens',
        says: 'retry until replacement used, 30-day cap, formerly 60 minutes',
      },
      {
        url: 'https://shopify.dev/changelog/offline-access-tokens-now-support-expiry-and-refresh',
        says: '60-minute access tokens with refresh token',
      },
      {
        url: 'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens',
        says: 'public apps must use expiring tokens from 2026-04-01 / 2027-01-01',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  ebay: {
    displayName: 'eBay',
    tokenEndpoint: 'https://{api}.ebay.com/identity/v1/oauth2/token',
    parameters: {
      api: {
        description: 'api, or api.sandbox for the sandbox',
        values: ['api', 'api.sandbox'],
        example: 'api',
        default: 'api',
      },
    },
    clientAuth: 'client_secret_basic',
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in', tokenType: 'Bearer' },
    accessTokenSeconds: 7200,
    rotation: 'none',
    refreshTokenAbsoluteSeconds: 47_304_000,
    notes: 'The deadline of the refresh token comes with the code exchange only, and no refresh moves it.',
    sources: [
      {
        url: 'https://developer.ebay.com/api-docs/static/oauth-refresh-token-request.html',
        says: 'endpoint, basic auth, the same refresh token renews the access token',
      },
      { url: 'https://developer.eBay.com/support/faq', says: 'user tokens expire within two hours' },
      { url: 'https://developer.ebay.com/support/kb-article?KBid=5075', says: 'RuName as redirect_uri' },
      {
        url: 'https://gist.github.com/mudassaralichouhan/d952b464b2907c7f833c87c05152eb76',
        says: 'third-party code: refresh_token_expires_in 47304000',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['refreshTokenAbsoluteSeconds'],
  },
  etsy: {
    displayName: 'Etsy',
    tokenEndpoint: 'https://api.etsy.com/v3/public/oauth/token',
    clientAuth: 'none',
    refreshTokenIdleSeconds: 7_776_000,
    notes: 'clientId is the keystring, sent without a secret; calls of the API need it as x-api-key too.',
    sources: [
      { url: 'https://developers.etsy.com/documentation/essentials/authentication', says: 'token endpoint, PKCE flow' },
      {
        url: 'https://github.com/python-social-auth/social-core/tree/master/social_core/backends',
        says: 'token and revocation endpoint',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['refreshTokenIdleSeconds'],
  },
  mercadolibre: {
    displayName: 'Mercado Libre',
    tokenEndpoint: 'https://api.mercadolibre.com/oauth/token',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 21_600,
    rotation: 'single_use',
    sources: [
      {
        url: 'https://developers.mercadolibre.com.ar/en_us/authentication-and-authorization',
        says: 'authorization flow',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://dev.to/javiersivack/el-refresh-token-de-mercado-libre-es-de-un-solo-uso-como-no-desconectar-a-tus-vendedores-137g',
        says: 'third party citing vendor documentation: 6 hours, single use, refresh request fields',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  squarespace: {
    displayName: 'Squarespace',
    tokenEndpoint: 'https://login.squarespace.com/api/1/login/oauth/provider/tokens',
    consent: 'access_type=offline',
    sources: [
      { url: 'https://developers.squarespace.com/oauth', says: 'endpoints' },
      { url: 'https://api2cart.com/how-to-connect-squarespace-to-api2cart', says: 'access_type=offline' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
