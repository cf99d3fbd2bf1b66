/** One picture of the whole: what is known, as the visitor wants it, in so many lines and columns. */
import { plain } from '../print.js'
import { agentFacts, taskFacts } from '../facts.js'
import { clip, fit, paint, type Ink } from '../terminal/paint.js'
import { headLines, type Where } from './head.js'
import type { Model } from './model.js'
import { headingOf, rowsOf, type Row } from './rows.js'
import { placed, type View } from './view.js'

export interface Frame {
  lines: string[]
  /** Of all rows that pass the filter, in their order. */
  ids: string[]
  /** As it is with these rows. */
  view: View
  /** Rows that there is room for. */
  room: number
}

const HELP = [
  ' ↑ ↓ PgUp PgDn Home End   move         Enter   facts of the marked row, Esc closes',
  ' Tab or t                 agents/tasks  /       filter, Esc clears it',
  ' s                        sort by next  r       other way round',
  ' p or Space               hold still    q       end',
]

export interface Size {
  columns: number
  rows: number
  /** Nobody moves in it: no row is marked. */
  isStill?: boolean
}

export function frameOf(model: Model, asked: View, where: Where, size: Size, ink: Ink): Frame {
  const { columns, rows: lines } = size
  // In a few lines the table is worth more than the figures above it.
  const head = headLines(model, where, columns, ink).slice(0, Math.max(0, lines - 4))
  const all = rowsOf(model, asked.page, asked.sort)
  if (asked.isReversed) all.reverse()
  const words = asked.filter.toLowerCase()
  const rows = words === '' ? all : all.filter((row) => row.words.includes(words))
  const ids = rows.map(({ id }) => id)
  const view = size.isStill ? { ...asked, at: -1 } : placed(asked, ids)
  const room = Math.max(1, lines - head.length - 2)
  const heading = paint(fit(headingOf(view.page, columns), columns), 'inverse', ink)
  const body = view.isHelp ? HELP : view.isOpen ? factsOf(model, rows[view.at], columns, ink) : tableOf(rows, view, room, columns, ink)
  const filled = Array.from({ length: room }, (_, index) => body[index] ?? '')
  return { lines: [...head, heading, ...filled, footer(view, rows.length, all.length, columns, ink)], ids, view, room }
}

function tableOf(rows: readonly Row[], view: View, room: number, columns: number, ink: Ink): string[] {
  if (rows.length === 0) return ['', paint(view.filter ? ` nothing fits '${plain(view.filter)}'` : ` no ${view.page} yet`, 'dim', ink)]
  const from = Math.max(0, Math.min(view.at - Math.floor(room / 2), rows.length - room))
  return rows.slice(from, from + room).map((row, index) => {
    if (from + index !== view.at) return row.draw(columns, ink)
    return paint(fit(`▸${row.draw(columns, { isColoured: false }).slice(1)}`, columns), 'inverse', ink)
  })
}

function factsOf(model: Model, row: Row | undefined, columns: number, ink: Ink): string[] {
  const agent = row?.kind === 'agent' ? model.agents.find(({ id }) => id === row.id) : undefined
  const task = row?.kind === 'task' ? model.task(row.id) : undefined
  const facts = agent ? agentFacts(agent, agent.currentTasks.flatMap((id) => model.task(id) ?? []), ink) : task ? taskFacts(task, ink) : []
  return facts.map((line) => (ink.isColoured ? line : clip(line, columns)))
}

function footer(view: View, shown: number, all: number, columns: number, ink: Ink): string {
  if (view.isTyping) return clip(` / ${plain(view.filter)}█`, columns)
  const filter = view.filter ? `  filter '${plain(view.filter)}' (Esc clears)` : ''
  const held = view.isPaused ? '  HELD (p goes on)' : ''
  return paint(fit(` ${shown} of ${all} ${view.page} by ${view.sort}${view.isReversed ? ', reversed' : ''}${filter}${held}   ? help  / filter  s sort  Tab ${view.page === 'agents' ? 'tasks' : 'agents'}  q end`, columns), 'dim', ink)
}
