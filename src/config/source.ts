/**
 * The text of perennial.yaml: read, parsed, and with a line for each of its places.
 */
import { readFile } from 'node:fs/promises'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { PerennialError } from '../errors.ts'
import { type Path, type Problem, pathText } from './problem.ts'

export interface Source {
  value: unknown
  /** all problems in one error, a line each: file, line, path, what to do */
  failure(problems: readonly Problem[]): PerennialError
}

/** @throws PerennialError `config_missing`, or `config_invalid` where it is no YAML */
export async function readSource(path: string): Promise<Source> {
  const lines = new LineCounter()
  // its own messages quote the source, and the source may hold a secret
  const document = parseDocument(await readText(path), { lineCounter: lines, prettyErrors: false })
  const broken = document.errors.map(
    ({ code, pos }) =>
      `${path}:${lines.linePos(pos[0]).line}: not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`,
  )
  if (broken.length > 0) throw new PerennialError('config_invalid', broken.join('\n'))

  const lineOf = (at: Path) => {
    const offset = offsetOf(document, at)
    return offset === undefined ? '' : `:${lines.linePos(offset).line}`
  }
  const failure = (problems: readonly Problem[]) => {
    const messages = problems.map(({ path: at, message }) =>
      [`${path}${lineOf(at)}`, ...(at.length === 0 ? [] : [pathText(at)]), message].join(': '),
    )
    return new PerennialError('config_invalid', messages.join('\n'))
  }
  return { value: toValue(document, failure), failure }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT')
      throw new PerennialError('config_missing', `${path} does not exist; name the configuration with --config FILE`)
    throw new PerennialError('config_missing', `${path} cannot be read (${code}); check its permissions`)
  }
}

type Document = ReturnType<typeof parseDocument>

function toValue(document: Document, failure: Source['failure']): unknown {
  try {
    return document.toJS()
  } catch {
    // an alias without an anchor, or one that grows beyond all measure
    throw failure([{ path: [], message: 'holds a YAML alias (*name) that cannot be resolved; write the value out' }])
  }
}

/** Where the innermost known part of a path stands: a key of a mapping, an item of a list. */
function offsetOf(document: Document, path: Path): number | undefined {
  let offset: number | undefined
  let node: unknown = document.contents
  for (const part of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === part) : undefined
    const place = isSeq(node) && typeof part === 'number' ? node.items[part] : pair?.key
    if (!isNode(place)) return offset
    offset = place.range?.[0] ?? offset
    node = pair === undefined ? place : pair.value
  }
  return offset
}
