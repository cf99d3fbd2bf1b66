/**
 * `/ws/:project`: commands in, `{ type, timestamp, ... }` with seconds out. Whoever connects hears all of the project that it may, and
 * chooses by event type what it goes on hearing.
 */
import { canonicalType, compareOffsets, HubError, isTypePattern, parseCursor, type CommandResult, type Cursor, type Draining, type Failure, type Gap, type HubEvent, type Signal, type SubscribeResult } from '@hubbub/protocol'
import type { Identity } from '../../../access/identity.js'
import { may } from '../../../access/permissions.js'
import type { Encoding } from '../../../fanout/entry.js'
import type { FollowRequest } from '../../../operations/follow.js'
import type { Settings } from '../../../settings/table.js'
import { webSocketFrame } from '../../frame.js'
import type { Conversation, Dialect, DialectDeps, Opening, Speaker } from '../dialect.js'
import { fieldsOf } from '../parse.js'
import { sinceIn } from '../query.js'
import { nameOf, PROJECT_NAMES, snakeCase } from './names.js'

const EVERYTHING = '*'
const SUBSCRIBE = 'subscribe:'
/** How often a connection whose past is still coming is looked at, ms. */
const LOOK_MS = 20

const said = (type: string, rest: object) => ({ type, timestamp: Date.now() / 1000, ...rest })

export class ProjectDialect implements Dialect {
  readonly name = 'project'
  readonly encoding: Encoding
  readonly heartbeat

  private readonly settings: Settings

  constructor({ settings, metrics }: DialectDeps) {
    this.settings = settings
    this.heartbeat = { pingMs: settings.wsPingMs, silenceMs: settings.wsSilenceMs }
    const frame = (packet: string) => ({ packet, bytes: webSocketFrame(packet) })
    this.encoding = {
      name: 'ws project',
      encode(entry) {
        metrics.encodes.inc()
        return frame(JSON.stringify(shown(entry.event, entry.cursor)))
      },
    }
  }

  begin({ identity, query }: Opening): FollowRequest {
    const since = sinceIn(query)
    const topics = readable(identity, this.settings.maxTopics)
    return { subscriptions: topics.length > 0 ? [{ topics }] : [], ...(since !== undefined && { since }) }
  }

  converse(speaker: Speaker): Conversation {
    return new ProjectConversation(speaker)
  }

  bookmark(cursor: Cursor) {
    return said('cursor', { cursor })
  }

  gap(gap: Gap) {
    return said('gap', { gap })
  }

  signal(signal: Signal) {
    return said('signal', { signal })
  }

  draining(notice: Draining) {
    return said('draining', { ...notice })
  }

  failure({ code, message, details }: Failure, about?: unknown) {
    const { command, id } = typeof about === 'object' && about !== null ? (about as { command?: unknown; id?: unknown }) : {}
    const rest = { error: message, code, ...(details && { details }), ...(id !== undefined && { id }) }
    return typeof command === 'string' ? said('command_error', { command: command.slice(0, 128), ...rest }) : said('error', rest)
  }
}

