/**
 * The event processor: owns its share of the partitions and moves what the source streams hold into the journal, each
 * accepted event exactly once (I3), in order (I1), the bad ones to the dead letters (I5).
 */
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Settings } from '../settings/table.js'
import type { Store } from '../store/port.js'
import { Membership } from './membership.js'
import { Owner } from './owner.js'

export interface Processor {
  /** Resolves when the first partitions are owned, or none is free, or the store is away: it then goes on trying. */
  start(): Promise<void>
  /** Finishes the batches in hand, releases the leases, leaves. */
  stop(): Promise<void>
  owned(): number[]
  /** Whether, as of its last beat, another processor lives that would take what this one gives back. */
  hasOthers(): boolean
}

export interface ProcessorContext {
  store: Store
  settings: Settings
  metrics: Metrics
  witness?: Witness
  log: Logger
  /** Unique among the processors of the cluster. */
  id: string
}

export function createProcessor(context: ProcessorContext): Processor {
  const { store, settings, metrics, id } = context
  const log = context.log.child({ part: 'processor' })
  let known: readonly number[] = []
  const membership = new Membership({
    ledger: store,
    id,
    partitions: store.partitions,
    leaseMs: settings.leaseMs,
    renewMs: settings.leaseRenewMs,
    log,
    open: (partition, state) => new Owner({ ...context, log }, partition, state),
    onChange(owned) {
      metrics.owned.set(owned.length)
      for (const partition of known.filter((before) => !owned.includes(before))) {
        metrics.processorLag.remove({ partition: String(partition) })
        metrics.deadLettersKept.remove({ partition: String(partition) })
      }
      known = owned
    },
  })
  return {
    start: () => membership.start(),
    stop: () => membership.stop(),
    owned: () => membership.owned(),
    hasOthers: () => membership.hasOthers(),
  }
}
