/** What goes wrong with one request, and the answers that servers and the proxies before them really give. */

export type Endpoint = 'token' | 'revoke'

/** An answer as it goes over the wire. In body and headers `{{refresh_token}}`, `{{client_secret}}`,
 *  `{{authorization}}` and `{{request_body}}` are replaced by what the request held. */
export interface FakeAnswer {
  status: number
  headers?: Record<string, string>
  body: string
}

/** Every fault may also wait: before the provider commits, and between commit and answer. */
export type Fault = { delayBeforeCommitMs?: number; holdAnswerMs?: number } & (
  | { kind: 'slow' }
  /** the connection ends, nothing was done */
  | { kind: 'drop_before_commit' }
  /** everything was done and nobody is told */
  | { kind: 'drop_after_commit' }
  /** the body ends early; without `announced` there is no Content-Length either, so that the client cannot know */
  | { kind: 'truncate'; at: Cut; announced: boolean }
  /** another answer than the provider's own; `commit`: although everything was done */
  | { kind: 'answer'; answer: FakeAnswer; commit: boolean }
  /** the provider's own answer with members set or left out, or with text behind it */
  | { kind: 'alter'; set?: Record<string, unknown>; omit?: string[]; append?: string }
  /** accepted and never answered; the connection ends after `forMs`, or when the client leaves */
  | { kind: 'black_hole'; forMs: number; commit: boolean }
  /** a revocation that answers 200 and revokes nothing */
  | { kind: 'revokes_nothing' }
)

export type FaultKind = Fault['kind']

/** A byte count, or a place beside the refresh token; without one in the answer, the middle of it. */
export type Cut = number | 'before_refresh_token' | 'inside_refresh_token' | 'after_refresh_token'

/** Whom a fault meets. */
export interface FaultRule {
  fault: Fault
  /** default `token` */
  endpoint?: Endpoint
  user?: string
  client?: string
  /** so many requests; default 1, unless `forMs` says how long it applies */
  count?: number
  /** applies for so long from now */
  forMs?: number
}

const json = { 'content-type': 'application/json' }
const html = { 'content-type': 'text/html; charset=utf-8' }

/** Answers to use in faults; none of them is the provider's own. */
export const answers = {
  badGateway: {
    status: 502,
    headers: html,
    body: '<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>',
  },
  serverError: { status: 500, headers: json, body: '{"error":"server_error"}' },
  /** without Retry-After or an OAuth body nobody knows whether it was exchanged */
  unavailable: { status: 503, headers: html, body: '<html><title>Service Unavailable</title></html>' },
  /** on purpose: nothing was exchanged */
  maintenance: (retryAfterSeconds: number): FakeAnswer => ({
    status: 503,
    headers: { ...json, 'retry-after': String(retryAfterSeconds) },
    body: '{"error":"temporarily_unavailable"}',
  }),
  throttled: (retryAfterSeconds: number): FakeAnswer => ({
    status: 429,
    headers: { ...json, 'retry-after': String(retryAfterSeconds) },
    body: '{"error":"too_many_requests"}',
  }),
  throttledUntil: (time: Date): FakeAnswer => ({
    status: 429,
    headers: { ...json, 'retry-after': time.toUTCString() },
    body: '',
  }),
  invalidGrant: { status: 400, headers: json, body: '{"error":"invalid_grant"}' },
  invalidClient: {
    status: 401,
    headers: { ...json, 'www-authenticate': 'Basic realm="referee"' },
    body: '{"error":"invalid_client"}',
  },
  /** a proxy's page that repeats every secret of the request, with markdown and control characters */
  hostileEcho: {
    status: 400,
    headers: { ...html, 'x-echo': '{{authorization}}' },
    body:
      '<html><title>[click](http://evil.example) {{refresh_token}}\u0007</title><pre>{{request_body}}\n' +
      '{{authorization}}</pre>{{client_secret}}</html>',
  },
} satisfies Record<string, FakeAnswer | ((value: never) => FakeAnswer)>

/** What a request holds that a hostile answer may repeat. */
export interface RequestText {
  refreshToken: string
  clientSecret: string
  authorization: string
  body: string
}

/** Fills the places of a fake answer with what the request held. */
export function echo(answer: FakeAnswer, request: RequestText): FakeAnswer {
  const values: Record<string, string> = {
    refresh_token: request.refreshToken,
    client_secret: request.clientSecret,
    authorization: request.authorization,
    request_body: request.body,
  }
  const fill = (text: string) => text.replace(/\{\{(\w+)\}\}/g, (place, name: string) => values[name] ?? place)
  const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => [name, fill(value)] as const)
  return { status: answer.status, headers: Object.fromEntries(headers), body: fill(answer.body) }
}

/** The provider's own answer with members set, left out, or text behind it. */
export function alter(body: string, fault: Extract<Fault, { kind: 'alter' }>): string {
  const members: Record<string, unknown> = { ...JSON.parse(body), ...fault.set }
  for (const name of fault.omit ?? []) delete members[name]
  return JSON.stringify(members) + (fault.append ?? '')
}

/** The part of the body that is sent. */
export function cut(body: string, at: Cut): string {
  if (typeof at === 'number') return body.slice(0, at)
  const member = /"refresh_token":"([^"]*)"/.exec(body)
  if (member === null) return body.slice(0, Math.floor(body.length / 2))
  const [text, token = ''] = member
  const places = {
    before_refresh_token: member.index,
    inside_refresh_token: member.index + text.length - 1 - Math.ceil(token.length / 2),
    after_refresh_token: member.index + text.length,
  }
  return body.slice(0, places[at])
}
