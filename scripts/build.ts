/**
 * Makes `dist`, which is what is packed: compiled JavaScript with its types, the Lua scripts, and the workflow code
 * bundled, so that a worker in production starts without a bundler.
 */
import { execFile } from 'node:child_process'
import { cp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { workflowModules } from '../src/workflow-code.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

await rm(dist, { recursive: true, force: true })
await compile()
await cp(join(root, 'src/store/scripts'), join(dist, 'src/store/scripts'), { recursive: true })
await bundleWorkflows()

async function compile(): Promise<void> {
  const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')])
  } catch (error) {
    // where the errors in the source are
    if (error instanceof Error && 'stdout' in error) process.stderr.write(String(error.stdout))
    throw error
  }
}

async function bundleWorkflows(): Promise<void> {
  const { code } = await bundleWorkflowCode({
    ...workflowModules(join(dist, 'src/workflows'), 'js'),
    logger: new DefaultLogger('WARN'),
  })
  await writeFile(join(dist, 'workflow-bundle.js'), code)
}
