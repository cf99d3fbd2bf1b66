/**
 * The port's part for outgoing webhooks: what each sink is, how far it was delivered, and which worker delivers it. A sink belongs to
 * its project's partition. Its lease runs by the store's clock; what its owner reports counts under the fence of its claim only, so that
 * an owner that was frozen moves nothing once another one took over.
 */
import type { Cursor, Filter, Gap } from '@hubbub/protocol'

export interface SinkRecord {
  id: string
  project: string
  url: string
  topics: string[]
  types?: string[]
  filter?: Filter
  format: 'hubbub' | 'cloudevents' | 'slack' | 'discord'
  template?: string
  headers?: Record<string, string>
  /** `whsec_` and base64 of the key. */
  secret: string
  /** ms since the epoch */
  createdAt: number
  /** On whose behalf it reads: what that credential granted when the sink was made or resumed. */
  reader: SinkReader
}

/** An identity, without its project; it does not end with the credential's time, but with its revocation. */
export interface SinkReader {
  subject: string
  role: 'viewer' | 'agent' | 'service' | 'admin'
  permissions: string[]
  via: 'jwt' | 'key' | 'none'
  issuedAt?: number
  keyId?: string
}

/** Written whole by the owner. */
export interface SinkProgress {
  /** Everything up to here was delivered, or told as a gap. */
  cursor: Cursor
  deliveries: number
  /** ms since the epoch */
  deliveredAt?: number
  /** Of the event behind the cursor, while it is not delivered. */
  failure?: SinkFailure
  /** The last one that the receiver was told of. */
  gap?: Gap & { at: number }
}

export interface SinkFailure {
  /** Id of the event (of a gap, its message id). */
  event: string
  attempts: number
  /** First and last attempt, ms since the epoch. */
  since: number
  at: number
  message: string
}

export type SinkStatus = 'active' | 'paused'

export interface SinkStanding {
  project: string
  id: string
  status: SinkStatus
  /** Why it is paused. */
  reason?: string
  /** Worker whose lease runs. */
  owner?: string
}

export interface StoredSink extends SinkStanding {
  record: SinkRecord
  progress: SinkProgress
}

export interface SinkClaim {
  /** Nonce of this ownership. */
  fence: string
  record: SinkRecord
  progress: SinkProgress
}

/** What an owner hears: go on; finish, somebody paused the sink, or resumed it as another reader; or stop, for it is another's, or no more. */
export type SinkOrder = 'active' | 'paused' | 'lost'

export interface Sinks {
  /** `full`: the project has as many as `limit`. */
  add(partition: number, record: SinkRecord, cursor: Cursor, limit: number): Promise<'added' | 'exists' | 'full'>
  get(partition: number, project: string, id: string): Promise<StoredSink | null>
  /** Of one project, by id. */
  list(partition: number, project: string): Promise<StoredSink[]>
  /** False: there is no such sink. Its owner hears that it is lost. */
  remove(partition: number, project: string, id: string): Promise<boolean>
  /**
   * False: there is no such sink. `reader` replaces the one before; made active, the sink has not failed yet. An owner that holds it
   * hears of it with its next report.
   */
  steer(partition: number, project: string, id: string, to: { status: SinkStatus; reason?: string; reader?: SinkReader }): Promise<boolean>
  /** Every sink of the partition; for workers that look for what is to be delivered. */
  look(partition: number): Promise<SinkStanding[]>
  /** Takes an active sink that nobody else's lease holds: a new fence. Null: it is not to be had. */
  claim(partition: number, project: string, id: string, owner: string, leaseMs: number): Promise<SinkClaim | null>
  /** Renews the lease, and writes the progress in the same step; `pause` (a reason) pauses the sink then. `lost`: nothing was written. */
  report(partition: number, project: string, id: string, fence: string, leaseMs: number, news?: { progress: SinkProgress; pause?: string }): Promise<SinkOrder>
  /** Gives the lease back; of another fence nothing happens. */
  release(partition: number, project: string, id: string, fence: string): Promise<void>
}
