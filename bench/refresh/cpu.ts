import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** of Linux on all that Node runs on */
const tickMs = 10

/** What a process has used of all cores so far, user and system, in milliseconds. */
export function cpuMsOf(pid: number): number {
  if (!existsSync('/proc/self/stat')) return fromPs(pid)
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // fields 14 and 15 of proc_pid_stat(5); field 2, the name, may hold anything
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

/** `minutes:seconds.hundredths`, with hours and days before them where it comes to that */
function fromPs(pid: number): number {
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  const [seconds = 0, minutes = 0, hours = 0, days = 0] = time.split(/[:-]/).map(Number).reverse()
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}
