/**
 * I2 and I8 for every way out of the hub: 5,000 events, of which each arrives once and in order, though the way is cut ten times and leads
 * to the other worker each time. Each client comes back by its own means: recovery, `since`, Last-Event-ID, cursor.
 */
import { EventSource } from 'eventsource'
import type { HubEvent } from '@hubbub/protocol'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { BRISK } from '../conformance/houses.js'
import { allDrivers } from '../conformance/drivers.js'
import { Log, type Connected, type Driver } from '../conformance/gateway.js'
import { problems, receiptOf } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { token } from '../harness/token.js'

const EVENTS = 5000
const CUTS = 10
const BATCH = 25
/** So many may be on their way: the writer keeps pace with the reader, so that every cut falls among events. */
const AHEAD = 400
const DEADLINE_MS = 30_000

type Follower = Pick<Connected, 'heard' | 'gaps' | 'close'>

let redis: RedisProcess
let hubs: RunningHub[]
let workers: RunningHub[]
const drivers = allDrivers()

beforeAll(async () => {
  redis = await startRedis()
  const member = (role: 'worker' | 'processor') => startHub({ settings: settingsWith({ ...BRISK, role, redisUrl: redis.url }) })
  const processor = await member('processor')
  workers = [await member('worker'), await member('worker')]
  hubs = [...workers, processor]
}, 60_000)
afterAll(async () => {
  for (const driver of drivers) await driver.close?.()
  await Promise.all(hubs.map((hub) => hub.close()))
  await redis.stop()
})

test.each(drivers)('$name', (driver) => crossed(driver.name.toLowerCase().replaceAll(/[^a-z]+/g, '-'), (url, topic) => byDriver(driver, url, topic)), 120_000)

test('a stock EventSource', () => crossed('event-source', byEventSource), 120_000)

async function crossed(task: string, follow: (url: string, topic: string) => Promise<Follower>): Promise<void> {
  const proxy = await startProxy({ port: portOf(0) })
  const follower = await follow(`http://127.0.0.1:${proxy.port}`, `task:${task}`)
  try {
    const before = proxy.accepted()
    const producer = createProducer({ name: `writer-${task}`, batch: BATCH, send: overHttp(() => workers[0]!.url, token({ sub: task, role: 'agent' })) })
    const writing = write(follower, () => producer.publish(BATCH, task))
    await cutAgainAndAgain(proxy, follower)
    await writing
    await eventually(() => follower.heard.length >= EVENTS, `${EVENTS} events (there are ${follower.heard.length})`, DEADLINE_MS)
    expect(problems(follower.heard.map((one) => receiptOf(one as unknown as HubEvent, one.cursor)), producer.acked.keys())).toEqual([])
    expect(follower.heard).toHaveLength(EVENTS)
    expect(follower.gaps).toEqual([])
    expect(proxy.accepted() - before).toBeGreaterThanOrEqual(CUTS)
  } finally {
    await follower.close()
    await proxy.close()
  }
}

async function write({ heard }: Follower, publish: () => Promise<unknown>): Promise<void> {
  for (let written = 0; written < EVENTS; written += BATCH) {
    await eventually(() => written - heard.length < AHEAD, `a reader that is not ${AHEAD} events behind ${written} (it has ${heard.length})`, DEADLINE_MS, 2)
    await publish()
  }
}

/** Each time so many more were heard; the way then leads to the other worker. */
async function cutAgainAndAgain(proxy: Proxy, { heard }: Follower): Promise<void> {
  for (let cut = 1; cut <= CUTS; cut++) {
    await eventually(() => heard.length >= (cut * EVENTS) / (CUTS + 1), `event ${(cut * EVENTS) / (CUTS + 1)} (there are ${heard.length})`, DEADLINE_MS, 2)
    proxy.retarget(portOf(cut % 2))
    proxy.cut('reset')
  }
}

async function byDriver(driver: Driver, url: string, topic: string): Promise<Follower> {
  const connected = await driver.connect(url, { token: token({ role: 'viewer' }) })
  await connected.subscribe({ topics: [topic] })
  return connected
}

async function byEventSource(url: string, topic: string): Promise<Follower> {
  const source = new EventSource(`${url}/api/v1/stream?${new URLSearchParams({ topics: topic, token: token({ role: 'viewer' }) }).toString()}`)
  const log = new Log()
  source.addEventListener('task.progress', ({ data, lastEventId }) => log.event(JSON.parse(data as string) as HubEvent, lastEventId))
  source.addEventListener('gap', ({ data }) => log.gap(JSON.parse(data as string) as Log['gaps'][number]))
  await new Promise<void>((resolve) => source.addEventListener('open', () => resolve()))
  return { heard: log.heard, gaps: log.gaps, close: () => source.close() }
}

function portOf(worker: number): number {
  return Number(new URL(workers[worker]!.url).port)
}
