import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'

const bin = join(import.meta.dirname, '../../bin/perennial.js')

export interface Ended {
  code: number | null
  stdout: string
  /** without the line that names the servers */
  stderr: string
  took: number
}

/** Runs `perennial` as a shell would, with nothing on stdin and only these variables. */
export function perennial(
  args: string[],
  { cwd, env = {}, input = '' }: { cwd: string; env?: Record<string, string>; input?: string },
): Promise<Ended> {
  return run([process.execPath, bin, ...args], { cwd, env, input })
}

/** Runs `perennial` on a terminal of its own; what it writes comes back together. */
export function onTerminal(args: string[], options: { cwd: string; input: string }): Promise<Ended> {
  const program = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
  return run(['python3', '-c', program, process.execPath, bin, ...args], { ...options, env: {} })
}

async function run(
  [command = '', ...args]: string[],
  { cwd, env, input }: { cwd: string; env: Record<string, string>; input: string },
): Promise<Ended> {
  const began = performance.now()
  const child = spawn(command, args, { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, ...env } })
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray())
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    code,
    stdout: (await stdout)?.join('') ?? '',
    stderr: ((await stderr)?.join('') ?? '').replace(/^using .*\n/, ''),
    took: performance.now() - began,
  }
}

/** Expects a refusal in one line. */
export function expectRefusal(ended: Ended, code: number, message: RegExp): void {
  expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^perennial: [^\n]+\n$/) })
  expect(ended.stderr).toMatch(message)
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
