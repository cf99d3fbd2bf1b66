/**
 * A message format of plain WebSockets. A dialect translates; what its messages do is done by the operations under every gateway. One
 * object a dialect serves all connections; what is of one connection is its `Conversation`.
 */
import type { IncomingMessage } from 'node:http'
import type { Cursor, Draining, Failure, Gap, Signal } from '@hubbub/protocol'
import type { Presented } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import type { Compression } from '../../fanout/compression.js'
import type { Encoding } from '../../fanout/entry.js'
import type { Logger } from '../../observe/log.js'
import type { Metrics } from '../../observe/metrics.js'
import type { ClosedBecause } from '../../operations/attendance.js'
import type { FollowRequest } from '../../operations/follow.js'
import type { Operations } from '../../operations/operations.js'
import type { Settings } from '../../settings/table.js'
import type { Sessions } from '../../store/port.js'

/** How a connection was asked for. */
export interface Opening {
  /** The part of the path that names something: a task, a project. */
  readonly name?: string
  readonly query: URLSearchParams
  readonly identity: Identity
  /** Of a dialect whose credentials came in a message: what else the message said. */
  readonly auth?: unknown
}

/** What a conversation sees of its connection. */
export interface Speaker {
  readonly id: string
  readonly settings: Settings
  identity(): Identity
  /** As JSON, at once. Nothing happens when the connection is gone. */
  send(message: object): void
  /**
   * Carries out one of the hub's messages (`subscribe`, `publish`, `command`, ...; PROTOCOL.md has them all). Rejects with `HubError`.
   * @param answered called in the answer's own synchronous step: what is sent in it stands before the first live event (I2)
   */
  request<T extends object>(name: string, input: unknown, answered?: (result: T) => void): Promise<T>
  /** What it is subscribed to now, in the order in which it was asked for. */
  subscriptions(): readonly { readonly id: string; readonly topics: readonly string[] }[]
  /** Where the connection stands: everything up to here was written to its socket, or waits there. */
  cursor(): Cursor
  /** Resolves when it took nearly all that it was sent; rejects with UNAVAILABLE when it is gone. For whatever is sent page by page (I7). */
  drained(): Promise<void>
  /** Resolves when the client has all that was written to it before now; never, when it is gone. */
  received(): Promise<void>
  close(code: number, reason: string): void
}

export interface Conversation {
  /** The first words, before anything else is written. */
  welcome?(): void
  /** One parsed message. Whatever it rejects with is told as a `failure`. */
  hear(message: unknown): Promise<void> | void
  /** Events were written to the socket, or would have been if it were not closing; `cursor` counts them from the next turn on. */
  wrote?(): void
  /** The connection is over. */
  end?(): void
}

/** For dialects in which a credential may come after the upgrade: others refuse before it, with a status. */
export interface Entrance {
  /** The `auth` payload in a message, as in a Socket.IO handshake; undefined: the message is something else. */
  credentialsIn(message: unknown): unknown
  /** Whether somebody without any credential is waited for. */
  readonly waits: boolean
  /** Told at once, before anybody knows whose the connection is. */
  greeting?(id: string, settings: Settings): object
  /** Where the dialect's clients put their credential on a request; default: as everywhere. Throws `HubError`. */
  presentedBy?(request: IncomingMessage): Presented
  /** Told before the connection is closed with 1008. */
  refused(failure: Failure): object
}

export interface DialectDeps {
  settings: Settings
  metrics: Metrics
  log: Logger
  compression: Compression
  /** Where a client stood that does not remember it itself. */
  sessions: Pick<Sessions, 'save' | 'take'>
  partitions: number
  history: Operations['history']
}

export interface Dialect {
  readonly name: string
  readonly encoding: Encoding
  /** Of this connection, where they are not all the same. */
  encodingFor?(opening: Opening): Encoding
  readonly entrance?: Entrance
  /** Between pings, and silence after which the connection is closed; ms. */
  readonly heartbeat: { pingMs: number; silenceMs: number }
  /** The close code for a connection that should come back; default 1001, and 1012 when the worker stops. */
  readonly awayCode?: number
  /** Told before such a close. */
  farewell?(because: ClosedBecause): object
  /** The close frame behind a failure that ends the connection; default: `endingOf`. */
  ending?(failure: Failure): { code: number; reason: string }
  /**
   * What the connection is subscribed to from its beginning, and since when. Rejects with `HubError`.
   * Default: `?topics=&types=&since=`.
   */
  begin?(opening: Opening): Promise<FollowRequest> | FollowRequest
  converse(speaker: Speaker, opening: Opening): Conversation
  // Messages of the hub; undefined: this dialect has none for it.
  bookmark(cursor: Cursor): object | undefined
  gap(gap: Gap): object
  signal(signal: Signal): object | undefined
  /** The worker stops, and the connection will be closed; absent: this dialect has no word for it. */
  draining?(notice: Draining): object
  /** @param about the message that was refused, as it came */
  failure(failure: Failure, about?: unknown): object
  /** Beside the protocol's own ping. */
  ping?(): object
}
