import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, linesOf, longestLineBytes } from '../../../src/client/import/lines.ts'

async function read(...chunks: (string | Uint8Array)[]): Promise<Line[]> {
  async function* bytes() {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
  const lines: Line[] = []
  for await (const line of linesOf(bytes())) lines.push(line)
  return lines
}

test.each([
  ['lines, numbered from one', 'a\nb\n', ['1 a', '2 b']],
  ['a last line without a line break', 'a\nb', ['1 a', '2 b']],
  ['line breaks of Windows, and a byte order mark', '\ufeffa\r\nb\r\n', ['1 a', '2 b']],
  ['empty lines by passing them over, and counting them', '\n\na\n  \nb', ['3 a', '5 b']],
  ['nothing where there is nothing', '', []],
])('reads %s', async (_what, text, expected) => {
  expect((await read(text)).map((line) => `${line.number} ${line.text}`)).toEqual(expected)
})

test('the same lines come out however the text was cut on its way', async () => {
  const texts = fc.array(fc.stringMatching(/^[aä€😀 ]{0,6}$/u), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(texts, fc.array(fc.nat(60), { maxLength: 6 }), async (lines, cuts) => {
      const bytes = Buffer.from(lines.join('\n'))
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
      const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
      expect(await read(...chunks)).toEqual(await read(bytes))
      const kept = lines.flatMap((text, i) => (text.trim() === '' ? [] : [`${i + 1} ${text.trim()}`]))
      expect((await read(...chunks)).map((line) => `${line.number} ${line.text}`)).toEqual(kept)
    }),
  )
})

test('of a line that is too long nothing is kept, and the next one is read', async () => {
  const long = 'x'.repeat(longestLineBytes)
  const lines = await read('a\n', long, 'x', long, '\nb\n', long, '\n')
  expect(lines.map(({ number, text, flaw }) => [number, text.length, flaw])).toEqual([
    [1, 1, undefined],
    [2, 0, 'too_long'],
    [3, 1, undefined],
    [4, longestLineBytes, undefined],
  ])
})

test('says of a line that is not UTF-8 so, and how far it has read with each', async () => {
  const lines = await read('ä\n', Buffer.from([0xff, 0x0a]), 'b')
  expect(lines.map(({ flaw, endByte }) => [flaw, endByte])).toEqual([
    [undefined, 3],
    ['not_utf8', 5],
    [undefined, 6],
  ])
})
