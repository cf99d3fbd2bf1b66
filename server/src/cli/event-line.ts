/** One event on one line of a terminal: time, type, topic, and what matters of its data. */
import type { Gap, HubEvent } from '@hubbub/protocol'
import { plain } from './print.js'
import { bar, clip, columnsOf, fit } from './terminal/paint.js'

export interface LineStyle {
  isColoured: boolean
  /** Columns of the terminal; what is longer is cut. */
  columns: number
}

/** Families of types that are often seen together look different; others share what is left. */
const COLOURS: Readonly<Record<string, number>> = { agent: 36, task: 32, pipeline: 34, stream: 35, checkpoint: 33, tdd: 93, gate: 95, system: 31, github: 94, agui: 96, signal: 92, custom: 37 }
const OTHER = 37
const TYPE_COLUMNS = 26
const TOPIC_COLUMNS = 22
const BAR_COLUMNS = 10
/** Fields that say it best, when they are there. */
const SPEAKING = ['message', 'text', 'title', 'summary', 'error', 'reason']

export function eventLine(event: HubEvent, style: LineStyle): string {
  const time = localTime(event.timestamp)
  const type = fit(plain(event.type), TYPE_COLUMNS)
  const topic = event.topics.find((one) => one.includes(':')) ?? event.topics[0] ?? ''
  const more = event.topics.length > 1 ? ` +${event.topics.length - 1}` : ''
  const topics = fit(clip(plain(topic), TOPIC_COLUMNS - more.length) + more, TOPIC_COLUMNS)
  const used = time.length + columnsOf(type) + columnsOf(topics) + 6
  const summary = clip(summaryOf(event), Math.max(20, style.columns - used))
  if (!style.isColoured) return `${time}  ${type}  ${topics}  ${summary}`.trimEnd()
  const colour = COLOURS[event.type.slice(0, Math.max(0, event.type.indexOf('.')))] ?? OTHER
  return `\u001b[2m${time}\u001b[0m  \u001b[${colour}m${type}\u001b[0m  \u001b[2m${topics}\u001b[0m  ${summary}`.trimEnd()
}

export function gapLine(gap: Gap): string {
  const why = { trimmed: 'the journal no longer keeps them', epoch: 'the hub\'s store lost them or began anew', session: 'the session was lost' }[gap.reason]
  return `-- gap: events between ${gap.from} and ${gap.to} can no longer be had: ${why} --`
}

/** `progress=50 stage=build`: what speaks first, scalars before nested things, ids that the topic shows last. */
function summaryOf({ type, data }: HubEvent): string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return plain(JSON.stringify(data) ?? '')
  const progress = type === 'task.progress' || type === 'pipeline.progress' ? (data as { progress?: unknown }).progress : undefined
  const done = typeof progress === 'number' ? `${bar(progress / 100, BAR_COLUMNS)} ${String(Math.round(progress)).padStart(3)} %  ` : ''
  const fields = Object.entries(data).filter(([key]) => done === '' || key !== 'progress')
  const speaking = SPEAKING.flatMap((name) => fields.filter(([key, value]) => key === name && typeof value === 'string'))
  const others = fields.filter((field) => !speaking.includes(field))
  const rank = ([key, value]: [string, unknown]): number => (/id$/i.test(key) ? 2 : typeof value === 'object' ? 1 : 0)
  others.sort((a, b) => rank(a) - rank(b))
  const said = speaking.map(([, value]) => String(value))
  return done + plain([...said, ...others.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)].join('  '))
}

function localTime(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return '??:??:??.???'
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
