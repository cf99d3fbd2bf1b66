/** I2 and I8 for a client with no code of ours on its side: whatever happens to its connection, nothing is lost or repeated. */
import { isAfter, parseCursor, type Answer, type SubscribeResult } from '@hubbub/protocol'
import { problems } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { crossEach, FORGETFUL, MISHAPS, outlive, type Crossing, type Mishap } from './crossing.js'

/** Of each mishap: so many are under way when it happens, so many are published while the client is away. */
const LIVE = 250
const AWAY = 1000

let crossing: Crossing
let names = 0

function producer(): Producer {
  const name = `coder-${++names}`
  return createProducer({ name, send: overHttp(() => crossing.worker.url, token({ sub: name, role: 'agent' })) })
}

/** Live events, a mishap in the middle of them, events while away; and all of them held again. */
async function rideOut(mishap: Mishap, coder: Producer, sinks: Sink[], { live = LIVE, away = AWAY, tasks }: { live?: number; away?: number; tasks: string[] }): Promise<void> {
  const before = sinks.map((sink) => sink.events.length)
  const underWay = coder.publish(live, ...tasks)
  for (const [place, sink] of sinks.entries()) await sink.holds(before[place]! + live / 5)
  const connections = sinks.map((sink) => sink.connections.length)
  await crossing.suffer(
    mishap,
    async () => {
      await underWay
      await coder.publish(away, ...tasks)
      for (const [place, sink] of sinks.entries()) expect(sink.events.length).toBeLessThanOrEqual(before[place]! + live)
    },
    sinks.length,
  )
  for (const [place, sink] of sinks.entries()) {
    await sink.holds(before[place]! + live + away)
    expect(sink.connections.length).toBeGreaterThan(connections[place]!)
  }
}

/** Each reconnection was recovered, and nobody was told of a gap. */
function expectRecovered(sink: Sink): void {
  expect(sink.connections.map(({ recovered }) => recovered)).toEqual([false, ...sink.connections.slice(1).map(() => true)])
  expect(sink.gaps).toEqual([])
}

describe('a plain socket.io-client whose way to the hub is cut again and again', () => {
  crossEach({}, (way) => {
    crossing = way
  })

  test('receives 10,000 of 10,000 events through five cuts and three killed workers, in order, none twice', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:long'] })
    for (const mishap of MISHAPS) await rideOut(mishap, coder, [sink], { tasks: ['long'] })
    expect(coder.acked.size).toBe(10_000)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expect(sink.connections.length).toBeGreaterThan(MISHAPS.length)
    expectRecovered(sink)
    sink.close()
  }, 120_000)

  test('does so over long-polling and through an upgrade as well, and when the whole hub is restarted', async () => {
    const coder = producer()
    const topics = ['task:transports']
    const sinks = await Promise.all([
      stockClient(crossing.url, { token: token(), topics, client: { transports: ['polling', 'websocket'] } }),
      stockClient(crossing.url, { token: token(), topics, client: { transports: ['polling'] } }),
    ])
    for (const mishap of ['reset', 'kill', 'blackhole', 'restart'] as const) await rideOut(mishap, coder, sinks, { live: 100, away: 300, tasks: ['transports'] })
    for (const sink of sinks) {
      expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
      expectRecovered(sink)
      sink.close()
    }
  }, 60_000)

  test('misses nothing when it had received nothing before the cut', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:unheard'] })
    await crossing.suffer('reset', async () => void (await coder.publish(AWAY, 'unheard')))
    await sink.holds(AWAY)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expectRecovered(sink)
    sink.close()
  }, 60_000)

  test('is not called recovered when it was cut off before it subscribed, or it would never do so', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token() })
    await eventually(() => sink.bookmarks.length > 0, 'the place to come back to')
    sink.socket.on('connect', () => sink.socket.recovered || sink.socket.emit('subscribe', { topics: ['task:first'] }, (answer: Answer<SubscribeResult>) => sink.answers.push(answer)))
    await crossing.suffer('reset', () => Promise.resolve())
    await eventually(() => sink.answers.length > 0, 'the subscription')
    await coder.publish(10, 'first')
    await crossing.suffer('reset', async () => void (await coder.publish(10, 'first')))
    await sink.holds(20)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expect([sink.connections.map(({ recovered }) => recovered), sink.answers.length, sink.gaps]).toEqual([[false, false, true], 1, []])
    sink.close()
  }, 60_000)

  test('misses nothing when its worker is killed right after it subscribed', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:fresh'] })
    await crossing.suffer('kill', async () => void (await coder.publish(AWAY, 'fresh')))
    await sink.holds(AWAY)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expectRecovered(sink)
    sink.close()
  }, 60_000)

  test('repeats nothing when it is cut again and again while it catches up', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:stumbling'] })
    let cuts = 0
    await crossing.suffer('reset', async () => {
      await coder.publish(5000, 'stumbling')
      // What is on its way then is lost, whatever the hub believes to have sent.
      sink.socket.onAny(() => {
        if (sink.events.length < 700 * (cuts + 1) || cuts === 5) return
        cuts++
        crossing.proxy.cut('reset')
      })
    })
    await sink.holds(5000)
    expect(cuts).toBe(5)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expectRecovered(sink)
    sink.close()
  }, 60_000)

  test('waits at a worker that is behind what it has seen, and repeats nothing', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:ahead'] })
    // From its first subscriber on it tails the partition; it wakes to a client whose cursor is beyond its tail.
    const behind = crossing.other
    await stockClient(behind.url, { token: token(), topics: ['task:other'] }).then((other) => other.close())
    await behind.kill('SIGSTOP')
    await coder.publish(500, 'ahead')
    await sink.holds(500)
    const back = crossing.suffer('reset', () => Promise.resolve())
    await behind.kill('SIGCONT')
    await back
    await coder.publish(100, 'ahead')
    await sink.holds(600)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expectRecovered(sink)
    sink.close()
  }, 60_000)

  test('keeps two live subscriptions that were made at different times, each from its own beginning', async () => {
    const coder = producer()
    const tasks = ['early', 'late']
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:early'] })
    await coder.publish(200, ...tasks)
    const answer = await sink.socket.emitWithAck('subscribe', { topics: ['task:late', 'task:early'] })
    const { offset: begun } = parseCursor(answer.cursor)!
    for (const mishap of ['reset', 'kill'] as const) {
      const underWay = coder.publish(100, ...tasks)
      await crossing.suffer(mishap, async () => {
        await underWay
        await coder.publish(300, ...tasks)
      })
    }
    // Numbers alternate: even ones went to the early task, odd ones to the late one.
    const ofEarly = (id: string) => Number(id.slice(id.indexOf(':') + 1)) % 2 === 0
    const expected = [...coder.acked].filter(([id, offset]) => ofEarly(id) || isAfter(offset, begun)).map(([id]) => id)
    expect(expected.length).toBeLessThan(coder.acked.size)
    await sink.holds(expected.length)
    expect(problems(sink.receipts(), expected)).toEqual([])
    expectRecovered(sink)
    sink.close()
  }, 60_000)
})

