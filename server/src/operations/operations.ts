/**
 * The operations, once, under every gateway: publish, subscribe and unsubscribe (on a `Connection`), signal, history, snapshot, tasks.
 * A gateway translates its wire into these calls and nothing else.
 */
import { HubError, isWildcard, topicFamily, type Answer, type Cursor, type HistoryResult, type PublishResult, type Signal, type SnapshotResult } from '@hubbub/protocol'
import { checkSignal } from '@hubbub/protocol/catalogue'
import { sourceOf, type Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Who } from '../fanout/chronicle.js'
import type { Fanout } from '../fanout/fanout.js'
import type { Outlet } from '../fanout/session.js'
import type { Subscription } from '../fanout/subscription.js'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Settings } from '../settings/table.js'
import { topicKey, type DeadLetters, type Journal, type Provenance, type Roster, type Sessions, type StateStore } from '../store/port.js'
import { recall, register, type Profile, type Registration } from './agents.js'
import { Broadcasts } from './broadcast.js'
import { Commands } from './commands.js'
import { Connection, type Resume } from './connection.js'
import { createEntityReader, type EntityReader } from './entities.js'
import { Executors } from './executors.js'
import { following, type FollowRequest } from './follow.js'
import { history } from './history.js'
import { Inflation } from './inflate.js'
import type { Inbox, MailStart } from './inbox.js'
import { Peers } from './peers.js'
import type { Presence } from './presence.js'
import { withReceipts } from './receipts.js'
import type { Recorder } from './recorder.js'
import type { Roll } from './roll.js'
import { snapshot } from './snapshot.js'
import { createTasks, type TaskDeps, type Tasks } from './tasks.js'
import { createTracer, type Tracer } from './trace.js'

/** What the operations need of intake. */
export interface Publisher {
  announce: TaskDeps['announce']
  publish(identity: Identity, inputs: readonly unknown[], options: { ack: 'committed' | 'accepted'; client: string }): Promise<Answer<PublishResult>[]>
}

/** Reaches everybody in the rooms, on every worker: the Socket.IO adapter's job. */
export type Broadcast = (rooms: string[], signal: Signal) => void

export interface OperationsDeps {
  publisher: Publisher
  fanout: Fanout
  journal: Journal
  settings: Settings
  recorder: Recorder
  inbox: Inbox
  state: StateStore
  presence: Presence
  roll: Roll
  roster: Roster
  partitions: number
  /** For traces. */
  provenance: Provenance
  letters: DeadLetters
  sessions: Sessions
  metrics: Pick<Metrics, 'rejections'>
  log: Logger
}

export interface ConnectOptions {
  /** Recoverable: the record is kept under this id and generation; `expel` ends the connection when it was taken. */
  recovery?: { id: string; generation: number; expel: () => void }
  resume?: Resume
  /** Of an agent's new session, what `mail` answered: its mail comes first. */
  mail?: MailStart
  /** For traces. */
  who?: Who
}

/** Connects, synchronously: nothing can be committed between its position and its joining. */
export type Follow = (outlet: Outlet, who?: Who) => Connection

export type Admit = (outlet: Outlet, options?: ConnectOptions) => Connection

export interface Operations {
  /** Each input is answered on its own, in order; never rejects for bad input. */
  publish: Publisher['publish']
  /** Rejects with `HubError`. */
  history(identity: Identity, input: unknown, signal: AbortSignal): Promise<HistoryResult>
  /** Rejects with `HubError`; resolves when handed to the adapter, which is all that a signal promises. */
  signal(identity: Identity, input: unknown, broadcast: Broadcast): Promise<void>
  /** Prepares a place; what it answers connects synchronously, when the gateway is ready to write. */
  admit(identity: Identity): Promise<Admit>
  /** As `admit`, for a connection that has its subscriptions from the beginning. Rejects with `HubError`. */
  follow(identity: Identity, request: FollowRequest): Promise<Follow>
  /** Where the mail of an agent's new session begins; undefined for whoever has no mailbox. Rejects when the store is away. */
  mail(identity: Identity): Promise<MailStart | undefined>
  /** An agent without a connection has its mail up to the cursor: a new session begins behind it. Nothing waits for it. */
  mailTaken(identity: Identity, cursor: Cursor): void
  /** `agent.register`. Resolves when committed; rejects with `HubError`. */
  register(identity: Identity, input: unknown): Promise<Registration>
  /** What an agent said when it registered, on an earlier connection. */
  recall(identity: Identity): Promise<Profile | undefined>
  disconnect(connection: Connection): void
  /** Rejects with `HubError`. */
  snapshot(identity: Identity, input: unknown): Promise<SnapshotResult>
  /** Why an event did or did not arrive. Rejects with `HubError`. */
  readonly trace: Tracer
  readonly entities: EntityReader
  readonly tasks: Tasks
  readonly commands: Commands
  readonly executors: Executors
  readonly broadcasts: Broadcasts
  /** Of this worker to the others; the Socket.IO gateway attaches the wire. */
  readonly peers: Peers
  /** Who watches a topic; `follow` it with each change of a connection's subscriptions. */
  readonly presence: Pick<Presence, 'ask' | 'follow' | 'attach'>
}

