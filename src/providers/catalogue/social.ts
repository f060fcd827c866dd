import type { ProviderEntry } from '../schema.ts'

/** Social networks. */
export const social: Record<string, ProviderEntry> = {
  x: {
    displayName: 'X (Twitter)',
    tokenEndpoint: 'https://api.x.com/2/oauth2/token',
    revocationEndpoint: 'https://api.x.com/2/oauth2/revoke',
    clientAuth: 'client_secret_basic',
    errors: { deadGrant: [{ code: 'invalid_request' }] },
    accessTokenSeconds: 7200,
    rotation: 'single_use',
    refreshTokenLifetimeSeconds: 15_552_000,
    variants: {
      'public-client': {
        when: 'the app is a native or single-page app, without a secret',
        set: { clientAuth: 'none' },
      },
    },
    consent: 'scope offline.access',
    notes: 'A second use was reported to end the whole family. A dead refresh token was reported as invalid_request.',
    sources: [
      {
        url: 'https://github.com/xdevplatform/docs/blob/main/fundamentals/authentication/oauth-2-0/authorization-code.mdx',
        says: 'two hours, offline.access, client authentication rules',
      },
      {
        url: 'https://github.com/xdevplatform/docs/blob/main/fundamentals/authentication/oauth-2-0/user-access-token.mdx',
        says: 'refresh and revoke requests',
      },
      {
        url: 'https://github.com/simstudioai/sim/pull/2933',
        says: 'third party: X returns a new refresh token that must replace the old one',
      },
      {
        url: 'https://github.com/trypostit/trypost/issues/126',
        says: 'third party: single use, six months, reuse ends the family',
      },
      {
        url: 'https://github.com/trypostit/trypost/pull/299',
        says: 'third party citing vendor documentation: 2 h, single use; LinkedIn returns the same token with its original deadline',
      },
      {
        url: 'https://github.com/unasuke/omniauth-twitter2/issues/4',
        says: 'user report: refresh without Basic header answers Missing valid authorization header',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation', 'refreshTokenLifetimeSeconds'],
  },
  reddit: {
    displayName: 'Reddit',
    tokenEndpoint: 'https://www.reddit.com/api/v1/access_token',
    revocationEndpoint: 'https://www.reddit.com/api/v1/revoke_token',
    clientAuth: 'client_secret_basic',
    tokenRequest: { headers: { 'User-Agent': 'perennial ({client_id})' } },
    errors: { deadGrant: [{ code: 'invalid_request' }], clientRefused: [{ status: 401 }] },
    rotation: 'none',
    consent: 'duration=permanent',
    notes:
      'The default User-Agent of a library is answered with 429. In the published source a dead refresh token is 400 invalid_request, and some errors come with status 200.',
    sources: [
      {
        url: 'https://github.com/reddit-archive/reddit/blob/master/r2/r2/controllers/oauth2.py',
        says: 'server source (archived): refresh handler, error mapping, revoke semantics',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/PostHog/posthog/blob/master/posthog/models/integration.py',
        says: 'a standard User-Agent gets 429 from the token endpoint; Basic auth',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  discord: {
    displayName: 'Discord',
    tokenEndpoint: 'https://discord.com/api/oauth2/token',
    revocationEndpoint: 'https://discord.com/api/oauth2/token/revoke',
    clientAuth: 'client_secret_basic',
    errors: { deadGrant: [{ code: 'invalid_request' }] },
    accessTokenSeconds: 604_800,
    rotation: 'single_use',
    neverAskAgain: true,
    revocation: { endsConsent: true },
    notes:
      'Many refused calls were reported to ban the address of the caller for a day. Revoking one token ends the whole authorization.',
    sources: [
      {
        url: 'https://github.com/discord/discord-api-docs/blob/main/developers/topics/oauth2.mdx',
        says: 'endpoints, form only, 604800 s example, revocation cascade',
      },
      {
        url: 'https://github.com/discord/discord-api-docs/issues/5942',
        says: "issue in the vendor's tracker: each refresh token works once, second use gives invalid_grant; closed as intended",
      },
      {
        url: 'https://github.com/member-gentei/member-gentei/issues/18',
        says: 'user report: used refresh token answered with invalid_request and a message',
      },
      {
        url: 'https://github.com/discord/discord-api-docs/issues/6769',
        says: 'user report: many failed calls led to a 24-hour ban of the caller',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation'],
  },
  linkedin: {
    displayName: 'LinkedIn',
    tokenEndpoint: 'https://www.linkedin.com/oauth/v2/accessToken',
    clientAuth: 'client_secret_post',
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in' },
    accessTokenSeconds: 5_184_000,
    rotation: 'none',
    refreshTokenAbsoluteSeconds: 31_536_000,
    notes:
      'The refresh token ends 365 days after consent, whatever is refreshed; only approved partner programmes get one.',
    sources: [
      {
        url: 'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
        says: '60 days access, 365 days refresh fixed, not extended by refreshing',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/trypostit/trypost/pull/299',
        says: 'third party citing vendor documentation: the same refresh token comes back with its original deadline',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation'],
  },
  pinterest: {
    displayName: 'Pinterest',
    tokenEndpoint: 'https://api.pinterest.com/v5/oauth/token',
    clientAuth: 'client_secret_basic',
    tokenResponse: { refreshExpiresIn: 'refresh_token_expires_in' },
    refreshTokenIdleSeconds: 5_184_000,
    notes:
      'The endpoint for revocation takes only tokens of system users, so it is left out. Apps from before 2025-09-25 ask for a continuous refresh token at the code exchange (continuous_refresh=true).',
    sources: [
      {
        url: 'https://github.com/pinterest/api-description/blob/main/v5/openapi.yaml',
        says: 'token endpoint, basic auth, continuous refresh token 60 days, refresh_token_expires_in, revoke endpoint limits',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'snapchat-ads': {
    displayName: 'Snapchat Marketing API',
    tokenEndpoint: 'https://accounts.snapchat.com/login/oauth2/access_token',
    clientAuth: 'client_secret_post',
    notes: 'Sources say 30 and 60 minutes for access tokens; the answer decides.',
    sources: [{ url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  'snapchat-login': {
    displayName: 'Snapchat Login Kit',
    tokenEndpoint: 'https://accounts.snapchat.com/accounts/oauth2/token',
    sources: [{ url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'unverified',
  },
  patreon: {
    displayName: 'Patreon',
    tokenEndpoint: 'https://www.patreon.com/api/oauth2/token',
    clientAuth: 'client_secret_post',
    rotation: 'single_use',
    notes: 'The documentation calls both tokens of an answer single use.',
    sources: [
      {
        url: 'https://github.com/Patreon/platform-documentation/blob/master/source/includes/_oauth.md',
        says: 'refresh request and single-use label',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  yahoo: {
    displayName: 'Yahoo',
    tokenEndpoint: 'https://api.login.yahoo.com/oauth2/get_token',
    parameters: {
      redirect_uri: {
        description: 'the redirect URI of the consent request',
        example: 'https://app.acme.example/callback',
      },
    },
    clientAuth: 'client_secret_basic',
    tokenRequest: { add: { redirect_uri: '{redirect_uri}' } },
    accessTokenSeconds: 3600,
    notes:
      'Refresh tokens end with a password change or when the user takes them back; their value may change in a refresh.',
    sources: [
      {
        url: 'https://developer.yahooinc.com/dsp/api/docs/authentication/refresh-token.html',
        says: 'refresh request fields, one-hour tokens, store a changed refresh token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
