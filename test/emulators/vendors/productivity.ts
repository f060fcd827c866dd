import { iso, jsonReply, oauthError } from '../answers.ts'
import type { Profile } from '../profile.ts'
import {
  answersSame,
  basic,
  accessToken as bearer,
  bearerHeader,
  json,
  neverRotates,
  post,
  publicClient,
  reuseRevokes,
  rfcAnswer,
  singleUse,
  untilRevoked,
  variant,
  vendor,
} from '../vendor.ts'

/** Documents, boards, calendars, meetings. */

const adobeSign = vendor('adobe-sign', {
  sources: [
    'https://opensource.adobe.com/acrobat-sign/developer_guide/oauth.html',
    'https://developer.adobe.com/acrobat-sign/docs/overview/developer_guide/oauth',
  ],
  // a path of its own, on the account's shard
  accessSeconds: 3600,
  token: 'https://api.{shard}.adobesign.com/oauth/v2/refresh',
  account: { shard: 'eu1' },
  client: post,
  rotation: neverRotates,
  refreshIdleSeconds: 5184000,
  // it fixes the host of all later calls, and no refresh repeats it
  codeExchange: ({ access, refresh, accessSeconds }) => ({
    access_token: access,
    refresh_token: refresh,
    expires_in: accessSeconds,
    token_type: 'Bearer',
    api_access_point: 'https://api.eu1.adobesign.com/',
  }),
  metadataAtStart: ['api_access_point'],
})

const airtable = vendor('airtable', {
  sources: [
    'https://support.airtable.com/docs/troubleshooting-oauth-integrations-in-airtable',
    'https://nango.dev/blog/airtable-oauth-refresh-token-invalid-grant',
  ],
  token: 'https://airtable.com/oauth2/v1/token',
  client: basic,
  refreshIdleSeconds: 5184000,
  rotation: reuseRevokes,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'data.records:read' }),
})

const airtablePublic = variant(airtable, 'public-client', { client: publicClient })

const asana = vendor('asana', {
  sources: ['https://github.com/Asana/developer-docs/blob/master/source/includes/markdown/_auth.html.md'],
  accessSeconds: 3600,
  token: 'https://app.asana.com/-/oauth_token',
  client: post,
  requiresOfUser: { redirect_uri: '{redirectUri}' },
  rotation: neverRotates,
  answer: (minted) => ({ ...rfcAnswer(minted), data: { id: 4673218951, name: 'Greg', email: 'greg@acme.example' } }),
  // bearer tokens get 400, unknown ones 200
  revocation: { url: 'https://app.asana.com/-/oauth_revoke', takes: 'refresh', ends: 'the grant' },
})

const basecamp = vendor('basecamp', {
  sources: [
    'https://github.com/basecamp/bc3-api/blob/master/sections/authentication.md',
    'https://github.com/basecamp/api/blob/master/sections/authentication.md',
  ],
  rotationUnknown: true,
  token: 'https://launchpad.37signals.com/authorization/token',
  client: post,
  rotation: neverRotates,
  accessSeconds: 1209600,
  // newer pages show expires_in, older ones leave it to authorization.json
  expiry: 'by lookup',
  answer: ({ access }) => ({ access_token: access, token_type: 'Bearer' }),
  lookup: {
    url: 'https://launchpad.37signals.com/authorization.json',
    answer: ({ nowMs, accessSeconds }) => ({
      expires_at: iso(nowMs + accessSeconds * 1000),
      identity: { id: 1 },
      accounts: [],
    }),
  },
})

const boxErrors = {
  deadGrant: [oauthError(400, 'invalid_grant', 'Refresh token has expired')],
  clientError: [oauthError(400, 'invalid_client', 'The client credentials are invalid')],
} as const

