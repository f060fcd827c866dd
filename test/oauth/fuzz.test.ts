import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyText } from '../../src/oauth/body.ts'
import { type Answer, type JudgeContext, judge } from '../../src/oauth/judge.ts'
import type { AnswerRules } from '../../src/oauth/parse.ts'
import { answeredAtMs, bodyOf, recordedAnswers, tokens } from './answers.ts'
import { eightGrams } from './encodings.ts'

const numRuns = 10_000
/** Another one: `FUZZ_SEED=7 npx vitest run test/oauth/fuzz.test.ts`. */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_127)
const run = { numRuns, seed }

const context: JudgeContext = {
  grant: 'refresh_token',
  rotation: 'single_use',
  sentRefreshToken: tokens.sent,
  secrets: [tokens.sent, tokens.secret],
  nowMs: answeredAtMs,
}

const statuses = fc.oneof(
  fc.constantFrom(200, 200, 400, 401, 403, 429, 500, 502, 503),
  fc.integer({ min: 200, max: 599 }),
)
const bodies = recordedAnswers()
  .flatMap(({ answers }) => answers)
  .map((answer) => bodyOf(answer).subarray(0, 8_192).toString())

const judgeAnswer = (answer: Partial<Answer>, rules: AnswerRules = {}) =>
  judge({ kind: 'answered', answer: { status: 200, body: '', complete: true, ...answer } }, { ...context, ...rules })

const sentRuns = [tokens.sent, tokens.secret].flatMap(eightGrams)
/** Of a token that nobody here has seen before, only so much can be told from a word. */
const receivedRuns = [tokens.access, tokens.refresh].flatMap((token) => [token.slice(0, 20), token.slice(-20)])

