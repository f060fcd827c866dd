/**
 * Everything in a value that can be read, a line each: texts, names of members, numbers, and bytes as characters, so
 * that payloads of histories are searched decoded.
 */
export function textsIn(value: unknown): string {
  const lines: string[] = []
  const walk = (one: unknown) => {
    if (typeof one === 'string') lines.push(one)
    else if (one instanceof Uint8Array) lines.push(Buffer.from(one).toString('latin1'))
    else if (Array.isArray(one)) one.forEach(walk)
    else if (one instanceof Map) walk([...one])
    else if (typeof one === 'object' && one !== null)
      for (const [name, member] of Object.entries(one)) {
        lines.push(name)
        walk(member)
      }
    else if (one !== undefined && typeof one !== 'function') lines.push(String(one))
  }
  walk(value)
  return lines.join('\n')
}