describe('a journal that forgets quickly', () => {
  crossEach({ env: FORGETFUL }, (way) => {
    crossing = way
  })

  test('recovers a client whose topic was quiet for longer than the journal reaches back', async () => {
    const [noisy, coder] = [producer(), producer()]
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:quiet'] })
    await outlive(crossing, sink.bookmarks.at(-1)!, noisy)
    for (const mishap of ['reset', 'kill'] as const) await crossing.suffer(mishap, async () => void (await coder.publish(50, 'quiet')))
    await sink.holds(100)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    expectRecovered(sink)
    sink.close()
  }, 60_000)

  test('tells a client that was away for longer of exactly one gap, and goes on behind it', async () => {
    const [noisy, coder] = [producer(), producer()]
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:away'] })
    const left = sink.bookmarks.at(-1)!
    await crossing.suffer('reset', () => outlive(crossing, left, noisy))
    await eventually(() => sink.answers.length === 2, 'the second subscription')
    await coder.publish(10, 'away')
    await sink.holds(10)
    expect(sink.connections.at(-1)).toMatchObject({ recovered: false })
    expect(sink.gaps).toEqual([{ from: expect.any(String), to: expect.any(String), reason: 'trimmed' }])
    expect(isAfter(parseCursor(sink.gaps[0]!.to)!.offset, parseCursor(sink.gaps[0]!.from)!.offset)).toBe(true)
    expect(problems(sink.receipts(), coder.acked.keys())).toEqual([])
    sink.close()
  }, 60_000)

  test('answers `since` older than the journal with a typed gap', async () => {
    const coder = producer()
    const sink = await stockClient(crossing.url, { token: token(), topics: ['task:quiet'] })
    const old = sink.bookmarks.at(-1)!
    await outlive(crossing, old, coder)
    for (const since of [old, '1h']) {
      const answer = await sink.socket.emitWithAck('subscribe', { topics: ['task:busy'], since })
      expect(answer).toMatchObject({ ok: true, more: false, gap: { reason: 'trimmed' } })
      expect(answer.events.length).toBeGreaterThanOrEqual(100)
    }
    const all = await sink.socket.emitWithAck('subscribe', { topics: ['task:busy'], since: 'all' })
    expect(all).toMatchObject({ ok: true, more: false })
    expect(all.gap).toBeUndefined()
    sink.close()
  }, 60_000)
})
