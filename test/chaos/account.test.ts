import { expect, test } from 'vitest'
import { accounts, bury, isDead } from './account.ts'
import { classes } from './schedule.ts'

test('accounts are spread evenly over the classes', () => {
  const counts = classes.map((name) => accounts(200).filter(({ client }) => client === name).length)
  expect(counts).toEqual([34, 34, 33, 33, 33, 33])
})

test('after a revoke every token of its families is dead, seen or not; one of a later consent lives', () => {
  const [account] = accounts(1)
  if (account === undefined) throw new Error('no account')
  account.consents.push({ family: 'f1', atMs: 0 })
  account.seen.add('f1.a2')
  bury(account)
  expect(account.phase).toBe('revoked')
  expect(isDead(account.dead, 'f1.a2', 'single_use')).toBe(true)
  expect(isDead(account.dead, 'f1.a3', 'single_use')).toBe(true)
  expect(isDead(account.dead, 'f2.a1', 'single_use')).toBe(false)
})

test('credentials of client_credentials share a family, so only the tokens that were seen are dead', () => {
  const account = accounts(6).at(-1)
  if (account === undefined) throw new Error('no account')
  expect(account.client).toBe('client_credentials')
  account.seen.add('f1.a2')
  bury(account)
  expect(isDead(account.dead, 'f1.a2', account.client)).toBe(true)
  expect(isDead(account.dead, 'f1.a3', account.client)).toBe(false)
})
