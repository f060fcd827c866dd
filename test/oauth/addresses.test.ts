import { afterEach, describe, expect, it } from 'vitest'
import { isPublicAddress, isPublicHost } from '../../src/oauth/addresses.ts'
import { beginAttempt, createTokenEndpoint, type TokenRequest } from '../../src/oauth/index.ts'
import { httpAnswer, rawServer } from './raw-server.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ])('%s is private', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(['8.8.8.8', '172.32.0.1', '100.63.255.255', '2606:4700::1111'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it('that stands in the place of a name is no provider’s, however it is spelled', () => {
    for (const spelled of ['2130706433', '0x7f.1', '127.1', '8.8.8.8', '[::1]', '[::ffff:127.0.0.1]'])
      expect(isPublicHost(new URL(`https://${spelled}/`).hostname)).toBe(false)
    expect(isPublicHost('id.example.com')).toBe(true)
  })
})

describe('a request to an address that someone outside of the configuration chose', () => {
  const ask = async (host: string, publicOnly: boolean) => {
    const server = await rawServer((socket) => socket.end(httpAnswer(200, '{"access_token":"a"}')))
    const tokens = createTokenEndpoint()
    closers.push(server.close, tokens.close)
    const request: TokenRequest = {
      endpoint: `http://${host}:${server.port}/token`,
      clientId: 'app',
      clientAuth: 'none',
      grant: 'client_credentials',
      rotation: 'none',
      parameters: {},
      publicOnly,
    }
    return { verdict: await tokens.exchange(request, beginAttempt(2_000)), connections: server.connections() }
  }

  it.each(['localhost', '127.0.0.1'])('never connects to %s, and says what allows it', async (host) => {
    const { verdict, connections } = await ask(host, true)
    expect(verdict).toMatchObject({
      kind: 'unsent',
      reason: 'private_address',
      detail: expect.stringContaining('allowPrivateAddresses'),
    })
    expect(connections).toBe(0)
  })

  it('connects where the configuration allows it', async () => {
    expect((await ask('127.0.0.1', false)).verdict).toMatchObject({ kind: 'granted' })
  })
})
