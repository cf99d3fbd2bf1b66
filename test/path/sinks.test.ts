/**
 * Outgoing webhooks on a cluster: the receiver is away for a while and the delivering workers are killed. Every event arrives, in order,
 * signed; only what was delivered in a killed worker's last moment comes twice. And a gap that nobody could avoid is told.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { compareOffsets, parseCursor } from '@hubbub/protocol'
import { receiptsOf, startReceiver, verified, type Received, type Receiver } from '../gateway/sinksReceiver.js'
import { ask } from '../harness/ask.js'
import { problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'

/** How long the receiver is away: waiting is the subject. */
const AWAY_MS = 3000
const ENV = {
  HUBBUB_LOG_LEVEL: 'warn', HUBBUB_SINK_PRIVATE: 'allow', HUBBUB_SINK_HTTP: 'allow', HUBBUB_SINK_RETRY_MS: '50', HUBBUB_SINK_RETRY_MOST_MS: '500', HUBBUB_SINK_TRIES: '10000', HUBBUB_WORKER_MS: '1500',
  HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=100000',
}
const SERVICE = token({ sub: 'engine', role: 'service' })

let cluster: Cluster
let receiver: Receiver
const living = new Map<string, HubProcess>()
const anyone = () => [...living.values()][0]!

async function addWorker(name: string, env: Record<string, string> = {}): Promise<void> {
  living.set(name, await cluster.addWorker({ env: { ...ENV, HUBBUB_NODE_ID: name, ...env } }))
}

beforeEach(async () => {
  living.clear()
  receiver = await startReceiver()
})
afterEach(async () => {
  await cluster.stop('kill')
  await receiver.shut()
})

interface Shown {
  status: string
  worker?: string
  cursor: string
  deliveries: number
  secret: string
  id: string
  lag: { events: number }
  gap?: { reason: string }
}

async function call(method: string, path: string, json?: object): Promise<Shown> {
  const told = await ask(`${anyone().url}/api/v1/sinks${path}`, { as: SERVICE, method, json })
  if (told.body.ok !== true) throw new Error(told.text)
  return told.body as unknown as Shown
}

const ownerOf = (id: string) => eventually(async () => (await call('GET', `/${id}`)).worker?.replace(/-[0-9a-f]{8}$/, ''), 'an owner', 20_000)

/** SIGKILL, of whoever delivers the sink; answers who it was. */
async function killOwner(id: string): Promise<string> {
  const name = await ownerOf(id)
  const worker = living.get(name)!
  living.delete(name)
  await worker.kill('SIGKILL')
  return name
}

/** How far deliveries stepped back, each time that they did. */
function stepsBack(taken: readonly Received[]): number[] {
  const places = taken.map(({ headers }) => parseCursor(headers['hubbub-cursor'])!.offset)
  const known: string[] = []
  return places.flatMap((place) => {
    const step = known.length > 0 && compareOffsets(place, known.at(-1)!) <= 0 ? known.length - known.indexOf(place) : 0
    if (step > 0) known.splice(known.indexOf(place))
    known.push(place)
    return step > 0 ? [step] : []
  })
}

