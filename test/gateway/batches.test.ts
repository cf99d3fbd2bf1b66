/** Gathered events over real Socket.IO: the message `events`, and a stock client's recovery from it. */
import type { PlacedEvent } from '@hubbub/protocol'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { stockClient, type Sink, type SinkOptions } from '../harness/sink.js'
import { token } from '../harness/token.js'
import type { RunningHub } from '../../server/src/hub.js'
import { agent, drop, hub, service } from './agentHub.js'

const sinks: Sink[] = []
afterEach(() => {
  for (const sink of sinks.splice(0)) sink.close()
})

async function follow(running: RunningHub, request: SinkOptions): Promise<Sink> {
  const sink = await stockClient(running.url, { token: token(), ...request })
  sinks.push(sink)
  return sink
}

const note = (id: string, topic = 'thread:1', data: object = {}) => ({ id, type: 'custom.note', data, topics: [topic] })
/** Ids of each message, as it came. */
const messages = ({ events }: Sink): string[][] => events.map(({ type, event }) => (type === 'events' ? (event as unknown as PlacedEvent[]).map((placed) => placed.event.id) : [event.id]))
const ids = (sink: Sink): string[] => messages(sink).flat()
const receipts = ({ events }: Sink): Receipt[] =>
  events.flatMap(({ type, event, cursor }) => (type === 'events' ? (event as unknown as PlacedEvent[]).map((placed) => receiptOf(placed.event, placed.cursor)) : [receiptOf(event, cursor)]))

test('gathered events come as one message of placed events and the last one\'s cursor', async () => {
  const running = await hub()
  const sink = await follow(running, { topics: ['thread:1'], batchMs: 60 })
  const bob = await service(running)
  await bob.must('publish', [note('a'), note('b')])
  await bob.must('publish', note('c'))
  await eventually(() => sink.events.length > 0)
  expect(messages(sink)).toEqual([['a', 'b', 'c']])
  const [{ type, event, cursor }] = sink.events as [Sink['events'][number]]
  const placed = event as unknown as PlacedEvent[]
  expect([type, cursor]).toEqual(['events', placed[2]!.cursor])
  expect(Object.keys(placed[0]!)).toEqual(['event', 'cursor'])
  expect(placed[0]!.event).toMatchObject({ id: 'a', type: 'custom.note', project: 'default' })
})

test('whoever asked for no time gets them one by one, from the same bursts', async () => {
  const running = await hub()
  const [gathers, plain] = [await follow(running, { topics: ['thread:1'], batchMs: 60 }), await follow(running, { topics: ['thread:1'] })]
  await (await service(running)).must('publish', [note('a'), note('b')])
  await plain.holds(2)
  await eventually(() => gathers.events.length > 0)
  expect([messages(gathers), messages(plain)]).toEqual([[['a', 'b']], [['a'], ['b']]])
})

test('of the latest only the last of each topic comes', async () => {
  const running = await hub()
  const sink = await follow(running, { topics: ['task:*'], latestOnly: true, batchMs: 80 })
  const report = (id: string, taskId: string, progress: number) => ({ id, type: 'task.progress', data: { taskId, progress } })
  await (await service(running)).must('publish', [report('a', '1', 10), report('b', '2', 10), report('c', '1', 20), report('d', '2', 20)])
  await eventually(() => sink.events.length > 0)
  expect(messages(sink)).toEqual([['c', 'd']])
})

