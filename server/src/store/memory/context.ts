import type { StoreOptions } from '../options.js'
import { StoreUnavailable, type ApiKeyRecord } from '../port.js'
import { MemoryPartition } from './partition.js'

export type AckListener = (pairs: [seen: string, outcome: string][]) => void

/** What the parts of the memory store share. */
export class MemoryContext {
  private closed = false
  /** Processor id to the ms at which it last said that it lives. */
  readonly processors = new Map<string, number>()
  readonly keys = new Map<string, ApiKeyRecord>()
  readonly revokedKeys = new Set<string>()
  readonly revokedSubjects = new Map<string, number>()
  /** By `partition:worker`. */
  readonly listeners = new Map<string, Set<AckListener>>()
  readonly partitions: readonly MemoryPartition[]

  constructor(readonly options: StoreOptions) {
    this.partitions = Array.from({ length: options.partitions }, (_, number) => new MemoryPartition(number))
  }

  /** Every call about a partition passes here; none does after `close`. */
  partition(number: number): MemoryPartition {
    this.checkOpen()
    const partition = this.partitions[number]
    if (!partition) throw new RangeError(`partition ${number} does not exist; there are ${this.options.partitions}`)
    return partition
  }

  checkOpen(): void {
    if (this.closed) throw new StoreUnavailable('the store is closed')
  }

  /** Readers that wait wake up and find it closed. */
  close(): void {
    this.closed = true
    for (const { sourceBell, journalBell } of this.partitions) {
      sourceBell.ring()
      journalBell.ring()
    }
  }
}
