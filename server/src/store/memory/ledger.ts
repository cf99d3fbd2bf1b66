import { nonce } from '../nonce.js'
import type { Ledger, LedgerState } from '../port.js'
import { commitBatch } from './commit.js'
import type { MemoryContext } from './context.js'
import { housekeep } from './retention.js'
import type { Lease, MemoryPartition } from './partition.js'

const EPOCHS_KEPT = 1000

export function ledger(context: MemoryContext): Ledger {
  return {
    async takeOver(number, owner, leaseMs) {
      const partition = context.partition(number)
      const lease = running(partition)
      return lease && lease.owner !== owner ? null : begin(partition, owner, leaseMs)
    },
    async restart(number, owner, leaseMs) {
      const partition = context.partition(number)
      return running(partition)?.owner === owner ? begin(partition, owner, leaseMs) : null
    },
    async renew(number, owner, leaseMs) {
      const lease = running(context.partition(number))
      if (lease?.owner !== owner) return false
      lease.until = Date.now() + leaseMs
      return true
    },
    async release(number, owner) {
      const partition = context.partition(number)
      if (partition.lease?.owner === owner) partition.lease = undefined
    },
    async owners() {
      context.checkOpen()
      return context.partitions.map((partition) => running(partition)?.owner ?? null)
    },
    async join(processor, ttlMs) {
      context.checkOpen()
      const now = Date.now()
      context.processors.set(processor, now)
      for (const [id, at] of context.processors) if (at <= now - ttlMs) context.processors.delete(id)
      return [...context.processors.keys()].sort()
    },
    async leave(processor) {
      context.processors.delete(processor)
    },
    async seen(number, keys) {
      const partition = context.partition(number)
      return keys.map((key) => partition.outcomeOf(key))
    },
    async commit(number, batch) {
      return commitBatch(context, context.partition(number), batch)
    },
    async housekeep(number, fence) {
      const partition = context.partition(number)
      if (partition.fence === fence) housekeep(partition, context.options)
    },
  }
}

function running(partition: MemoryPartition): Lease | undefined {
  return partition.lease && partition.lease.until > Date.now() ? partition.lease : undefined
}

function begin(partition: MemoryPartition, owner: string, leaseMs: number): LedgerState {
  partition.lease = { owner, until: Date.now() + leaseMs }
  partition.fence = nonce()
  const epoch = nonce()
  partition.epochs.push({ nonce: epoch, start: partition.last })
  partition.owners.set(epoch, owner)
  if (partition.epochs.length > EPOCHS_KEPT) partition.owners.delete(partition.epochs.shift()!.nonce)
  return { fence: partition.fence, batch: partition.batch, epoch, last: partition.last, positions: { ...partition.positions } }
}
