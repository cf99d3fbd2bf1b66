/**
 * The operations, once, under every gateway: publish, subscribe and unsubscribe (on a `Connection`), signal, history.
 * A gateway translates its wire into these calls and nothing else.
 */
import { HubError, isWildcard, topicFamily, type Answer, type HistoryResult, type PublishResult, type Signal } from '@hubbub/protocol'
import { checkSignal } from '@hubbub/protocol/catalogue'
import { sourceOf, type Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Fanout } from '../fanout/fanout.js'
import type { Outlet } from '../fanout/session.js'
import type { Subscription } from '../fanout/subscription.js'
import type { Settings } from '../settings/table.js'
import { topicKey, type Journal } from '../store/port.js'
import { Connection } from './connection.js'
import { history } from './history.js'
import type { Recorder } from './recorder.js'

/** What the operations need of intake. */
export interface Publisher {
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
}

export interface ConnectOptions {
  /** Recoverable: the record is kept under this id and generation; `expel` ends the connection when it was taken. */
  recovery?: { id: string; generation: number; expel: () => void }
  resume?: { cursor: string; subscriptions: readonly Subscription[] }
}

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
  disconnect(connection: Connection): void
}

export function createOperations(deps: OperationsDeps): Operations {
  const { publisher, fanout, journal, settings, recorder } = deps
  return {
    publish: (identity, inputs, options) => publisher.publish(identity, inputs, options),
    history: (identity, input, signal) => history({ journal, fanout, settings }, identity, input, signal),
    async signal(identity, input, broadcast) {
      const request = checkSignal(input, { maxEventBytes: settings.maxEventBytes, maxDepth: settings.maxDepth })
      if (!may(identity, 'signal', request.topic)) {
        throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to signal ${request.topic}.`, { topic: request.topic, needed: needed('signal', request.topic) })
      }
      const { topic, name, data = null } = request
      broadcast(roomsOfTopic(identity.project, topic), { topic, name, data, source: sourceOf(identity), timestamp: Date.now() })
    },
    async admit(identity) {
      const lane = await fanout.lane(identity.project)
      return (outlet, { recovery, resume } = {}) => {
        const record = recovery && ((connection: Connection, subscriptions: readonly Subscription[]) => recorder.save(connection, subscriptions))
        const connection = new Connection(identity, lane, outlet, { journal, settings, record }, resume)
        if (recovery) recorder.hold(connection, recovery.id, recovery.generation, recovery.expel)
        return connection
      }
    },
    disconnect(connection) {
      recorder.release(connection)
      connection.close()
    },
  }
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