const box = vendor('box', {
  sources: ['https://developer.box.com/guides/authentication/tokens/refresh'],
  accessSeconds: 3600,
  token: 'https://api.box.com/oauth2/token',
  client: post,
  rotation: singleUse,
  refreshIdleSeconds: 5184000,
  answer: (minted) => ({ ...rfcAnswer(minted), token_type: 'bearer', restricted_to: [] }),
  errors: boxErrors,
  revocation: { url: 'https://api.box.com/oauth2/revoke', ends: 'the grant' },
})
const boxJwt = variant(box, 'jwt', {
  sources: ['https://developer.box.com/guides/authentication/jwt/without-sdk'],
  grant: {
    kind: 'assertion',
    carried: { in: 'parameter', name: 'assertion' },
    assertion: {
      algorithm: 'RS256',
      audience: 'https://api.box.com/oauth2/token',
      // a minute at most
      maximumSeconds: 60,
      claims: { iss: '{clientId}', sub: '{subject}', box_sub_type: 'enterprise' },
      needs: ['jti', 'exp'],
    },
  },
  requires: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
  account: { subject_type: 'enterprise' },
})

const boxClient = variant(box, 'client-credentials', {
  sources: ['https://developer.box.com/guides/authentication/client-credentials/'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'client_credentials' },
  requiresOfUser: { box_subject_type: 'enterprise', box_subject_id: '123456' },
  account: { subject: '123456', subject_type: 'enterprise' },
  lifetimes: { accessSeconds: 3600, accessDocumented: true, refreshDocumented: true },
})

const calcom = vendor('calcom', {
  sources: ['https://github.com/simstudioai/sim/blob/main/apps/sim/lib/oauth/oauth.ts'],
  token: 'https://app.cal.com/api/auth/oauth/refreshToken',
  grant: { kind: 'refresh_token', carried: bearerHeader },
  client: post,
  exampleSeconds: 1800,
})

const calendly = vendor('calendly', {
  sources: [
    'https://developer.calendly.com/refresh-token-rotation-guide',
    'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token.md',
    'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-revoke.md',
  ],
  // there is introspection too, which takes the secret in the body like revocation
  token: 'https://auth.calendly.com/oauth/token',
  client: basic,
  accessSeconds: 7200,
  budget: { of: 'each grant', requests: 8, perSeconds: 60 },
  answer: (minted) => ({
    ...rfcAnswer(minted),
    created_at: Math.floor(minted.nowMs / 1000),
    owner: 'https://api.calendly.com/users/A',
    organization: 'https://api.calendly.com/organizations/A',
  }),
  // in the body there, in the header here
  revocation: { url: 'https://auth.calendly.com/oauth/revoke', client: post },
})

const canva = vendor('canva', {
  sources: [
    'https://www.canva.dev/docs/apps/rest-apis/reference/authentication/generate-access-token/',
    'https://www.canva.dev/docs/apps/rest-apis/reference/authentication/revoke-token/',
    'https://github.com/canva-sdks/canva-connect-api-starter-kit/blob/main/openapi/spec.yml',
  ],
  introspection: 'https://api.canva.com/rest/v1/oauth/introspect',
  token: 'https://api.canva.com/rest/v1/oauth/token',
  client: basic,
  alsoAccepts: [post],
  accessSeconds: 14400,
  mintAccess: ({ serial }) => serial.padEnd(4096, 'x'),
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'asset:read' }),
  errors: {
    deadGrant: [jsonReply(400, { code: 'invalid_grant', message: 'Refresh token is invalid or has been used' })],
    clientError: [jsonReply(401, { code: 'invalid_client', message: 'Client credentials are invalid' })],
    malformed: jsonReply(400, { code: 'invalid_request', message: 'A field is missing' }),
    throttled: [jsonReply(429, { code: 'too_many_requests', message: 'Too many requests' })],
  },
  // the lineage and the consent
  revocation: { url: 'https://api.canva.com/rest/v1/oauth/revoke', ends: 'the consent', success: jsonReply(200, {}) },
})

const clickup = vendor('clickup', {
  sources: ['https://withone.ai/knowledge/click-up/conn_mod_def%3A%3AGJ1NNVov7Pg%3A%3A1Jc2RvBcS4iQxZG7IvdHBA'],
  token: json('https://api.clickup.com/api/v2/oauth/token'),
  client: post,
  ...untilRevoked,
})

