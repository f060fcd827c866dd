import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endpointProblem, fillEndpoint } from '../../src/providers/endpoint.ts'
import { placeholders } from '../../src/providers/template.ts'

describe('an endpoint of a configuration', () => {
  test.each([
    'https://id.acme.example/realms/main/token',
    'https://id.acme.example:8443/token?audience=x',
    'https://{domain}.auth0.com/oauth/token',
    'https://{org}.okta.com:443/oauth2/{server}/v1/token',
    'https://{shop}.myshopify.com/admin/oauth/access_token',
    'https://{account}.crm.co.uk/token',
    'https://{account}.crm.internal/token',
    'https://login.example.com/{tenant}/oauth2/token?realm={realm}',
    'http://localhost:3000/token',
    'http://127.0.0.1:3000/token',
    'http://127.1/token',
    'http://[::1]:3000/token',
    'http://{tenant}.localhost:3000/token',
  ])('%s is accepted', (template) => {
    expect(endpointProblem(template)).toBeUndefined()
  })

  test.each([
    ['http://id.acme.example/token', /must be https/],
    ['http://127.0.0.1.evil.example/token', /must be https/],
    ['http://localhost.evil.example/token', /must be https/],
    ['ftp://id.acme.example/token', /begins with https/],
    ['id.acme.example/token', /begins with https/],
    ['https://user:pw@id.acme.example/token', /no credentials/],
    ['https://{user}@id.acme.example/token', /no credentials/],
    ['https://id.acme.example/token#x', /no fragment/],
    ['https://id.acme.example\\@evil.example/token', /backslashes/],
    ['https://id.acme.example/to ken', /no spaces/],
    ['https://{domain}/oauth/token', /followed by a dot/],
    ['https://id.acme.example.{domain}/token', /followed by a dot/],
    ['https://{domain}auth0.com/token', /followed by a dot/],
    ['https://{domain}.com/token', /followed by a dot/],
    ['https://{domain}.co.uk/token', /followed by a dot/],
    ['https://{domain}.COM.au/token', /followed by a dot/],
    ['https://{domain}.auth0.com:{port}/token', /followed by a dot/],
    ['http://127.0.0.{x}/token', /followed by a dot/],
    ['https://id.acme.example/{a b}/token', /no spaces/],
    ['https://id.acme.example/{}/token', /brace/],
    ['https://id.acme.example/{{a}}/token', /brace/],
    ['https:///token', /begins with/],
  ])('%s is refused', (template, why) => {
    expect(endpointProblem(template)).toMatch(why)
  })

  test.each([
    ['https://{host}/token', undefined],
    ['https://accounts.zoho.{host}/token', undefined],
    ['https://{free}.zoho.{host}/token', undefined],
    ['https://{free}.{host}/token', /placeholder {free} in the host must be followed/],
    ['https://{host}.{free}/token', /placeholder {free} in the host must be followed/],
    ['http://{host}/token', /must be https/],
  ])('%s: a placeholder whose filler may name the site may stand anywhere in the host', (template, why) => {
    const problem = endpointProblem(template, (name) => name === 'host')
    if (why === undefined) expect(problem).toBeUndefined()
    else expect(problem).toMatch(why)
  })

  test('its placeholders are named once each', () => {
    expect(placeholders('https://{a}.x.example/{b}/{a}')).toEqual(['a', 'b'])
  })
})

describe('filling an endpoint', () => {
  test('puts the values where their names are', () => {
    expect(fillEndpoint('https://{domain}.auth0.com/{p}/token', { domain: 'acme.eu', p: 'v1.0' })).toBe(
      'https://acme.eu.auth0.com/v1.0/token',
    )
  })

  test.each(
    [
      [
        '',
        '.',
        '..',
        '-',
        '.a',
        'a.',
        '-a',
        'a-',
        'a/b',
        'a@b',
        'a:1',
        'a?b',
        'a#b',
        'a%2fb',
        'a\\b',
        'a b',
        'a\n',
        'ä',
      ],
    ].flat(),
  )('refuses the value %j without repeating it', (bad) => {
    const result = fillEndpoint('https://id.example.com/{tenant}/token', { tenant: bad })
    expect(result).toMatchObject({ code: 'invalid_parameter', message: expect.stringContaining('parameter tenant') })
    if (bad.length > 2) expect((result as Error).message).not.toContain(bad)
  })

  test('says which parameter is missing, and takes none from the prototype', () => {
    expect(fillEndpoint('https://id.example.com/{constructor}', {})).toMatchObject({
      message: expect.stringContaining('parameter constructor is missing'),
    })
  })

  test('refuses a host with an empty label', () => {
    expect(fillEndpoint('https://{d}.auth0.com/', { d: 'a..b' })).toMatchObject({ code: 'invalid_parameter' })
  })

  const templates = [
    'https://{d}.auth0.com/oauth/token',
    'https://login-{d}.site.example:8443/{d}/token?tenant={d}',
    'https://site.example/a/{d}/b?tenant={d}',
    'http://{d}.localhost:3000/{d}',
  ]
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'aZ0.-/\\@:?#%&=+ \t\n[]{}..127xn--'), maxLength: 16 }),
    fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,20}[A-Za-z0-9])?$/),
  )

  test('no value changes the scheme, site, port, credentials, depth of the path, query names or fragment', () => {
    const shape = (text: string) => {
      const url = new URL(text)
      const { protocol, port, username, password, hash } = url
      return {
        protocol,
        port,
        username,
        password,
        hash,
        depth: url.pathname.split('/').length,
        query: [...url.searchParams.keys()],
      }
    }
    let filled = 0
    fc.assert(
      fc.property(fc.constantFrom(...templates), hostile, (template, d) => {
        const result = fillEndpoint(template, { d })
        if (result instanceof Error) return
        filled += 1
        const site = template.includes('{d}.') ? /\{d\}(\.[^:/]+)/.exec(template)?.[1] : 'site.example'
        expect(new URL(result).hostname.endsWith(site ?? 'no site')).toBe(true)
        expect(shape(result)).toEqual(shape(template.replaceAll('{d}', 'x')))
      }),
      { numRuns: 3000 },
    )
    expect(filled).toBeGreaterThan(300)
  })
})
