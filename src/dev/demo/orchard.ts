import { readFileSync } from 'node:fs'
import { credentialId } from '../../credential.ts'
import type { DataFolder } from '../folder.ts'
import type { DemoClient } from './settings.ts'

const names =
  'apple pear plum fig quince cherry apricot peach medlar mulberry damson olive almond walnut hazel lemon'.split(' ')

/** The subjects of the demo's users; more than there are fruits get numbers. */
export function demoSubjects(users: number): string[] {
  return Array.from({ length: users }, (_, index) => {
    const name = names[index % names.length] ?? ''
    return index < names.length ? name : `${name}-${Math.floor(index / names.length) + 1}`
  })
}

export const demoCredential = (subject: string): string => credentialId('demo', 'orchard', subject)

/** The one credential that no person stands behind. */
export const serviceCredential = credentialId('demo', 'orchard-m2m', 'service')

export function demoClients(folder: DataFolder): (DemoClient & { secretFile: string })[] {
  const client = (id: string, grant: DemoClient['grant']) => {
    const secretFile = folder.secret(`demo-${id}`)
    return { id, grant, secretFile, secret: readFileSync(secretFile, 'utf8') }
  }
  return [client('orchard', 'refresh_token'), client('orchard-m2m', 'client_credentials')]
}

/** The clients and the provider of the demo, as perennial.yaml says them. */
export function demoConfiguration(port: number, clients: (DemoClient & { secretFile: string })[]) {
  const entry = ({ id, grant, secretFile }: DemoClient & { secretFile: string }) => ({
    provider: 'orchard',
    ...(grant === 'refresh_token' ? {} : { grant }),
    clientId: id,
    clientSecrets: [{ file: secretFile }],
  })
  return {
    clients: Object.fromEntries(clients.map((client) => [client.id, entry(client)])),
    providers: {
      orchard: {
        tokenEndpoint: `http://127.0.0.1:${port}/token`,
        revocationEndpoint: `http://127.0.0.1:${port}/token/revocation`,
        clientAuth: 'client_secret_basic',
        rotation: 'single_use',
      },
    },
  }
}
