import packageJson from '../../package.json' with { type: 'json' }

/** What goes over the wire. */
export interface Message {
  method: 'POST' | 'GET' | 'DELETE'
  url: string
  headers: Record<string, string>
  body?: string
  /** made for this message alone, and not to be repeated */
  secrets: string[]
}

export type Parameters = Record<string, string | number | boolean>

/** Puts parameters where a provider wants them. A query that the endpoint has already stays. */
export function write(message: {
  method: Message['method']
  endpoint: string
  encoding: 'form' | 'json' | 'query' | 'none'
  parameters: Parameters
  headers: Record<string, string>
  secrets: string[]
}): Message {
  const { method, endpoint, encoding, parameters, secrets } = message
  const texts = Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)])
  const done = (url: string, body?: string, contentType?: string): Message => ({
    method,
    url,
    headers: { ...standardHeaders(contentType), ...lowerCased(message.headers) },
    ...(body !== undefined && { body }),
    secrets,
  })
  switch (encoding) {
    case 'form':
      return done(endpoint, new URLSearchParams(texts).toString(), 'application/x-www-form-urlencoded')
    case 'json':
      return done(endpoint, JSON.stringify(parameters), 'application/json')
    case 'none':
      return done(endpoint)
    case 'query': {
      const url = new URL(endpoint)
      for (const [name, value] of texts) url.searchParams.set(name, value)
      return done(url.href)
    }
  }
}

const standardHeaders = (contentType: string | undefined): Record<string, string> => ({
  accept: 'application/json',
  // without it a server may choose any encoding (RFC 9110 section 12.5.3), and the answer is read as it came
  'accept-encoding': 'identity',
  ...(contentType !== undefined && { 'content-type': contentType }),
  'user-agent': `perennial/${packageJson.version}`,
})

/** So that an entry's own header stands in the place of ours, however it is written. */
const lowerCased = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
