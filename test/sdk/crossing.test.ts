/** I1, I2 and I8 for our own client and for `hubbub tail`: whatever happens to their connections, nothing is lost or repeated. */
import { connect, type Client, type Gap, type PublishResult } from '@hubbub/client'
import { startCommand, type CommandProcess } from '../cli/command.js'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import type { Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { token } from '../harness/token.js'
import { MISHAPS, openCrossing, startPair, type Crossing } from '../path/crossing.js'

const LIVE = 250
const AWAY = 1000

let cluster: Cluster
let crossing: Crossing
let client: Client
let gaps: Gap[]

beforeAll(async () => {
  cluster = await startPair()
}, 60_000)
beforeEach(async () => {
  crossing = await openCrossing(cluster)
  client = connect(crossing.url, { token: () => token(), reconnect: { minMs: 50, maxMs: 500 } })
  gaps = []
  client.onGap((gap) => gaps.push(gap))
})
afterEach(async () => {
  client.close()
  await crossing.close()
})
afterAll(() => cluster.stop('kill'))

const producer = (name: string) => createProducer({ name, send: overHttp(() => crossing.worker.url, token({ sub: name, role: 'agent' })) })

describe('a client and a tail whose way to the hub is cut again and again', () => {
  const receipts = (tail: CommandProcess): Receipt[] => tail.events().map((event) => receiptOf(event as never, event.cursor))

  test('hold 10,000 of 10,000 events through five cuts and three killed workers, in order, none twice', async () => {
    const coder = producer('long-coder')
    const all: Receipt[] = []
    const own: Receipt[] = []
    client.on('task.*', (event, { cursor }) => all.push(receiptOf(event, cursor)))
    await client.subscribe('task:long-0')
    await client.subscribe({ topics: ['task:long-1'], types: ['task.progress'] })
    const both = await client.subscribe('task:long-*')
    both.on((event, { cursor }) => own.push(receiptOf(event, cursor)))
    const tail = startCommand(['tail', 'task:long-*', '--since', 'all', '--url', crossing.url, '--token', token()])
    await eventually(async () => (await connections()) === 2, 'both connected')
    for (const mishap of MISHAPS) {
      const before = all.length
      const underWay = coder.publish(LIVE, 'long-0', 'long-1', 'long-2')
      await eventually(() => all.length >= before + LIVE / 5, 'events under way')
      await crossing.suffer(
        mishap,
        async () => {
          await underWay
          await coder.publish(AWAY, 'long-0', 'long-1', 'long-2')
        },
        2,
      )
      await eventually(() => all.length >= before + LIVE + AWAY, 'what was missed', 20_000)
    }
    await eventually(() => receipts(tail).length >= 10_000, 'what the tail missed', 20_000)
    tail.child.kill('SIGINT')
    expect((await tail.exited).code).toBe(0)
    for (const held of [all, own, receipts(tail)]) expect(problems(held, coder.acked.keys())).toEqual([])
    expect(coder.acked.size).toBe(10_000)
    expect([gaps, tail.stderr()]).toEqual([[], expect.not.stringContaining('gap')])
  }, 180_000)

  test('read a history in pages across a killed worker, and go on live', async () => {
    const coder = producer('past-coder')
    await coder.publish(3500, 'past')
    const subscription = await client.subscribe({ topics: ['task:past'], since: 'all' })
    const held: Receipt[] = []
    let mishap: Promise<void> | undefined
    for await (const event of subscription) {
      held.push(receiptOf(event, subscription.cursor!))
      if (held.length === 1500) mishap = crossing.suffer('kill', async () => void (await coder.publish(500, 'past')))
      if (held.length === 4000) break
    }
    await mishap
    expect(problems(held, coder.acked.keys())).toEqual([])
  }, 60_000)
})

describe('a client that publishes through all of that', () => {
  test('has each event committed once, in its order, and is told so', async () => {
    const publisher = connect(crossing.url, { token: token({ sub: 'pub-coder', role: 'agent' }), reconnect: { minMs: 50, maxMs: 500 }, queueLimit: 100_000 })
    const results: Promise<PublishResult>[] = []
    const publish = (count: number): void => {
      for (let n = 0; n < count; n++) {
        const seq = results.length
        results.push(publisher.publish('task.progress', { taskId: 'pub', progress: 1, producer: 'pub-coder', seq }, { id: `pub-coder:${seq}` }))
      }
    }
    await publisher.ready()
    await client.ready()
    for (const mishap of ['reset', 'kill', 'blackhole', 'reset'] as const) {
      publish(400)
      await crossing.suffer(mishap, () => Promise.resolve(publish(300)), 2)
    }
    const answers = await Promise.all(results)
    publisher.close()
    const held: Receipt[] = []
    const history = await client.subscribe({ topics: ['task:pub'], since: 'all' })
    history.on((event, { cursor }) => held.push(receiptOf(event, cursor)))
    await history.live()
    expect(problems(held, answers.map(({ id }) => id))).toEqual([])
    expect(held).toHaveLength(2800)
  }, 90_000)
})

async function connections(): Promise<number> {
  const answer = await fetch(`${crossing.worker.url}/api/v1/websocket/status`, { headers: { authorization: `Bearer ${token()}` } })
  return ((await answer.json()) as { total: number }).total
}
