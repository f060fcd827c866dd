/**
 * What goes to the terminal: data to stdout, talk to stderr, nothing that could drive the terminal.
 */
import { styleText } from 'node:util'

/** Without control characters, and without those that reorder or hide text. */
export const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')

/** One JSON text on one line, every character of it visible. */
export function jsonLine(value: unknown): string {
  const invisible = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g
  return JSON.stringify(value).replace(invisible, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

export type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim'

/** In colour where stdout is a terminal and nobody objects (NO_COLOR). */
export const styled = (style: Style, text: string) => styleText(style, printable(text), { stream: process.stdout })

/** A line of data; made of `printable` and `styled` pieces. */
export const print = (line: string) => void process.stdout.write(`${line}\n`)

export const printJson = (value: unknown) => print(jsonLine(value))

/** Talk, a line or several. */
export function say(text: string): void {
  process.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`)
}
