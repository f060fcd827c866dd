import { expect, test } from 'vitest'
import { parseCredentialId } from '../../src/credential.ts'
import { demoSubjects } from '../../src/dev/demo/orchard.ts'
import { demoCredentials, plantCredentials } from '../../src/dev/demo/plant.ts'
import { PerennialError } from '../../src/errors.ts'

function garden(living: string[], failing: Record<string, number> = {}) {
  const begun: string[] = []
  const said: string[] = []
  const begin = async (id: string) => {
    const left = failing[id] ?? 0
    failing[id] = left - 1
    if (left > 0) throw new PerennialError('temporal_unreachable', 'Temporal does not answer')
    begun.push(id)
  }
  const client = {
    describe: async (id: string) => (living.includes(id) ? { id } : undefined),
    connect: (id: string) => begin(id),
    start: (id: string) => begin(id),
  }
  const tokens = { access_token: 'a', token_type: 'Bearer', expires_in: 30, refresh_token: 'r', scope: 's' }
  const minted: string[] = []
  const mintGrant = async (subject: string) => {
    minted.push(subject)
    return tokens
  }
  const ending = new AbortController()
  const plant = (users: number) =>
    plantCredentials(client, { mintGrant }, users, (line) => said.push(line), ending.signal)
  return { begun, said, minted, plant, ending }
}

test('every user gets a credential, and one has no user', async () => {
  const { begun, plant } = garden([])
  await plant(12)
  expect(begun.sort()).toEqual(demoCredentials(12).sort())
  expect(begun).toHaveLength(13)
  expect(begun).toContain('demo/orchard-m2m/service')
})

test('credentials that live already are left alone, and no grant is minted for them', async () => {
  const { begun, minted, plant } = garden(['demo/orchard/apple', 'demo/orchard-m2m/service'])
  await plant(2)
  expect([begun, minted]).toEqual([['demo/orchard/pear'], ['pear']])
})

test('a credential that cannot be begun at first is tried again and does not keep the others', async () => {
  const { begun, said, plant } = garden([], { 'demo/orchard/apple': 1 })
  await plant(3)
  expect(begun.sort()).toEqual(demoCredentials(3).sort())
  expect(said).toEqual([])
})

test('nothing more is begun once the end was asked for', async () => {
  const { begun, said, plant, ending } = garden([], { 'demo/orchard/apple': 1_000 })
  setTimeout(() => ending.abort(), 200)
  await plant(1)
  expect(begun).toEqual(['demo/orchard-m2m/service'])
  ending.abort()
  await plant(5)
  expect([begun.length, said.length]).toEqual([1, 0])
})

test('any number of users have names of their own that fit into an id', () => {
  const ids = demoCredentials(1_000)
  expect(new Set(demoSubjects(1_000)).size).toBe(1_000)
  expect(ids.filter((id) => typeof parseCredentialId(id) === 'string')).toEqual([])
})
