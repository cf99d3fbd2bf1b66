/** The lines above the table: the hub, the fleet in figures, rates and latencies. */
import type { Overview } from '@hubbub/client'
import { plain } from '../print.js'
import { bytes, ms, rate, short } from '../terminal/figures.js'
import { clip, columnsOf, paint, spark, styleOf, type Ink } from '../terminal/paint.js'
import type { Model } from './model.js'

export interface Where {
  url: string
  project?: string
}

const SPARK_COLUMNS = 30

export function headLines(model: Model, where: Where, columns: number, ink: Ink): string[] {
  const { overview, refusal } = model
  const name = ` hubbub top  ${where.url}${where.project ? `  ${where.project}` : ''}`
  const clockText = `${new Date().toLocaleTimeString('en-GB')} `
  const state = `● ${model.state}`
  const space = Math.max(1, columns - columnsOf(name) - columnsOf(state) - columnsOf(clockText) - 3)
  const first = `${paint(clip(plain(name), columns - 20), 'bold', ink)}   ${paint(state, styleOf(model.state), ink)}${' '.repeat(space)}${clockText}`
  const lines = [first, counts('agents', model.agents, ink), counts('tasks', model.tasks, ink)]
  const then = model.staleSince ?? overview?.knownAt
  if (overview && then !== undefined) {
    const what = model.staleSince === undefined ? 'the store is out of reach: other processes and partitions are' : 'the hub does not answer: rates and health are'
    const known = hubLines(overview, model.history, { isColoured: false }).map((line) => paint(line, 'dim', ink))
    lines.push(...known, paint(` stale    ${what} as of ${new Date(then).toLocaleTimeString('en-GB')}`, 'warn', ink))
  } else if (overview) lines.push(...hubLines(overview, model.history, ink))
  else {
    lines.push(` events   ${paint(spark(model.history, SPARK_COLUMNS), 'busy', ink)}  ${rate(model.history.at(-1))} heard`)
    lines.push(paint(` rates and health of the hub: ${refusal ? `${refusal.code}, an operator's token shows them` : 'no answer yet'}`, 'dim', ink))
  }
  return [...lines, '']
}

function hubLines({ rates, latency, processes, partitions, deadLetters, store, connections }: Overview, history: Model['history'], ink: Ink): string[] {
  const lag = partitions.reduce((sum, one) => sum + one.lag, 0)
  const silent = processes.filter(({ status }) => status === 'silent').length
  const homeless = partitions.filter(({ owner }) => owner === null).length
  const bad = (text: string, isBad: boolean): string => (isBad ? paint(text, 'bad', ink) : text)
  const limit = store.memoryLimitBytes ? ` of ${bytes(store.memoryLimitBytes)}` : ''
  return [
    ` events   ${paint(spark(history, SPARK_COLUMNS), 'busy', ink)}  in ${rate(rates.accepted)}  committed ${rate(rates.committed)}  out ${rate(rates.delivered)}  ${bad(`refused ${rate(rates.refused)}`, rates.refused > 0)}`,
    ` latency  commit p50 ${ms(latency.commit.p50)} p95 ${ms(latency.commit.p95)} p99 ${ms(latency.commit.p99)}   delivery p50 ${ms(latency.delivery.p50)} p95 ${ms(latency.delivery.p95)} p99 ${ms(latency.delivery.p99)}`,
    ` hub      ${processes.length} processes${silent ? `, ${bad(`${silent} silent`, true)}` : ''}   ${short(connections.open)} connections, ${short(connections.catchingUp)} catching up   ${bad(`lag ${short(lag)}`, lag > 1000)}   ${bad(`dead letters ${short(deadLetters)}`, deadLetters > 0)}${homeless ? `   ${bad(`${homeless} partitions without owner`, true)}` : ''}`,
    ` store    ${store.kind} ${store.pingMs === null ? bad('out of reach', true) : `ping ${ms(store.pingMs)}`}${store.memoryBytes === undefined ? '' : `   memory ${bytes(store.memoryBytes)}${limit}`}`,
  ]
}

function counts(name: string, entities: readonly { status: string }[], ink: Ink): string {
  const by = new Map<string, number>()
  for (const { status } of entities) by.set(status, (by.get(status) ?? 0) + 1)
  const parts = [...by].sort((a, b) => b[1] - a[1]).map(([status, count]) => paint(`${count} ${status.replaceAll('_', ' ')}`, styleOf(status), ink))
  return ` ${name.padEnd(8)} ${String(entities.length).padStart(4)}   ${parts.join('  ')}`
}
