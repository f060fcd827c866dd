import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { Agent, fetch, request } from 'undici'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bearer } from '../src/index.ts'

const id = 'acme/google-main/alice'

interface Served {
  method: string
  authorization: string | undefined
  body: string
}

let served: Served[]
let answer: (request: Served, response: ServerResponse) => void
let origin: string
let agents: Agent[]

const server = createServer(async (incoming: IncomingMessage, response) => {
  let body = ''
  for await (const chunk of incoming) body += chunk
  const seen = { method: incoming.method ?? '', authorization: incoming.headers.authorization, body }
  served.push(seen)
  answer(seen, response)
})

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  served = []
  agents = []
  answer = ({ authorization }, response) => {
    const good = authorization === 'Bearer token-2'
    response.writeHead(good ? 200 : 401, { 'x-said': 'by the server' }).end(good ? 'welcome' : 'x'.repeat(200_000))
  }
})

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.destroy()))
})

const token = (generation: number) => ({
  accessToken: `token-${generation}`,
  tokenType: 'Bearer',
  expiresAt: new Date(),
  generation,
  family: 'f1',
  values: {},
  stale: false,
  ageMs: 0,
})

/** Hands out generation 1; a rejected one is replaced by what `newer` gives. */
function source(newer: (signal: AbortSignal | undefined) => Promise<ReturnType<typeof token> | undefined>) {
  const rejected: number[] = []
  return {
    rejected,
    get: async () => token(1),
    reject: async (_: string, generation: number, options?: { signal?: AbortSignal }) => {
      rejected.push(generation)
      return newer(options?.signal)
    },
  }
}

function composed(...parameters: Parameters<typeof bearer>) {
  const agent = new Agent()
  agents.push(agent)
  return agent.compose(bearer(...parameters))
}

const replaced = () => source(async () => token(2))

describe('bearer', () => {
  test('sets the header, in place of any other', async () => {
    answer = (_, response) => response.end('welcome')
    const dispatcher = composed(replaced(), id)
    for (const headers of [{ Authorization: 'Basic x', accept: 'a' }, ['authorization', 'Basic x', 'accept', 'a']])
      await (await request(origin, { dispatcher, headers })).body.dump()
    await (await fetch(origin, { dispatcher, headers: { authorization: 'Basic x' } })).text()
    expect(served.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer token-1'))
  })

  test.each([
    ['no body', undefined],
    ['a text', 'hello'],
    ['bytes', Buffer.from('hello')],
  ])('sends a request with %s once more, with the newer token, after a 401', async (_, body) => {
    const from = replaced()
    const answered = await request(origin, {
      dispatcher: composed(from, id),
      method: 'POST',
      ...(body ? { body } : {}),
    })
    expect({ status: answered.statusCode, text: await answered.body.text() }).toEqual({ status: 200, text: 'welcome' })
    expect(from.rejected).toEqual([1])
    expect(served.map(({ authorization, body: sent }) => [authorization, sent])).toEqual([
      ['Bearer token-1', body === undefined ? '' : 'hello'],
      ['Bearer token-2', body === undefined ? '' : 'hello'],
    ])
  })

  test('works with fetch', async () => {
    const answered = await fetch(origin, { dispatcher: composed(replaced(), id) })
    expect({ status: answered.status, text: await answered.text() }).toEqual({ status: 200, text: 'welcome' })
  })

  test('does not repeat a stream: the caller gets the 401', async () => {
    const from = replaced()
    const body = Readable.from(['hello'])
    const answered = await request(origin, { dispatcher: composed(from, id), method: 'POST', body })
    expect(answered.statusCode).toBe(401)
    await answered.body.dump()
    expect(served).toHaveLength(1)
  })

  test('tells of the refused token even where the request cannot be repeated', async () => {
    const from = replaced()
    const dispatcher = composed(from, id)
    await (await request(origin, { dispatcher, method: 'POST', body: Readable.from(['x']) })).body.dump()
    expect(from.rejected).toEqual([1])
  })

  test('hands on the whole 401 when there is no newer token', async () => {
    const from = source(async () => undefined)
    const answered = await request(origin, { dispatcher: composed(from, id) })
    expect(answered.statusCode).toBe(401)
    expect(answered.headers['x-said']).toBe('by the server')
    expect(await answered.body.text()).toHaveLength(200_000)
    expect(served).toHaveLength(1)
  })

  test('hands on the 401 when Redis is away', async () => {
    const from = source(() => Promise.reject(new Error('no Redis')))
    const answered = await request(origin, { dispatcher: composed(from, id) })
    expect(answered.statusCode).toBe(401)
    await answered.body.dump()
  })

  test('tries twice and no more', async () => {
    answer = (_, response) => response.writeHead(401).end('never')
    const answered = await request(origin, { dispatcher: composed(replaced(), id) })
    expect({ status: answered.statusCode, text: await answered.body.text() }).toEqual({ status: 401, text: 'never' })
    expect(served).toHaveLength(2)
  })

  test('hands on what the reader throws', async () => {
    const refusal = new Error('no token')
    const dispatcher = composed({ ...replaced(), get: () => Promise.reject(refusal) }, id)
    await expect(request(origin, { dispatcher })).rejects.toBe(refusal)
    await expect(fetch(origin, { dispatcher })).rejects.toMatchObject({ cause: refusal })
    expect(served).toEqual([])
  })

  test('ends with its signal while it waits for a token', async () => {
    let given: AbortSignal | undefined
    const waiting = {
      ...replaced(),
      get: (_: string, options?: { signal?: AbortSignal }) => {
        given = options?.signal
        return new Promise<never>((_resolve, reject) => given?.addEventListener('abort', () => reject(given?.reason)))
      },
    }
    const ending = new AbortController()
    const call = request(origin, { dispatcher: composed(waiting, id), signal: ending.signal })
    await expect.poll(() => given).toBeDefined()
    ending.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(given?.aborted).toBe(true)
  })

  test('ends with its signal while it waits for a newer token, and while the answer comes', async () => {
    const ending = new AbortController()
    const hanging = source(
      (signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    )
    const call = request(origin, { dispatcher: composed(hanging, id), signal: ending.signal })
    await expect.poll(() => hanging.rejected).toEqual([1])
    ending.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')

    answer = (_, response) => void response.writeHead(200).write('begun')
    const later = new AbortController()
    const answered = await request(origin, { dispatcher: composed(replaced(), id), signal: later.signal })
    const text = answered.body.text()
    later.abort(new Error('enough'))
    await expect(text).rejects.toThrow('enough')
  })

  test('shows the token to the named origins only', async () => {
    const dispatcher = composed(replaced(), id, { origins: ['https://api.example.com'] })
    await (await request(origin, { dispatcher })).body.dump()
    expect(served).toEqual([expect.objectContaining({ authorization: undefined })])
    await (await request(origin, { dispatcher: composed(replaced(), id, { origins: [`${origin}/path`] }) })).body.dump()
    expect(served.at(-1)).toMatchObject({ authorization: 'Bearer token-2' })
  })

  test('keeps the connection of a refused request in use', async () => {
    const dispatcher = composed(replaced(), id)
    const sockets = new Set<unknown>()
    server.on('connection', (socket) => sockets.add(socket))
    for (let call = 0; call < 5; call++) await (await request(origin, { dispatcher })).body.text()
    expect(served).toHaveLength(10)
    expect(sockets.size).toBeLessThanOrEqual(2)
  })
})
