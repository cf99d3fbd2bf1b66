/** Which entries travel together, and which are passed over (`pace.ts`); pure, but for the real encodings of a lane's audiences. */
import type { HubEvent } from '@hubbub/protocol'
import { CHUNK_BYTES, TailEntry, type Encoding } from '../../server/src/fanout/entry.js'
import { paceOf, pacedChunks } from '../../server/src/fanout/pace.js'
import type { Pace, Subscription } from '../../server/src/fanout/subscription.js'
import { event } from './stand.js'

const SECOND: Pace = { ms: 1000, latestOnly: false }
const LATEST: Pace = { ms: 1000, latestOnly: true }

const encoding: Encoding = {
  name: 'test',
  encode: ({ event: { id } }) => ({ packet: id, bytes: Buffer.from(id) }),
  batch: (entries) => {
    const packet = entries.map(({ event: { id } }) => id).join('+')
    return { packet, bytes: Buffer.from(packet) }
  },
}
const single: Encoding = { name: 'single', encode: encoding.encode }

function placed(...events: HubEvent[]): TailEntry[] {
  return events.map((one, place) => new TailEntry({ offset: `${place + 1}-0`, previous: `${place}-0`, epoch: 'e', event: JSON.stringify(one) }))
}

const to = (topics: string[], pace?: Pace): Subscription => ({ id: topics.join(), topics, from: '0-0', ...(pace && { pace }) })
const told = (chunks: ReturnType<typeof pacedChunks>) => chunks.flatMap(({ frames }) => frames.map(({ packet }) => packet))

test('without a pace every event is a message of its own', () => {
  const chunks = pacedChunks(placed(event('a', '1'), event('b', '1')), [to(['task:1'])], encoding)
  expect(told(chunks)).toEqual(['a', 'b'])
})

test('with a pace they are one, and its cursor is the last one\'s', () => {
  const chunks = pacedChunks(placed(event('a', '1'), event('b', '1'), event('c', '1')), [to(['task:1'], SECOND)], encoding)
  expect(told(chunks)).toEqual(['a+b+c'])
  expect(chunks[0]!.last.cursor).toBe('e.3-0')
})

test('an event that an unpaced subscription takes goes alone, in its place among the others', () => {
  const subscriptions = [to(['task:1'], SECOND), to(['task:2'])]
  expect(told(pacedChunks(placed(event('a', '1'), event('b', '1'), event('c', '2'), event('d', '1')), subscriptions, encoding))).toEqual(['a+b', 'c', 'd'])
})

test('the most impatient of the subscriptions that take an event counts, and one that wants all', () => {
  const [entry] = placed(event('a', '1'))
  expect(paceOf([to(['task:1'], SECOND), to(['task:*'], { ms: 50, latestOnly: true })], entry!)).toEqual({ ms: 50, latestOnly: false })
  expect(paceOf([to(['task:1'], LATEST), to(['task:*'])], entry!)).toBeUndefined()
  expect(paceOf([to(['task:1'], LATEST), to(['task:2'])], entry!)).toEqual(LATEST)
  expect(paceOf([to(['task:2'], SECOND)], entry!)).toBeUndefined()
})

test('of the latest only the last of each topics and type stays, where the last stood', () => {
  const log = (id: string): HubEvent => ({ ...event(id, '1'), type: 'agent.log' })
  const chunks = pacedChunks(placed(event('a', '1'), event('b', '2'), log('c'), event('d', '1'), event('e', '1', 'pipeline:p'), event('f', '2'), log('g')), [to(['task:*'], LATEST)], encoding)
  expect(told(chunks)).toEqual(['d+e+f+g'])
  expect(chunks[0]!.last.cursor).toBe('e.7-0')
})

test('of two subscriptions of which one wants all, all that it takes stay', () => {
  const subscriptions = [to(['task:1'], LATEST), to(['thread:x'], SECOND)]
  expect(told(pacedChunks(placed(event('a', '1'), event('b', '1', 'thread:x'), event('c', '1', 'thread:x'), event('d', '1')), subscriptions, encoding))).toEqual(['b+c+d'])
})

test('what goes at once is not passed over, and ends what may be', () => {
  const subscriptions = [to(['task:1'], LATEST), to(['task:2'])]
  expect(told(pacedChunks(placed(event('a', '1'), event('b', '2'), event('c', '1'), event('d', '1')), subscriptions, encoding))).toEqual(['a', 'b', 'd'])
})

test('an encoding without batches has them one by one, and the latest only all the same', () => {
  expect(told(pacedChunks(placed(event('a', '1'), event('b', '2'), event('c', '1')), [to(['task:*'], LATEST)], single))).toEqual(['b', 'c'])
})

test('a batch is no larger than a chunk, unless its only event is', () => {
  const large = (id: string, bytes: number): HubEvent => ({ ...event(id, '1'), data: { text: 'x'.repeat(bytes) } })
  const chunks = pacedChunks(placed(large('a', 0.6 * CHUNK_BYTES), large('b', 0.6 * CHUNK_BYTES), large('c', 10), large('d', 2 * CHUNK_BYTES), large('e', 10)), [to(['task:1'], SECOND)], encoding)
  expect(told(chunks)).toEqual(['a', 'b+c', 'd', 'e'])
})
