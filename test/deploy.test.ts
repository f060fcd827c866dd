import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sealingKey } from '../packages/reader/src/sealed.ts'
import { composeProblems, composeSchema, dockerfileProblems } from '../scripts/check-compose.ts'
import { packageRoot } from '../src/dev/binaries.ts'

const root = packageRoot()
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const run = promisify(execFile)

const compose = read('docker-compose.yml')

describe('docker-compose.yml', () => {
  let schema: object
  beforeAll(async () => {
    schema = await composeSchema()
  })
  const problems = (text: string) => composeProblems(text, root, schema)

  test('is a valid compose file, with every version pinned, every service watched and no secret in it', () => {
    expect(problems(compose)).toEqual([])
  })

  test.each([
    ['a key that compose does not know', 'restart: unless', 'restrat: unless', 'schema: /services/postgresql'],
    ['a misspelt condition', 'condition: service_healthy', 'condition: healthy', 'schema: /services/temporal-schema'],
    ['an image without a version', 'temporalio/ui:2.54.1', 'temporalio/ui', 'temporal-ui: its image'],
    ['an image that moves', 'temporalio/ui:2.54.1', 'temporalio/ui:latest', 'temporal-ui: its image'],
    ['no restart policy', '    restart: unless-stopped\n    init', '    init', 'worker: it has no restart'],
    ['a port for everyone', "'127.0.0.1:$", "'0.0.0.0:$", 'temporal: port "0.0.0.0:'],
    ['a worker killed early', 'stop_grace_period: 40s', 'stop_grace_period: 25s', 'worker: stopped after 25 s'],
    ['a worker killed at 10 s', '    stop_grace_period: 40s\n', '', 'worker: stopped after 10 s'],
    ['a wait for nobody', 'temporal-register: { cond', 'temporal-setup: { cond', 'worker: it waits for temporal-setup'],
    ['a network that is not there', 'networks: [store]', 'networks: [cache]', 'redis: network cache'],
    ['a secret that is not there', 'secrets: [redis-url,', 'secrets: [redis-uri,', 'worker: secret redis-uri'],
    ['a config without its file', 'redis/redis.conf', 'redis/valkey.conf', 'config redis-conf: there is no file'],
    ['a secret in git', './deploy/secrets/grant-key', './deploy/grant-key', 'secret grant-key is not a file'],
    ['a password', 'POSTGRES_PASSWORD_FILE: /run', 'POSTGRES_PASSWORD: /run', '/services/postgresql/environment'],
    ['a password in a command', 'POSTGRES_PWD="$$(cat', 'POSTGRES_PWD="hunter2$$(', '/services/temporal/entrypoint'],
    ['a default password', 'SQL_USER: temporal', `X: $${'{SQL_PASSWORD:-temporal}'}`, '/services/temporal-schema'],
    ['a password in an address', 'DB: postgres12', 'DB: redis://a:b@redis', '/services/temporal/environment/DB'],
  ])('is refused with %s', (_what, from, to, problem) => {
    expect(compose).toContain(from)
    const found = problems(compose.replace(from, () => to))
    expect(found.join('\n')).toContain(problem)
  })

  test('is refused with a service that nothing watches, and with a wait for its health', () => {
    const document = parse(compose, { merge: true }) as { services: Record<string, { healthcheck?: unknown }> }
    delete document.services.redis?.healthcheck
    const found = problems(JSON.stringify(document))
    expect(found).toContain('redis: it has no healthcheck')
    expect(found).toContain('worker: it waits for the health of redis, which has no healthcheck')
  })
})

describe('deploy/Dockerfile', () => {
  const dockerfile = read('deploy/Dockerfile')
  const ignore = read('deploy/Dockerfile.dockerignore')

  test('copies what is there, pins its base, runs as nobody special and is watched', () => {
    expect(dockerfileProblems(dockerfile, ignore, root)).toEqual([])
  })

  test.each([
    ['a file that is not there', 'COPY bin bin', 'COPY bim bim', 'COPY bim: there is no such path'],
    ['a file that the ignore file leaves out', 'COPY bin bin', 'COPY test test', 'COPY test: left out'],
    ['a base that moves', '24.19.0-bookworm-slim AS build', '24-slim AS build', 'no exact version'],
    ['root', 'USER node', 'USER root', 'it runs as root'],
    ['root by default', 'USER node\n', '', 'it runs as root'],
    ['no healthcheck', 'HEALTHCHECK --', '# --', 'it has no HEALTHCHECK'],
    ['a build step that is not there', 'scripts/build.ts', 'scripts/bild.ts', 'RUN runs scripts/bild.ts'],
    ['no command', 'CMD ["node", "bin', '# ["node", "bin', 'it has no CMD'],
    ['a healthcheck that is not there', '["node", "deploy/h', '["node", "deploy/x', 'CMD runs deploy/xealthcheck.ts'],
    ['a command that is not there', 'bin/perennial.js', 'bin/perenial.js', 'CMD runs bin/perenial.js'],
  ])('is refused with %s', (_what, from, to, problem) => {
    expect(dockerfile).toContain(from)
    expect(
      dockerfileProblems(
        dockerfile.replace(from, () => to),
        ignore,
        root,
      ).join('\n'),
    ).toContain(problem)
  })

  test('is built and stopped as docker-compose.yml says', () => {
    const { services } = parse(compose, { merge: true }) as {
      services: { worker: { healthcheck: { test: string[] } } }
    }
    const [, ...command] = services.worker.healthcheck.test
    expect(dockerfile).toContain(`CMD ${JSON.stringify(command).replaceAll(',', ', ')}`)
  })
})

const scratch = mkdtempSync(join(tmpdir(), 'perennial-deploy-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** deploy/ in a folder of its own, after init.sh. */
async function initialised(name: string): Promise<string> {
  const folder = join(scratch, name)
  await cp(join(root, 'deploy'), folder, { recursive: true, filter: (path) => !/secrets|perennial\.yaml$/.test(path) })
  await run('sh', [join(folder, 'init.sh'), folder])
  return folder
}

describe('deploy/init.sh', () => {
  test('makes every secret of docker-compose.yml, new ones each time, behind a folder that is closed', async () => {
    const [one, two] = [await initialised('one'), await initialised('two')]
    const { secrets } = parse(compose) as { secrets: Record<string, { file: string }> }
    for (const { file } of Object.values(secrets)) {
      const [a, b] = [one, two].map((folder) => readFileSync(join(folder, file.replace('./deploy/', '')), 'utf8'))
      expect(a).not.toBe(b)
    }
    expect((await stat(join(one, 'secrets'))).mode & 0o777).toBe(0o700)
    for (const name of ['grant-key', 'reader-key']) sealingKey(readFileSync(join(one, 'secrets', name), 'utf8'), name)
  })

  test('changes nothing when it is run again', async () => {
    const folder = await initialised('again')
    writeFileSync(join(folder, 'perennial.yaml'), 'mine')
    const contents = () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    const before = contents()
    await run('sh', [join(folder, 'init.sh'), folder])
    expect(contents()).toEqual(before)
  })
})