const docusign = vendor('docusign', {
  sources: [
    'https://developers.docusign.com/platform/auth/reference/obtain-access-token.md',
    'https://www.volcengine.com/article/3402631',
  ],
  consentAsksForMore: true,
  token: 'https://{server}.docusign.com/oauth/token',
  account: { server: 'account' },
  client: basic,
  exampleSeconds: 28800,
  // third party
  tokensPerUser: 5,
  refreshIdleSeconds: 2592000,
})
const docusignJwt = variant(docusign, 'jwt', {
  sources: ['https://developers.docusign.com/platform/auth/jwt/jwt-get-token/'],
  client: { by: 'none' },
  grant: {
    kind: 'assertion',
    carried: { in: 'parameter', name: 'assertion' },
    assertion: {
      algorithm: 'RS256',
      audience: '{server}.docusign.com',
      maximumSeconds: 6000,
      claims: { iss: '{clientId}', sub: '{subject}', scope: 'signature impersonation' },
      needs: ['iat', 'exp', 'scope'],
    },
  },
  requires: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
  lifetimes: { accessSeconds: 3600, accessDocumented: false, refreshDocumented: true },
})

const dropbox = vendor('dropbox', {
  sources: [
    'https://dropbox.tech/developers/using-oauth-2-0-with-offline-access',
    'https://www.dropbox.com/developers/documentation/http/documentation#oauth2-token',
  ],
  consentAsksForMore: true,
  token: 'https://api.dropboxapi.com/oauth2/token',
  client: basic,
  alsoAccepts: [post],
  rotation: neverRotates,
  accessSeconds: 14400,
  errors: { deadGrant: [oauthError(400, 'invalid_grant', 'refresh token is invalid or revoked')] },
  revocation: {
    url: 'https://api.dropboxapi.com/2/auth/token/revoke',
    client: bearer,
    takes: 'access',
    ends: 'the grant',
    success: { status: 200, body: 'null' },
    unknownToken: jsonReply(401, { error_summary: 'invalid_access_token/', error: { '.tag': 'invalid_access_token' } }),
  },
})

const figma = vendor('figma', {
  sources: [
    'https://github.com/figma/rest-api-spec/blob/main/openapi/openapi.yaml',
    'https://arcticjs.dev/providers/figma',
  ],
  token: 'https://api.figma.com/v1/oauth/refresh',
  client: basic,
  requires: { grant_type: undefined },
  optional: ['grant_type'],
  rotation: neverRotates,
  exampleSeconds: 7776000,
  answer: ({ access, accessSeconds }) => ({ access_token: access, token_type: 'bearer', expires_in: accessSeconds }),
})

const goto = vendor('goto', {
  sources: ['https://developer.goto.com/how-use-refresh-tokens/'],
  accessSeconds: 3600,
  rotationUnknown: true,
  token: 'https://authentication.logmeininc.com/oauth/token',
  client: basic,
  // the documented answer has none; where one comes, it counts
  rotation: neverRotates,
  answer: (minted) => ({ ...rfcAnswer(minted), principal: 'alice@acme.example', scope: 'collab:' }),
})

const jobber = vendor('jobber', {
  sources: ['https://developer.getjobber.com/docs/building_your_app/refresh_token_rotation'],
  token: 'https://api.getjobber.com/api/oauth/token',
  client: post,
  rotation: singleUse,
  answer: ({ access, refresh, accessSeconds }) => ({
    access_token: access,
    refresh_token: refresh,
    expires_in: accessSeconds,
  }),
})
const jobberReusing = variant(jobber, 'static', { rotation: answersSame })

const make = vendor('make', {
  sources: ['https://developers.make.com/api-documentation/authentication/oauth-flow/token-expiration'],
  token: 'https://www.make.com/oauth/v2/token',
  client: post,
  alsoAccepts: [basic],
  accessSeconds: 300,
  refreshSeconds: 15552000,
  revocation: { url: 'https://www.make.com/oauth/v2/revoke' },
})

