/** How the whole hub is: `GET /api/v1/overview`, for operators (admins of every project). Durations in ms, sizes in bytes, times ISO 8601 Z. */

export interface Overview {
  /** When it was put together. */
  at: string
  processes: ProcessVitals[]
  partitions: PartitionVitals[]
  store: StoreVitals
  /** Of all processes together. */
  connections: ConnectionVitals
  /** Events a second, over the last ten seconds. */
  rates: Rates
  /** Over the last minute. */
  latency: Latencies
  /** Refusals of the last hour, the most frequent first. */
  errors: ErrorCount[]
  deadLetters: number
  sinks: { active: number; paused: number }
  /** Alerts that stand, the oldest first. */
  alerts?: StandingAlert[]
  /**
   * Present while the store is out of reach (`store.pingMs` is null): what is said of other processes, partitions, dead letters, sinks and
   * alerts was so then. Absent while it is: nothing of them is known, and their lists are empty.
   */
  knownAt?: string
}

export type AlertName = 'process-lost' | 'partition-unowned' | 'processor-lag' | 'dead-letters' | 'store-unreachable' | 'store-memory' | 'error-rate' | 'slow-clients'

/** As `system.alert` told it. */
export interface StandingAlert {
  alert: AlertName
  severity: 'warning' | 'critical'
  message: string
  since: string
  /** `worker:ID`, `partition:3`, `store`. */
  component?: string
  value?: number
  limit?: number
  unit?: string
}

export interface ProcessVitals {
  /** Name of the process: unique for its life. */
  id: string
  node: string
  role: 'all' | 'worker' | 'processor'
  version: string
  startedAt: string
  /** When it last said so. */
  seenAt: string
  /** `silent`: it has not said anything for longer than it may; nobody else may be told from it. `draining`: it stops in order. */
  status: 'up' | 'draining' | 'silent'
  /** Partitions that it owns, as a processor. */
  partitions: number[]
  connections: ConnectionVitals
  rates: Rates
  latency: Latencies
  /** Of one core, over the last ten seconds; 1 is all of it. */
  cpu: number
  memoryBytes: number
  /** Event-loop delay, 99th percentile of the last minute. */
  loopDelayMs: number
}

export interface ConnectionVitals {
  open: number
  /** With at least one subscription. */
  active: number
  byTransport: Record<string, number>
  subscriptions: number
  /** Reading the journal, not live. */
  catchingUp: number
  /** Fell back to the journal because their socket was slow, in the last minute. */
  slow: number
}

export interface Rates {
  accepted: number
  committed: number
  delivered: number
  refused: number
}

/** ms; null where there was nothing to measure. */
export interface Percentiles {
  p50: number | null
  p95: number | null
  p99: number | null
}

export interface Latencies {
  /** Source entry to journal. */
  commit: Percentiles
  /** Journal to socket. */
  delivery: Percentiles
}

export interface PartitionVitals {
  partition: number
  /** Id of the processor that holds the lease; null: nobody. */
  owner: string | null
  /** Source entries behind the committed positions. */
  lag: number
  deadLetters: number
}

export interface StoreVitals {
  kind: 'memory' | 'redis'
  /** Round trip; null: out of reach. */
  pingMs: number | null
  version?: string
  memoryBytes?: number
  /** `maxmemory`; absent where there is none. */
  memoryLimitBytes?: number
  clients?: number
  /** Commands a second, as the store says it. */
  operations?: number
}

export interface ErrorCount {
  code: string
  count: number
  lastAt: string
}

/** What came in and could not be committed. `GET /api/v1/dead` */
export interface DeadLetter {
  id: string
  partition: number
  /** Source stream and entry from which it came. */
  stream: string
  entry: string
  code: string
  message: string
  /** ms since the epoch */
  at: number
  /** As it came in. */
  fields: Record<string, string>
}
