import { reportFailure } from './exit.ts'
import { createProgram } from './program.ts'

// `perennial list | head`: whoever read has gone, and nothing is left to be said
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

let exitCode = 0
try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  exitCode = reportFailure(error, process.env)
}
// what was printed is on its way; connections that someone forgot must not keep the terminal
process.stdout.write('', () => process.exit(exitCode))