const miro = vendor('miro', {
  sources: [
    'https://developers.miro.com/reference/get-new-access-token-using-refresh-token',
    'https://developers.miro.com/reference/ne-exchange-authorization-code-with-access-token',
    'https://github.com/miroapp/api-clients/blob/main/packages/generator/spec.json',
  ],
  // shown in the query; the page of the code exchange recommends the body
  token: 'https://api.miro.com/v1/oauth/token',
  accessSeconds: 3600,
  client: post,
  refreshIdleSeconds: 5184000,
  answer: (minted) => ({ ...rfcAnswer(minted), team_id: '3074457358607431473', scope: 'boards:read' }),
  revocation: {
    url: 'https://api.miro.com/v2/oauth/revoke',
    encoding: 'json',
    client: { by: 'post', id: 'clientId', secret: 'clientSecret' },
    parameter: 'accessToken',
    takes: 'access',
    ends: 'the grant',
    success: { status: 204, body: '' },
  },
})

const miroLasting = variant(miro, 'non-expiring', untilRevoked)

const monday = vendor('monday', {
  sources: ['https://developer.monday.com/apps/docs/oauth'],
  token: 'https://auth.monday.com/oauth2/token',
  client: post,
  ...untilRevoked,
})
const mondayRotating = vendor('monday/oauth-2-1', {
  sources: [
    'https://developer-community.monday.com/product-updates/join-the-beta-oauth-2-1-for-monday-apps-5273',
    'https://skillsmp.com/de/skills/mondaycom-agentic-monday-plugins-official-monday-api-skills-monday-oauth-migrate-skill-md',
  ],
  token: 'https://auth.monday.com/oauth_ms/oauth/token',
  client: post,
  alsoAccepts: [basic],
})

const notion = vendor('notion', {
  sources: [
    'https://developers.notion.com/reference/refresh-a-token.md',
    'https://github.com/makenotion/notion-sdk-js/blob/main/src/api-endpoints/oauth.ts',
  ],
  introspection: 'https://api.notion.com/v1/oauth/introspect',
  token: json('https://api.notion.com/v1/oauth/token'),
  client: basic,
  // the answer has no expiry, and introspection has none
  expiry: 'unknown',
  answer: ({ access, refresh }) => ({
    access_token: access,
    token_type: 'bearer',
    refresh_token: refresh,
    bot_id: 'b-1',
    workspace_id: 'w-1',
    workspace_name: 'Acme',
    workspace_icon: null,
    owner: { type: 'user' },
    duplicated_template_id: null,
    request_id: 'r-1',
  }),
  revocation: {
    url: 'https://api.notion.com/v1/oauth/revoke',
    encoding: 'json',
    success: jsonReply(200, { request_id: 'r' }),
  },
})

const ringcentral = vendor('ringcentral', {
  sources: [
    'https://github.com/ringcentral/ringcentral-api-docs/blob/main/docs/authentication/refresh-tokens.md',
    'https://github.com/tylerlong/ringcentral-token-refresh-experiment',
  ],
  accessSeconds: 3600,
  token: 'https://platform.ringcentral.com/restapi/oauth/token',
  client: basic,
  refreshIdleSeconds: 604800,
  refreshExpiry: 'stated',
  optional: ['access_token_ttl', 'refresh_token_ttl', 'endpoint_id'],
  // the same pair for 60 minutes, or ten seconds after the new one was used
  rotation: { kind: 'until_new_used', seconds: 3600, secondsAfterUse: 10, replay: 'same pair', newestWins: false },
  oldAccessTokenDies: true,
  answer: (minted) => ({
    ...rfcAnswer(minted),
    refresh_token_expires_in: minted.refreshSeconds,
    scope: 'ReadAccounts',
    owner_id: '1',
    endpoint_id: 'e-1',
  }),
  revocation: { url: 'https://platform.ringcentral.com/restapi/oauth/revoke', ends: 'the grant' },
})

