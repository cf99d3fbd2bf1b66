/** Figures of the whole hub that a process looks for: told while they are known, and not one moment longer. */
import { partitionTag } from '@hubbub/protocol'
import { createClient } from 'redis'
import { Fanout } from '../../server/src/fanout/fanout.js'
import { Census } from '../../server/src/observe/census.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics, type Metrics } from '../../server/src/observe/metrics.js'
import { createProcessor } from '../../server/src/processor/processor.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { Recorder } from '../fanout/stand.js'
import { Committer, memoryStore, progress } from '../harness/store.js'

let redis: RedisProcess
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis?.stop())

/** Undefined: there is no such series. */
async function value(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

const settings = () => settingsWith({ redisUrl: redis.url, partitions: 2, leaseMs: 1000, leaseRenewMs: 100 })

test('what is not known has no value; a store that comes back is counted', async () => {
  const metrics = createMetrics()
  const store = await openStore({ ...storeOptions(settings()), onReconnect: () => metrics.storeReconnects.inc() })
  const census = new Census({ store, metrics, workers: () => 3, everyMs: 50 })
  const all = () => Promise.all(['hubbub_store_up', 'hubbub_partitions_unowned', 'hubbub_workers_alive'].map((series) => value(metrics, series)))
  expect(await all()).toEqual([undefined, undefined, undefined])
  census.start()
  await eventually(async () => (await value(metrics, 'hubbub_store_up')) === 1, 'the first look')
  expect(await all()).toEqual([1, 2, 3])
  expect(await value(metrics, 'hubbub_store_ping_seconds')).toBeLessThan(5)
  await redis.kill('SIGKILL')
  await eventually(async () => (await value(metrics, 'hubbub_store_up')) === 0, 'the loss', 15_000)
  expect(await all()).toEqual([0, undefined, undefined])
  expect(await value(metrics, 'hubbub_store_ping_seconds')).toBeUndefined()
  await redis.restart()
  await eventually(async () => (await value(metrics, 'hubbub_store_up')) === 1, 'the return', 15_000)
  expect(await value(metrics, 'hubbub_store_reconnects_total')).toBe(1)
  census.close()
  await store.close()
})

test('a processor from which a partition was taken counts it, one that gives them back does not', async () => {
  const metrics = createMetrics()
  const store = await openStore(storeOptions(settings()))
  const processor = createProcessor({ store, settings: settings(), metrics, log: silent, id: 'frozen' })
  await processor.start()
  await eventually(() => processor.owned().length === 2, 'both partitions')
  const client = createClient({ url: redis.url })
  await client.connect()
  // As it is when another processor took it over meanwhile.
  await client.set(`hubbub:${partitionTag(1)}:lease`, 'another', { PX: 60_000 })
  await eventually(async () => (await value(metrics, 'hubbub_leases_lost_total')) === 1, 'the lost lease')
  await processor.stop()
  expect(await value(metrics, 'hubbub_leases_lost_total')).toBe(1)
  client.destroy()
  await store.close()
})

test('whatever types clients make up, the label is the family\'s', async () => {
  const metrics = createMetrics()
  const store = await memoryStore()
  const fanout = new Fanout({ journal: store, partitions: 1, settings: settingsWith({ partitions: 1 }), metrics, log: silent })
  const lane = await fanout.lane('default')
  const outlet = new Recorder({ name: 'test', encode: () => ({ packet: 'x', bytes: Buffer.from('x') }) })
  lane.open('default', outlet, undefined, [{ id: '0', topics: ['*'], from: lane.tail.flushed }])
  const committer = await Committer.of(store)
  for (let number = 0; number < 50; number++) await committer.commit(progress('T', 1, { type: `pipeline.made_up_${number}` }), progress('T', 1, { type: `custom.made_up_${number}` }))
  await eventually(() => outlet.events.length === 100, 'the events')
  expect(await value(metrics, 'hubbub_events_out_total{type="pipeline.{event}"}')).toBe(50)
  expect((await metrics.registry.metrics()).match(/^hubbub_events_out_total\{/gm)).toHaveLength(2)
  await fanout.shutdown()
  await store.close()
})