/** What a verdict shows repeats no secret and holds nothing that a terminal or markdown would act on. */
function expectHarmless(verdict: ReturnType<typeof judge>): void {
  if (verdict.kind === 'granted') return
  const shown = `${verdict.reason} ${verdict.detail}`
  expect([...sentRuns, ...receivedRuns].filter((piece) => shown.includes(piece))).toEqual([])
  expect(shown).not.toMatch(/[\p{C}<>&`*[\]|\\~#{}$]/u)
  expect(verdict.reason.length).toBeLessThanOrEqual(64)
  expect(verdict.detail.length).toBeLessThanOrEqual(200)
}

describe(`${numRuns} runs each, seed ${seed}`, () => {
  it('arbitrary bytes, headers and status', () => {
    const secretBytes = fc.constantFrom(...Object.values(tokens)).map((token) => Buffer.from(token))
    const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), secretBytes), { maxLength: 5 })
    const header = fc.option(fc.oneof(fc.string(), fc.constantFrom(...Object.values(tokens))), { nil: undefined })
    const encodings = fc.constantFrom(undefined, 'gzip', 'deflate', 'br', 'identity', 'x')
    fc.assert(
      fc.property(
        pieces,
        encodings,
        statuses,
        header,
        header,
        fc.boolean(),
        (parts, encoding, status, date, after, complete) => {
          const body = bodyText(Buffer.concat(parts), encoding)
          const headers = { ...(date !== undefined && { date }), ...(after !== undefined && { retryAfter: after }) }
          expectHarmless(judgeAnswer({ status, body, complete, ...headers }))
        },
      ),
      run,
    )
  })

  it('recorded answers, cut, spliced, repeated, wrapped', () => {
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...bodies),
        statuses,
        fc.boolean(),
        (mutations, body, status, complete) => {
          const mutated = mutations.reduce((text, mutate) => mutate(text), body)
          const verdict = judgeAnswer({ status, body: mutated, complete })
          expectHarmless(verdict)
          if (holdsWholeMember(mutated)) expect({ mutated, kind: verdict.kind }).toEqual({ mutated, kind: 'granted' })
        },
      ),
      run,
    )
  })

  it('a new refresh token somewhere in arbitrary JSON', () => {
    fc.assert(
      fc.property(planted, statuses, ({ body, complete, rules }, status) => {
        const verdict = judgeAnswer({ status, body, complete }, rules)
        expect(verdict).toMatchObject({ kind: 'granted', tokens: { refreshToken: tokens.refresh } })
      }),
      run,
    )
  })
})

type Mutation = (text: string) => string

const share = fc.double({ min: 0, max: 1, noNaN: true })
const at = (text: string, part: number) => Math.floor(text.length * part)

/** What a broken server, proxy or connection may make of an answer. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  share.map(
    (to): Mutation =>
      (text) =>
        text.slice(0, at(text, to)),
  ),
  fc.tuple(share, share).map(
    ([from, length]): Mutation =>
      (text) =>
        text.slice(0, at(text, from)) + text.slice(at(text, from) + at(text, length / 4)),
  ),
  fc.tuple(share, fc.constantFrom(...bodies), share).map(
    ([where, other, to]): Mutation =>
      (text) =>
        text.slice(0, at(text, where)) + other.slice(0, at(other, to)) + text.slice(at(text, where)),
  ),
  fc.integer({ min: 2, max: 4 }).map(
    (times): Mutation =>
      (text) =>
        text.slice(0, 20_000).repeat(times),
  ),
  fc.tuple(share, fc.string({ maxLength: 3, unit: 'binary' })).map(
    ([where, noise]): Mutation =>
      (text) =>
        text.slice(0, at(text, where)) + noise + text.slice(at(text, where)),
  ),
  fc.constantFrom<Mutation>(
    (text) => JSON.stringify(text),
    (text) => `{"data":${text}}`,
    (text) => `[${text}]`,
    (text) => `{"error":"server_error","upstream":${text}}`,
    (text) => `<html><head><title>${text}</title></head><body>${text}</body></html>`,
    (text) => `callback(${text});`,
    (text) => `\ufeff${text}\r\n`,
    (text) => text.replaceAll('"', '&quot;'),
    (text) => encodeURIComponent(text.slice(0, 4_000).toWellFormed()),
    (text) => text.toUpperCase(),
    (text) => text.replaceAll(':', ' : '),
  ),
)

/** `"refresh_token": "…"`, with the new one in it. */
const holdsWholeMember = (text: string) => new RegExp(`[{,]\\s*"refresh_token"\\s*:\\s*"${tokens.refresh}"`).test(text)

/** JSON without a token, in which one is then planted. */
const noise = fc.dictionary(
  fc.string().filter((name) => !['access_token', 'refresh_token', '__proto__'].includes(name)),
  fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('_token')),
  { maxKeys: 4 },
)
const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== '__proto__')
const member = { refresh_token: tokens.refresh }
const whole = (body: unknown) => ({ body: JSON.stringify(body), complete: true })

const byEntry: AnswerRules = { tokenResponse: { accessToken: 'data.pair.access', refreshToken: 'data.pair.renewal' } }
const pair = { pair: { access: tokens.access, renewal: tokens.refresh } }

/** Recognizable places: a member of the answer, one further in where the answer has none, the same in what is left. */
const planted: fc.Arbitrary<{ body: string; complete: boolean; rules?: AnswerRules }> = fc.oneof(
  noise.map((around) => whole({ ...around, ...member })),
  noise.map((around) => whole({ ...member, ...around })),
  fc
    .tuple(noise, name, noise)
    .map(([around, wrapper, inner]) => whole({ ...around, [wrapper]: { ...inner, ...member } })),
  fc
    .tuple(noise, name)
    .map(([around, wrapper]) => whole({ ...around, [wrapper]: { access_token: tokens.access, ...member } })),
  fc.tuple(noise, name).map(([around, wrapper]) => whole({ ...around, [wrapper]: [{ [wrapper]: member }] })),
  noise.map((around) => whole({ refresh_token: tokens.sent, ...around, new: member })),
  noise.map((around) => whole([around, member])),
  fc.tuple(noise, noise).map(([around, inner]) => ({
    ...whole({ ...around, data: { ...inner, ...pair } }),
    rules: byEntry,
  })),
  fc.tuple(noise, share).map(([around, part]) => ({
    ...cutAfterToken({ data: { ...pair, ...around } }, part),
    rules: byEntry,
  })),
  noise.map((around) => whole(JSON.stringify({ ...around, ...member }))),
  noise.map((around) => ({
    body: `<b>Notice</b>: x in y\n${JSON.stringify({ ...around, ...member })}\n<!-- -->`,
    complete: true,
  })),
  fc.tuple(noise, share).map(([around, part]) => cutAfterToken({ ...member, ...around }, part)),
  fc.tuple(noise, share).map(([around, part]) => cutAfterToken({ x: { ...member, ...around } }, part)),
  noise.map((around) => ({
    body: `${new URLSearchParams({ state: 'x', ...member, note: JSON.stringify(around) })}`,
    complete: true,
  })),
  share.map((part) => ({ body: cutForm(part), complete: false })),
)

function cutAfterToken(value: unknown, part: number) {
  const body = JSON.stringify(value)
  const end = body.indexOf(tokens.refresh) + tokens.refresh.length + 1
  return { body: body.slice(0, end + Math.floor((body.length - end) * part)), complete: false }
}

const cutForm = (part: number) =>
  `token_type=x&refresh_token=${tokens.refresh}&expires_in=3600`.slice(0, 52 + Math.floor(15 * part))
