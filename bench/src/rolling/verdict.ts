/** What a rolling restart came to, as a table, and where it fell short of what is promised. */
import type { Outcome } from './run.js'

export interface Promised {
  /** HUBBUB_CONNECT_RATE, connections/s a worker. */
  connectRate: number
}

/** Somebody who is back later counts as too late, ms; and so many of a hundred must not be. */
const BACK_MS = 30_000
const SHARE = 0.99

export interface Verdict {
  rows: [what: string, measured: string, promised: string][]
  /** Empty: all is as promised. */
  shortfalls: string[]
}

export function judge({ report, exits, busiest, refused, slowestAckMs, repeats, published, totalMs, replacements }: Outcome, { connectRate }: Promised): Verdict {
  const sorted = report.absences.toSorted((a, b) => a - b)
  const inTime = sorted.filter((ms) => ms <= BACK_MS).length
  const share = sorted.length === 0 ? 1 : inTime / sorted.length
  const at = (part: number) => seconds(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0)
  const lost = report.lost + report.missing
  const rows: Verdict['rows'] = [
    ['clients', count(report.clients), ''],
    ['events published', count(published), ''],
    ['deliveries checked', count(report.events), ''],
    ['lost', count(lost), '0'],
    ['doubled', count(report.doubled), '0'],
    ['out of order', count(report.misplaced), '0'],
    ['gaps told', count(report.gaps), '0'],
    ['connections lost, subscribed again', `${count(sorted.length)}, ${count(sorted.length - report.away)}`, ''],
    ['of them recovered by the hub', count(sorted.length - report.away - report.fresh), ''],
    ['back within 30 s', `${(share * 100).toFixed(2)} %`, `at least ${SHARE * 100} %`],
    ['absence p50, p99, most', `${at(0.5)}, ${at(0.99)}, ${at(1)}`, ''],
    ['reconnects of the busiest worker', `${count(busiest)} /s`, `below ${count(connectRate)} /s`],
    ['refused with CONNECT_RATE', count(refused), ''],
    ['workers\' exit codes', exits.join(' '), '0 each'],
    ['a replacement, all of them', `${seconds(Math.max(...replacements))}, ${seconds(totalMs)}`, ''],
    ['slowest acknowledgement; batches sent again', `${seconds(slowestAckMs)}; ${count(repeats)}`, ''],
  ]
  const shortfalls = [
    ...(lost + report.doubled + report.misplaced + report.gaps > 0 ? ['not every event came once and in order'] : []),
    ...(share < SHARE ? [`only ${(share * 100).toFixed(2)} % were back within 30 s`] : []),
    ...(busiest >= connectRate ? [`a worker was asked for ${count(busiest)} connections in a second`] : []),
    ...(exits.some((code) => code !== 0) ? ['a worker did not end in order'] : []),
    ...(sorted.length === 0 ? ['nobody lost a connection: nothing was shown'] : []),
    ...report.refusals.map((refusal) => `a client was refused: ${refusal}`),
  ]
  return { rows, shortfalls }
}

/** Columns as wide as they need to be. */
export function tableOf({ rows }: Verdict): string {
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length))
  return rows.map(([what, measured, promised]) => `  ${what.padEnd(width(0))}  ${measured.padStart(width(1))}${promised === '' ? '' : `   (${promised})`}`).join('\n')
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
