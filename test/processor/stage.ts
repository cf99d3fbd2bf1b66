/** A store with what stands before and behind the processor: producers' entries in, journal and dead letters out. */
import { createClient } from 'redis'
import { ORIGIN, type HubEvent } from '@hubbub/protocol'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { createProcessor, type Processor } from '../../server/src/processor/processor.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import type { DeadLetter, Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'

export const KINDS = ['memory', 'redis'] as const
export type Kind = (typeof KINDS)[number]

export interface Stage {
  settings: Settings
  store: Store
  /** Another process's view of the same store. */
  another(): Promise<Store>
  processor(id: string, store?: Store, settings?: Partial<Settings>): Processor
  journal(partition?: number): Promise<HubEvent[]>
  /** Waits until the journal holds so many. */
  journalOf(count: number, partition?: number): Promise<HubEvent[]>
  deadLetters(count: number, partition?: number): Promise<DeadLetter[]>
  close(): Promise<void>
}

let redis: Promise<RedisProcess> | undefined

/** One Redis for a test file, emptied for each stage. */
export function redisOfFile(): Promise<RedisProcess> {
  return (redis ??= startRedis())
}

export async function stopRedisOfFile(): Promise<void> {
  await (await redis)?.stop()
}

export async function openStage(kind: Kind, overrides: Partial<Settings> = {}): Promise<Stage> {
  const redisUrl = kind === 'redis' ? await emptiedRedis() : ''
  const settings = settingsWith({ partitions: 1, leaseMs: 1000, leaseRenewMs: 200, ...overrides, redisUrl })
  const open = () => openStore(storeOptions(settings))
  const store = await open()
  const stores = [store]
  const processors: Processor[] = []

  const journal = async (partition = 0) => {
    const { last } = await store.head(partition)
    const events: HubEvent[] = []
    for (let after = ORIGIN; after !== last; ) {
      const { entries, reached } = await store.readRange(partition, after, last, 100_000)
      for (const { event } of entries) events.push(JSON.parse(event) as HubEvent)
      after = reached
    }
    return events
  }
  return {
    settings,
    store,
    journal,
    async another() {
      if (kind === 'memory') return store
      const other = await open()
      stores.push(other)
      return other
    },
    processor(id, of = store, changed = {}) {
      const processor = createProcessor({ store: of, settings: { ...settings, ...changed }, metrics: createMetrics(), log: silent, id })
      processors.push(processor)
      return processor
    },
    journalOf: (count, partition) =>
      eventually(async () => {
        const events = await journal(partition)
        return events.length >= count && events
      }, `${count} events in the journal`),
    deadLetters: (count, partition = 0) =>
      eventually(async () => {
        const letters = await store.dead.list(partition, 1000)
        return letters.length >= count && letters.reverse()
      }, `${count} dead letters`),
    async close() {
      await Promise.all(processors.map((processor) => processor.stop()))
      await Promise.all(stores.map((opened) => opened.close()))
    },
  }
}

async function emptiedRedis(): Promise<string> {
  const { url } = await redisOfFile()
  const client = createClient({ url })
  await client.connect()
  await client.flushAll()
  client.destroy()
  return url
}
