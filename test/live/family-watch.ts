import { readdirSync, readFileSync } from 'node:fs'

const lookEveryMs = 100

/** Keeps the arguments and the environment of every process that descends from one, as long as it watches. Linux only. */
export class FamilyWatch {
  readonly arguments = new Set<string>()
  readonly environments = new Set<string>()
  readonly #root: number
  readonly #timer: NodeJS.Timeout

  constructor(root: number) {
    this.#root = root
    this.#timer = setInterval(() => this.#look(), lookEveryMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const parents = new Map(processes().map((pid) => [pid, parentOf(pid)]))
    for (const pid of parents.keys()) {
      if (!this.#isOfFamily(pid, parents)) continue
      this.arguments.add(read(`/proc/${pid}/cmdline`))
      this.environments.add(read(`/proc/${pid}/environ`))
    }
  }

  #isOfFamily(pid: number, parents: Map<number, number>): boolean {
    let one = parents.get(pid)
    while (one !== undefined && one !== this.#root) one = parents.get(one)
    return one === this.#root
  }
}

const processes = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** Field 4 of /proc/PID/stat; field 2, in parentheses, may hold anything (proc_pid_stat(5)). */
function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

/** Empty where the process has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1').replaceAll('\0', '\n')
  } catch {
    return ''
  }
}
