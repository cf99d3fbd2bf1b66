/** What users hold: the client and its subscriptions. `connect` makes real ones, `testing` ones without a network. */
import type { BroadcastRequest, BroadcastResult, Cursor, EventMap, Filter, Gap, HubError, HubEvent, PresenceResult, PublishResult, Signal, Since } from '@hubbub/protocol'
import type { Agent, AgentOptions } from './agent.js'
import type { CommandHandler, CommandOptions } from './commands.js'
import type { Transport } from './link.js'
import type { Operator } from './operator.js'
import type { Snapshot } from './snapshot.js'
import type { ClientState } from './state.js'
import type { Tasks } from './tasks.js'
import type { LiveState } from './watch.js'

/** Where an event stands: keep the cursor to go on behind it later, `subscribe({ since: cursor })`. */
export interface Place {
  cursor: Cursor
}

export type EventHandler<D = unknown> = (event: HubEvent<D>, place: Place) => void

export interface SubscribeOptions {
  /** `task:42`, `task:*`, `*`. */
  topics: string[]
  /** `task.progress`, `task.*`; absent: all. */
  types?: string[]
  filter?: Filter
  /** A cursor, a duration such as `10m`, `{ last: N }` or `all`; absent: from now on. */
  since?: Since
  /** The hub may gather live events for so long and send them together, ms, up to 60,000. They are handed on one by one all the same. */
  batchMs?: number
  /** Of the events gathered only the last of each topic and type comes: for progress and metrics. Without `batchMs`: 250 ms. */
  latestOnly?: boolean
}

/**
 * A subscription that outlives connections: each event that matches comes once, in journal order (I1, I2).
 * Read it by `on` or by `for await`; what comes before the first of them, up to `bufferLimit` events, is kept for it.
 * Leaving the loop ends the subscription. A loop that falls `bufferLimit` events behind is ended with QUEUE_FULL.
 */
export interface Subscription extends AsyncIterable<HubEvent> {
  /** The hub's id on the present connection; absent while it is being made. */
  readonly id: string | undefined
  readonly topics: readonly string[]
  /** Behind the last event that was handed to the consumer. */
  readonly cursor: Cursor | undefined
  on(handler: EventHandler): () => void
  /** Events that can no longer be had. */
  onGap(handler: (gap: Gap) => void): () => void
  /** Told once: without an error when it was left or the client closed, else with the reason. */
  onEnd(handler: (error?: HubError) => void): () => void
  /** Resolves when the history asked for was read and events come live; rejects when the subscription ended before. */
  live(): Promise<void>
  unsubscribe(): Promise<void>
}

export interface PublishOptions {
  /** Idempotency key; default a UUID. */
  id?: string
  /** Besides those that the type and data give. */
  topics?: string[]
  /** ms since the epoch; default now, also when the event has to wait for a connection. */
  timestamp?: number
  metadata?: { version?: string; subject?: string; correlationId?: string; causationId?: string; traceparent?: string; tracestate?: string; runId?: string; threadId?: string }
  /** `committed` (default): in the journal (I4). `accepted`: in the source stream, the cheaper promise. */
  ack?: 'committed' | 'accepted'
}

/**
 * `Map` names the data of event types for the types of handlers; the catalogue's, if nothing else is said.
 * All `on...` methods answer a function that takes the handler away again.
 */
export interface Client<Map extends object = EventMap> {
  readonly state: ClientState
  /** While connected: the way that holds now, of `ConnectOptions.transports`. */
  readonly transport: Transport | undefined
  /** Everything up to here was handed to the handlers of `on`. */
  readonly cursor: Cursor | undefined
  /** Resolves when connected for the first time; rejects when the hub refuses for good. */
  ready(): Promise<void>
  /**
   * Handlers of all subscriptions together: each event once, in journal order, whichever subscriptions it matches.
   * History that lies behind an event handed here before goes only to the subscription that asked for it.
   */
  on<T extends keyof Map & string>(type: T, handler: EventHandler<Map[T]>): () => void
  on(pattern: string, handler: EventHandler): () => void
  /** Resolves with the first answer; what it asked for before that comes through the subscription, page by page. */
  subscribe(what: string | string[] | SubscribeOptions): Promise<Subscription>
  /**
   * Order of one client's publishes is kept. Rejects with the hub's refusal, QUEUE_FULL without a connection and with a
   * full queue, or OUTCOME_UNKNOWN when no answer came in time.
   */
  publish(type: string, data: unknown, options?: PublishOptions): Promise<PublishResult>
  /**
   * This client as an agent: registered now and on every later connection, and beating. One a client; `onTask` gives it work.
   * Throws RangeError for a wrong option, `HubError` BUSINESS_LOGIC_ERROR for a second agent.
   */
  agent(options?: AgentOptions): Agent
  readonly tasks: Tasks
  /** For whoever runs the hub. */
  readonly operator: Operator
  /**
   * Has somebody carry out a command, once at most, and resolves with what they answered. Rejects with NO_EXECUTOR, COMMAND_FAILED
   * (`details`: the executor's code and message), COMMAND_TIMEOUT, EXECUTOR_LOST; with UNAVAILABLE when there is no connection for
   * `timeoutMs`, and OUTCOME_UNKNOWN when the connection ends before the answer: in the last three it may have been carried out.
   */
  command(name: string, payload?: unknown, options?: CommandOptions): Promise<unknown>
  /**
   * Carries out commands of that name: also of its other spellings, and on every later connection. Of several clients that handle one
   * the hub asks one. What the hub refuses is told to `onError`. Throws `HubError` BUSINESS_LOGIC_ERROR for a name that is handled here.
   */
  handle(name: string, handler: CommandHandler): () => void
  /** The state of what the topics name, complete; without a connection that is when there is one. Rejects with the hub's refusal. */
  snapshot(topics: string | string[]): Promise<Snapshot>
  /**
   * The state of what the topics name, kept true by the events that follow, over connections and gaps. Resolves when it is complete for
   * the first time. It is one of the connection's subscriptions.
   */
  watch(topics: string | string[]): Promise<LiveState>
  /**
   * Who watches the topic now. Changes follow as signals `presence.changed` (`onSignal`), on later connections, too, until it is asked
   * with `watch: false`; what changed between two connections is told as one of them. Rejects with UNAVAILABLE without a connection.
   */
  presence(topic: string, options?: { watch?: boolean }): Promise<PresenceResult>
  /** A signal to connected agents, by type, capability or pipeline. Rejects with UNAVAILABLE without a connection. */
  broadcast(request: BroadcastRequest): Promise<BroadcastResult>
  /** To whoever is connected to the topic now; rejects with UNAVAILABLE without a connection. */
  signal(topic: string, name: string, data?: unknown): Promise<void>
  onSignal(handler: (signal: Signal) => void): () => void
  onState(handler: (state: ClientState, before: ClientState) => void): () => void
  onGap(handler: (gap: Gap) => void): () => void
  /** What went wrong, also when the client goes on by itself; and whatever a handler of yours throws. */
  onError(handler: (error: HubError) => void): () => void
  /** For good. Publishes without an answer are rejected, loops over subscriptions end. */
  close(): void
}
