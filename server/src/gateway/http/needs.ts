/** What the HTTP gateway needs of the rest of the hub: a few methods each. */
import type { Answer, EventInput, HistoryResult, PublishResult, Signal, SnapshotResult } from '@hubbub/protocol'
import type { Authenticator } from '../../access/authenticator.js'
import type { Identity } from '../../access/identity.js'
import type { Logger } from '../../observe/log.js'
import type { Metrics } from '../../observe/metrics.js'
import type { EntityReader } from '../../operations/entities.js'
import type { Operations } from '../../operations/operations.js'
import type { OverviewDesk } from '../../operations/overview.js'
import type { SinkDesk } from '../../operations/sinks.js'
import type { TapDesk } from '../../operations/taps.js'
import type { Tasks } from '../../operations/tasks.js'
import type { Settings } from '../../settings/table.js'
import type { AccessRecords, DeadLetters, Ledger, SourceStreams, Store } from '../../store/port.js'
import type { Gatekeeper } from '../gatekeeper.js'
import type { Streams } from './streams.js'

export interface HttpOperations extends Pick<Operations, 'signal' | 'register' | 'mail' | 'mailTaken' | 'follow' | 'trace'> {
  /** One answer an input, in order; never rejects for an input's sake. `client` names whose rates count. */
  publish(identity: Identity, inputs: readonly unknown[], options: { ack: 'committed' | 'accepted'; client: string }): Promise<Answer<PublishResult>[]>
  /** Rejects with HubError. Does the waiting of `wait` itself, until `signal` aborts. */
  history(identity: Identity, request: unknown, signal: AbortSignal): Promise<HistoryResult>
  /** Rejects with HubError. */
  snapshot(identity: Identity, request: unknown): Promise<SnapshotResult>
  readonly entities: EntityReader
  readonly tasks: Tasks
  readonly commands: Pick<Operations['commands'], 'give'>
  readonly broadcasts: Pick<Operations['broadcasts'], 'send'>
  readonly presence: Pick<Operations['presence'], 'ask'>
}

/** Takes in what no client wrote: a webhook's delivery. `once.key` is marked as used in the step that appends (I3). */
export interface HttpIntake {
  deliver(project: string, source: string, input: EventInput, once: { key: string; ttlMs: number }): Promise<{ id: string; duplicate: boolean }>
}

/** Of this worker. */
export interface ConnectionCounts {
  /** Open now. */
  total: number
  /** Of these, with at least one subscription. */
  active: number
  [more: string]: unknown
}

export interface ProcessStatus {
  version: string
  role: string
  node: string
  /** ms since the epoch */
  startedAt: number
  [more: string]: unknown
}

export interface HttpDeps {
  operations: HttpOperations
  intake: HttpIntake
  authenticator: Pick<Authenticator, 'isRevoked' | 'refresh'>
  gate: Pick<Gatekeeper, 'enter' | 'authenticate'>
  store: AccessRecords & Pick<Store, 'kind' | 'partitions' | 'ping'> & Pick<Ledger, 'owners'> & Pick<SourceStreams, 'lag'> & { readonly dead: DeadLetters }
  settings: Settings
  metrics: Metrics
  log: Logger
  status: () => ProcessStatus
  /** Reaches everybody in the rooms, on every worker. */
  broadcast: (rooms: string[], signal: Signal) => void
  /** Of one project, or of all. Absent: this process holds no connections. */
  connections?: (project?: string) => ConnectionCounts
  /** Answers that go on. */
  streams: Streams
  /** Outgoing webhooks; absent: there are none. */
  sinks?: SinkDesk
  /** Debug taps; absent: there are none. */
  taps?: Pick<TapDesk, 'add' | 'list' | 'remove'>
  /** Of the whole hub; absent: there is none. */
  overview?: Pick<OverviewDesk, 'overview'>
  /** Why the process should get no traffic besides the store's absence: `draining`. */
  unready?: () => readonly string[]
  /** Aborted when the process is about to end: what waits is answered with what there is. */
  over?: AbortSignal
}
