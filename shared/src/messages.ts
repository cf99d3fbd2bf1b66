/**
 * The operations' messages as TypeScript sees them; `messages.schema.ts` validates the same shapes.
 * Every message is answered once: `{ ok: true, ... }` or `{ ok: false, error }`.
 */
import type { Cursor, Offset } from './cursor.js'
import type { EventInput, EventMetadata, HubEvent } from './envelope.js'
import type { Failure } from './failures.js'
import type { AgentStatus, Entities, Kind, TaskStatus } from './state/entities.js'

/** Names of the messages that a client sends; any other name is taken for an event's type, and publishes it. */
export const CLIENT_MESSAGES = [
  'subscribe', 'unsubscribe', 'publish', 'signal', 'auth.refresh', 'snapshot', 'agent.register', 'command', 'command.handle', 'broadcast', 'presence',
  'system.health_check',
] as const
/** Names of the messages that the hub sends, besides the types of events. `command` asks an executor, and takes its acknowledgement. */
export const HUB_MESSAGES = ['hub.cursor', 'gap', 'events', 'signal', 'hub.error', 'hub.draining', 'command'] as const

export type ClientMessage = (typeof CLIENT_MESSAGES)[number]

export type Answer<T extends object> = ({ ok: true } & T) | { ok: false; error: Failure }

/** A cursor, a duration such as `10m` (units s, m, h, d), the last N events, or everything that is kept. */
export type Since = Cursor | `${number}${'s' | 'm' | 'h' | 'd'}` | 'all' | { last: number }

/**
 * Equality on fields, all of them must hold. A key without a dot is looked up in `data` (`stage`, `agentType`,
 * `status`); `data.a.b` goes deeper; an array in the event contains (`capability` reads `data.capabilities`).
 */
export type Filter = Record<string, string | number | boolean | null>

export interface SubscribeRequest {
  topics: string[]
  types?: string[]
  filter?: Filter
  since?: Since
  /** The state of what the topics name, as of where the subscription begins; not together with `since`. */
  snapshot?: boolean
  /** Live events may be gathered for so long and come as one message `events`, ms, up to 60,000. */
  batchMs?: number
  /** Of the events gathered only the last of each topic and type comes: for progress and metrics. Without `batchMs`: 250 ms. */
  latestOnly?: boolean
}

/** An event in an answer, with the cursor just behind it. */
export interface PlacedEvent {
  event: HubEvent
  cursor: Cursor
}

/**
 * A live event as a client gets it that asked for compression: `data` is the base64 of the gzip of the JSON of the event's data. Taken
 * from clients in the same form.
 */
export interface CompressedEvent extends HubEvent<string> {
  metadata: EventMetadata & { compressed: true }
}

/** Events that can no longer be had (I2). `from` is absent when the cursor was of an unknown epoch. */
export interface Gap {
  from: Cursor
  to: Cursor
  reason: 'trimmed' | 'epoch' | 'session'
}

export interface SubscribeResult {
  /** Absent while `more`: the subscription is not live yet. */
  subscriptionId?: string
  topics: string[]
  activeSubscriptions: number
  /** Where the answer stands: ask again from here while `more`. */
  cursor: Cursor
  /** Present when `since` was asked for. Up to 1,000 events or 1 MB. */
  events?: PlacedEvent[]
  more?: boolean
  gap?: Gap
  /** Present when it was asked for; `events` then holds what came between it and the joining. */
  snapshot?: SnapshotResult
}

/** `{}` drops everything; otherwise by id, or by exact topics. */
export interface UnsubscribeRequest {
  subscriptionId?: string
  topics?: string[]
}

export interface UnsubscribeResult {
  activeSubscriptions: number
}

export type PublishRequest = EventInput & { ack?: 'committed' | 'accepted' }

export interface PublishResult {
  id: string
  /** Canonical type under which the event stands. */
  type: string
  /** Present when the commit was awaited (I4). */
  offset?: Offset
  /** The event stood in the journal already, under this id of this producer. */
  duplicate?: boolean
  /**
   * Receipts of an agent's reports. `agent.heartbeat`: `acknowledged`, and when the next beat is expected (ISO 8601). `task.accepted`,
   * `task.rejected`, `task.result`, `task.failed`: the task's status after the commit, absent when it could not be read.
   */
  status?: TaskStatus | 'acknowledged'
  nextHeartbeat?: string
  /** Of `task.accepted`, `task.rejected`, `task.progress`, `task.result`, `task.failed`. */
  taskId?: string
  /** Of `task.progress`, 0 to 100. */
  progress?: number
  /** Of `task.result`: when the task was completed, ISO 8601. */
  completedAt?: string
}

/** To whoever is connected to the topic now; neither stored nor replayed. */
export interface SignalRequest {
  topic: string
  name: string
  data?: unknown
}

export interface Signal extends Required<SignalRequest> {
  /** Source URI of the sender, as in an event's metadata. */
  source: string
  timestamp: number
}

