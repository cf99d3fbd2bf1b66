/** What a worker spends on deliveries, by subscribers and by events that go in one write; and on events of which nobody here hears. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../../../server/dist/store/port.js'
import { appendEvents } from './events.js'
import { CostStage, until, type Crowd, type HubProcess } from './stage.js'
import { benchStore } from '../ground/store.js'

const TASK = 'T-heard'

export interface DeliveryCosts {
  subscribers: number
  /** Events of one write to each. */
  burst: number
  /** µs of the worker's CPU a delivery, and a write. */
  delivery: number
  write: number
  /** Of one core. */
  workerShare: number
  crowdShare: number
}

/** At a calm pace: a burst is written before the next comes. */
export async function measureDeliveries(subscribers: number, bursts: readonly number[], seconds: number, say: (costs: DeliveryCosts) => void): Promise<void> {
  const stage = await CostStage.open()
  const store = await benchStore(stage.redisUrl)
  try {
    await stage.hub('processor')
    const worker = await stage.hub('worker')
    const crowd = await stage.crowd({ url: worker.url })
    await crowd.grow({ count: subscribers, topics: [`task:${TASK}`] })
    const scene: Scene = { store, worker, crowd, subscribers, sent: 0, names: 0 }
    await play(scene, 10, Math.min(3, seconds))
    for (const burst of bursts) say(await play(scene, burst, seconds))
  } finally {
    await store.close()
    await stage.close()
  }
}

interface Scene {
  store: Store
  worker: HubProcess
  crowd: Crowd
  subscribers: number
  /** Deliveries so far. */
  sent: number
  names: number
}

async function play(scene: Scene, burst: number, seconds: number): Promise<DeliveryCosts> {
  const { store, worker, crowd, subscribers } = scene
  // The crowd reads a few hundred thousand a second; it must not be what is measured.
  const everyMs = Math.max(25, (subscribers * burst) / 100)
  const idle = await idleShare(worker)
  const before = { worker: await worker.look(), crowd: await crowd.look() }
  const began = performance.now()
  let count = 0
  for (; performance.now() - began < seconds * 1000; count++) {
    await appendEvents(store, `burst-${scene.names++}`, burst, { at: burst, task: TASK })
    scene.sent += burst * subscribers
    await pause(Math.max(0, began + (count + 1) * everyMs - performance.now()))
  }
  await crowd.received(scene.sent)
  const took = (performance.now() - began) / 1000
  const after = { worker: await worker.look(), crowd: await crowd.look() }
  const cpu = after.worker.cpu - before.worker.cpu - idle * took
  return {
    subscribers, burst, delivery: (cpu * 1e6) / (count * burst * subscribers), write: (cpu * 1e6) / (count * subscribers),
    workerShare: (after.worker.cpu - before.worker.cpu) / took, crowdShare: (after.crowd.cpu - before.crowd.cpu) / took,
  }
}

/** What a worker takes with nothing to do: heartbeats, vitals. */
async function idleShare(worker: HubProcess): Promise<number> {
  const before = (await worker.look()).cpu
  const began = performance.now()
  await pause(3000)
  return ((await worker.look()).cpu - before) / ((performance.now() - began) / 1000)
}

export interface ReadingCosts {
  /** µs an event, of the worker's CPU and of Redis'. */
  worker: number
  redis: number
  eventsPerSecond: number
}

/** A worker with one subscriber reads all of its partition: that is what an event costs every worker, before anybody gets it. */
export async function measureReading(count: number): Promise<ReadingCosts> {
  const stage = await CostStage.open()
  const store = await benchStore(stage.redisUrl)
  try {
    const [processor, worker] = [await stage.hub('processor'), await stage.hub('worker')]
    const crowd = await stage.crowd({ url: worker.url })
    await crowd.grow({ count: 1, topics: [`task:${TASK}`] })
    await round('warm', 5000, 1)
    return await round('cost', count, 2)

    async function round(name: string, events: number, expected: number): Promise<ReadingCosts> {
      worker.freeze()
      await appendEvents(store, name, events)
      await appendEvents(store, `${name}-last`, 1, { task: TASK })
      await until(async () => (await store.lag(0)) === 0, 'all commits')
      processor.freeze()
      const redisBefore = await stage.redis()
      worker.thaw()
      const began = performance.now()
      const before = await worker.look()
      await crowd.received(expected)
      const seconds = (performance.now() - began) / 1000
      const [after, redisAfter] = [await worker.look(), await stage.redis()]
      processor.thaw()
      return { worker: ((after.cpu - before.cpu) * 1e6) / events, redis: ((redisAfter.cpu - redisBefore.cpu) * 1e6) / events, eventsPerSecond: events / seconds }
    }
  } finally {
    await store.close()
    await stage.close()
  }
}
