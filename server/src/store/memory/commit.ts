/** The commit in memory: the same checks in the same order as `redis/lua/commit.lua`, all before the first change (I3). */
import type { Offset } from '@hubbub/protocol'
import { netState } from '../net.js'
import { cutFields, refusedOutcome } from '../refused.js'
import { SOURCES, type Batch, type CommitResult, type Origin } from '../port.js'
import type { MemoryContext } from './context.js'
import { journalLog, type MemoryEntry, type MemoryPartition } from './partition.js'

export function commitBatch(context: MemoryContext, partition: MemoryPartition, batch: Batch): CommitResult {
  if (partition.fence === '' || batch.fence !== partition.fence) return { status: 'fenced' }
  if (batch.number === partition.batch) return { status: 'committed', offsets: [...partition.result], replayed: true }
  if (batch.number !== partition.batch + 1 || SOURCES.some((name) => batch.from[name] !== partition.positions[name])) return { status: 'lost' }

  const state = netState(batch.state, batch.appends.length)

  const acks = new Map<string, [string, string][]>()
  const answer = (worker: string | undefined, seen: string, outcome: string): void => {
    if (worker === undefined || seen === '') return
    const pairs = acks.get(worker)
    if (pairs) pairs.push([seen, outcome])
    else acks.set(worker, [[seen, outcome]])
  }
  const offsets = batch.appends.map(({ event, seen, topics, replyTo, origin }) => {
    const offset = append(partition, event, topics, { batch: batch.number, ...origin })
    if (seen !== '') partition.seen[0].set(seen, offset)
    answer(replyTo, seen, offset)
    return offset
  })
  for (const { seen, outcome: refused, replyTo, dead } of batch.refusals) {
    const outcome = refusedOutcome(refused)
    if (seen !== undefined) {
      partition.seen[0].set(seen, outcome)
      answer(replyTo, seen, outcome)
    }
    if (dead) bury(partition, dead, context.options.deadLetters)
  }
  for (const { seen, outcome, replyTo } of batch.repeats) answer(replyTo, seen, outcome)
  partition.state.apply(state, offsets)

  partition.batch = batch.number
  partition.result = offsets
  partition.positions = { ...batch.to }
  if (offsets.length > 0) partition.journalBell.ring()
  for (const [worker, pairs] of acks) hint(context, `${partition.number}:${worker}`, pairs)
  return { status: 'committed', offsets: [...offsets], replayed: false }
}

function append(partition: MemoryPartition, event: string, topics: readonly string[], origin: Origin): Offset {
  const offset = partition.clock.next()
  partition.bytes += Buffer.byteLength(event)
  const entry: MemoryEntry = { offset, previous: partition.last, epoch: partition.epochs.at(-1)!.nonce, event, topics: [...new Set(topics)], bytes: partition.bytes, origin }
  partition.journal.push(entry)
  for (const topic of entry.topics) {
    let log = partition.topics.get(topic)
    if (!log) partition.topics.set(topic, (log = journalLog()))
    log.push(entry)
  }
  partition.last = offset
  return offset
}

function bury(partition: MemoryPartition, dead: NonNullable<Batch['refusals'][number]['dead']>, kept: number): void {
  const { stream, id, code, message, fields } = dead
  partition.dead.push({ id: partition.deadClock.next(), partition: partition.number, stream, entry: id, code, message, at: Date.now(), fields: cutFields(fields) })
  partition.deadEver++
  while (partition.dead.length > kept) partition.dead.shift()
}

/** Later, as a hint through Redis comes: nobody is called inside the commit. */
function hint(context: MemoryContext, address: string, pairs: [string, string][]): void {
  queueMicrotask(() => {
    for (const listener of context.listeners.get(address) ?? []) listener(pairs)
  })
}
