/**
 * `/ws`: messages `{ type, id?, timestamp, payload }` with ISO timestamps, subscriptions by topic, and an event under one topic: the one
 * that was asked for. `stream:S` does not carry the events of its tasks here, unless `types` says otherwise.
 */
import { HubError, isTopicPattern, passes, topicFamily, topicMatches, type Cursor, type Draining, type Failure, type Gap, type HubEvent, type Interest, type Signal } from '@hubbub/protocol'
import { CATALOGUE } from '@hubbub/protocol/catalogue'
import type { Encoding, TailEntry } from '../../../fanout/entry.js'
import { grantedInterest } from '../../../operations/interest.js'
import { webSocketFrame } from '../../frame.js'
import type { Conversation, Dialect, DialectDeps, Speaker } from '../dialect.js'
import { fieldsOf } from '../parse.js'
import { join, type Past } from './joining.js'

/** Of these each topic carries here what is of its own kind: `stream:S` no events of the tasks in it, which a client for streams could not read. */
const OWN_KIND: ReadonlySet<string> = new Set(['stream', 'task', 'checkpoint', 'agent'])
const FAMILIES = [...new Set(CATALOGUE.map(({ family }) => family))]
/** The hub's failures in this dialect's words; all others keep their code. */
const CODES: Readonly<Record<string, string>> = {
  INVALID_MESSAGE: 'WS_INVALID_MESSAGE', INVALID_TOPIC: 'WS_INVALID_TOPIC', SUBSCRIPTION_LIMIT: 'WS_SUBSCRIPTION_LIMIT', NOT_SUBSCRIBED: 'WS_NOT_SUBSCRIBED',
}
/** The hub's own messages, for clients that want more than the dialect has; answered under `answer`. */
const MORE: ReadonlySet<string> = new Set(['publish', 'signal', 'snapshot', 'command', 'broadcast', 'presence', 'agent.register', 'auth.refresh', 'system.health_check'])

const said = (type: string, payload: object, id?: unknown) => ({ type, ...(typeof id === 'string' && { id }), timestamp: new Date().toISOString(), payload })

export class TopicsDialect implements Dialect {
  readonly name = 'topics'
  readonly encoding: Encoding
  readonly heartbeat

  constructor({ settings, metrics }: DialectDeps) {
    this.heartbeat = { pingMs: settings.wsPingMs, silenceMs: settings.wsSilenceMs }
    this.encoding = {
      name: 'ws topics',
      variant: ({ event }, interests) => topicOf(event, interests),
      encode(entry, topic = '') {
        metrics.encodes.inc()
        return frame(`{"type":"event","timestamp":"${isoOf(entry)}","payload":${payloadOf(entry, topic)}}`)
      },
      batch(entries, interests) {
        metrics.encodes.inc(entries.length)
        const payloads = entries.map((entry) => payloadOf(entry, topicOf(entry.event, interests)))
        return frame(`{"type":"events","timestamp":"${isoOf(entries[entries.length - 1]!)}","payload":{"events":[${payloads.join(',')}]}}`)
      },
    }
  }

  converse(speaker: Speaker): Conversation {
    return new TopicsConversation(speaker)
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

  ping() {
    return said('ping', {})
  }

  failure({ code, message, retryable, details }: Failure, about?: unknown) {
    const id = typeof about === 'object' && about !== null ? (about as { id?: unknown }).id : undefined
    const unknown = code === 'INVALID_MESSAGE' && details?.['unknownType'] !== undefined
    return said('error', { code: unknown ? 'WS_UNKNOWN_TYPE' : (CODES[code] ?? code), message, retryable, ...(details && { details }) }, id)
  }
}

class TopicsConversation implements Conversation {
  /** By topic as it was asked for. */
  private readonly subscriptions = new Map<string, string>()
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly speaker: Speaker) {
    for (const { id, topics } of speaker.subscriptions()) for (const topic of topics) this.subscriptions.set(topic, id)
  }

  async hear(input: unknown): Promise<void> {
    const message = fieldsOf(input)
    const { type, id, payload = {} } = message
    switch (type) {
      case 'ping':
        return this.speaker.send(said('pong', {}, id))
      case 'pong':
        return
      case 'subscribe':
        return await this.inTurn(() => this.subscribe(id, fieldsOf(payload, '`payload`')))
      case 'unsubscribe':
        return await this.inTurn(() => this.unsubscribe(id, fieldsOf(payload, '`payload`')))
      default:
        if (typeof type !== 'string' || !MORE.has(type)) throw new HubError('INVALID_MESSAGE', 'Unknown message type. Use: subscribe, unsubscribe, ping, pong.', { unknownType: typeof type === 'string' ? type.slice(0, 64) : typeof type })
        await this.speaker.request(type, payload, (result) => this.speaker.send(said('answer', result, id)))
    }
  }

