import { createInterface } from 'node:readline/promises'
import { usageError } from './exit.ts'
import { printable } from './output.ts'

export const yesFlag = ['--yes', 'do not ask'] as const

/**
 * Refuses a change of many credentials where nobody said yes and nobody can be asked.
 *
 * @throws PerennialError `usage`
 */
export function requireConsent({ yes }: { yes?: boolean }, what: string): void {
  const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true
  if (!yes && !canAsk) throw usageError(`${what}: add --yes to go ahead`)
}

/** Asks on the terminal. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(?:es)?$/i.test((await terminal.question(printable(`${question} [y/N] `))).trim())
  } finally {
    terminal.close()
  }
}
