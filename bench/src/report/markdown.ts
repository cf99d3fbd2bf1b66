/** `bench/RESULTS.md`: what was measured, beside what was expected; whatever falls short stays in and says why. */
import { short } from './numbers.js'
import { holds, type Cell, type Demand, type Row } from '../scenarios/scenario.js'
import type { Machine } from './machine.js'

export interface Section {
  name: string
  title: string
  rows: readonly Row[]
  /** s */
  took: number
}

export function resultsOf(machine: Machine, sections: readonly Section[], command: string): string {
  const demands = sections.flatMap(({ rows }) => rows.flatMap((row) => row.demands))
  const reached = demands.filter(holds).length
  return `${[
    '# Results',
    `${machine.date}, ${machine.cpus}, ${machine.memory}, ${machine.kernel}; ${machine.versions.join(', ')}. Load of the machine before it began: ${machine.load}.`,
    `**${reached} of ${demands.length} demands reached.** All peers take turns on the same machine in the same run (A B A B); a figure is the median of its rounds, with the least and the most behind it. CPU time is what the kernel counted for the
server processes; subscribers and emitters run in processes of their own, and a figure they would have held up is refused. Every subscriber checks every event: a run that loses, doubles or reorders one has no figure.
How it is done, and how to add a peer: [README.md](README.md). What was tried on the way: [NOTES.md](NOTES.md).`,
    `Again: \`${command}\`. ${minutes(sections.reduce((sum, { took }) => sum + took, 0))} here.`,
    ...sections.map(sectionOf),
  ].join('\n\n')}\n`
}

function sectionOf({ name, title, rows }: Section): string {
  return [`## ${title}`, `![${title}](plots/${name}.svg)`, ...groups(rows).map(tableOf), ...rows.flatMap(({ notes = [] }) => notes)].join('\n\n')
}

/** Rows of the same peers share a table. */
function groups(rows: readonly Row[]): Row[][] {
  const found = new Map<string, Row[]>()
  for (const row of rows) {
    const key = `${row.unit} ${Object.keys(row.titles).join()}`
    found.set(key, [...(found.get(key) ?? []), row])
  }
  return [...found.values()]
}

function tableOf(rows: readonly Row[]): string {
  const [{ titles, unit }] = rows as [Row]
  const names = Object.keys(titles)
  return [
    `| ${unit} | ${names.map((name) => titles[name]).join(' | ')} | expected |`,
    `| --- |${' ---: |'.repeat(names.length)} --- |`,
    ...rows.map(({ what, cells, demands }) => `| ${what} | ${names.map((name) => cellOf(cells[name])).join(' | ')} | ${demands.map(demandOf).join('<br>')} |`),
  ].join('\n')
}

function cellOf(cell: Cell | string | undefined): string {
  if (cell === undefined) return ''
  if (typeof cell === 'string') return cell
  if (cell.rounds.length < 2) return short(cell.value)
  return `${short(cell.value)} <sub>${short(Math.min(...cell.rounds))} to ${short(Math.max(...cell.rounds))}</sub>`
}

function demandOf(demand: Demand): string {
  const { what, reached, least, most, unit = '×', why } = demand
  const figure = reached === undefined ? 'not known' : `${short(reached)} ${unit}`
  const bound = least === undefined ? `at most ${most}` : `at least ${least}`
  return `${holds(demand) ? '✓' : '**falls short:**'} ${figure} ${what.replace(/^(times|ms) /, '')} (${bound})${holds(demand) || !why ? '' : `: ${why}`}`
}

function minutes(seconds: number): string {
  return `${Math.ceil(seconds / 60)} minutes`
}
