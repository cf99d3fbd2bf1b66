/**
 * What the client needs of a connection. `connection.ts` is the real one, over Socket.IO; `testing.ts` has one without
 * a network. A link reconnects by itself and reports; it knows nothing of events and subscriptions.
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

export interface Link {
  readonly isOpen: boolean
  /** `websocket` or `polling`, while open. */
  readonly transport: string | undefined
  open(): void
  close(): void
  /** Rejects with `Dropped` only: when there is no connection, or it ended before the answer came. */
  request<K extends keyof Requests>(name: K, payload: Requests[K][0], asking?: Asking<K>): Promise<Answer<Requests[K][1]>>
}

export interface LinkEvents {
  connecting(): void
  /** `recovered`: the hub kept the session and replays by itself what was missed. */
  opened(recovered: boolean): void
  dropped(): void
  /** Anything that the hub sent: name and arguments, the acknowledgement last where the hub wants one. */
  message(name: string, args: readonly unknown[]): void
  /** Something went wrong; the link goes on trying. */
  troubled(error: HubError): void
  /** The link gave up: the hub refused for good. */
  ended(error: HubError): void
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

/** Whether it is an answer at all: what a stranger on the other side sends is not trusted to be one. */
export function isAnswer(thing: unknown): boolean {
  return typeof thing === 'object' && thing !== null && ((thing as { ok?: unknown }).ok === true || isFailure((thing as { error?: unknown }).error))
}

export function isFailure(thing: unknown): thing is Failure {
  return typeof thing === 'object' && thing !== null && typeof (thing as { code?: unknown }).code === 'string'
}

/** ms that the hub asks to wait before the same is tried again. */
export function retryAfter(error: HubError): number | undefined {
  const ms = error.details?.['retryAfterMs']
  return typeof ms === 'number' && ms >= 0 ? ms : undefined
}
