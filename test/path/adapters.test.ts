/**
 * The plane of signals on each Redis adapter: what is sent on one worker reaches the room on all of them, and nothing that
 * happens to a worker or to Redis ends a process or costs an event.
 */
import { createClient } from 'redis'
import { problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const ADAPTERS = ['sharded', 'pubsub', 'streams'] as const
const FREEZE_MS = 10_000
const OUTAGE_MS = 11_000
const ROOM = 'task:room'

/** One adapter's cluster: three workers and a subscriber of the same room on each, with Redis behind a proxy. */
interface Site {
  adapter: string
  redis: RedisProcess
  proxy: Proxy
  cluster: Cluster
  sinks: Sink[]
  producer: Producer
  ended: string[]
  signals: number
}

let sites: Site[]

async function build(adapter: (typeof ADAPTERS)[number]): Promise<Site> {
  const redis = await startRedis()
  const proxy = await startProxy({ port: redis.port })
  const through = { ...redis, url: `redis://${proxy.host}:${proxy.port}` }
  const cluster = await startCluster({ workers: 3, processors: 1, adapter, redis: through })
  const sinks = await Promise.all(cluster.workers.map(({ url }) => stockClient(url, { token: token(), topics: [ROOM] })))
  const producer = createProducer({ name: `coder-${adapter}`, send: overHttp(() => cluster.workers[0]!.url, token({ sub: 'coder', role: 'agent' })) })
  const site: Site = { adapter, redis, proxy, cluster, sinks, producer, ended: [], signals: 0 }
  for (const hub of [...cluster.workers, ...cluster.processors]) void hub.exited.then(() => site.ended.push(`${adapter}: ${hub.stderr().slice(-2000)}`))
  return site
}

/** Resolves when each of the sinks holds a signal that was sent through each of the senders. One sent while Redis is away is lost, so it is sent anew. */
async function signalsPass(site: Site, senders: Sink[], receivers: Sink[] = site.sinks, deadlineMs = 20_000): Promise<void> {
  for (const [place, sender] of senders.entries()) {
    await eventually(
      async () => {
        const name = `signal-${++site.signals}`
        await sender.socket.timeout(2000).emitWithAck('signal', { topic: ROOM, name })
        await eventually(() => receivers.every((sink) => sink.signals.some((signal) => signal.name === name)), name, 1000)
        return true
      },
      `a signal of worker ${place} on all workers (${site.adapter})`,
      deadlineMs,
    )
  }
}

/** Events published now reach everybody, and nobody is without any of those before. */
async function eventsPass(site: Site, receivers: Sink[] = site.sinks): Promise<void> {
  await site.producer.publish(100, 'room')
  for (const sink of receivers) {
    await sink.holds(site.producer.acked.size, 30_000)
    expect(problems(sink.receipts(), site.producer.acked.keys())).toEqual([])
    expect(sink.gaps).toEqual([])
  }
}

async function eachSite(step: (site: Site) => Promise<void>): Promise<void> {
  await Promise.all(sites.map(step))
  for (const { adapter, ended, sinks } of sites) {
    expect(ended).toEqual([])
    const numbered = sinks.map(({ signals }) => signals.map(({ name }) => name).filter((name) => name.startsWith('signal-')))
    expect([adapter, ...numbered.map((names) => new Set(names).size)]).toEqual([adapter, ...numbered.map((names) => names.length)])
  }
}

/** The length of a fault, not a wait for something. */
function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

describe('three workers on each of the adapters', () => {
  beforeAll(async () => {
    sites = await Promise.all(ADAPTERS.map(build))
  }, 90_000)
  afterAll(async () => {
    await Promise.all(sites.map(async ({ cluster, proxy, redis }) => {
      await cluster.stop('kill')
      await proxy.close()
      await redis.stop()
    }))
  })

  test('a signal from each worker reaches the room on all three, once', async () => {
    await eachSite(async (site) => {
      for (const { socket } of site.sinks) expect(await socket.emitWithAck('signal', { topic: ROOM, name: 'once', data: { from: socket.id } })).toEqual({ ok: true })
      const everybody = new Set(site.sinks.map(({ socket }) => socket.id))
      for (const sink of site.sinks) {
        await eventually(() => sink.signals.length >= 3, 'three signals')
        expect(sink.signals).toHaveLength(3)
        expect(new Set(sink.signals.map(({ data }) => (data as { from: string }).from))).toEqual(everybody)
      }
      await eventsPass(site)
    })
  })

  test('a worker that is frozen for 10 s holds up neither signals nor events of the others, and loses no event', async () => {
    await eachSite(async (site) => {
      const [first, second, frozen] = site.sinks as [Sink, Sink, Sink]
      const worker = site.cluster.workers[2] as HubProcess
      await worker.kill('SIGSTOP')
      const end = lasting(FREEZE_MS)
      await signalsPass(site, [first, second], [first, second])
      await eventsPass(site, [first, second])
      await end
      await worker.kill('SIGCONT')
      await signalsPass(site, [frozen, first, second])
      await eventsPass(site)
    })
  }, 60_000)

  test('dropped Redis connections, all at once and again, cost no event', async () => {
    await eachSite(async (site) => {
      const admin = createClient({ url: site.redis.url })
      await admin.connect()
      for (let round = 0; round < 3; round++) {
        const underWay = site.producer.publish(200, 'room')
        for (const type of ['normal', 'pubsub']) await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'])
        for (const { socket } of site.sinks) socket.emit('signal', { topic: ROOM, name: 'into the gap' })
        await underWay
      }
      admin.destroy()
      await signalsPass(site, site.sinks)
      await eventsPass(site)
    })
  }, 60_000)

  test('a Redis that does not answer for 11 s ends no process and costs no event', async () => {
    await outage(async (site) => {
      await site.redis.kill('SIGSTOP')
      return () => site.redis.kill('SIGCONT')
    })
  }, 90_000)

  test('a Redis that cannot be reached for 11 s ends no process and costs no event', async () => {
    await outage(async ({ proxy }) => {
      proxy.refuse(true)
      proxy.cut('reset')
      return () => Promise.resolve(proxy.refuse(false))
    })
  }, 90_000)

  async function outage(begin: (site: Site) => Promise<() => Promise<void>>): Promise<void> {
    await eachSite(async (site) => {
      const end = await begin(site)
      const over = lasting(OUTAGE_MS)
      const underWay = site.producer.publish(200, 'room')
      for (const { socket } of site.sinks) socket.emit('signal', { topic: ROOM, name: 'into the gap' })
      await over
      await end()
      await underWay
      await signalsPass(site, site.sinks)
      await eventsPass(site)
    })
  }
})
