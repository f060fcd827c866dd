import type { IncomingMessage } from 'node:http'
import type { Door, Encoding, Parameters } from './profile.ts'

/** A request as it came off the wire. */
export interface Received {
  method: string
  /** the vendor's address that was meant, without query */
  url: string
  query: Parameters
  headers: Readonly<Record<string, string>>
  body: string
}

export async function receive(incoming: IncomingMessage, url: URL): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])
  return {
    method: incoming.method ?? '',
    url: `${url.origin}${url.pathname}`,
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

/** What a vendor's door makes of a request: its parameters, or why it refuses to read them. */
export type Opened = { parameters: Parameters } | { because: string }

export function open(door: Door, filledUrl: string, received: Received): Opened {
  if (received.method !== door.method) return { because: `this door takes ${door.method}, not ${received.method}` }
  const url = new URL(filledUrl)
  const own = Object.fromEntries(url.searchParams)
  for (const [name, value] of Object.entries(own))
    if (received.query[name] !== value) return { because: `the address must keep its query ${name}=${value}` }
  const asked = Object.fromEntries(Object.entries(received.query).filter(([name]) => !(name in own)))
  const body = bodyOf(received)
  if ('because' in body) return body
  return sorted(door, asked, body)
}

function sorted(door: Door, asked: Parameters, body: { encoding?: Encoding; parameters: Parameters }): Opened {
  const { mayBeInQuery = [] } = door
  const strays = Object.keys(asked).filter((name) => !mayBeInQuery.includes(name))
  if (door.encoding === 'query') {
    if (body.encoding !== undefined) return { because: 'parameters belong into the query, and there is a body' }
    return { parameters: asked }
  }
  if (strays.length > 0) return { because: `parameters belong into the body, and the query holds ${strays.join(', ')}` }
  const twice = Object.keys(asked).find((name) => name in body.parameters)
  if (twice !== undefined) return { because: `${twice} is in the query and in the body` }
  if (body.encoding !== undefined && body.encoding !== door.encoding)
    return { because: `the body must be ${door.encoding}, not ${body.encoding}` }
  return { parameters: { ...asked, ...body.parameters } }
}

function bodyOf({ body, headers }: Received): { encoding?: Encoding; parameters: Parameters } | { because: string } {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (body === '' && type === '') return { parameters: {} }
  if (body === '') return { encoding: type === 'application/json' ? 'json' : 'form', parameters: {} }
  if (type === 'application/x-www-form-urlencoded') return formOf(body)
  if (type !== 'application/json') return { because: `a body of type "${type}" is neither a form nor JSON` }
  try {
    const members: unknown = JSON.parse(body)
    if (typeof members !== 'object' || members === null || Array.isArray(members))
      return { because: 'the JSON body is no object' }
    return { encoding: 'json', parameters: Object.fromEntries(Object.entries(members).map(([k, v]) => [k, String(v)])) }
  } catch {
    return { because: 'the body says that it is JSON and is not' }
  }
}

function formOf(body: string): { encoding: Encoding; parameters: Parameters } | { because: string } {
  const pairs = [...new URLSearchParams(body)]
  const names = pairs.map(([name]) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  // RFC 6749 section 3.2
  if (twice !== undefined) return { because: `${twice} comes twice` }
  return { encoding: 'form', parameters: Object.fromEntries(pairs) }
}