  /** Changes of subscriptions one after the other: a topic that is asked for twice is one subscription. */
  private inTurn(step: () => Promise<void>): Promise<void> {
    const turn = this.turn.then(step)
    this.turn = turn.catch(() => undefined)
    return turn
  }

  private async subscribe(id: unknown, payload: Record<string, unknown>): Promise<void> {
    const { topics: _topics, ...options } = payload
    const topics = topicsOf(payload)
    const fresh = topics.filter((topic) => !this.subscriptions.has(topic))
    this.requireAll(fresh)
    const made: string[] = []
    try {
      for (const topic of fresh) {
        await this.join(topic, options)
        made.push(topic)
      }
    } catch (error) {
      // All or none: the client would not know which it has.
      for (const topic of made) await this.leave(topic)
      throw error
    }
    this.speaker.send(said('subscribed', { topics, activeSubscriptions: this.subscriptions.size, cursor: this.speaker.cursor() }, id))
  }

  /** What was before comes as events, then the subscription counts. */
  private async join(topic: string, options: Record<string, unknown>): Promise<void> {
    const types = options['types'] ?? typesFor(topicFamily(topic))
    const request = { ...options, since: options['since'], topics: [topic], ...(types !== undefined && { types }) }
    const past: Past = {
      snapshot: (snapshot) => this.speaker.send(said('snapshot', snapshot)),
      gap: (gap) => this.speaker.send(said('gap', gap)),
      event: ({ event, cursor }) => this.replay(topic, event, cursor),
    }
    await join(this.speaker, request, past, ({ subscriptionId }) => this.subscriptions.set(topic, subscriptionId))
  }

  private replay(topic: string, event: HubEvent, cursor: Cursor): void {
    const { id, type: eventType, data, topics, metadata } = event
    const payload = { topic: topicOf(event, [{ topics: [topic] }]), eventType, data, id, topics, metadata, cursor }
    this.speaker.send({ type: 'event', timestamp: new Date(event.timestamp).toISOString(), payload })
  }

  /** Looked at before the first of them brings events: what is refused has told nothing. */
  private requireAll(topics: string[]): void {
    const { speaker } = this
    grantedInterest(speaker.identity(), { topics })
    const { maxSubscriptions } = speaker.settings
    if (speaker.subscriptions().length + topics.length <= maxSubscriptions) return
    throw new HubError('SUBSCRIPTION_LIMIT', undefined, { limit: maxSubscriptions, unit: 'subscriptions', setting: 'HUBBUB_MAX_SUBSCRIPTIONS' })
  }

  private async unsubscribe(id: unknown, payload: Record<string, unknown>): Promise<void> {
    const topics = topicsOf(payload)
    const missing = topics.find((topic) => !this.subscriptions.has(topic))
    if (missing !== undefined) throw new HubError('NOT_SUBSCRIBED', undefined, { topic: missing })
    for (const topic of topics) await this.leave(topic)
    this.speaker.send(said('unsubscribed', { topics, activeSubscriptions: this.subscriptions.size }, id))
  }

  private async leave(topic: string): Promise<void> {
    const subscriptionId = this.subscriptions.get(topic)
    this.subscriptions.delete(topic)
    await this.speaker.request('unsubscribe', { subscriptionId })
  }
}

/** All but the other kinds'. */
function typesFor(family: string): string[] | undefined {
  if (!OWN_KIND.has(family)) return undefined
  return FAMILIES.filter((kind) => kind === family || !OWN_KIND.has(kind)).map((kind) => `${kind}.*`)
}

function topicsOf({ topics }: Record<string, unknown>): string[] {
  if (!Array.isArray(topics) || topics.length === 0) throw new HubError('INVALID_MESSAGE', '`payload.topics` is a list of topics.', { path: 'payload.topics' })
  const wrong: unknown = topics.find((topic) => !isTopicPattern(topic))
  if (wrong !== undefined) throw new HubError('INVALID_TOPIC', 'Use entity:id or entity:*.', { topic: typeof wrong === 'string' ? wrong.slice(0, 300) : typeof wrong })
  return [...new Set(topics as string[])]
}

/** Of the event's topics that these interests take, one of the type's own kind before any other. */
function topicOf(event: HubEvent, interests: readonly Interest[]): string {
  const family = event.type.slice(0, event.type.indexOf('.'))
  const taking = interests.filter((interest) => passes(interest, event))
  const taken = event.topics.filter((topic) => taking.some(({ topics }) => topics.some((pattern) => topicMatches(pattern, topic))))
  return taken.find((topic) => topicFamily(topic) === family) ?? taken[0] ?? event.topics[0] ?? 'project'
}

function payloadOf(entry: TailEntry, topic: string): string {
  const { id, type: eventType, data, topics, metadata } = entry.event
  return JSON.stringify({ topic, eventType, data, id, topics, metadata, cursor: entry.cursor })
}

function isoOf({ event }: TailEntry): string {
  return new Date(event.timestamp).toISOString()
}

function frame(packet: string) {
  return { packet, bytes: webSocketFrame(packet) }
}
