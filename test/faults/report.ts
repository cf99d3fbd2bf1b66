/** A verdict as plain text: the table by kind of fault, the totals, and each violation with what was told last of whom it concerns. */
import { FAULT_KINDS, type Verdict } from './observer.js'

const number = (value: number, digits = 0): string => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const share = (part: number, whole: number): string => (whole === 0 ? '—' : `${((part / whole) * 100).toFixed(1)} %`)

/** Ends with a line break. Kinds of which there was no fault are left out. */
export function report(verdict: Verdict, seed: number | string): string {
  const minutes = verdict.atMs / 60_000
  const head = `seed ${seed}: ${number(verdict.checked)} events checked in ${minutes.toFixed(1)} min, ${number(verdict.violationCount)} violations`
  return `${[head, '', ...faultTable(verdict), '', ...totals(verdict), ...violations(verdict)].map(printable).join('\n')}\n`
}

function faultTable({ faults }: Verdict): string[] {
  const rows = FAULT_KINDS.filter((kind) => faults[kind].count > 0).map((kind) => {
    const { count, seconds, eventsDuring } = faults[kind]
    return [kind, number(count), number(seconds, 1), number(eventsDuring)]
  })
  if (rows.length === 0) return ['no faults']
  return aligned([['fault', 'count', 'seconds', 'events during'], ...rows])
}

function totals(verdict: Verdict): string[] {
  const rows: [string, string][] = [
    ['published', number(verdict.published)],
    ['acknowledged', number(verdict.acked)],
    ['committed', number(verdict.committed)],
    ['lost by Redis', number(verdict.lost)],
    ['delivered', number(verdict.delivered)],
    ['gaps', number(verdict.gaps)],
    ['sessions resumed', `${number(verdict.resumed)} (${number(verdict.resumedElsewhere)} on another worker)`],
    ['checked', number(verdict.checked)],
    ['checked during faults', `${number(verdict.duringFaults)} (${share(verdict.duringFaults, verdict.checked)})`],
    ['violations', number(verdict.violationCount)],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

function violations({ violations: told, violationCount }: Verdict): string[] {
  const lines = told.flatMap(({ invariant, what, atMs, faults, records }) => [
    '',
    `${invariant}  ${(atMs / 1000).toFixed(2)} s  ${what}`,
    `    faults then: ${faults.join('; ') || 'none'}`,
    ...records.map((record) => `    ${record}`),
  ])
  if (violationCount > told.length) lines.push('', `and ${number(violationCount - told.length)} more`)
  return lines
}

/** The first column to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  '))
}

/** Names and gaps come from the wire: nothing of them moves a cursor or turns the line around. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
}
