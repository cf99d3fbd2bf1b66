/** I7 for sinks: a receiver that is away costs a bounded queue, however much is published; what it did not hold comes from the journal. */
import { randomUUID } from 'node:crypto'
import { ORIGIN } from '@hubbub/protocol'
import { CHUNK_BYTES } from '../../server/src/fanout/entry.js'
import { Fanout } from '../../server/src/fanout/fanout.js'
import { failedAgain, givenUp, waitBehind } from '../../server/src/gateway/sinks/backoff.js'
import { Delivery } from '../../server/src/gateway/sinks/delivery.js'
import { pauseOf, Poster } from '../../server/src/gateway/sinks/post.js'
import { Tenure } from '../../server/src/gateway/sinks/tenure.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { Destinations } from '../../server/src/operations/sinks-destination.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { SinkRecord, Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { Committer, memoryStore, progress } from '../harness/store.js'
import { startReceiver, type Receiver } from './sinksReceiver.js'

const EVENTS = 10_000
const SETTINGS = settingsWith({ sinkPrivate: 'allow', sinkHttp: 'allow', sinkRetryMs: 5, sinkRetryMostMs: 20 })

describe('a sink whose receiver is away', () => {
  let store: Store
  let fanout: Fanout
  let receiver: Receiver
  const metrics = createMetrics()
  beforeEach(async () => {
    store = await memoryStore()
    fanout = new Fanout({ journal: store, partitions: 1, settings: SETTINGS, metrics, log: silent })
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await fanout.shutdown()
    await store.close()
    await receiver.shut()
  })

  /** Its deliveries, from here on, as the dispatcher starts them. */
  async function deliver(): Promise<{ delivery: Delivery; end: () => Promise<void> }> {
    const record: SinkRecord = {
      id: randomUUID(), project: 'default', url: receiver.url, topics: ['task:*'], format: 'hubbub', secret: 'whsec_AAAA', createdAt: 1, reader: { subject: 'x', role: 'admin', permissions: ['admin'], via: 'jwt' },
    }
    const lane = await fanout.lane('default')
    await store.sinks.add(0, record, lane.tail.cursor, 10)
    const at = performance.now()
    const claim = await store.sinks.claim(0, 'default', record.id, 'w', 600)
    const tenure = new Tenure(claim!, at, { sinks: store.sinks, partition: 0, leaseMs: 600, log: silent })
    const delivery = new Delivery({ tenure, settings: SETTINGS, metrics, poster: new Poster(record.url, new Destinations(SETTINGS), 2000), onPaused: () => undefined })
    tenure.start(() => delivery.stop())
    const session = lane.open('default', delivery, lane.tail.cursor, [{ id: 's', topics: ['task:*'], from: ORIGIN }])
    const running = delivery.run()
    return {
      delivery,
      end: async () => {
        delivery.stop()
        await running
        lane.close(session)
        await tenure.end()
      },
    }
  }

  test(`holds a bounded queue of a backlog of ${EVENTS}, and delivers all of it, in order, when the receiver is back`, async () => {
    const committer = await Committer.of(store)
    const { delivery, end } = await deliver()
    await receiver.shut()
    const most = { packets: 0, bytes: 0 }
    const look = () => {
      const { packets, bytes } = delivery.waiting()
      most.packets = Math.max(most.packets, packets)
      most.bytes = Math.max(most.bytes, bytes)
    }
    for (let n = 0; n < EVENTS; n += 50) {
      await committer.commit(...Array.from({ length: 50 }, (_, i) => progress('1', n + i)))
      look()
    }
    const lane = await fanout.lane('default')
    await eventually(() => lane.tail.flushed === lane.tail.cursor.split('.')[1] && metrics.catchups.get().then(({ values }) => values.some(({ labels }) => labels.cause === 'slow')), 'the sink reading the journal')
    await receiver.open()
    await eventually(() => {
      look()
      return receiver.taken.length >= EVENTS
    }, 'all deliveries', 60_000, 1)
    expect(receiver.taken.map(({ event }) => event.data['progress'])).toEqual(Array.from({ length: EVENTS }, (_, n) => n))
    // Up to the limit of a socket, and the chunk (of events of 200 bytes and more) behind which that was noticed.
    expect(most.packets).toBeGreaterThan(50)
    expect(most.packets).toBeLessThanOrEqual(SETTINGS.slowPackets + CHUNK_BYTES / 200)
    expect(most.bytes).toBeLessThanOrEqual(SETTINGS.slowPackets * 300 + CHUNK_BYTES)
    await end()
  }, 90_000)
})

describe('patience', () => {
  const settings = { sinkTries: 5, sinkGiveUpMs: 10_000, sinkRetryMs: 100, sinkRetryMostMs: 1000 }

  test('waits twice as long after each attempt, up to the longest, less a random half', () => {
    const waits = [1, 2, 3, 4, 5, 6, 40].map((attempts) => waitBehind({ event: 'e', attempts, since: 0, at: 1, message: '' }, settings, undefined, 0))
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000, 1000])
    expect(waitBehind({ event: 'e', attempts: 1, since: 0, at: 1, message: '' }, settings, undefined, 0.999)).toBeCloseTo(50, 0)
  })

  test('tries once more at the end of its time, and no sooner than it was asked to', () => {
    expect(waitBehind({ event: 'e', attempts: 9, since: 0, at: 9900, message: '' }, settings, undefined, 0)).toBe(100)
    expect(waitBehind({ event: 'e', attempts: 9, since: 0, at: 9900, message: '' }, settings, 5000, 0)).toBe(5000)
  })

  test('ends after so many attempts, or so much time, on one event', () => {
    let failure = failedAgain(undefined, 'a', 'no.', 1000)
    for (let n = 2; n <= 4; n++) failure = failedAgain(failure, 'a', 'no.', 1000 + n)
    expect(givenUp(failure, settings)).toBeUndefined()
    expect(givenUp(failedAgain(failure, 'a', 'no.', 1010), settings)).toBe('5 attempts to deliver one event failed. no.')
    expect(failedAgain(failure, 'b', 'no.', 1010)).toEqual({ event: 'b', attempts: 1, since: 1010, at: 1010, message: 'no.' })
    expect(givenUp(failedAgain(failure, 'a', 'no.', 11_000), { ...settings, sinkTries: 100 })).toBe('One event could not be delivered for 10000 ms. no.')
  })

  test.each([['2', 2000], ['0.5', 500], ['Thu, 01 Jan 1970 00:00:10 GMT', 9000], ['Thu, 01 Jan 1970 00:00:00 GMT', 0], ['999999', 3_600_000], ['soon', undefined], [undefined, undefined]])('reads Retry-After: %s', (header, ms) => {
    expect(pauseOf(header, 1000)).toBe(ms)
  })
})
