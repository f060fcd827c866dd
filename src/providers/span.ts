const units = [
  { seconds: 86_400, name: 'day' },
  { seconds: 3600, name: 'hour' },
  { seconds: 60, name: 'minute' },
  { seconds: 1, name: 'second' },
] as const

/**
 * A span as people say it: in the largest unit that fits without a rest worth speaking of.
 *
 * @example spanText(604_799) // '7 days'
 * @example spanText(5400) // '90 minutes'
 */
export function spanText(seconds: number): string {
  const unit = units.find((one) => isNearWhole(seconds / one.seconds)) ?? units[3]
  const count = Math.round(seconds / unit.seconds)
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`
}

const isNearWhole = (count: number) => Math.round(count) >= 1 && Math.abs(count - Math.round(count)) < count / 100
