/**
 * Checks docker-compose.yml where there is no Docker: against the Compose Specification's own schema, and for what a
 * schema cannot say. `node scripts/check-compose.ts [FILE]` prints what is wrong, a line each, and exits 1.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { packageRoot } from '../src/dev/binaries.ts'
import { installWheel } from '../src/dev/wheels.ts'

interface Service {
  image?: string
  restart?: string
  healthcheck?: unknown
  stop_grace_period?: string
  environment?: Record<string, unknown>
  depends_on?: Record<string, { condition: string }>
  ports?: unknown[]
  networks?: string[]
  secrets?: string[]
  configs?: { source: string }[]
}

interface Compose {
  services: Record<string, Service>
  networks?: Record<string, unknown>
  secrets?: Record<string, Record<string, unknown>>
  configs?: Record<string, { file?: string }>
}

/** The Compose Specification's schema, from the package that keeps the newest one: nothing of it is copied here. */
export async function composeSchema(): Promise<object> {
  const wheel = {
    project: 'check-jsonschema',
    version: '0.39.0',
    sha256: ['14ce5c94871c551268ea948ffe21e9f1464dc48fb20bf9a4c13deeaaf756cf9b'],
    path: 'check_jsonschema/builtin_schemas/vendor/compose-spec.json',
  }
  return JSON.parse(readFileSync(await installWheel(wheel, join(packageRoot(), '.tools')), 'utf8')) as object
}

/**
 * What is wrong with a compose file, a sentence each.
 *
 * @param folder what its paths are relative to
 */
export function composeProblems(text: string, folder: string, schema: object): string[] {
  const document: unknown = parse(text, { merge: true })
  const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema)
  if (!validate(document)) return (validate.errors ?? []).map((e) => `schema: ${e.instancePath} ${e.message}`)
  const compose = document as Compose
  return [
    ...Object.entries(compose.services).flatMap(([name, service]) =>
      serviceProblems(name, service, compose).map((problem) => `${name}: ${problem}`),
    ),
    ...graceProblems(compose.services.worker),
    ...fileProblems(compose, folder),
    ...secretProblems(document, ''),
  ]
}

function serviceProblems(name: string, service: Service, compose: Compose): string[] {
  return [
    ...(/:\d+\.\d+[\w.-]*$/.test(service.image ?? '') ? [] : ['its image has no exact version']),
    ...(service.restart === undefined ? ['it has no restart policy'] : []),
    ...(service.healthcheck === undefined && !endsByItself(name, service, compose) ? ['it has no healthcheck'] : []),
    ...(service.ports ?? [])
      .filter((port) => typeof port !== 'string' || !port.startsWith('127.0.0.1:'))
      .map((port) => `port ${JSON.stringify(port)} is not on loopback`),
    ...Object.entries(service.depends_on ?? {}).flatMap(([other, { condition }]) => {
      const found = compose.services[other]
      if (found === undefined) return [`it waits for ${other}, which is no service`]
      const healthless = condition === 'service_healthy' && found.healthcheck === undefined
      return healthless ? [`it waits for the health of ${other}, which has no healthcheck`] : []
    }),
    ...undeclared('network', service.networks, compose.networks),
    ...undeclared('secret', service.secrets, compose.secrets),
    ...undeclared(
      'config',
      service.configs?.map(({ source }) => source),
      compose.configs,
    ),
  ]
}

/** A one-shot: tried again only where it failed, and awaited by others. */
function endsByItself(name: string, service: Service, compose: Compose): boolean {
  const awaited = Object.values(compose.services).some(
    (other) => other.depends_on?.[name]?.condition === 'service_completed_successfully',
  )
  return awaited && service.restart?.startsWith('on-failure') === true
}

const undeclared = (kind: string, used: string[] = [], declared: Record<string, unknown> = {}) =>
  used.filter((name) => !(name in declared)).map((name) => `${kind} ${name} is not declared`)