/** for a dead refresh token, a wrong secret, a locked user */
const serviceNowDenied = jsonReply(401, { error_description: 'access_denied', error: 'server_error' })

const servicenow = vendor('servicenow', {
  sources: [
    'https://support.servicenow.com/kb?id=kb_article_view&sysparm_article=KB0791140',
    'https://docs.servicenow.com/bundle/utah-platform-security/page/administer/security/task/t_ManageTokens.html',
  ],
  rotationUnknown: true,
  token: 'https://{instance}.service-now.com/oauth_token.do',
  account: { instance: 'acme' },
  client: post,
  accessSeconds: 1800,
  refreshSeconds: 8640000,
  rotation: answersSame,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'useraccount' }),
  errors: { deadGrant: [serviceNowDenied], clientError: [serviceNowDenied], alike: true },
})

/** A pair of the same installation that another credential goes on with. */
const slackOthers = (kind: 'bot' | 'user') => ({
  access_token: `xoxo-of-the-${kind}`,
  refresh_token: `xoxe-of-the-${kind}`,
  expires_in: 600,
  token_type: kind,
  scope: 'identify',
})

const slack = vendor('slack', {
  sources: [
    'https://docs.slack.dev/authentication/using-token-rotation',
    'https://docs.slack.dev/reference/methods/oauth.v2.access',
  ],
  token: 'https://slack.com/api/oauth.v2.access',
  client: post,
  accessSeconds: 43200,
  scopeSeparator: ',',
  rotation: singleUse,
  answer: ({ access, refresh, accessSeconds }) => ({
    ok: true,
    access_token: access,
    expires_in: accessSeconds,
    refresh_token: refresh,
    token_type: 'bot',
    scope: 'chat:write,commands',
    bot_user_id: 'U1',
    app_id: 'A1',
    team: { id: 'T1', name: 'Acme' },
    enterprise: null,
  }),
  // the code exchange has the pair of the user beside it, or alone
  codeExchange: ({ access, refresh, accessSeconds }) => ({
    ok: true,
    access_token: access,
    refresh_token: refresh,
    expires_in: accessSeconds,
    token_type: 'bot',
    scope: 'chat:write,commands',
    authed_user: { id: 'U2', ...slackOthers('user') },
  }),
  codeExchangeOfOthers: () => ({ ok: true, app_id: 'A1', authed_user: { id: 'U2', ...slackOthers('user') } }),
  errors: {
    deadGrant: [jsonReply(200, { ok: false, error: 'invalid_refresh_token' })],
    throttled: [
      { ...jsonReply(429, { ok: false, error: 'ratelimited' }), headers: { 'retry-after': '17' } },
      jsonReply(200, { ok: false, error: 'ratelimited' }),
    ],
    clientError: [
      jsonReply(200, { ok: false, error: 'invalid_client_id' }),
      jsonReply(200, { ok: false, error: 'bad_client_secret' }),
    ],
    malformed: jsonReply(200, { ok: false, error: 'invalid_arguments' }),
  },
  revocation: {
    url: 'https://slack.com/api/auth.revoke',
    client: bearer,
    takes: 'access',
    success: jsonReply(200, { ok: true, revoked: true }),
    unknownToken: jsonReply(200, { ok: false, error: 'invalid_auth' }),
  },
})

