/** I2 and I8 for our own client, in the places where a client's memory matters. Its 10,000 events are in `test/sdk/crossing.test.ts`. */
import { connect, type Client, type Gap } from '@hubbub/client'
import { isAfter, parseCursor } from '@hubbub/protocol'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import type { Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { token } from '../harness/token.js'
import { FORGETFUL, openCrossing, outlive, startPair, type Crossing } from './crossing.js'

let cluster: Cluster
let crossing: Crossing
let client: Client
let held: Receipt[]
let gaps: Gap[]
let names = 0

function producer(): Producer {
  const name = `coder-${++names}`
  return createProducer({ name, send: overHttp(() => crossing.worker.url, token({ sub: name, role: 'agent' })) })
}

async function holds(count: number): Promise<void> {
  await eventually(() => held.length >= count, `${count} events`, 20_000)
}

async function arrive(): Promise<void> {
  crossing = await openCrossing(cluster)
  client = connect(crossing.url, { token: () => token(), reconnect: { minMs: 50, maxMs: 500 } })
  held = []
  gaps = []
  client.on('*', (event, { cursor }) => void held.push(receiptOf(event, cursor)))
  client.onGap((gap) => void gaps.push(gap))
}

async function leave(): Promise<void> {
  client.close()
  await crossing.close()
}

describe('a client of the SDK that comes back to another worker', () => {
  beforeAll(async () => {
    cluster = await startPair()
  }, 60_000)
  beforeEach(arrive)
  afterEach(leave)
  afterAll(() => cluster.stop('kill'))

  test('misses nothing when it had received nothing before, nor when the whole hub is restarted', async () => {
    const coder = producer()
    await client.subscribe('task:unheard')
    for (const mishap of ['kill', 'restart', 'blackhole'] as const) await crossing.suffer(mishap, async () => void (await coder.publish(1000, 'unheard')))
    await holds(3000)
    expect(problems(held, coder.acked.keys())).toEqual([])
    expect(gaps).toEqual([])
  }, 60_000)

  test('keeps two subscriptions that were made at different times, each from its own beginning', async () => {
    const coder = producer()
    const tasks = ['early', 'late']
    const own: Receipt[] = []
    await client.subscribe('task:early')
    await coder.publish(200, ...tasks)
    const late = await client.subscribe(['task:late', 'task:early'])
    late.on((event, { cursor }) => void own.push(receiptOf(event, cursor)))
    const { offset: begun } = parseCursor(late.cursor)!
    for (const mishap of ['reset', 'kill'] as const) {
      const underWay = coder.publish(100, ...tasks)
      await crossing.suffer(mishap, async () => {
        await underWay
        await coder.publish(300, ...tasks)
      })
    }
    // Numbers alternate: even ones went to the early task, odd ones to the late one.
    const ofEarly = (id: string) => Number(id.slice(id.indexOf(':') + 1)) % 2 === 0
    const ofLate = [...coder.acked].filter(([, offset]) => isAfter(offset, begun)).map(([id]) => id)
    const ofBoth = [...coder.acked].filter(([id, offset]) => ofEarly(id) || isAfter(offset, begun)).map(([id]) => id)
    expect(ofLate.length).toBeLessThan(ofBoth.length)
    await holds(ofBoth.length)
    await eventually(() => own.length >= ofLate.length, 'the later subscription\'s events')
    expect(problems(held, ofBoth)).toEqual([])
    expect(problems(own, ofLate)).toEqual([])
    expect(gaps).toEqual([])
  }, 60_000)
})

describe('a client of the SDK and a journal that forgets quickly', () => {
  beforeAll(async () => {
    cluster = await startPair({ env: FORGETFUL })
  }, 60_000)
  beforeEach(arrive)
  afterEach(leave)
  afterAll(() => cluster.stop('kill'))

  test('recover a topic that was quiet for longer than the journal reaches back', async () => {
    const [noisy, coder] = [producer(), producer()]
    await client.subscribe('task:quiet')
    await outlive(crossing, client.cursor!, noisy)
    for (const mishap of ['reset', 'kill'] as const) await crossing.suffer(mishap, async () => void (await coder.publish(50, 'quiet')))
    await holds(100)
    expect(problems(held, coder.acked.keys())).toEqual([])
    expect(gaps).toEqual([])
  }, 60_000)

  test('tell of exactly one gap after an absence that was too long, and go on behind it', async () => {
    const [noisy, coder] = [producer(), producer()]
    const subscription = await client.subscribe('task:away')
    await crossing.suffer('reset', () => outlive(crossing, client.cursor!, noisy))
    await subscription.live()
    await eventually(() => gaps.length > 0, 'the gap')
    await coder.publish(10, 'away')
    await holds(10)
    expect(gaps).toEqual([{ from: expect.any(String), to: expect.any(String), reason: 'trimmed' }])
    expect(problems(held, coder.acked.keys())).toEqual([])
  }, 60_000)

  test('tell of a gap when `since` is older than the journal', async () => {
    const noisy = producer()
    await client.subscribe('task:quiet')
    const old = client.cursor!
    await outlive(crossing, old, noisy)
    const subscription = await client.subscribe({ topics: ['task:busy'], since: old })
    await subscription.live()
    expect(gaps).toEqual([{ from: old, to: expect.any(String), reason: 'trimmed' }])
    await holds(100)
    // What is kept comes in order and without a hole, up to the newest.
    const kept = held.map(({ id }) => id)
    expect(kept).toEqual([...noisy.acked.keys()].slice(-kept.length))
  }, 60_000)
})
