/**
 * What the client needs of a connection. `connection.ts` is the real one, over whatever way to the hub holds; `testing.ts` has one
 * without a network. A link reconnects by itself and reports; it knows nothing of events and subscriptions.
 */
import { HubError, isFailureCode } from '@hubbub/protocol'
import type {
  AgentRegistered, AgentRegistration, Answer, BroadcastRequest, BroadcastResult, CommandRequest, CommandResult, Failure, HandleRequest, HandleResult,
  PresenceRequest, PresenceResult, PublishRequest, PublishResult, SignalRequest, SnapshotRequest, SnapshotResult, SubscribeRequest, SubscribeResult,
  UnsubscribeRequest, UnsubscribeResult,
} from '@hubbub/protocol'

/** Client to hub: payload and result of each message. */
export interface Requests {
  subscribe: [SubscribeRequest, SubscribeResult]
  unsubscribe: [UnsubscribeRequest, UnsubscribeResult]
  publish: [PublishRequest | PublishRequest[], PublishResult | { results: Answer<PublishResult>[] }]
  signal: [SignalRequest, object]
  'auth.refresh': [{ token: string }, object]
  snapshot: [SnapshotRequest, SnapshotResult]
  'agent.register': [AgentRegistration, AgentRegistered]
  command: [CommandRequest, CommandResult]
  'command.handle': [HandleRequest, HandleResult]
  broadcast: [BroadcastRequest, BroadcastResult]
  presence: [PresenceRequest, PresenceResult]
}

export interface Asking<K extends keyof Requests> {
  /** Called in the answer's own turn, before whatever the hub sent behind it; the promise's followers may come later. */
  heard?: (answer: Answer<Requests[K][1]>) => void
  /** ms that the hub may take, where it is more than a connection is otherwise believed to live without an answer. */
  patienceMs?: number
}

/** Ways to the hub: Socket.IO over a WebSocket, or over HTTP requests; and plain requests to the HTTP API. */
export type Transport = 'websocket' | 'polling' | 'http'

export interface Link {
  readonly isOpen: boolean
  /** While open. */
  readonly transport: Transport | undefined
  open(): void
  close(): void
  /** Rejects with `Dropped` when there is no connection, or it ended before the answer came; with INVALID_MESSAGE for what JSON cannot carry. */
  request<K extends keyof Requests>(name: K, payload: Requests[K][0], asking?: Asking<K>): Promise<Answer<Requests[K][1]>>
}

export interface LinkEvents {
  connecting(): void
  /**
   * `recovered`: the hub kept the session and replays by itself what was missed. Also of a better connection that takes the place of
   * one that is open: without a `dropped` before it.
   */
  opened(recovered: boolean): void
  dropped(): void
  /** Anything that the hub sent: name and arguments, the acknowledgement last where the hub wants one. */
  message(name: string, args: readonly unknown[]): void
  /** Something went wrong; the link goes on trying. */
  troubled(error: HubError): void
  /** The link gave up: the hub refused for good. */
  ended(error: HubError): void
}

/** One way to the hub, one connection at a time: it does not come back by itself, and judges nothing. */
export interface Rung {
  readonly isOpen: boolean
  /** One attempt, of which `opened` or `ended` tells. @param auth the handshake's */
  open(auth: Record<string, string>): void
  /** At once, and without a word. */
  close(): void
  /** Another one took its place: what is under way may end, then it closes and tells so by `ended`. */
  retire(): void
  request: Link['request']
}

export interface RungEvents extends Pick<LinkEvents, 'opened' | 'message' | 'troubled'> {
  /** The attempt failed, or the connection is over. */
  ended(end: RungEnd): void
}

export interface RungEnd {
  /** Absent: the network's, and nothing more is known. */
  error?: HubError
  /** Who ended it: by the `hub` means that the way to it is good. */
  by: 'network' | 'hub'
  /** The hub refused for good. */
  isFinal?: boolean
}

/** The connection ended before the answer: whether the hub did what was asked is not known. */
export class Dropped extends Error {
  override readonly name = 'Dropped'
  constructor() {
    super('the connection ended before the answer')
  }
}

/** A failure as it came over the wire. A code of a newer hub is kept in the message. */
export function errorOf(failure: Failure): HubError {
  const { code, message, details } = failure
  return isFailureCode(code) ? new HubError(code, message, details) : new HubError('INTERNAL_ERROR', `${String(code)}: ${message}`, details)
}

/** What JSON cannot carry (a BigInt, a circle) is its sender's fault, and no connection's. */
export function unwritable(what: string, cause: unknown): HubError {
  return new HubError('INVALID_MESSAGE', `The payload of '${what}' cannot be written as JSON.`, undefined, { cause })
}

/** The hub said why. */
export function endOf(failure: Failure): RungEnd {
  return { error: errorOf(failure), by: 'hub', isFinal: !failure.retryable }
}

/** ms that the hub asks to wait before the same is tried again. */
export function retryAfter(error: HubError): number | undefined {
  const ms = error.details?.['retryAfterMs']
  return typeof ms === 'number' && ms >= 0 ? ms : undefined
}