export interface HistoryRequest {
  topics: string[]
  types?: string[]
  filter?: Filter
  since?: Since
  /** 1 to 1,000, default 100. */
  limit?: number
  /** Seconds to wait for the first event when there is none, 0 to 60. */
  wait?: number
}

export interface HistoryResult {
  events: PlacedEvent[]
  cursor: Cursor
  more: boolean
  gap?: Gap
}

export interface SnapshotRequest {
  /** Topics and topic patterns; what is no entity's topic names nothing. */
  topics: string[]
  /** `next` of the answer before, with the same topics. */
  after?: string
  /** 1 to 1,000 entities, default 1,000; an answer also ends at 1 MB. */
  limit?: number
}

/** One entity: its kind, its fields, and the offset of the event that made it so. */
export type EntityView<K extends Kind = Kind> = { [P in K]: { kind: P; revision: Offset } & Entities[P] }[K]

export interface SnapshotResult {
  /**
   * Where it holds: the events behind it, applied by `evolve`, give every later state. Later pages are younger: whoever applies
   * events leaves out those at or before an entity's `revision`.
   */
  cursor: Cursor
  entities: EntityView[]
  /** Present while there is more: ask again with it. */
  next?: string
}

export interface AgentRegistration {
  /** Default: the subject of the connection. An agent registers only itself. */
  agentId?: string
  agentType?: string
  capabilities?: string[]
  /** Tasks at once, default 1. */
  maxTasks?: number
}

export interface AgentRegistered {
  agentId: string
  status: AgentStatus
  registeredAt: string
  permissions: string[]
  /** ms between beats, and without one until the agent counts as stale and offline. */
  heartbeat: { intervalMs: number; staleMs: number; offlineMs: number }
}

/** Body of `POST /api/v1/tasks` and payload of the command `task.start`. */
export interface TaskOrder {
  id?: string
  type: string
  title?: string
  parameters?: Record<string, unknown>
  /** ISO 8601: unfinished by then, it fails. */
  deadline?: string
  /** Higher goes first; `low`, `normal`, `high`, `urgent` are -10, 0, 10, 20. */
  priority?: number | string
  pipelineId?: string
  stage?: number
  streamId?: string
  /** Task ids, or `stream:ID`. */
  dependsOn?: string[]
  /** Capabilities, all of them. */
  requires?: string[]
  agentType?: string
  /** The one agent that may do it. */
  agentId?: string
}

/** Body of `PUT /api/v1/tasks/:id`: what is left out stays as it is. */
export type TaskChanges = Partial<Pick<TaskOrder, 'title' | 'parameters' | 'deadline' | 'priority' | 'requires'>>

/** Payload of the command `execution.cancel`. */
export interface TaskCancel {
  taskId: string
  reason?: string
}

export type TaskView = EntityView<'task'>

export interface CommandRequest {
  /** `task.start`, `execution.cancel`, or whatever an executor handles: `create_branch`. */
  command: string
  payload?: unknown
  /** 100 to 600,000, default HUBBUB_COMMAND_MS. */
  timeoutMs?: number
}

export interface CommandResult {
  commandId: string
  /** What the executor, or the hub, answered. */
  result: unknown
}

/** What an executor is asked, with an acknowledgement: `{ ok: true, result }` or `{ ok: false, error: { code?, message } }`. */
export interface CommandCall {
  commandId: string
  command: string
  payload: unknown
  /** Source URI of whoever gave it. */
  by: string
  timeoutMs: number
}

export type CommandAnswer = { ok: true; result?: unknown } | { ok: false; error: { code?: string; message: string } }

export interface HandleRequest {
  /** Replaces what the connection handled before; an empty list ends it. */
  commands: string[]
}

export interface HandleResult {
  /** Canonical names. */
  commands: string[]
}

/** A signal to connected agents. */
export interface BroadcastRequest {
  name: string
  data?: unknown
  /** All that are given must hold; none: every agent. Of lists one is enough. */
  to?: { agentTypes?: string[]; capabilities?: string[]; pipelineId?: string; stage?: number }
  /** A connection that is left out. */
  exceptConnection?: string
}

export interface BroadcastResult {
  /** Connections that were given it. */
  reached: number
  /** False when a worker did not answer in time: `reached` is then the least. */
  complete: boolean
}

export interface PresenceRequest {
  topic: string
  /** The connection is told of later changes as signals `presence.changed`, see `PresenceChange`; default true. False ends it. */
  watch?: boolean
}

/** Somebody who watches a topic: subscribed to exactly it, on however many connections. */
export interface Watcher {
  subject: string
  role: string
  since: string
}

export interface PresenceResult {
  topic: string
  /** Who came first stands first. */
  watchers: Watcher[]
  /** So many more are not named. */
  more?: number
}

/** `data` of the signal `presence.changed`: subjects by how they stand now, not by how often they came and went. */
export interface PresenceChange {
  joined: string[]
  left: string[]
  /** So many more came or left: ask again for the whole. */
  more?: number
}
