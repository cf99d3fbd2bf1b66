/** What text looks like on a terminal: colours, columns, bars. Widths are columns, not characters: one of CJK takes two, a mark none. */
import stringWidth from 'string-width'
import type { Env } from '../arguments.js'

export interface Ink {
  readonly isColoured: boolean
}

export type Style = 'bold' | 'dim' | 'inverse' | 'good' | 'busy' | 'warn' | 'bad' | 'idle' | 'mark'

const CODES: Readonly<Record<Style, string>> = { bold: '1', dim: '2', inverse: '7', good: '32', busy: '34', warn: '33', bad: '31', idle: '90', mark: '35' }
const TONES: Readonly<Record<string, Style>> = {
  idle: 'idle', registered: 'idle', pending: 'idle', offline: 'idle', cancelled: 'idle', expired: 'idle',
  busy: 'busy', running: 'busy', in_progress: 'busy', accepted: 'busy', delegated: 'busy',
  completed: 'good', finished: 'good', up: 'good', live: 'good', available: 'good', resumed: 'good',
  blocked: 'warn', paused: 'warn', stale: 'warn', stalled: 'warn', draining: 'warn', 'catching-up': 'warn', connecting: 'warn',
  failed: 'bad', error: 'bad', silent: 'bad', closed: 'bad',
}
const LEVELS = '▁▂▃▄▅▆▇█'
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** https://no-color.org; a dumb terminal shows none either. */
export function inkOf(env: Env): Ink {
  return { isColoured: !env['NO_COLOR'] && env['TERM'] !== 'dumb' }
}

export function paint(text: string, style: Style, { isColoured }: Ink): string {
  return isColoured && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
}

/** The style of a status of any kind of entity. */
export function styleOf(status: string): Style {
  return Object.hasOwn(TONES, status) ? TONES[status]! : 'idle'
}

export function columnsOf(text: string): number {
  return stringWidth(text)
}

/** Exactly so many columns, cut with an ellipsis where it is more. Of text without escape sequences. */
export function fit(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const cut = clip(text, columns)
  const space = ' '.repeat(Math.max(0, columns - columnsOf(cut)))
  return side === 'left' ? cut + space : space + cut
}

/** At most so many columns. */
export function clip(text: string, columns: number): string {
  // A megabyte on one line is not measured to its end.
  const head = text.length > columns * 8 ? text.slice(0, columns * 8) : text
  if (head.length === text.length && columnsOf(text) <= columns) return text
  let kept = ''
  let used = 0
  for (const { segment } of SEGMENTS.segment(head)) {
    const width = columnsOf(segment)
    if (used + width > columns - 1) break
    kept += segment
    used += width
  }
  return columns > 0 ? `${kept}…` : ''
}

/** `clip` of text that is painted already; what is cut off takes its colour with it. */
export function clipPainted(text: string, columns: number): string {
  if (!text.includes('\u001b')) return clip(text, columns)
  if (columnsOf(text) <= columns) return text
  let kept = ''
  let left = columns - 1
  for (const part of text.split(COLOUR)) {
    const width = columnsOf(part)
    if (width > left) return `${kept}${clip(part, left + 1)}\u001b[0m`
    kept += part
    left -= width
  }
  return kept
}

// oxlint-disable-next-line no-control-regex
const COLOUR = /(\u001b\[[\d;]*m)/
const SEGMENTS = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** @param share 0 to 1; what is not known is drawn as nothing done */
export function bar(share: number | undefined, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share ?? 0)) * columns * 8)
  const drawn = '█'.repeat(Math.floor(eighths / 8)) + PARTS[eighths % 8]!
  return drawn + '░'.repeat(Math.max(0, columns - drawn.length))
}

/** The last figures as a line of columns, the newest at the right; one that is not known is left out. */
export function spark(values: readonly (number | undefined)[], columns: number, most = Math.max(1e-9, ...values.map((value) => value ?? 0))): string {
  const shown = values.slice(-columns)
  return ' '.repeat(columns - shown.length) + shown.map((value) => (value === undefined ? ' ' : LEVELS[Math.min(7, Math.max(0, Math.round((value / most) * 7)))])).join('')
}
