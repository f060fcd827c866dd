import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginning, filledEndpoint, parametersOf, usedParameters } from '../../src/providers/parameters.ts'
import type { Provider } from '../../src/providers/provider.ts'

const zoho: Provider = {
  name: 'zoho',
  tokenEndpoint: 'https://accounts.zoho.{dc}/oauth/v2/token',
  clientAuth: 'client_secret_post',
  rotation: 'none',
  parameters: {
    dc: { description: 'data centre', values: ['com', 'eu', 'com.au'], default: 'com' },
    soid: { description: 'organisation', pattern: '[A-Za-z.]+\\d+', example: 'ZohoCRM.1234' },
  },
  tokenRequest: { add: { soid: '{soid}', who: '{client_id}' } },
}
const selfHosted: Provider = {
  ...zoho,
  name: 'keycloak',
  tokenEndpoint: 'https://{host}/realms/{realm}/token',
  parameters: { host: { description: 'the server', setBy: 'client' } },
}

describe('parameters of a credential', () => {
  test('stand over those of its client, and these over the defaults of the entry', () => {
    expect(parametersOf(zoho, { clientId: 'c1', client: {}, own: {} })).toEqual({ dc: 'com', client_id: 'c1' })
    expect(parametersOf(zoho, { clientId: 'c1', client: { dc: 'eu' }, own: {} })).toEqual({ dc: 'eu', client_id: 'c1' })
    expect(parametersOf(zoho, { clientId: 'c1', client: { dc: 'eu' }, own: { dc: 'com.au' } })).toEqual({
      dc: 'com.au',
      client_id: 'c1',
    })
  })

  test('are those that endpoints and requests ask for', () => {
    expect(usedParameters(zoho)).toEqual(['dc', 'soid'])
    expect(beginning(zoho, { clientId: 'c1', client: {}, own: { soid: 'ZohoCRM.1234' } })).toBe(
      'https://accounts.zoho.com/oauth/v2/token',
    )
    expect(beginning(zoho, { clientId: 'c1', client: {}, own: {} })).toMatchObject({
      message: expect.stringMatching(/soid is missing; .*\(organisation\)/),
    })
    expect(beginning(zoho, { clientId: 'c1', client: {}, own: { soid: 'a1', sodi: 'x' } })).toMatchObject({
      message: expect.stringMatching(/sodi is none of provider zoho; it has dc, soid/),
    })
  })

  test.each([
    [{ dc: 'ru' }, /parameter dc must be one of com, eu, com\.au/],
    [{ dc: 'evil.example/' }, /must be one of/],
    [{ soid: '1234' }, /parameter soid must match .*, as ZohoCRM\.1234 does/],
    [{ soid: 'A1\nhost: x' }, /control character/],
    [{ soid: '' }, /must be 1 to 2000 characters/],
    [{ soid: `A1${'1'.repeat(3000)}` }, /must be 1 to 2000 characters/],
  ] as [Record<string, string>, RegExp][])('%j are refused without being repeated', (own, message) => {
    const result = parametersOf(zoho, { clientId: 'c1', client: {}, own })
    expect(result).toMatchObject({ code: 'invalid_parameter', message: expect.stringMatching(message) })
  })

  test('cannot name the whole host: only perennial.yaml can', () => {
    const refused = parametersOf(selfHosted, { clientId: 'c1', client: {}, own: { host: 'evil.example' } })
    expect(refused).toMatchObject({ code: 'invalid_parameter', message: expect.stringContaining('perennial.yaml') })
    const missing = beginning(selfHosted, { clientId: 'c1', client: {}, own: { realm: 'main', soid: 'a1' } })
    expect(missing).toMatchObject({
      message: 'parameter host is missing; give it under parameters of its client (the server)',
    })
    const values = { host: 'id.acme.example', realm: 'main' }
    expect(filledEndpoint(selfHosted, selfHosted.tokenEndpoint ?? '', values)).toBe(
      'https://id.acme.example/realms/main/token',
    )
  })

  test.each([
    'evil.example/',
    'evil.example@x',
    'x@evil.example',
    'evil.example%2f',
    'evil.example\u3002com',
    'evil\uff0eexample',
    'evil.example:8443',
    'evil.example\\',
    'evil.example?',
    'evil.example#',
    '[::1]',
    '.',
  ])('%j makes no host, whoever says it', (host) => {
    expect(filledEndpoint(selfHosted, selfHosted.tokenEndpoint ?? '', { host, realm: 'main' })).toBeInstanceOf(Error)
    const values = { host: 'id.acme.example', realm: host }
    expect(filledEndpoint(selfHosted, selfHosted.tokenEndpoint ?? '', values)).toBeInstanceOf(Error)
  })

  test('never lead to a site that the list does not hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (dc) => {
        const values = parametersOf(zoho, { clientId: 'c1', client: {}, own: { dc } })
        if (!(values instanceof Error)) expect(['com', 'eu', 'com.au']).toContain(values.dc)
      }),
    )
  })
})
