import type { Outcome, RequestSeen } from './provider.ts'

export interface Phase {
  name: string
  fromMs: number
  toMs: number
}

export interface Drawn {
  title: string
  requests: readonly RequestSeen[]
  fromMs: number
  toMs: number
  /** times at which the provider was not well */
  phases: readonly Phase[]
  /** requests a second */
  budget: number
  /** for each second, the share of credentials that hold a good token */
  holding: readonly number[]
}

const width = 960
const height = 420
const plot = { left: 60, right: 20, top: 48, bottom: 250 }
const shares = { top: 290, bottom: 380 }

const colours: Partial<Record<Outcome, string>> = { granted: '#2e7d32', unanswered: '#616161', unavailable: '#ef6c00' }

/** The requests that reached a provider in every second, and how many credentials had a good token, as SVG. */
export function picture(drawn: Drawn): string {
  const seconds = Math.ceil((drawn.toMs - drawn.fromMs) / 1000)
  const inner = width - plot.left - plot.right
  const x = (atMs: number) => plot.left + (inner * (atMs - drawn.fromMs)) / (seconds * 1000)
  const counts = perSecond(drawn, seconds)
  const most = Math.max(drawn.budget, ...counts.map((of) => [...of.values()].reduce((a, b) => a + b, 0)))
  const y = (count: number) => plot.bottom - ((plot.bottom - plot.top) * count) / (most * 1.1)
  const parts = [
    text(plot.left, 24, drawn.title, 15),
    ...drawn.phases.map(({ name, fromMs, toMs }) => shade(x(fromMs), x(toMs), name)),
    ...counts.flatMap((of, second) => bars(of, x(drawn.fromMs + second * 1000), inner / seconds, y)),
    line([plot.left, y(drawn.budget)], [width - plot.right, y(drawn.budget)], '#c62828', '6 4'),
    text(width - plot.right - 4, y(drawn.budget) - 5, `budget ${drawn.budget}/s`, 11, 'end'),
    text(plot.left - 8, y(drawn.budget) + 4, String(drawn.budget), 11, 'end'),
    text(plot.left - 8, plot.bottom, '0', 11, 'end'),
    text(plot.left, plot.top - 8, 'requests a second, as the provider counts them', 11),
    text(plot.left, shares.top - 8, 'credentials with a good access token', 11),
    text(plot.left - 8, shares.top + 4, '100 %', 11, 'end'),
    text(plot.left - 8, shares.bottom, '0 %', 11, 'end'),
    curve(drawn.holding, (i) => x(drawn.fromMs + i * 1000)),
    ...[...Array(Math.floor(seconds / 60) + 1).keys()].map((minute) =>
      text(x(drawn.fromMs + minute * 60_000), height - 18, `${minute} min`, 11, 'middle'),
    ),
    ...legend(),
  ]
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`
  const title = `<title>${escaped(drawn.title)}: requests to the provider around an outage</title>`
  return `${open}\n${title}\n<rect width="${width}" height="${height}" fill="#ffffff"/>\n${parts.join('\n')}\n</svg>\n`
}

function perSecond({ requests, fromMs }: Drawn, seconds: number): Map<Outcome, number>[] {
  const counts = Array.from({ length: seconds }, () => new Map<Outcome, number>())
  for (const { atMs, outcome } of requests) {
    const of = counts[Math.floor((atMs - fromMs) / 1000)]
    of?.set(outcome, (of.get(outcome) ?? 0) + 1)
  }
  return counts
}

function bars(of: Map<Outcome, number>, left: number, breadth: number, y: (count: number) => number): string[] {
  let below = 0
  return [...of].map(([outcome, count]) => {
    const from = y(below)
    below += count
    const size = `x="${round(left)}" y="${round(y(below))}" width="${round(breadth)}" height="${round(from - y(below))}"`
    return `<rect ${size} fill="${colours[outcome] ?? '#c62828'}"/>`
  })
}

const shade = (from: number, to: number, name: string) =>
  `<rect x="${round(from)}" y="${plot.top}" width="${round(to - from)}" height="${shares.bottom - plot.top}" fill="#fff3e0" stroke="#ffcc80"/>\n${text((from + to) / 2, plot.top + 14, name, 11, 'middle')}`

const line = (from: [number, number], to: [number, number], colour: string, dash: string) =>
  `<line x1="${round(from[0])}" y1="${round(from[1])}" x2="${round(to[0])}" y2="${round(to[1])}" stroke="${colour}" stroke-dasharray="${dash}"/>`

const curve = (values: readonly number[], x: (i: number) => number) => {
  const points = values.map(
    (share, i) => `${round(x(i))},${round(shares.bottom - (shares.bottom - shares.top) * share)}`,
  )
  return `<polyline points="${points.join(' ')}" fill="none" stroke="#1565c0" stroke-width="1.5"/>`
}

function legend(): string[] {
  const names: [string, string][] = [
    ['granted', '#2e7d32'],
    ['unanswered', '#616161'],
    ['503', '#ef6c00'],
    ['refused grant', '#c62828'],
  ]
  return names.flatMap(([name, colour], i) => {
    const left = width - 420 + i * 105
    return [`<rect x="${left}" y="15" width="10" height="10" fill="${colour}"/>`, text(left + 14, 24, name, 11)]
  })
}

const text = (x: number, y: number, content: string, size: number, anchor = 'start') =>
  `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}" fill="#212121">${escaped(content)}</text>`

const escaped = (content: string) => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const round = (value: number) => Math.round(value * 10) / 10
