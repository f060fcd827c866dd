import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginAttempt, createTokenEndpoint, type TokenEndpoint, type Verdict } from '../../src/oauth/index.ts'
import {
  clientId,
  type Expectation,
  httpBytes,
  jwt,
  type RecordedAnswer,
  recordedAnswers,
  rulesOf,
  shapeOf,
  tokens,
} from './answers.ts'
import { eightGrams } from './encodings.ts'
import { type RawServer, rawServer } from './raw-server.ts'

const corpus = recordedAnswers()
const all = corpus.flatMap(({ answers }) => answers)
let server: RawServer
let endpoint: TokenEndpoint

beforeAll(async () => {
  server = await rawServer((socket, request) => {
    const answer = all[Number(/^POST \/(\d+) /.exec(request)?.[1])]
    if (answer !== undefined) socket.write(httpBytes(answer), () => answer.cut && socket.destroy())
  })
  endpoint = createTokenEndpoint()
})

afterAll(async () => {
  await endpoint.close()
  await server.close()
})

const ask = (answer: RecordedAnswer): Promise<Verdict> =>
  endpoint.exchange(
    {
      endpoint: `http://127.0.0.1:${server.port}/${all.indexOf(answer)}`,
      clientId,
      clientAuth: 'client_secret_basic',
      clientSecret: tokens.secret,
      grant: answer.grant ?? 'refresh_token',
      rotation: answer.rotation ?? 'single_use',
      parameters: {},
      ...rulesOf(answer),
      ...(answer.grant === undefined && { refreshToken: tokens.sent }),
    },
    beginAttempt(10_000),
  )

/** The verdict in the words of the records. */
function told(verdict: Verdict, { expect: expected }: RecordedAnswer): Expectation {
  if (verdict.kind !== 'granted') {
    const { kind, reason, detail } = verdict
    return {
      kind,
      ...(expected.reason !== undefined && { reason }),
      ...(expected.detail !== undefined && { detail }),
      ...(verdict.kind === 'client_refused' && { secretRefused: verdict.secretRefused }),
      ...(verdict.kind === 'throttled' &&
        verdict.retryAfterMs !== undefined && { retryAfterSeconds: verdict.retryAfterMs / 1000 }),
    }
  }
  const { accessToken, refreshToken, expiresInMs, refreshExpiresInMs, scope } = verdict.tokens
  const names = [accessToken && nameOf(accessToken), refreshToken && nameOf(refreshToken)]
  return {
    granted: [...new Set(names)].filter((name) => name).join(' '),
    ...(expiresInMs !== undefined && { seconds: expiresInMs / 1000 }),
    ...(refreshExpiresInMs !== undefined && { refreshSeconds: refreshExpiresInMs / 1000 }),
    ...(expected.scope !== undefined && { scope: scope ?? '' }),
  }
}

function nameOf(token: string): string {
  const isJwt = [60, 300, 1199, 3600].some((seconds) => token === jwt(seconds))
  return isJwt ? 'access' : (Object.entries(tokens).find(([, value]) => value === token)?.[0] ?? 'other')
}

describe.each(corpus)('$kind', ({ answers }) => {
  it.each(answers)('$from: $name', async (answer) => {
    const verdict = await ask(answer)
    expect(told(verdict, answer)).toEqual(answer.expect)
    const shown = verdict.kind === 'granted' ? '' : `${verdict.reason}\n${verdict.detail}`
    expect(
      Object.values(tokens)
        .flatMap(eightGrams)
        .filter((run) => shown.includes(run)),
    ).toEqual([])
    // the line break is the one between the two
    expect(shown.replace('\n', '')).not.toMatch(/[\p{C}<>&`*[\]|\\~#{}$]/u)
  })
})

describe('the corpus', () => {
  it('holds at least 200 answers, each with the server or vendor and a public page', () => {
    expect(all.length).toBeGreaterThanOrEqual(200)
    for (const { from, source, name } of all) {
      expect(from).not.toBe('')
      expect(name).not.toBe('')
      expect(source).toMatch(/^https:\/\/[^\s]+\.[^\s]+$/)
    }
  })

  it('holds no answer twice, and of no shape more than three', () => {
    const shapes = Map.groupBy(all, shapeOf)
    const tooMany = [...shapes].filter(([, same]) => same.length > 3)
    expect(tooMany.map(([shape, same]) => [shape, same.map(({ from, name }) => `${from}: ${name}`)])).toEqual([])
    expect(shapes.size).toBeGreaterThanOrEqual(150)
  })

  it('knows every verdict', () => {
    const kinds = new Set(all.map(({ expect: { granted, kind } }) => (granted === undefined ? kind : 'granted')))
    expect([...kinds].sort()).toEqual(
      ['ambiguous', 'client_refused', 'granted', 'grant_refused', 'throttled', 'too_early', 'unclear'].sort(),
    )
  })
})