/** The worker lets a refresh under way finish for 20 s and ends at 25 s; killed sooner, it may lose a refresh token. */
function graceProblems(worker: Service | undefined): string[] {
  const seconds = Number(/^(\d+)s$/.exec(worker?.stop_grace_period ?? '')?.[1] ?? 10)
  return seconds > 25 ? [] : [`worker: stopped after ${seconds} s, before its shutdown can end at 25 s`]
}

function fileProblems({ configs = {}, secrets = {} }: Compose, folder: string): string[] {
  const missing = Object.entries(configs)
    // made by deploy/init.sh
    .filter(([name]) => name !== 'perennial-yaml')
    .filter(([, { file }]) => file === undefined || !existsSync(join(folder, file)))
    .map(([name, { file }]) => `config ${name}: there is no file ${file}`)
  const open = Object.entries(secrets)
    .filter(([, { file }]) => typeof file !== 'string' || !file.startsWith('./deploy/secrets/'))
    .map(([name]) => `secret ${name} is not a file of deploy/secrets, which git ignores`)
  return [...missing, ...open]
}

const secretName = '(?:PASSWORD|PASS|PWD|AUTH|SECRET|TOKEN|KEY)'

/** Secrets written down: given to what is named like one, as the default of a variable, or inside an address. */
function secretProblems(value: unknown, path: string): string[] {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, inner]) => secretProblems(inner, `${path}/${key}`))
  const text = String(value)
  const given = new RegExp(`${secretName}$`).test(path) && !/^\$\{\w+:\?/.test(text)
  const assigned = new RegExp(`${secretName}="?(?!\\$)[^\\s"]`).test(text)
  return [
    ...(given || assigned ? [`${path} holds a secret`] : []),
    ...(new RegExp(`\\$\\{\\w*${secretName}\\w*:?-`).test(text) ? [`${path} has a default for a secret`] : []),
    ...(/:\/\/[^/\s]*:[^/\s$]+@/.test(text) ? [`${path} holds an address with a password`] : []),
  ]
}

/**
 * What is wrong with a Dockerfile and the ignore file beside it, a sentence each.
 *
 * @param folder the build context
 */
export function dockerfileProblems(text: string, ignore: string, folder: string): string[] {
  const lines = text.split('\n')
  const sources = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1))
  const allowed = ignore.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
  const user = lines.findLast((line) => line.startsWith('USER '))?.slice(5)
  const scripts = [...text.matchAll(/^(?:HEALTHCHECK .*)?(CMD|RUN) (?:\["node", "([^"]+)"|node (\S+))/gm)]
  return [
    ...lines
      .filter((line) => line.startsWith('FROM ') && !/^FROM \S+:\d+\.\d+\.\d+\S*( AS \w+)?$/.test(line))
      .map((line) => `${line}: no exact version`),
    ...sources.filter((path) => !existsSync(join(folder, path))).map((path) => `COPY ${path}: there is no such path`),
    ...sources
      .filter((path) => !allowed.some((entry) => path === entry || path.startsWith(`${entry}/`)))
      .map((path) => `COPY ${path}: left out by the ignore file`),
    ...(user === undefined || /^(root|0)\b/.test(user) ? ['it runs as root'] : []),
    ...(/^HEALTHCHECK /m.test(text) ? [] : ['it has no HEALTHCHECK']),
    ...scripts
      .map(([, verb = '', listed, plain]) => ({ verb, script: listed ?? plain ?? '' }))
      .filter(({ script }) => !existsSync(join(folder, script)))
      .map(({ verb, script }) => `${verb} runs ${script}, which is not there`),
    ...(/^CMD /m.test(text) ? [] : ['it has no CMD']),
  ]
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? join(packageRoot(), 'docker-compose.yml'))
  const problems = composeProblems(readFileSync(file, 'utf8'), dirname(file), await composeSchema())
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
