import { InvalidArgumentError } from 'commander'

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * Reads a duration: a number and a unit.
 *
 * @returns milliseconds, or undefined for what is none
 * @example parseDuration('14d') // 1_209_600_000
 */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([smhdw])$/.exec(text) ?? []
  const perUnit = unitMs[unit ?? '']
  return amount === undefined || perUnit === undefined ? undefined : Math.round(Number(amount) * perUnit)
}

/** An option's value as milliseconds. */
export function durationArgument(text: string): number {
  const duration = parseDuration(text)
  if (duration === undefined) throw new InvalidArgumentError('Write a number and one of s, m, h, d, w: 90s, 12h, 14d.')
  return duration
}

/** An option's value in seconds as milliseconds. */
export function secondsArgument(text: string): number {
  if (!/^\d{1,9}(?:\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError('Write a number of seconds: 60.')
  return Number(text) * 1000
}

const steps: [limitMs: number, unitMs: number, unit: string][] = [
  [120_000, 1000, 's'],
  [7_200_000, 60_000, 'min'],
  [172_800_000, 3_600_000, 'h'],
  [Number.POSITIVE_INFINITY, 86_400_000, 'd'],
]

/**
 * A span of time, as short as it can be said.
 *
 * @example durationText(90_000) // '90 s'
 */
export function durationText(spanMs: number): string {
  const [, unit, name] = steps.find(([limit]) => spanMs < limit) ?? [0, 86_400_000, 'd']
  return `${Math.floor(spanMs / unit)} ${name}`
}

/**
 * A moment as seen from now.
 *
 * @example fromNow('2026-01-01T10:31:00Z', Date.parse('2026-01-01T10:30:00Z')) // 'in 60 s'
 */
export function fromNow(moment: string, nowMs: number): string {
  const awayMs = Date.parse(moment) - nowMs
  return awayMs >= 0 ? `in ${durationText(awayMs)}` : `${durationText(-awayMs)} ago`
}
