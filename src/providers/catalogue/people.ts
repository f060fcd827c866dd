import type { ProviderEntry } from '../schema.ts'

/** Employees, payroll and construction. */
export const people: Record<string, ProviderEntry> = {
  bamboohr: {
    displayName: 'BambooHR',
    tokenEndpoint: 'https://{company}.bamboohr.com/token.php?request=token',
    parameters: {
      company: { description: 'name of the company, as in its host name at bamboohr.com', example: 'acme' },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { encoding: 'json' },
    accessTokenSeconds: 3600,
    consent: 'scope offline_access',
    notes: 'The query of the token endpoint (request=token) belongs to it.',
    sources: [
      {
        url: 'https://www.openlm.com/documentation/cloud/services/data-collection/interfacing-lms/saas-platforms/bamboohr',
        says: 'third-party guide: endpoints, one-hour tokens, offline scope',
      },
    ],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  gusto: {
    displayName: 'Gusto',
    tokenEndpoint: 'https://api.gusto.com/oauth/token',
    parameters: {
      redirect_uri: {
        description: 'the redirect URI of the consent request',
        example: 'https://app.acme.example/callback',
      },
    },
    clientAuth: 'client_secret_post',
    tokenRequest: { add: { redirect_uri: '{redirect_uri}' } },
    accessTokenSeconds: 7200,
    rotation: 'until_new_used',
    variants: {
      demo: { when: 'the company is a demo', set: { tokenEndpoint: 'https://api.gusto-demo.com/oauth/token' } },
    },
    notes:
      'The old refresh token dies when the new access token is first used. A revoked access token can no longer be refreshed.',
    sources: [
      {
        url: 'https://docs.gusto.com/embedded-payroll/v2023-04-01/docs/authentication',
        says: '2 h tokens; client_id, client_secret and redirect_uri are needed to refresh',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
      {
        url: 'https://docs.gusto.com/app-integrations/v2024-04-01/reference/refresh-access-token',
        says: 'previous refresh token revoked on first usage of the new access token',
      },
      {
        url: 'https://docs.gusto.com/app-integrations/v2026-02-01/reference/revoke-access-token',
        says: 'revoking the access token also ends its refresh',
      },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
  },
  rippling: {
    displayName: 'Rippling',
    tokenEndpoint: 'https://api.rippling.com/auth/oauth2/token',
    sources: [
      {
        url: 'https://mcp.waymark.network/r/d9592c47-8da6-4b76-babc-0875b777f282',
        says: 'third-party route list: token URL',
      },
    ],
    checked: '2026-11-22',
    confidence: 'unverified',
  },
  workday: {
    displayName: 'Workday',
    tokenEndpoint: 'https://{host}/ccx/oauth2/{tenant}/token',
    parameters: {
      host: {
        description: 'host name of your Workday services',
        example: 'wd5-services1.myworkday.com',
        setBy: 'client',
      },
      tenant: { description: 'name of the tenant', example: 'acme' },
    },
    notes:
      'The refresh token is often made by an administrator in the product. Its lifetime, none included, is a setting of the API client.',
    sources: [{ url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' }],
    checked: '2026-11-22',
    confidence: 'third_party',
  },
  procore: {
    displayName: 'Procore',
    tokenEndpoint: 'https://login.procore.com/oauth/token',
    revocationEndpoint: 'https://login.procore.com/oauth/revoke',
    clientAuth: 'client_secret_post',
    rotation: 'single_use',
    variants: {
      sandbox: {
        when: 'the company is in the sandbox',
        set: {
          tokenEndpoint: 'https://login-sandbox.procore.com/oauth/token',
          revocationEndpoint: 'https://login-sandbox.procore.com/oauth/revoke',
        },
      },
    },
    notes:
      'Sandbox and production share no tokens. Revoking the access token ends its refresh token; the answer is 200 for unknown tokens too.',
    sources: [
      {
        url: 'https://github.com/procore/documentation/blob/master/oauth/oauth_endpoints.md',
        says: 'endpoints, parameters, token info, revoke semantics',
      },
      { url: 'https://github.com/amp-labs/connectors/tree/main/providers', says: 'token endpoint' },
    ],
    checked: '2026-11-22',
    confidence: 'documented',
    unsure: ['rotation'],
  },
}
