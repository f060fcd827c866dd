import type { ProviderEntry } from '../schema.ts'

/** Google, Microsoft, Apple and Amazon. */
export const platforms: Record<string, ProviderEntry> = {
  google: {
    displayName: 'Google',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    revocationEndpoint: 'https://oauth2.googleapis.com/revoke',
    clientAuth: 'client_secret_post',
    errors: { clientRefused: [{ code: 'deleted_client' }] },
    accessTokenSeconds: 3600,
    rotation: 'none',
    refreshTokenIdleSeconds: 15_552_000,
    refreshTokensPerUser: 100,
    variants: {
      testing: {
        when: 'the consent screen is in Testing and for external users',
        set: { refreshTokenAbsoluteSeconds: 604_800 },
      },
    },
    consent: 'access_type=offline and prompt=consent',
    notes:
      'A password change ends tokens with Gmail scopes, and an organization with session control can end a token at any time.',
    sources: [
      {
        url: 'https://developers.google.com/identity/protocols/oauth2',
        says: 'six months unused, per client-user limit, password change with Gmail scopes, session control',
      },
      {
        url: 'https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors-deleted-client',
        says: 'deleted_client: the client, not the grant, is gone',
      },
      { url: 'https://support.google.com/cloud/answer/9028764', says: 'limit and Testing status' },
      {
        url: 'https://docs.gitguardian.com/secrets-detection/secrets-detection-engine/detectors/specifics/google_oauth2_refresh_token',
        says: 'no default expiry, six months idle, revoke endpoint',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'google-service-account': {
    displayName: 'Google service account',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    parameters: {
      scope: {
        description: 'scopes with a space between them',
        example: 'https://www.googleapis.com/auth/devstorage.read_only',
      },
    },
    grant: 'jwt_bearer',
    clientAuth: 'none',
    tokenRequest: { remove: ['client_id'] },
    assertion: {
      algorithm: 'RS256',
      issuer: '{client_id}',
      audience: 'https://oauth2.googleapis.com/token',
      claims: { scope: '{scope}' },
      lifetimeSeconds: 3600,
    },
    accessTokenSeconds: 3600,
    rotation: 'none',
    variants: {
      delegated: {
        when: 'it acts for a user of the domain (domain-wide delegation)',
        set: {
          parameters: { user: { description: 'address of the user that it acts for', example: 'alice@acme.example' } },
          assertion: { subject: '{user}' },
        },
      },
    },
    notes: 'clientId is the client_email of the key file; its private_key signs.',
    sources: [
      {
        url: 'https://developers.google.com/identity/protocols/oauth2/service-account',
        says: 'claims iss, scope, aud, exp of at most an hour and sub for delegation; form with grant_type and assertion; no refresh token',
      },
    ],
    checked: '2026-11-27',
    confidence: 'documented',
  },
  'microsoft-entra': {
    displayName: 'Microsoft Entra ID',
    tokenEndpoint: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    parameters: {
      tenant: {
        description: 'tenant id or domain; common, organizations or consumers for apps of several tenants',
        example: 'acme.onmicrosoft.com',
      },
    },
    clientAuth: 'client_secret_post',
    errors: { deadGrant: [{ code: 'interaction_required' }] },
    accessTokenSeconds: 3600,
    rotation: 'rotates_old_valid',
    refreshTokenIdleSeconds: 7_776_000,
    variants: {
      'single-page': {
        when: 'the redirect URI is of the kind single-page application',
        set: {
          clientAuth: 'none',
          parameters: { origin: { description: 'origin of the redirect URI', example: 'https://app.acme.example' } },
          // AADSTS9002327: redeemed by cross-origin requests alone
          tokenRequest: { headers: { Origin: '{origin}' } },
          refreshTokenAbsoluteSeconds: 86_400,
        },
      },
      certificate: {
        when: 'the app proves itself with a certificate',
        set: { clientAuth: 'private_key_jwt', assertion: { algorithm: 'PS256', certificateThumbprint: true } },
      },
      'app-only': {
        when: 'the app acts as itself, without a user',
        set: {
          grant: 'client_credentials',
          parameters: {
            scope: { description: 'the resource with /.default', example: 'https://graph.microsoft.com/.default' },
          },
          tokenRequest: { add: { scope: '{scope}' } },
        },
      },
    },
    consent: 'scope offline_access',
    notes:
      'The old refresh token stays good beside the new one. Scope selects the resource of the access token; give it under request. There is no endpoint for revocation.',
    sources: [
      {
        url: 'https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes',
        says: 'AADSTS9002327: tokens of a single-page application may only be redeemed by cross-origin requests',
      },
      {
        url: 'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
        says: '90 days, 24 hours for SPA, replaced on use, old one not revoked',
      },
      {
        url: 'https://github.com/pilcrowonpaper/arctic',
        says: 'endpoints and client authentication that this client uses',
      },
      {
        url: 'https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts',
        says: 'how a widely used client authenticates here, and whether it stores a refresh token that comes back',
      },
      {
        url: 'https://github.com/PostHog/posthog/blob/master/posthog/models/integration.py',
        says: 'Microsoft Advertising needs scope on refresh',
      },
      {
        url: 'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
        says: 'interaction_required: the user has to sign in again',
      },
      {
        url: 'https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials',
        says: 'claims and headers of a client assertion: PS256 and x5t#S256',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  apple: {
    displayName: 'Sign in with Apple',
    tokenEndpoint: 'https://appleid.apple.com/auth/token',
    revocationEndpoint: 'https://appleid.apple.com/auth/revoke',
    parameters: {
      team_id: { description: 'Team ID of the developer account', example: 'A1B2C3D4E5', pattern: '[A-Z0-9]{10}' },
    },
    clientAuth: 'signed_client_secret',
    assertion: {
      algorithm: 'ES256',
      issuer: '{team_id}',
      subject: '{client_id}',
      audience: 'https://appleid.apple.com',
      lifetimeSeconds: 300,
    },
    rotation: 'none',
    notes:
      'The client secret is a JWT made for each request with the key of the developer account. A refresh brings no refresh token: the first one serves on.',
    sources: [
      {
        url: 'https://developer.apple.com/documentation/sign_in_with_apple/generate_and_validate_tokens',
        says: 'client_secret is a JWT, parameters',
      },
      {
        url: 'https://apple-docs.everest.mt/docs/signinwithapplerestapi/tokenresponse/',
        says: 'refresh token not returned when validating an existing one (mirror of vendor page)',
      },
      {
        url: 'https://developer.apple.com/forums/thread/708415',
        says: 'vendor staff: revoke endpoint takes refresh or access token',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  'amazon-sp-api': {
    displayName: 'Amazon Selling Partner and Ads API (Login with Amazon)',
    tokenEndpoint: 'https://api.amazon.com/auth/o2/token',
    clientAuth: 'client_secret_post',
    accessTokenSeconds: 3600,
    refreshTokenAbsoluteSeconds: 31_536_000,
    notes:
      'The seller has to authorize a public application again every 365 days, in Seller Central; no answer announces it.',
    sources: [
      {
        url: 'https://developer-docs.amazon.com/sp-api/docs/website-authorization-workflow-renew',
        says: 'token host, reauthorization flow',
      },
      {
        url: 'https://amazon-integration-doc.emagicone.com/2-quick-start-guide-2-1-registration/2-0-login-to-amazon-seller-account',
        says: 'long-lived refresh token, access token valid one hour and reusable',
      },
      { url: 'https://github.com/simov/grant/blob/master/config/oauth.json', says: 'token endpoint' },
      {
        url: 'https://developer-docs.amazon.com/sp-api/docs/renew-authorizations',
        says: 'public applications must be re-authorised by the seller every 365 days',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
}
