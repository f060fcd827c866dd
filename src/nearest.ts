/** The candidate that someone most likely meant, when one is near enough to be worth naming. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  if (best === undefined || best.distance > Math.max(2, Math.floor(best.candidate.length / 3))) return undefined
  return best.candidate
}

/** Says that a key is unknown, and which one was probably meant. */
export function unknownKey(key: string, known: readonly string[]): string {
  const guess = nearest(key, known)
  const advice = guess === undefined ? `known here: ${known.join(', ')}` : `did you mean ${guess}?`
  return `unknown key ${JSON.stringify(key)}; ${advice}`
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

const at = (row: number[], column: number) => row[column] ?? Number.POSITIVE_INFINITY
