import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { PerennialError } from '../errors.ts'
import { demoClients, demoConfiguration } from './demo/orchard.ts'
import type { DataFolder } from './folder.ts'

type Mapping = Record<string, unknown>

const header = `# Written by perennial dev at every start. Put clients and providers of your own into another file and name it with
# perennial dev --config FILE.
`

/** Where the embedded servers answer. */
export interface Addresses {
  redisUrl: string
  demoPort?: number
}

/** Writes perennial.yaml: the embedded servers, the demo's clients, and what the user's own file adds. */
export function writeConfiguration(folder: DataFolder, addresses: Addresses, userFile: string | undefined): string {
  const own: Mapping = userFile === undefined ? {} : adoptConfiguration(userFile, folder)
  const { demoPort } = addresses
  const demo = demoPort === undefined ? undefined : demoConfiguration(demoPort, demoClients(folder))
  const document = {
    ...own,
    redis: { url: { file: folder.write('secrets/redis-url', addresses.redisUrl) } },
    keys: { grant: [{ file: folder.secret('grant-key') }], reader: [{ file: folder.secret('reader-key') }] },
    clients: { ...demo?.clients, ...mapping(own.clients) },
    providers: { ...demo?.providers, ...mapping(own.providers) },
  }
  return folder.write('perennial.yaml', header + stringify(document))
}

/** Writes the profile from which the SDK and the Temporal CLI take the address (`TEMPORAL_CONFIG_FILE`). */
export function writeTemporalProfile(folder: DataFolder, address: string): string {
  const profile = `[profile.default]\naddress = ${JSON.stringify(address)}\nnamespace = "default"\n`
  return folder.write('temporal.toml', profile)
}

/** This environment without what would lead elsewhere than to the embedded servers. */
export function embeddedEnvironment(
  environment: NodeJS.ProcessEnv,
  profile: string,
): Record<string, string | undefined> {
  const hidden = Object.keys(environment).filter((name) => name.startsWith('TEMPORAL_') || name === 'PERENNIAL_CONFIG')
  return { ...Object.fromEntries(hidden.map((name) => [name, undefined])), TEMPORAL_CONFIG_FILE: profile }
}

/** Reads a user's file; its secrets may be literals, and its relative paths start at its own folder. */
function adoptConfiguration(file: string, folder: DataFolder): Mapping {
  const document = mapping(readYaml(file))
  const adopted = (secret: unknown, name: string) => {
    if (typeof secret === 'string') return { file: folder.write(`secrets/literal-${fileName(name)}`, secret) }
    if (!isMapping(secret) || typeof secret.file !== 'string') return secret
    return { ...secret, file: resolve(dirname(file), secret.file) }
  }
  const clients = Object.entries(mapping(document.clients)).map(([name, client]) => {
    if (!isMapping(client)) return [name, client]
    const { clientSecrets } = client
    const pems = ['privateKey', 'certificate'].filter((field) => client[field] !== undefined)
    return [
      name,
      {
        ...client,
        ...(Array.isArray(clientSecrets) && {
          clientSecrets: clientSecrets.map((secret, index) => adopted(secret, `${name}-${index}`)),
        }),
        ...Object.fromEntries(pems.map((field) => [field, adopted(client[field], `${name}-${field}`)])),
      },
    ]
  })
  return { ...document, clients: Object.fromEntries(clients) }
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'), { prettyErrors: false })
  } catch (error) {
    // what a YAML parser says may quote the file, and a literal secret with it
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new PerennialError('config_unreadable', `${file} cannot be read (${code}); name a YAML file with --config`)
  }
}

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mapping = (value: unknown): Mapping => (isMapping(value) ? value : {})

const fileName = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, (character) => `%${character.charCodeAt(0)}`)