describe('a sink on two workers', () => {
  test('whose receiver is away and whose owners are killed gets every event, in order, signed', async () => {
    cluster = await startCluster({ workers: 0, processors: 1, env: ENV })
    await Promise.all([addWorker('w1'), addWorker('w2')])
    const { id, secret } = await call('POST', '', { url: receiver.url, topics: ['task:*'] })
    const coder = createProducer({ name: 'coder', send: overHttp(() => anyone().url, token({ sub: 'coder', role: 'agent' })) })

    await coder.publish(300, 'a', 'b')
    await receiver.holds(100)
    // Away, and its owner dies meanwhile.
    await receiver.shut()
    const away = pause(AWAY_MS)
    const first = await killOwner(id)
    await coder.publish(500, 'a', 'b', 'c')
    await eventually(async () => (await ownerOf(id)) !== first, 'the other worker taking over', 20_000)
    await away
    await receiver.open()
    await receiver.holds(400)
    // And again, in the middle of deliveries.
    await addWorker('w3')
    await coder.publish(700, 'a')
    const second = await killOwner(id)
    expect(second).not.toBe(first)
    await coder.publish(200, 'b')
    await eventually(() => new Set(receiver.taken.map(({ event }) => event.id)).size === coder.acked.size, 'all deliveries', 40_000)

    expect(coder.acked.size).toBe(1700)
    expect(problems(receiptsOf(receiver.taken), coder.acked.keys())).toEqual([])
    for (const one of receiver.taken) expect(verified(secret, one)).toBe(true)
    const steps = stepsBack(receiver.taken)
    expect(steps.length).toBeLessThanOrEqual(2)
    // What can be delivered in about 200 ms.
    for (const step of steps) expect(step).toBeLessThan(500)
    await eventually(async () => (await call('GET', `/${id}`)).lag.events === 0, 'the cursor at the end')
    expect(await call('GET', `/${id}`)).toMatchObject({ status: 'active', worker: expect.stringMatching(/^w3-/) })
  }, 120_000)

  test('frozen for longer than its lease, an owner delivers nothing beside its heir', async () => {
    cluster = await startCluster({ workers: 0, processors: 1, env: ENV })
    await Promise.all([addWorker('w1'), addWorker('w2')])
    const { id } = await call('POST', '', { url: receiver.url, topics: ['task:*'] })
    const name = await ownerOf(id)
    const frozen = living.get(name)!
    living.delete(name)
    const coder = createProducer({ name: 'coder', send: overHttp(() => anyone().url, token({ sub: 'coder', role: 'agent' })) })
    const all = () => eventually(() => new Set(receiver.taken.map(({ event }) => event.id)).size === coder.acked.size, 'all deliveries', 30_000)
    await coder.publish(50, 'a')
    await all()
    await frozen.kill('SIGSTOP')
    await coder.publish(300, 'a')
    await all()
    const before = receiver.received.length
    await frozen.kill('SIGCONT')
    living.set(name, frozen)
    await coder.publish(300, 'a')
    await all()
    expect(problems(receiptsOf(receiver.taken), coder.acked.keys())).toEqual([])
    expect(receiver.received.length - before).toBe(300)
  }, 120_000)

  test('repeats nothing when its owner stops in order, and goes on behind a store that was frozen', async () => {
    cluster = await startCluster({ workers: 0, processors: 1, env: ENV })
    await Promise.all([addWorker('w1'), addWorker('w2')])
    const { id } = await call('POST', '', { url: receiver.url, topics: ['task:*'] })
    const coder = createProducer({ name: 'coder', send: overHttp(() => anyone().url, token({ sub: 'coder', role: 'agent' })) })
    await coder.publish(1000, 'a')
    await receiver.holds(100)
    const name = await ownerOf(id)
    const leaving = living.get(name)!
    living.delete(name)
    expect(await leaving.stop()).toBe(0)
    await receiver.holds(1000)
    expect(problems(receiver.taken.map(({ event, headers }) => ({ id: event.id, offset: headers['hubbub-cursor']! })), coder.acked.keys())).toEqual([])
    // For longer than a lease.
    await cluster.redis.kill('SIGSTOP')
    await pause(3000)
    await cluster.redis.kill('SIGCONT')
    await coder.publish(100, 'a')
    await eventually(() => new Set(receiver.taken.map(({ event }) => event.id)).size === 1100, 'all deliveries', 30_000)
    expect(problems(receiptsOf(receiver.taken), coder.acked.keys())).toEqual([])
  }, 120_000)

  test('are shared out evenly, also with a worker that comes later', async () => {
    cluster = await startCluster({ workers: 0, processors: 1, env: ENV })
    await addWorker('w1')
    const ids = await Promise.all(Array.from({ length: 6 }, async () => (await call('POST', '', { url: receiver.url, topics: ['task:a'] })).id))
    const owners = async () => {
      const all = await Promise.all(ids.map(async (id) => (await call('GET', `/${id}`)).worker?.slice(0, 2)))
      return ['w1', 'w2'].map((name) => all.filter((owner) => owner === name).length)
    }
    await eventually(async () => String(await owners()) === '6,0', 'one worker having all', 20_000)
    await addWorker('w2')
    await eventually(async () => String(await owners()) === '3,3', 'each having its half', 20_000)
    await living.get('w1')!.stop()
    living.delete('w1')
    await eventually(async () => String(await owners()) === '0,6', 'the one that stayed having all', 20_000)
  }, 120_000)

  test('that was paused while the journal was trimmed is told of the gap, and goes on behind it', async () => {
    // A worker's own window would still have them.
    const env = { HUBBUB_RETENTION_MS: '300', HUBBUB_RETENTION_COUNT: '20', HUBBUB_WINDOW_EVENTS: '100' }
    cluster = await startCluster({ workers: 0, processors: 1, env: { ...ENV, ...env } })
    await addWorker('w1', env)
    const { id, secret } = await call('POST', '', { url: receiver.url, topics: ['task:*'] })
    const coder = createProducer({ name: 'coder', send: overHttp(() => anyone().url, token({ sub: 'coder', role: 'agent' })) })
    await coder.publish(10, 'a')
    await receiver.holds(10)
    await call('POST', `/${id}/pause`)
    await coder.publish(2000, 'a')
    await eventually(async () => {
      const { body } = await ask(`${anyone().url}/api/v1/history?topics=task:a&since=all&limit=1`, { as: SERVICE })
      const [oldest] = body['events'] as { event: { data: { seq: number } } }[]
      return oldest && oldest.event.data.seq > 500
    }, 'the journal being trimmed', 30_000)
    await call('POST', `/${id}/resume`)
    const gap = await eventually(() => receiver.taken.find(({ headers }) => headers['hubbub-event-type'] === 'gap'), 'the gap')
    expect(gap.event).toMatchObject({ type: 'hub.gap', data: { reason: 'trimmed', sinkId: id, to: gap.headers['hubbub-cursor'] } })
    expect(verified(secret, gap)).toBe(true)
    const last = (seq: number) => receiver.taken.some(({ event }) => event.data['seq'] === seq)
    await eventually(() => last(2009), 'the newest event')
    const events = receiver.taken.filter(({ event }) => event.type === 'task.progress')
    expect(problems(receiptsOf(events), coder.acked.keys()).filter((line) => !line.includes('missing'))).toEqual([])
    const shown = await eventually(async () => (await call('GET', `/${id}`)).gap, 'the gap being shown')
    expect(shown).toMatchObject({ reason: 'trimmed', to: gap.headers['hubbub-cursor'] })
  }, 120_000)

  test('slow as it may be, delays no subscriber', async () => {
    cluster = await startCluster({ workers: 0, processors: 1, env: ENV })
    await addWorker('w1')
    receiver.answer = (received, response) => {
      // Each takes 100 ms: the events below would take a minute.
      setTimeout(() => {
        receiver.taken.push(received)
        response.writeHead(204).end()
      }, 100)
      return undefined
    }
    const { id } = await call('POST', '', { url: receiver.url, topics: ['task:*'] })
    const watcher = await stockClient(anyone().url, { token: token(), topics: ['task:*'] })
    const coder = createProducer({ name: 'coder', send: overHttp(() => anyone().url, token({ sub: 'coder', role: 'agent' })) })
    await coder.publish(600, 'a')
    await watcher.holds(600)
    expect(problems(watcher.receipts(), coder.acked.keys())).toEqual([])
    expect((await call('GET', `/${id}`)).deliveries).toBeLessThan(300)
    watcher.close()
  }, 60_000)
})