class ProjectConversation implements Conversation {
  /** Event types that it asked for; undefined: all. */
  private types: string[] | undefined
  private isOver = false
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly speaker: Speaker) {}

  welcome(): void {
    const { speaker } = this
    const topics = speaker.subscriptions().flatMap((subscription) => subscription.topics)
    speaker.send(said('connected', {
      connection_id: speaker.id, project_id: speaker.identity().project, subscribed_events: topics.length > 0 ? [EVERYTHING] : [], topics,
      heartbeat_interval: speaker.settings.wsPingMs / 1000, heartbeat_timeout: speaker.settings.wsSilenceMs / 1000, cursor: speaker.cursor(),
    }))
  }

  async hear(input: unknown): Promise<void> {
    const message = fieldsOf(input)
    const { command, payload = {}, id } = message
    if (typeof command !== 'string') throw new HubError('INVALID_MESSAGE', 'A message has a `command`: ping, subscribe, unsubscribe, start_task, cancel_execution, create_branch.')
    const answer = (result: object) => this.speaker.send(said('command_response', { command, success: true, ...(id !== undefined && { id }), ...result }))
    switch (command) {
      case 'ping':
        return this.speaker.send(said('pong', id === undefined ? {} : { id }))
      case 'subscribe':
        return await this.inTurn(() => this.choose(typesIn(fieldsOf(payload, '`payload`'), []), answer))
      case 'unsubscribe':
        return await this.inTurn(() => this.drop(fieldsOf(payload, '`payload`'), answer))
      case 'publish':
        await this.speaker.request('publish', payload, (result) => answer({ result }))
        return
      default:
        await this.speaker.request<CommandResult>('command', { command, payload }, ({ commandId, result }) => answer({ command_id: commandId, result }))
    }
  }

  end(): void {
    this.isOver = true
  }

  private inTurn(step: () => Promise<void>): Promise<void> {
    const turn = this.turn.then(step)
    this.turn = turn.catch(() => undefined)
    return turn
  }

  /** Besides those that it has chosen before; the first choice ends hearing everything. */
  private async choose(fresh: string[], answer: (result: object) => void): Promise<void> {
    await this.hearOnly([...new Set([...(this.types ?? []), ...fresh])], answer)
  }

  private async drop(payload: Record<string, unknown>, answer: (result: object) => void): Promise<void> {
    const gone = typesIn(payload, this.types ?? [EVERYTHING])
    const missing = gone.find((type) => !(this.types ?? [EVERYTHING]).includes(type))
    if (missing !== undefined) throw new HubError('NOT_SUBSCRIBED', undefined, { event: missing })
    await this.hearOnly((this.types ?? []).filter((type) => !gone.includes(type)), answer)
  }

  /** The new subscription stands before the old ones go: between the two nothing is passed over, and what both take comes once. */
  private async hearOnly(types: string[], answer: (result: object) => void): Promise<void> {
    const { speaker } = this
    const old = speaker.subscriptions().map(({ id }) => id)
    if (types.length > 0) {
      // Whoever may see nothing is told what is missing.
      const topics = readable(speaker.identity(), speaker.settings.maxTopics)
      const { cursor } = await speaker.request<SubscribeResult>('subscribe', { topics: topics.length > 0 ? topics : [EVERYTHING], types })
      await this.reaches(cursor)
    }
    for (const subscriptionId of old) await this.speaker.request('unsubscribe', { subscriptionId })
    this.types = types
    answer({ subscribed_events: types.map((type) => nameOf(PROJECT_NAMES, type)) })
  }

  /** A connection whose past is still coming reads it by the former choice: the new one begins behind that. */
  private async reaches(cursor: Cursor): Promise<void> {
    const isBehind = () => compareOffsets(parseCursor(this.speaker.cursor())!.offset, parseCursor(cursor)!.offset) < 0
    while (!this.isOver && isBehind()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref())
  }
}

/** `*`, or else what it was granted. */
function readable(identity: Identity, most: number): string[] {
  if (may(identity, 'subscribe', EVERYTHING)) return [EVERYTHING]
  return identity.permissions.filter((permission) => permission.startsWith(SUBSCRIBE)).slice(0, most).map((permission) => permission.slice(SUBSCRIBE.length))
}

/** Under `events`, `event_types` or `event_type`; canonical. */
function typesIn(payload: Record<string, unknown>, absent: string[]): string[] {
  const given = payload['events'] ?? payload['event_types'] ?? (payload['event_type'] === undefined ? undefined : [payload['event_type']])
  if (given === undefined && absent.length > 0) return absent
  if (!Array.isArray(given) || given.length === 0) throw new HubError('INVALID_MESSAGE', '`payload.events` is a list of event types.', { path: 'payload.events' })
  return given.map((name: unknown) => {
    const type = typeof name === 'string' ? (BY_NAME.get(name) ?? canonicalType(name) ?? name) : undefined
    if (type === undefined || !isTypePattern(type)) throw new HubError('INVALID_MESSAGE', 'That is no event type.', { path: 'payload.events', event: typeof name === 'string' ? name.slice(0, 128) : typeof name })
    return type
  })
}

const BY_NAME: ReadonlyMap<string, string> = new Map(Object.entries(PROJECT_NAMES).map(([type, name]) => [name, type]))

/** The data's fields stand beside the message's own, as well as whole. */
function shown({ id, type, timestamp, project, data, metadata }: HubEvent, cursor: Cursor): object {
  const fields = typeof data === 'object' && data !== null && !Array.isArray(data) ? Object.entries(data).map(([name, value]) => [snakeCase(name), value] as const) : []
  return { ...Object.fromEntries(fields), type: 'event', timestamp: timestamp / 1000, event_type: nameOf(PROJECT_NAMES, type), event_id: id, project_id: project, data, metadata, cursor }
}
