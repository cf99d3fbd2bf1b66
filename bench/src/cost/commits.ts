/** What an event costs on its way through: Redis' append, the processor's and Redis' commit by size of batch, and the memory that it takes in Redis. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchStore } from '../ground/store.js'
import { appendEvents } from './events.js'
import { CostStage, until } from './stage.js'

/** What its name says of a key. */
const KINDS = { journal: ':journal', topics: ':topic:', seen: ':seen:', state: ':state:', indexes: ':index:', source: ':source:' }

export interface CommitCosts {
  /** Events a second, from the first to the last, with the machine to itself. */
  eventsPerSecond: number
  /** µs an event */
  processor: number
  append: number
  commit: number
  /** Bytes an event, of all and by kind of key. */
  bytes: number
  byKind: Record<string, number>
}

/** @param onDisk with an append-only file, `appendfsync everysec` */
export async function measureCommits(batch: number, count: number, onDisk = false): Promise<CommitCosts> {
  const folder = onDisk ? mkdtempSync(join(tmpdir(), 'hubbub-cost-')) : undefined
  const stage = await CostStage.open(folder === undefined ? [] : ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'everysec'])
  const store = await benchStore(stage.redisUrl)
  try {
    const processor = await stage.hub('processor', { batchEvents: batch })
    await appendEvents(store, 'warm', Math.min(5000, count))
    await until(async () => (await store.lag(0)) === 0, 'the warm-up')
    processor.freeze()
    const before = await stage.redis()
    await appendEvents(store, 'cost', count)
    const appended = await stage.redis()
    processor.thaw()
    const start = { hub: await processor.look(), redis: await stage.redis() }
    const began = performance.now()
    await until(async () => (await store.lag(0)) === 0, 'all commits')
    const seconds = (performance.now() - began) / 1000
    const end = { hub: await processor.look(), redis: await stage.redis() }
    const kinds = await stage.bytesOf(Object.values(KINDS))
    const each = (amount: number) => amount / count
    return {
      eventsPerSecond: count / seconds, processor: each((end.hub.cpu - start.hub.cpu) * 1e6), append: each((appended.cpu - before.cpu) * 1e6), commit: each((end.redis.cpu - start.redis.cpu) * 1e6),
      bytes: each(end.redis.bytes - before.bytes), byKind: Object.fromEntries(Object.entries(KINDS).map(([kind, name]) => [kind, kinds[name]! / (count + Math.min(5000, count))])),
    }
  } finally {
    await store.close()
    await stage.close()
    if (folder !== undefined) rmSync(folder, { recursive: true })
  }
}

export interface PublishCosts {
  eventsPerSecond: number
  /** ms */
  p50: number
  p99: number
  /** µs of CPU an event */
  worker: number
  processor: number
  redis: number
}

/** From a client's message to its answer, over one worker: what a batch of it costs. */
export async function measurePublish(publishers: number, batch: number, seconds: number): Promise<PublishCosts> {
  const stage = await CostStage.open()
  try {
    const [processor, worker] = [await stage.hub('processor'), await stage.hub('worker')]
    const crowd = await stage.crowd({ url: worker.url })
    await crowd.publish({ publishers, batch, seconds: Math.min(3, seconds) })
    const before = { worker: await worker.look(), processor: await processor.look(), redis: await stage.redis() }
    const { events, seconds: took, p50, p99 } = await crowd.publish({ publishers, batch, seconds })
    const after = { worker: await worker.look(), processor: await processor.look(), redis: await stage.redis() }
    const each = (part: keyof typeof after) => ((after[part].cpu - before[part].cpu) * 1e6) / events
    return { eventsPerSecond: events / took, p50, p99, worker: each('worker'), processor: each('processor'), redis: each('redis') }
  } finally {
    await stage.close()
  }
}
