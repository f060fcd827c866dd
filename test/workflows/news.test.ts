import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Status, statuses } from '../../src/credential.ts'
import { noteNews } from '../../src/workflows/news.ts'
import { newState, setStatus } from '../../src/workflows/transitions.ts'

type Told = [Status, reason?: string]

/** What operators are told while a credential goes through these, each being told at once. */
function news(...through: Told[]): (string | undefined)[] {
  const state = newState(0, 0)
  return through.map(([status, reason], i) => {
    setStatus(state, i, status, reason)
    const { news: told } = state
    delete state.news
    return told
  })
}

test.each<[string, Told[], (string | undefined)[]]>([
  ['the first token is nothing new', [['pending'], ['active']], [undefined, undefined]],
  ['a trouble, and its end', [['active'], ['retrying', 'http_503'], ['active']], [undefined, 'retrying', 'recovered']],
  [
    'one trouble after another',
    [['retrying'], ['expired'], ['reconnect_required']],
    ['retrying', 'expired', 'reconnect_required'],
  ],
  [
    'another reason is no other trouble',
    [
      ['retrying', 'http_503'],
      ['retrying', 'timeout'],
    ],
    ['retrying', undefined],
  ],
  ['a risk that ends well', [['at_risk', 'answer_lost'], ['active']], ['at_risk', 'recovered']],
  ['a first token that does not come', [['pending', 'http_503'], ['active']], ['retrying', 'recovered']],
  [
    'a token that Redis has lost is no trouble',
    [['active'], ['pending', 'store_lost_it'], ['active']],
    [undefined, undefined, undefined],
  ],
  ['a client is told of by others', [['active'], ['misconfigured'], ['active']], [undefined, undefined, undefined]],
  [
    'a trouble that was told goes on behind it',
    [['retrying'], ['misconfigured'], ['active']],
    ['retrying', undefined, 'recovered'],
  ],
  ['a revoke is told of by its fence', [['active'], ['revoked']], [undefined, undefined]],
])('%s', (_what, through, told) => {
  expect(news(...through)).toEqual(told)
})

test('what is told never repeats itself, and a recovery follows a trouble', () => {
  const anyStatus = fc.constantFrom(...statuses.filter((status) => status !== 'revoked'))
  fc.assert(
    fc.property(fc.array(fc.tuple(anyStatus, fc.constantFrom(undefined, 'http_503')), { maxLength: 20 }), (through) => {
      const told = news(...(through as Told[])).filter((event) => event !== undefined)
      told.forEach((event, i) => {
        expect(event).not.toBe(told[i - 1])
        if (event === 'recovered') expect(i).toBeGreaterThan(0)
      })
    }),
  )
})

test('a recovery takes the place of a trouble that was not told yet', () => {
  const state = newState(0, 0)
  setStatus(state, 0, 'retrying', 'http_503')
  setStatus(state, 1, 'active')
  expect(state).toMatchObject({ news: 'recovered' })
  expect(state.trouble).toBeUndefined()
  noteNews(state)
  expect(state.news).toBe('recovered')
})
