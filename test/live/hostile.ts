import type { Fault, TokenResponse } from '../../src/dev/demo/admin.ts'

type Answer = NonNullable<Fault['answer']>

/** What a request to the token endpoint held, for a server that repeats it. */
export interface Sent {
  refreshToken: string
  clientId: string
  clientSecret: string
}

export interface HostileAnswer {
  what: string
  answer: Answer
  /** how the command that asked for the refresh has to end, so that it is known to have met the answer */
  says: RegExp
}

/**
 * Answers of servers that repeat what they were sent: by carelessness (debug pages, echoed parameters) or by malice.
 *
 * @param fresh tokens that the server would have given out, for the answers that hold some
 */
export function hostileAnswers(sent: Sent, fresh: TokenResponse): HostileAnswer[] {
  return [...refusals(sent), ...pages(sent), ...definite(sent), ...granting(sent, fresh)]
}

/** Errors after which the same refresh token is sent again. */
function refusals(sent: Sent): HostileAnswer[] {
  const { refreshToken, clientSecret } = sent
  const retried = (what: string, status: number, body: object, headers: Record<string, string> = {}) => ({
    what,
    answer: { status, headers, body: JSON.stringify(body) },
    says: /retrying/,
  })
  return [
    retried('the request as a description', 400, { error: 'nope', error_description: echo(sent) }),
    retried('the refresh token as the error code', 400, { error: refreshToken }),
    retried('the client secret as the error code', 400, { error: clientSecret }),
    retried('a piece of the refresh token as the error code', 400, { error: `at_${refreshToken.slice(4, 30)}` }),
    retried('every encoding', 429, { error: 'nope', error_description: encodings(refreshToken).join(' and ') }),
    retried('every encoding of the secret', 429, { error: 'nope', error_description: encodings(clientSecret).join() }),
    retried('pieces as the error code', 400, { error: (refreshToken.match(/\w{1,5}/g) ?? []).join('.') }),
    retried('pieces', 400, { error: 'nope', error_description: pieces(refreshToken).join('; ') }),
    retried('other members', 400, { message: echo(sent), errors: [{ detail: echo(sent) }], request: sent }),
    retried('headers', 429, { error: 'nope' }, { 'retry-after': refreshToken, 'x-debug': inHeader(echo(sent)) }),
    retried('a redirection', 302, {}, { location: `http://127.0.0.1/?${new URLSearchParams({ ...sent })}` }),
  ]
}

/** After these it is not known whether the refresh token was spent. */
function pages(sent: Sent): HostileAnswer[] {
  const html = `<html><title>${sent.refreshToken}</title><pre>${echo(sent)}</pre><!-- ${encodings(sent.clientSecret)} --></html>`
  const page = (what: string, status: number, body: string) => ({
    what,
    answer: { status, headers: { 'content-type': 'text/html' }, body },
    says: /at_risk/,
  })
  return [
    page('a debug page', 500, html),
    page('a page of a proxy', 503, html),
    page('a page instead of tokens', 200, html),
    page('a stack trace', 502, `Error: bad token ${sent.refreshToken}\n  at ${echo(sent)}`),
    page('no token answer', 200, JSON.stringify({ data: { echo: echo(sent) } })),
  ]
}

function definite(sent: Sent): HostileAnswer[] {
  const body = (error: string) => JSON.stringify({ error, error_description: echo(sent), error_uri: echo(sent) })
  const headers = { 'www-authenticate': `Basic realm="${inHeader(echo(sent))}"` }
  return [
    { what: 'invalid_grant', answer: { status: 400, body: body('invalid_grant') }, says: /reconnect_required/ },
    { what: 'invalid_client', answer: { status: 401, headers, body: body('invalid_client') }, says: /misconfigured/ },
  ]
}

/** Tokens in strange company. */
function granting(sent: Sent, fresh: TokenResponse): HostileAnswer[] {
  const besides = { scope: sent.refreshToken, message: echo(sent), id_token: fresh.refresh_token, state: sent }
  return [
    {
      what: 'tokens with the request beside them',
      answer: { status: 200, body: JSON.stringify({ ...fresh, ...besides }) },
      says: /generation 2|active/,
    },
  ]
}

const basic = ({ clientId, clientSecret }: Sent) => Buffer.from(`${clientId}:${clientSecret}`).toString('base64')

const inHeader = (text: string) => text.replace(/[\r\n"]/g, ' ')

function echo(sent: Sent): string {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: sent.refreshToken })
  return `POST /token\r\nAuthorization: Basic ${basic(sent)}\r\n\r\n${form} (secret ${sent.clientSecret})`
}

function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const each = (write: (code: number) => string) => [...bytes].map(write).join('')
  const hex = (code: number) => code.toString(16).padStart(2, '0')
  return [
    ...[0, 1, 2].map((before) => Buffer.from(`${'x'.repeat(before)}${secret}`).toString('base64')),
    Buffer.from(`{"token":"${secret}"}`).toString('base64url'),
    bytes.toString('hex'),
    each((code) => `%${hex(code)}`),
    each((code) => `%25${hex(code)}`),
    each((code) => `\\u00${hex(code)}`),
    each((code) => `&#x${hex(code)};`),
    each((code) => `&#${code};`),
    `${each((code) => `%${hex(code)}`).slice(0, 30)}${secret.slice(10)}`,
  ]
}

/** Pieces that are no word by themselves, held together by what a reader would overlook. */
function pieces(secret: string): string[] {
  const between = [' ', '\r\n', '\u200b', '\u0000', '\u001b[0m', '<wbr>', '**', '\u00ad', '\u202e', '`', '\\']
  return between.map((mark) => (secret.match(/.{1,5}/g) ?? []).join(mark))
}
