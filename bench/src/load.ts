/** Source entries of a usual size: `task.progress`, about 400 bytes as it stands in the journal. */
import { partitionOf } from '@hubbub/protocol'
import { openStore } from '../../server/dist/store/open.js'
import type { SourceAppend, Store } from '../../server/dist/store/port.js'

export const TOPIC = 'task:bench'

export async function benchStore(redisUrl: string): Promise<Store> {
  return await openStore({
    redisUrl,
    partitions: 1,
    retention: { ageMs: 900_000, count: 100_000, bytes: 2 ** 29 },
    seen: { ms: 600_000, count: 1_000_000 },
    deadLetters: 1000,
  })
}

const identity = { source: '/services/bench', project: 'default' }
const padding = 'x'.repeat(100)

export function entries(from: number, count: number): SourceAppend[] {
  return Array.from({ length: count }, (_, i) => ({
    stream: 'system',
    event: JSON.stringify({ id: `bench-${from + i}`, type: 'task.progress', timestamp: Date.now(), data: { taskId: 'bench', progress: (from + i) % 100, message: padding } }),
    identity,
  }))
}

/** Appends `count` events in batches, as a gateway would. */
export async function append(store: Store, from: number, count: number): Promise<void> {
  const partition = partitionOf('default', store.partitions)
  for (let at = 0; at < count; at += 500) await store.append(partition, entries(from + at, Math.min(500, count - at)))
}
