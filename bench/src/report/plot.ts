/** One picture a scenario: bars, a group a row, one colour a peer. Written by hand, so that it opens wherever an image does. */
import { short } from './numbers.js'
import type { Row } from '../scenarios/scenario.js'

const [WIDTH, LEFT, RIGHT, BAR, GAP] = [860, 300, 90, 16, 26]
const COLOURS = ['#2563eb', '#93c5fd', '#ea580c', '#fdba74', '#6b7280', '#111827', '#16a34a', '#a855f7']
const FONT = 'font-family="system-ui, sans-serif" font-size="12"'

export function plotOf(title: string, rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.titles)))]
  const titles = Object.assign({}, ...rows.map((row) => row.titles)) as Record<string, string>
  const parts: string[] = []
  let y = 40
  for (const [at, name] of names.entries()) {
    parts.push(`<rect x="20" y="${y}" width="10" height="10" fill="${COLOURS[at % COLOURS.length]}"/>`, text(36, y + 10, titles[name]!))
    y += 18
  }
  y += 10
  for (const row of rows) {
    const figures = names.flatMap((name, at) => {
      const cell = row.cells[name]
      return typeof cell === 'object' ? [{ name, at, value: cell.value }] : []
    })
    const most = Math.max(...figures.map(({ value }) => value))
    const scale = (value: number) => (most > 0 ? (Math.max(0, value) / most) * (WIDTH - LEFT - RIGHT) : 0)
    parts.push(text(20, y + 12, row.what), text(20, y + 27, row.unit, '#6b7280'))
    for (const { at, value } of figures) {
      parts.push(`<rect x="${LEFT}" y="${y}" width="${Math.max(1, scale(value)).toFixed(1)}" height="${BAR - 3}" fill="${COLOURS[at % COLOURS.length]}"/>`, text(LEFT + scale(value) + 6, y + 11, short(value)))
      y += BAR
    }
    y += Math.max(GAP, figures.length < 3 ? 40 - figures.length * BAR : 0)
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escaped(title)}"><rect width="100%" height="100%" fill="#ffffff"/>${text(20, 24, title, '#111827', 'font-weight="600"')}${parts.join('')}</svg>\n`
}

function text(x: number, y: number, content: string, fill = '#111827', more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="${fill}" ${FONT} ${more}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll('`', '')
}
