/**
 * Fewer messages: entries for subscriptions with a pace travel several in one frame, and of those that want only the latest, the latest.
 * Whatever goes at once is a run of its own, so that a client's cursor never stands behind an event that it was not given (I1, I2).
 */
import { matches } from '@hubbub/protocol'
import { Chunk, CHUNK_BYTES, chunksOf, type Encoding, type TailEntry } from './entry.js'
import type { Pace, Subscription } from './subscription.js'

/** How long the entry may wait: as the most impatient of the subscriptions that take it says. Undefined: it goes at once. */
export function paceOf(subscriptions: readonly Subscription[], entry: Pick<TailEntry, 'event'>): Pace | undefined {
  let pace: Pace | undefined
  for (const subscription of subscriptions) {
    if (!matches(subscription, entry.event)) continue
    if (!subscription.pace) return undefined
    const { ms, latestOnly } = subscription.pace
    pace = pace ? { ms: Math.min(pace.ms, ms), latestOnly: pace.latestOnly && latestOnly } : subscription.pace
  }
  return pace
}

/** Entries in journal order, as chunks for whoever holds these subscriptions. */
export function pacedChunks(entries: readonly TailEntry[], subscriptions: readonly Subscription[], encoding: Encoding): Chunk[] {
  if (!subscriptions.some(({ pace }) => pace)) return chunksOf(entries, encoding, subscriptions)
  const chunks: Chunk[] = []
  let run: TailEntry[] = []
  let latest = new Set<TailEntry>()
  let isPaced = false
  const end = () => {
    if (run.length > 0) chunks.push(...(isPaced ? batches(latestOf(run, latest), subscriptions, encoding) : chunksOf(run, encoding, subscriptions)))
    run = []
    latest = new Set()
  }
  for (const entry of entries) {
    const pace = paceOf(subscriptions, entry)
    if ((pace !== undefined) !== isPaced) {
      end()
      isPaced = pace !== undefined
    }
    run.push(entry)
    if (pace?.latestOnly) latest.add(entry)
  }
  end()
  return chunks
}

/**
 * Of the entries that may be passed over, the last of each topic and type. By all of an event's topics: of two tasks' progress in one
 * pipeline neither replaces the other. The last entry of all always stays, so the cursor does.
 */
function latestOf(run: readonly TailEntry[], latest: ReadonlySet<TailEntry>): TailEntry[] {
  if (latest.size === 0) return [...run]
  const seen = new Set<string>()
  const kept: TailEntry[] = []
  for (const entry of [...run].reverse()) {
    const key = latest.has(entry) ? `${entry.event.type} ${[...entry.event.topics].sort().join(' ')}` : undefined
    if (key !== undefined && seen.has(key)) continue
    if (key !== undefined) seen.add(key)
    kept.push(entry)
  }
  return kept.reverse()
}

function batches(entries: readonly TailEntry[], subscriptions: readonly Subscription[], encoding: Encoding): Chunk[] {
  if (!encoding.batch) return chunksOf(entries, encoding, subscriptions)
  const chunks: Chunk[] = []
  let taken: TailEntry[] = []
  let size = 0
  const end = () => {
    if (taken.length === 0) return
    const frame = encoding.batch!(taken, subscriptions)
    chunks.push(new Chunk(taken, [frame], frame.bytes.length))
    taken = []
    size = 0
  }
  for (const entry of entries) {
    if (size + entry.size > CHUNK_BYTES) end()
    taken.push(entry)
    size += entry.size
  }
  end()
  return chunks
}
