/**
 * `/ws/tasks/:taskId`: one task's events as `{ event_type, task_id, data, timestamp }`, subscribed from the first moment. A client that
 * comes back with its `client_id` gets what it missed, up to a number: its place is remembered for it.
 */
import { topicMatches, type Cursor, type Draining, type Failure, type Gap, type HubEvent, type Interest, type PublishResult, type Signal } from '@hubbub/protocol'
import { may } from '../../../access/permissions.js'
import type { Encoding } from '../../../fanout/entry.js'
import type { FollowRequest } from '../../../operations/follow.js'
import { webSocketFrame } from '../../frame.js'
import type { Conversation, Dialect, DialectDeps, Opening, Speaker } from '../dialect.js'
import { fieldsOf } from '../parse.js'
import { nameOf, TASK_NAMES } from './names.js'
import { Places, type Place } from './places.js'
import type { Stay } from './stay.js'

/** Nothing heard for so long, as these clients were always given; ms. */
const SILENCE_MS = 300_000

const said = (eventType: string, data: object, task?: string) => ({ event_type: eventType, ...(task !== undefined && { task_id: task }), data, timestamp: new Date().toISOString() })

export class TaskDialect implements Dialect {
  readonly name = 'task'
  readonly encoding: Encoding
  readonly heartbeat
  private readonly places: Places
  /** From the beginning of a connection to its conversation. */
  private readonly found = new WeakMap<Opening, Place>()

  constructor(deps: DialectDeps) {
    const { settings, metrics } = deps
    this.heartbeat = { pingMs: settings.wsPingMs, silenceMs: Math.max(SILENCE_MS, settings.wsSilenceMs) }
    this.places = new Places(deps)
    this.encoding = {
      name: 'ws task',
      variant: ({ event }, interests) => taskOf(event, interests),
      encode(entry, task) {
        metrics.encodes.inc()
        const packet = JSON.stringify(shown(entry.event, entry.cursor, task))
        return { packet, bytes: webSocketFrame(packet) }
      },
    }
  }

  async begin(opening: Opening): Promise<FollowRequest> {
    const topic = `task:${opening.name}`
    // An agent's mail is for the connection on which it works, and taken when it is handed over.
    const request: FollowRequest = { subscriptions: [{ topics: [topic] }], mail: false }
    // Refused with what is missing, and without a place.
    if (!may(opening.identity, 'subscribe', topic)) return request
    const place = await this.places.find(opening, topic)
    this.found.set(opening, place)
    return { ...request, ...(place.since !== undefined && { since: place.since }) }
  }

  converse(speaker: Speaker, opening: Opening): Conversation {
    return new TaskConversation(speaker, opening, this.found.get(opening)!, this.places)
  }

  bookmark(cursor: Cursor) {
    return said('cursor', { cursor })
  }

  gap(gap: Gap) {
    return said('gap', gap)
  }

  signal(signal: Signal) {
    return said('signal', signal)
  }

  draining(notice: Draining) {
    return said('draining', notice)
  }

  failure({ code, message, details }: Failure) {
    return said('error', { code, message, ...(details && { details }) })
  }
}

class TaskConversation implements Conversation {
  private readonly stay: Stay

  constructor(private readonly speaker: Speaker, private readonly opening: Opening, private readonly place: Place, places: Places) {
    this.stay = places.remember(place, speaker)
  }

  welcome(): void {
    const { clientId, returned, gap } = this.place
    const data = { client_id: clientId, task_id: this.opening.name, connection_id: this.speaker.id, resumed: returned, cursor: this.speaker.cursor() }
    this.speaker.send(said('connection_established', data, this.opening.name))
    if (gap) this.speaker.send(said('gap', gap, this.opening.name))
  }

  async hear(input: unknown): Promise<void> {
    const message = fieldsOf(input)
    const { type } = message
    if (type === 'heartbeat') return this.speaker.send(said('heartbeat', { status: 'alive', client_id: this.place.clientId }, this.opening.name))
    if (type === 'ping') return this.speaker.send({ type: 'pong', timestamp: new Date().toISOString() })
    if (type === 'pong') return
    await this.publish(message)
  }

  wrote(): void {
    this.stay.wrote()
  }

  end(): void {
    this.stay.end()
  }

  /** An event of this task. AG-UI's under their own names are carried as they are: nothing is added to them. */
  private async publish({ event_type: eventType, type = eventType, data = {}, id, event_id: eventId = id, metadata, timestamp }: Record<string, unknown>): Promise<void> {
    const task = this.opening.name!
    const fields = fieldsOf(data, '`data`')
    const named = fields['taskId'] ?? fields['task_id'] ?? task
    const isAgui = typeof type === 'string' && type.startsWith('agui.')
    const event = { type, data: isAgui ? fields : { ...fields, taskId: named }, topics: [`task:${task}`], ...(eventId !== undefined && { id: eventId }), ...(metadata !== undefined && { metadata }), ...(timestamp !== undefined && { timestamp }) }
    await this.speaker.request<PublishResult>('publish', event, (result) => this.speaker.send({ type: 'ack', event_id: result.id, ...(result.offset !== undefined && { offset: result.offset }) }))
  }
}

/** An event may be of several tasks: that which was asked for. */
function taskOf({ topics }: HubEvent, interests: readonly Interest[]): string {
  const topic = topics.find((one) => one.startsWith('task:') && interests.some((interest) => interest.topics.some((pattern) => topicMatches(pattern, one))))
  return topic?.slice('task:'.length) ?? ''
}

function shown({ type, id, data, timestamp, metadata }: HubEvent, cursor: Cursor, task = ''): object {
  return { event_type: nameOf(TASK_NAMES, type), ...(task !== '' && { task_id: task }), data: type === 'task.progress' ? asFraction(data) : data, timestamp: new Date(timestamp).toISOString(), event_id: id, metadata, cursor }
}

/** These clients count progress from 0 to 1, in both directions: what they hand in is scaled by its name, `progress_update`. */
function asFraction(data: unknown): unknown {
  const { progress } = data as { progress?: unknown }
  return typeof progress === 'number' ? { ...(data as object), progress: progress / 100 } : data
}