test('a stock client that is cut off goes on behind the message\'s cursor, by its own recovery, and gathers as before', async () => {
  const running = await hub()
  const sink = await follow(running, { topics: ['thread:1'], batchMs: 50 })
  const bob = await service(running)
  await bob.must('publish', [note('a'), note('b')])
  await eventually(() => ids(sink).length === 2)
  drop({ socket: sink.socket } as Parameters<typeof drop>[0])
  await bob.must('publish', [note('c'), note('d')])
  await eventually(() => ids(sink).length === 4)
  await bob.must('publish', [note('e'), note('f')])
  await eventually(() => ids(sink).length === 6)
  expect(sink.connections.map(({ recovered }) => recovered)).toEqual([false, true])
  expect(messages(sink).at(-1)).toEqual(['e', 'f'])
  expect(problems(receipts(sink), ['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([])
  expect(sink.gaps).toEqual([])
})

test('a client that is cut off while events are gathered for it gets them, once', async () => {
  const running = await hub()
  const sink = await follow(running, { topics: ['thread:1'], batchMs: 10_000 })
  await (await service(running)).must('publish', [note('a'), note('b')])
  drop({ socket: sink.socket } as Parameters<typeof drop>[0])
  // Sent as soon as it is back, for it reads them from the journal.
  await eventually(() => ids(sink).length === 2)
  expect(problems(receipts(sink), ['a', 'b'])).toEqual([])
  expect(sink.connections.at(-1)).toMatchObject({ recovered: true })
})

test('a stream of events through twenty cuts comes whole, once and in order', async () => {
  const running = await hub()
  const sink = await follow(running, { topics: ['thread:1'], batchMs: 5, client: { auth: { token: token() }, reconnectionDelay: 5, reconnectionDelayMax: 20 } })
  const bob = await service(running)
  const expected: string[] = []
  for (let round = 0; round < 20; round++) {
    const some = Array.from({ length: 20 }, (_, place) => note(`e${round * 20 + place}`))
    expected.push(...some.map(({ id }) => id))
    await bob.must('publish', some.slice(0, 10))
    await eventually(() => ids(sink).length >= expected.length - 15)
    if (sink.socket.connected) drop({ socket: sink.socket } as Parameters<typeof drop>[0])
    await bob.must('publish', some.slice(10))
  }
  await eventually(() => ids(sink).length >= expected.length)
  expect(problems(receipts(sink), expected)).toEqual([])
  expect(sink.connections.length).toBeGreaterThan(10)
  expect(sink.connections.slice(1).every(({ recovered }) => recovered)).toBe(true)
}, 60_000)

test('mail stands behind what was gathered for its agent, though it goes at once', async () => {
  const running = await hub()
  const kim = await agent(running, 'kim')
  await kim.must('subscribe', { topics: ['thread:1'], batchMs: 60_000 })
  const bob = await service(running)
  await bob.must('publish', [note('a'), note('b')])
  await bob.must('publish', note('letter', 'inbox:kim'))
  await eventually(() => kim.packets.some((packet) => packet.includes('"letter"')))
  const heard = kim.packets.flatMap((packet) => [...packet.matchAll(/"id":"(a|b|letter)"/g)].map(([, id]) => id))
  expect(heard).toEqual(['a', 'b', 'letter'])
})

test('an unsubscribe, or another subscription, has what was gathered come first, and then the answer', async () => {
  const running = await hub()
  const sink = await follow(running, { topics: ['thread:1'], batchMs: 60_000 })
  const bob = await service(running)
  await bob.must('publish', [note('a'), note('b')])
  await sink.socket.emitWithAck('subscribe', { topics: ['thread:2'] })
  expect(ids(sink)).toEqual(['a', 'b'])
  await bob.must('publish', note('c'))
  await sink.socket.emitWithAck('unsubscribe', { topics: ['thread:1'] })
  expect(ids(sink)).toEqual(['a', 'b', 'c'])
})

test.each([{ batchMs: 60_001 }, { batchMs: -1 }, { batchMs: 1.5 }, { batchMs: 'soon' }, { latestOnly: 'yes' }])('%j is refused', async (asked) => {
  const running = await hub()
  const bob = await service(running)
  expect(await bob.call('subscribe', { topics: ['thread:1'], ...asked })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
})

test('an event is encoded once for a hundred clients that gather alike', async () => {
  const running = await hub()
  const crowd = await Promise.all(Array.from({ length: 100 }, () => follow(running, { topics: ['thread:1'], batchMs: 300 })))
  await (await service(running)).must('publish', [note('a'), note('b'), note('c')])
  for (const sink of crowd) await eventually(() => sink.events.length > 0)
  expect(crowd.every((sink) => messages(sink).length === 1)).toBe(true)
  const text = await (await fetch(`${running.url}/metrics`)).text()
  expect(/^hubbub_event_encodes_total (\d+)$/m.exec(text)?.[1]).toBe('3')
})
