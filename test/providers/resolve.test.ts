import { describe, expect, test } from 'vitest'
import { type Entries, inherited, isProblem, layered } from '../../src/providers/inheritance.ts'
import { behaviourProblems, chosen, entryProblems, resolved } from '../../src/providers/resolve.ts'
import type { ProviderEntry } from '../../src/providers/schema.ts'

const catalogue: Entries = {
  family: {
    displayName: 'The family',
    tokenEndpoint: 'https://id.family.example/token',
    rotation: 'grace',
    graceSeconds: 30,
    tokenRequest: { headers: { accept: 'a', 'x-one': '1' }, remove: ['client_id'] },
    variants: { web: { when: 'a web app', set: { rotation: 'none' } } },
  },
  product: { extends: 'family', displayName: 'A product', tokenRequest: { headers: { 'x-one': '2' }, remove: [] } },
  grandchild: { extends: 'product', rotation: 'single_use' },
  ring: { extends: 'round' },
  round: { extends: 'ring' },
}

const entryOf = (name: string, own: Entries = {}): ProviderEntry => {
  const entry = inherited(name, own, catalogue)
  if (isProblem(entry)) throw new Error(entry.message)
  return entry
}

describe('an entry', () => {
  test('has what it extends, objects merged and lists replaced', () => {
    expect(entryOf('product')).toEqual({
      ...catalogue.family,
      displayName: 'A product',
      tokenRequest: { headers: { accept: 'a', 'x-one': '2' }, remove: [] },
    })
  })

  test('that sets another rotation leaves the grace period of the old one behind', () => {
    expect(entryOf('grandchild')).toMatchObject({ rotation: 'single_use' })
    expect(entryOf('grandchild')).not.toHaveProperty('graceSeconds')
    expect(layered({ rotation: 'grace', graceSeconds: 3 }, { rotation: 'grace' })).toEqual({
      rotation: 'grace',
      graceSeconds: 3,
    })
  })

  test('of the user overrides that of the catalogue, for those that extend it too', () => {
    const own: Entries = { family: { graceSeconds: 5 } }
    expect(entryOf('family', own)).toEqual({ ...catalogue.family, graceSeconds: 5 })
    expect(entryOf('product', own)).toMatchObject({ displayName: 'A product', graceSeconds: 5 })
  })

  test('of the user may extend its own name, another of the user, or the catalogue', () => {
    const own: Entries = {
      family: { extends: 'family', graceSeconds: 5 },
      mine: { extends: 'family', rotation: 'none' },
    }
    expect(entryOf('mine', own)).toMatchObject({ rotation: 'none', tokenEndpoint: 'https://id.family.example/token' })
    expect(entryOf('family', own)).toMatchObject({ graceSeconds: 5 })
  })

  test.each([
    ['ring', {}, { path: ['extends'], message: 'leads back to itself: ring extends round extends ring' }],
    ['mine', { mine: { extends: 'famly' } }, { message: 'names "famly", which is no entry; did you mean family?' }],
    ['mine', { mine: { extends: 'mine' } }, { message: 'leads back to itself: mine extends mine' }],
    ['constructor', {}, { message: expect.stringContaining('is no entry') }],
    ['mine', { mine: { extends: '__proto__' } }, { message: expect.stringContaining('is no entry') }],
  ] as [string, Entries, object][])('%s that cannot be resolved is a problem', (name, own, problem) => {
    expect(inherited(name, own, catalogue)).toMatchObject(problem)
  })
})

describe('a client', () => {
  test('chooses a variant, and says what is different for its own registration', () => {
    const family = entryOf('family')
    expect(chosen(family, { variant: 'web' })).toMatchObject({ rotation: 'none' })
    expect(chosen(family, { variant: 'web' })).not.toHaveProperty('graceSeconds')
    expect(chosen(family, { rotation: 'grace', graceSeconds: 60 })).toMatchObject({ graceSeconds: 60 })
    expect(chosen(family, { variant: 'web', rotation: 'single_use' })).toMatchObject({ rotation: 'single_use' })
    expect(chosen(family, { variant: 'wep' })).toMatchObject({ path: ['variant'] })
  })

  test('meets a provider with the safe side of what nobody knows', () => {
    const behaviour = { tokenEndpoint: 'https://id.example.com/token', refreshTokenIdleSeconds: 60 }
    expect(resolved('plain', behaviour, 'none')).toEqual({
      name: 'plain',
      tokenEndpoint: 'https://id.example.com/token',
      clientAuth: 'none',
      rotation: 'single_use',
      refreshTokenIdleMs: 60_000,
    })
  })
})

describe('what no single field shows is a problem', () => {
  const described = { description: 'x' }
  test.each([
    [{ rotation: 'grace' }, 'graceSeconds'],
    [{ rotation: 'none', graceSeconds: 1 }, 'graceSeconds'],
    [{ tokenEndpoint: 'https://{host}/token' }, 'tokenEndpoint'],
    [{ tokenEndpoint: 'https://{host}/token', parameters: { host: described } }, 'tokenEndpoint'],
    [{ expiryLookup: { endpoint: 'https://{host}/token' } }, 'expiryLookup.endpoint'],
    [{ parameters: { client_id: described } }, 'parameters.client_id'],
    [{ parameters: { region: { ...described, values: ['eu'], default: 'us' } } }, 'parameters.region.default'],
    [{ parameters: { region: { ...described, pattern: '[a-z]+', example: 'us1' } } }, 'parameters.region.example'],
    [{ tokenRequest: { method: 'GET', encoding: 'form' } }, 'tokenRequest.encoding'],
    [{ tokenRequest: { rename: { clientid: 'x' } } }, 'tokenRequest.rename'],
    [{ tokenRequest: { remove: ['scope'] } }, 'tokenRequest.remove'],
    [{ grant: 'access_token' }, 'tokenRequest.grantType'],
    [{ assertion: { sentAs: 'bearer' }, clientAuth: 'client_secret_basic' }, 'assertion.sentAs'],
    [{ expiryLookup: {} }, 'expiryLookup.endpoint'],
  ] as const)('%j', (behaviour, path) => {
    expect(behaviourProblems(behaviour as ProviderEntry).map((problem) => problem.path.join('.'))).toEqual([path])
  })

  test.each([
    { rotation: 'until_new_used', graceSeconds: 60 },
    { tokenEndpoint: 'https://{host}/token', parameters: { host: { ...described, setBy: 'client' } } },
    {
      tokenEndpoint: 'https://accounts.zoho.{dc}/token',
      parameters: { dc: { ...described, values: ['com', 'com.au'] } },
    },
    { grant: 'access_token', tokenRequest: { grantType: 'x' } },
    { grant: 'access_token', accessTokenNeverExpires: true },
    { expiryLookup: {}, introspectionEndpoint: 'https://id.example.com/introspect' },
  ] as const)('%j is none', (behaviour) => {
    expect(behaviourProblems(behaviour as unknown as ProviderEntry)).toEqual([])
  })

  test('of a variant is told at the variant, and not for what the entry itself says', () => {
    expect(
      entryProblems({ rotation: 'grace', variants: { v: { when: 'x', set: { rotation: 'none', graceSeconds: 3 } } } }),
    ).toMatchObject([{ path: ['graceSeconds'] }, { path: ['variants', 'v', 'set', 'graceSeconds'] }])
  })
})