/** The user's pair is refreshed by a call of its own, and answered in the same places. */
const slackUser = variant(slack, 'user', {
  sources: ['https://slack.dev/python-slack-sdk/api-docs/slack_sdk/oauth/token_rotation/rotator.html'],
  answer: ({ access, refresh, accessSeconds }) => ({
    ok: true,
    access_token: access,
    expires_in: accessSeconds,
    refresh_token: refresh,
    token_type: 'user',
    scope: 'search:read,users:read',
    user_id: 'U2',
    app_id: 'A1',
    team: { id: 'T1', name: 'Acme' },
  }),
  // the code exchange has the pair of the bot beside it
  codeExchange: ({ access, refresh, accessSeconds }) => ({
    ok: true,
    ...slackOthers('bot'),
    authed_user: {
      id: 'U2',
      scope: 'search:read,users:read',
      access_token: access,
      refresh_token: refresh,
      expires_in: accessSeconds,
      token_type: 'user',
    },
  }),
  codeExchangeOfOthers: () => ({ ok: true, ...slackOthers('bot'), authed_user: { id: 'U2' } }),
})
const slackLasting = variant(slack, 'non-expiring', {
  ...untilRevoked,
  codeExchange: ({ access }) => ({ ok: true, access_token: access, token_type: 'bot', scope: 'chat:write' }),
})

const smartsheet = vendor('smartsheet', {
  sources: [
    'https://smartsheet.redoc.ly/tag/token',
    'https://developers.smartsheet.com/api/smartsheet/openapi/tokens/tokens-getorrefresh',
  ],
  token: 'https://api.smartsheet.com/2.0/token',
  client: post,
  alsoAccepts: [{ by: 'hash', id: 'client_id', hash: 'hash' }],
  accessSeconds: 604799,
  revocation: {
    url: 'https://api.smartsheet.com/2.0/token',
    method: 'DELETE',
    encoding: 'query',
    client: bearer,
    takes: 'access',
    success: jsonReply(200, { resultCode: 0, message: 'SUCCESS' }),
  },
})

const todoist = vendor('todoist', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://todoist.com/oauth/access_token',
  client: post,
})

const todoistLasting = variant(todoist, 'long-lived', untilRevoked)

const wrike = vendor('wrike', {
  sources: ['https://github.com/simov/grant/blob/master/config/oauth.json'],
  known: false,
  token: 'https://www.wrike.com/oauth2/token',
  // not known: RFC 6749 has every server take Basic
  client: basic,
  alsoAccepts: [post],
})

const zoom = vendor('zoom', {
  sources: [
    'https://github.com/anthropics/knowledge-work-plugins/blob/main/partner-built/zoom-plugin/skills/oauth/concepts/token-lifecycle.md',
    'https://developers.zoom.us/docs/integrations/oauth/',
  ],
  accessSeconds: 3600,
  token: 'https://zoom.us/oauth/token',
  client: basic,
  refreshIdleSeconds: 7776000,
  rotation: singleUse,
  answer: (minted) => ({ ...rfcAnswer(minted), scope: 'user:read', api_url: 'https://api.zoom.us' }),
  errors: {
    deadGrant: [
      jsonReply(400, { reason: 'Invalid Token!', error: 'invalid_grant' }),
      jsonReply(401, { reason: 'Invalid Token!', error: 'invalid_request' }),
    ],
    clientError: [jsonReply(401, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' })],
  },
  revocation: {
    url: 'https://zoom.us/oauth/revoke',
    ends: 'the grant',
    success: jsonReply(200, { status: 'success' }),
  },
})
const zoomServer = variant(zoom, 'server-to-server', {
  sources: ['https://developers.zoom.us/docs/rooms/s2s-oauth/'],
  grant: { kind: 'client_credentials' },
  requires: { grant_type: 'account_credentials' },
  account: { account_id: 'acct-1' },
  requiresOfUser: { account_id: '{account_id}' },
})

export const productivity: readonly Profile[] = [
  adobeSign,
  airtable,
  airtablePublic,
  asana,
  basecamp,
  box,
  boxJwt,
  boxClient,
  calcom,
  calendly,
  canva,
  clickup,
  docusign,
  docusignJwt,
  dropbox,
  figma,
  goto,
  jobber,
  jobberReusing,
  make,
  miro,
  miroLasting,
  monday,
  mondayRotating,
  notion,
  ringcentral,
  servicenow,
  slack,
  slackUser,
  slackLasting,
  smartsheet,
  todoist,
  todoistLasting,
  wrike,
  zoom,
  zoomServer,
]