export function createOperations(deps: OperationsDeps): Operations {
  const { publisher, fanout, journal, settings, recorder, inbox, presence } = deps
  const agents = { ...deps, announcer: publisher }
  const inflation = new Inflation(settings)
  const peers = new Peers(deps.roll)
  const executors = new Executors(deps)
  const announce: TaskDeps['announce'] = (identity, input) => publisher.announce(identity, input)
  const recent: Operations['history'] = (identity, input, ended) => history({ journal, fanout, settings }, identity, input, ended)
  const entities = createEntityReader(deps)
  const tasks = createTasks({ announce, entities, history: recent, settings })
  const commands = new Commands({ ...deps, announce, tasks, executors, peers })
  const broadcasts = new Broadcasts({ ...deps, peers })
  return {
    publish: (identity, inputs, options) => inflation.before(options.client, identity, inputs, (plain) => publish(deps, identity, plain, options)),
    history: recent,
    signal: async (identity, input, broadcast) => signal(settings, identity, input, broadcast),
    async admit(identity) {
      const lane = await fanout.lane(identity.project)
      return (outlet, { recovery, resume, mail, who } = {}) => {
        const record = recovery && ((connection: Connection, subscriptions: readonly Subscription[]) => recorder.save(connection, subscriptions))
        const connection = new Connection(identity, lane, outlet, { journal, settings, record, snapshot: (whose, input) => snapshot(deps, whose, input) }, { resume, mail, who })
        inbox.attend(connection)
        if (recovery) recorder.hold(connection, recovery.id, recovery.generation, recovery.expel)
        return connection
      }
    },
    async follow(identity, request) {
      const place = await following(deps, identity, request)
      const lane = await fanout.lane(identity.project)
      return (outlet, who) => {
        const connection = new Connection(identity, lane, outlet, { journal, settings, snapshot: (whose, input) => snapshot(deps, whose, input) }, { following: place, who })
        inbox.attend(connection)
        return connection
      }
    },
    mail: async (identity) => inbox.start(identity, await fanout.lane(identity.project)),
    mailTaken: (identity, cursor) => inbox.taken(identity, cursor),
    register: (identity, input) => register(agents, identity, input),
    recall: (identity) => recall(agents, identity),
    presence,
    snapshot: (identity, input) => snapshot(deps, identity, input),
    trace: createTracer({ ...deps, peers }),
    entities,
    tasks,
    commands,
    executors,
    broadcasts,
    peers,
    disconnect(connection) {
      presence.gone(connection)
      recorder.release(connection)
      inbox.leave(connection)
      connection.close()
    },
  }
}

/** What could not be inflated is answered in its place. */
async function publish(deps: OperationsDeps, identity: Identity, inputs: readonly unknown[], options: Parameters<Publisher['publish']>[2]): Promise<Answer<PublishResult>[]> {
  const readable = inputs.filter((input) => !(input instanceof HubError))
  const answers = await withReceipts(deps, identity, readable, await deps.publisher.publish(identity, readable, options))
  if (readable.length === inputs.length) return answers
  let next = 0
  return inputs.map((input) => {
    if (!(input instanceof HubError)) return answers[next++]!
    deps.metrics.rejections.inc({ code: input.code })
    return { ok: false, error: input.toJSON() }
  })
}

/** Throws `HubError`. */
function signal({ maxEventBytes, maxDepth }: Settings, identity: Identity, input: unknown, broadcast: Broadcast): void {
  const { topic, name, data = null } = checkSignal(input, { maxEventBytes, maxDepth })
  if (!may(identity, 'signal', topic)) {
    throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to signal ${topic}.`, { topic, needed: needed('signal', topic) })
  }
  broadcast(roomsOfTopic(identity.project, topic), { topic, name, data, source: sourceOf(identity), timestamp: Date.now() })
}

/** Rooms of a subscription's patterns; `family:prefix*` has none: a room cannot be asked for by prefix. */
export function roomsOfPatterns(project: string, patterns: readonly string[]): string[] {
  return patterns.filter((pattern) => !isWildcard(pattern) || pattern === '*' || pattern.endsWith(':*')).map((pattern) => topicKey(project, pattern))
}

/** Everybody who subscribed to the topic, to its family, or to everything; mail is for those who named it. */
function roomsOfTopic(project: string, topic: string): string[] {
  const family = topicFamily(topic)
  const patterns = family === 'inbox' ? [topic, 'inbox:*'] : family === topic ? [topic, '*'] : [topic, `${family}:*`, '*']
  return patterns.map((pattern) => topicKey(project, pattern))
}
