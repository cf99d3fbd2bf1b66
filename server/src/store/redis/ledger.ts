/** The processor's ledger: leases, seen keys, commits. Atomicity is in the scripts. */
import { nonce } from '../nonce.js'
import { SOURCES, type Ledger, type LedgerState, type Positions } from '../port.js'
import { Attempts } from './attempts.js'
import { decodeCommit, encodeBatch } from './batch.js'
import type { RedisContext } from './context.js'
import { GLOBAL } from './keys.js'
import { textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

export function ledger(context: RedisContext): Ledger {
  const { retention, seen, deadLetters } = context.options
  const limits = { indexMs: retention.ageMs * 2, deadLetters }
  const attempts = new Attempts(context)
  return {
    takeOver: (partition, owner, leaseMs) => take(context, partition, owner, leaseMs, 'free'),
    restart: (partition, owner, leaseMs) => take(context, partition, owner, leaseMs, 'mine'),
    async renew(partition, owner, leaseMs) {
      return (await context.run('renew', SCRIPTS.renew, [context.keys(partition).lease], [owner, String(leaseMs)])) === 1
    },
    async release(partition, owner) {
      await context.run('release', SCRIPTS.release, [context.keys(partition).lease], [owner])
    },
    owners() {
      const leases = Array.from({ length: context.options.partitions }, (_, partition) => context.keys(partition).lease)
      // Each by its own key: in a Cluster they are on several nodes. Sent in one turn, those to one node travel as one.
      return Promise.all(leases.map((lease) => context.call('owners', lease, (client) => client.get(lease))))
    },
    async join(processor, ttlMs) {
      return textsOf(await context.run('join', SCRIPTS.join, [GLOBAL.processors], [processor, String(ttlMs)])).sort()
    },
    async leave(processor) {
      await context.call('leave', GLOBAL.processors, (client) => client.zRem(GLOBAL.processors, processor))
    },
    async seen(partition, keys) {
      if (keys.length === 0) return []
      const [a, b] = context.keys(partition).seen
      // Not in one step: only the owner, who does not ask meanwhile, adds or rotates; anybody else asks again.
      const [ofA, ofB] = await context.call('seen', a, (client) => Promise.all([client.hmGet(a, [...keys]), client.hmGet(b, [...keys])]))
      return keys.map((_, index) => ofA[index] ?? ofB[index] ?? null)
    },
    async commit(partition, batch) {
      const { keys, args } = encodeBatch(context.keys(partition), batch, limits)
      return decodeCommit(await attempts.commit(partition, batch, keys, args), batch.appends.length)
    },
    async housekeep(partition, fence) {
      const keys = context.keys(partition)
      const limitsOf = [retention.ageMs, retention.count, retention.bytes, seen.ms, seen.count].map(String)
      await context.run('housekeep', SCRIPTS.housekeep, [keys.commit, keys.journal, ...keys.seen, ...keys.sourceList], [fence, ...limitsOf])
    },
  }
}

async function take(context: RedisContext, partition: number, owner: string, leaseMs: number, from: 'free' | 'mine'): Promise<LedgerState | null> {
  const keys = context.keys(partition)
  const fence = nonce()
  const epoch = nonce()
  const reply = await context.run('takeOver', SCRIPTS.takeOver, [keys.lease, keys.commit, keys.epochs, keys.journal, keys.owners], [owner, String(leaseMs), fence, epoch, from])
  if (reply === null) return null
  const [batch, last, ...positions] = textsOf(reply)
  return { fence, batch: Number(batch), epoch, last: last!, positions: Object.fromEntries(SOURCES.map((name, index) => [name, positions[index]!])) as Positions }
}
