/**
 * The debug tap: at run time an operator has what concerns a topic, type, subject or connection written to the log, a line a stage, for
 * minutes. What is on is told by `operations/taps.ts`; here it is matched, redacted, bounded, and ends by itself.
 */
import { createHash } from 'node:crypto'
import { topicMatches, typeMatches, type HubEvent, type NormalEvent, type Offset } from '@hubbub/protocol'
import { routeTopics } from '@hubbub/protocol/catalogue'
import type { Logger } from './log.js'
import type { Metrics } from './metrics.js'
import { TapLines } from './tap-lines.js'
import { maskedOf, shapeOf, visible } from './tap-redaction.js'

/** What is asked for: all that is given must fit. */
export interface TapSpec {
  id: string
  /** Whose events and connections; `*`: of all projects. */
  project: string
  topic?: string
  type?: string
  subject?: string
  connection?: string
  /** Share of the events, 0 to 1: the same ones at every stage and in every process. */
  sample: number
  /** With values, masked; without, only shapes and sizes. */
  values: boolean
  /** ms since the epoch. */
  until: number
}

/** What is known of an event at a stage. */
export interface TappedEvent {
  id: string
  type: string
  project: string
  source: string
  topics: readonly string[]
  data: unknown
}

export class Tap {
  /** The one thing that is asked while no tap is on. */
  isOn = false
  private specs: readonly TapSpec[] = []
  private timer?: NodeJS.Timeout
  private readonly lines: TapLines

  constructor(linesPerSecond: number, private readonly metrics: Pick<Metrics, 'taps' | 'tapLines'>, log: Logger) {
    this.lines = new TapLines(linesPerSecond, metrics, log)
  }

  /** Those that are on from now on, instead of those before. */
  turn(specs: readonly TapSpec[], now = Date.now()): void {
    clearTimeout(this.timer)
    this.specs = specs.filter(({ until }) => until > now)
    this.isOn = this.specs.length > 0
    this.metrics.taps.set(this.specs.length)
    if (!this.isOn) return
    const next = Math.min(...this.specs.map(({ until }) => until))
    this.timer = setTimeout(() => this.turn(this.specs), next - now).unref()
  }

  close(): void {
    this.turn([])
    this.lines.close()
  }

  /** Answers the event as it was told, for `refused`. */
  received(event: NormalEvent, id: string, project: string, source: string): TappedEvent {
    const tapped = { id, type: event.type, project, source, topics: routeTopics(event), data: event.data }
    this.tell('received', tapped, () => ({ bytes: sizeOf(event.data) }), true)
    return tapped
  }

  refused(event: TappedEvent, code: string): void {
    this.tell('refused', event, () => ({ code }))
  }

  /** What was refused before anybody knew what it is. */
  refusedInput(input: Record<string, unknown>, project: string, source: string, code: string): void {
    const topics = Array.isArray(input['topics']) ? input['topics'].filter((topic) => typeof topic === 'string') : []
    const text = (name: string) => (typeof input[name] === 'string' ? input[name] : '')
    const event = { id: text('id'), type: text('type'), project, source, topics, data: input['data'] }
    this.tell('refused', { ...event, topics: [...topics, ...guessedTopics(event)] }, () => ({ code }), true)
  }

  committed(event: HubEvent, { partition, offset, batch }: { partition: number; offset: Offset; batch: number }): void {
    this.tell('committed', tappedOf(event), () => ({ partition, offset, batch }), true)
  }

  /** It went to the dead letters. Its fields are as they came in. */
  buried(partition: number, code: string, fields: Record<string, string>): void {
    const input = parsed(fields['event'])
    const identity = parsed(fields['identity'])
    const project = identity['project'] ?? input['project']
    // Nobody's, when it does not say: an operator's tap alone shows it (I6).
    this.refusedInput(input, typeof project === 'string' ? project : '', typeof identity['source'] === 'string' ? identity['source'] : `partition ${partition}`, code)
  }

  delivered(event: HubEvent, { partition, offset, sessions, way }: { partition: number; offset: Offset; sessions: number; way: 'live' | 'behind' }): void {
    this.tell('delivered', tappedOf(event), () => ({ partition, offset, sessions, way }))
  }

  /** Whether the sender's messages are told. A tap of topics or types alone hears of events, not of messages. */
  message(sender: { connection: string; subject: string; project: string }, name: unknown, input: unknown): boolean {
    const fitting = this.fittingMessages(sender)
    for (const spec of fitting) this.lines.write(() => ({ tap: spec.id, stage: 'message', ...senderOf(sender), message: nameOf(name), bytes: sizeOf(input), data: spec.values ? maskedOf(input) : shapeOf(input) }))
    return fitting.length > 0
  }

  messageRefused(sender: { connection: string; subject: string; project: string }, name: unknown, code: string): void {
    for (const spec of this.fittingMessages(sender)) this.lines.write(() => ({ tap: spec.id, stage: 'refused', ...senderOf(sender), message: nameOf(name), code }))
  }

  private fittingMessages({ connection, subject, project }: { connection: string; subject: string; project: string }): TapSpec[] {
    return this.specs.filter((spec) => {
      if (spec.topic !== undefined || spec.type !== undefined || (spec.project !== '*' && spec.project !== project)) return false
      if (spec.connection === undefined && spec.subject === undefined) return false
      return (spec.connection ?? connection) === connection && (spec.subject ?? subject) === subject
    })
  }

  private tell(stage: string, event: TappedEvent, more: () => object, withData = false): void {
    for (const spec of this.specs) {
      if (!fits(spec, event)) continue
      this.lines.write(() => ({
        tap: spec.id, stage, event: visible(event.id), type: visible(event.type), project: visible(event.project), by: visible(event.source), topics: event.topics.slice(0, 16).map((topic) => visible(topic)), ...more(),
        ...(withData && { data: spec.values ? maskedOf(event.data) : shapeOf(event.data) }),
      }))
    }
  }
}

function fits({ project, topic, type, subject, connection, sample }: TapSpec, event: TappedEvent): boolean {
  // An event does not say by which connection it came.
  if (connection !== undefined || (project !== '*' && project !== event.project)) return false
  // What was refused may have no topic that anybody knows: whoever asks for everything is told of it, and nobody else.
  if (topic !== undefined && !(event.topics.length === 0 ? topic === '*' : event.topics.some((one) => topicMatches(topic, one)))) return false
  if (type !== undefined && !typeMatches(type, event.type)) return false
  if (subject !== undefined && subjectOf(event.source) !== subject) return false
  return sample >= 1 || shareOf(event.id) < sample
}

/** 0 to 1 by the event's id: an event that is told is told at every stage. */
function shareOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32
}

/** `/agents/coder-1`: coder-1. */
function subjectOf(source: string): string {
  const last = source.slice(source.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

function tappedOf({ id, type, project, topics, data, metadata }: HubEvent): TappedEvent {
  return { id, type, project, topics, data, source: metadata.source }
}

/** Of what has no known type or data that fits none, there are none. */
function guessedTopics(event: { type: string; data: unknown }): string[] {
  try {
    return routeTopics({ type: event.type, data: event.data, topics: [] })
  } catch {
    return []
  }
}

function senderOf({ connection, subject, project }: { connection: string; subject: string; project: string }): object {
  return { connection: visible(connection), subject: visible(subject), project: visible(project) }
}

function nameOf(name: unknown): string {
  return visible(typeof name === 'string' ? name : typeof name, 100)
}

function sizeOf(input: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(input) ?? '')
  } catch {
    return 0
  }
}

function parsed(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
