/** What the commands write: on a terminal for readers, in a pipe for programs. */
import { FAILURES, type HubError } from '@hubbub/protocol'
import type { Call, Flag } from './arguments.js'
import { columnsOf, fit } from './terminal/paint.js'

export const JSON_FLAG: Flag = { env: 'HUBBUB_JSON', about: 'JSON lines, also on a terminal.' }

export function wantsJson(call: Call): boolean {
  return call.on('json') || !process.stdout.isTTY
}

/** False: the reader is slow, and more should wait for `drained`. */
export function print(line: string): boolean {
  return process.stdout.write(`${line}\n`)
}

/** Also on a terminal, to which JSON's own escapes leave C1 controls and turned text: what `plain` takes away is an escape here, and the same to who parses it. */
export function printJson(value: unknown): boolean {
  return print(JSON.stringify(value).replaceAll(UNSEEN, escaped))
}

export function drained(): Promise<void> {
  return new Promise((resolve) => (process.stdout.writableNeedDrain ? process.stdout.once('drain', resolve) : resolve()))
}

/** A pipe takes 64 KiB at once; what is written beyond that would be lost in `process.exit`. */
export function flushed(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => resolve()))
}

/** To whoever watches, not into the output. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Code, what is wrong, where, and what to do about it: one line. */
export function failureLine(error: HubError): string {
  const details = error.details && Object.keys(error.details).length > 0 ? ` ${plain(JSON.stringify(error.details))}` : ''
  return `${error.code}: ${plain(error.message)}${details} ${FAILURES[error.code].remedy}`
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell))
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : fit(cell, widths[column]!))).join('  ').trimEnd())
}

/** Others' text on somebody's terminal: control characters could move the cursor, or worse; unseen ones could turn what stands beside them. */
export function plain(text: string): string {
  return text.replaceAll(UNSEEN, ' ').replaceAll(PILED, '$1').replaceAll(HALVES, '\ufffd')
}

// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu
/** Marks that pile up over and under a letter reach into other lines; no language needs more than a few. */
const PILED = /(\p{M}{3})\p{M}+/gu
/** Of pairs: a terminal is sent a sign of its own for each, and that has a width. */
const HALVES = /\p{Surrogate}/gu

/** Of each half of a pair one, as JSON has it. */
function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}

export function clock(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().replace('T', ' ').slice(0, 19)
}
