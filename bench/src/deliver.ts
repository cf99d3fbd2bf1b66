/**
 * Deliveries per worker CPU second, Hubbub beside stock Socket.IO with the streams adapter, in the same run: the same events
 * through Redis to the same number of WebSocket subscribers on one worker process; only that process's CPU time counts.
 */
import { signToken } from '../../server/dist/access/tokens.js'
import { append, benchStore, TOPIC } from './load.js'
import { cpuSeconds, median, startChild, startRedis, type Child } from './processes.js'

export interface DeliverFigures {
  subscribers: number
  /** Deliveries per CPU second of the worker, medians over the rounds. */
  hubbub: number
  stock: number
  /** Round by round, so that a drifting machine does not count. */
  ratio: number
}

const SECRET = 'a secret for this measurement only, 40 characters'

export async function measureDeliver(subscribers: number, events: number, rounds: number, say: (line: string) => void): Promise<DeliverFigures> {
  const redis = await startRedis()
  const children: Child[] = []
  const start = async (script: string, input: object) => {
    const child = await startChild(script, input)
    children.push(child)
    return child
  }
  const store = await benchStore(redis.url)
  try {
    const shared = { redisUrl: redis.url, jwtSecret: SECRET }
    await start('./hubProcess.js', { ...shared, role: 'processor' })
    const hub = await start('./hubProcess.js', { ...shared, role: 'worker' })
    const token = signToken(SECRET, { sub: 'bench', role: 'viewer' }, '1h')
    const ofHub = await start('./subscriberProcess.js', { url: hub.ready['url'], token, topic: TOPIC, count: subscribers, expect: subscribers * events })
    const stock = await start('./stockProcess.js', { redisUrl: redis.url })
    const emitter = await start('./stockProcess.js', { redisUrl: redis.url, emitter: true })
    const ofStock = await start('./subscriberProcess.js', { url: stock.ready['url'], topic: TOPIC, count: subscribers, expect: subscribers * events })
    const sample = (await sampleEvent()) as object

    const rates = { hubbub: [] as number[], stock: [] as number[], ratio: [] as number[] }
    for (let round = 0; round <= rounds; round++) {
      const hubbub = await measure(hub, ofHub, () => append(store, round * events, events))
      const plain = await measure(stock, ofStock, async () => emitter.tell({ events: Array.from({ length: 100 }, () => sample), repeat: events / 100, topic: TOPIC }))
      if (round === 0) continue // warm-up
      rates.hubbub.push(hubbub)
      rates.stock.push(plain)
      rates.ratio.push(hubbub / plain)
      say(`  round ${round} of ${rounds}: ${Math.round(hubbub)} against ${Math.round(plain)} deliveries per CPU second`)
    }
    return { subscribers, hubbub: median(rates.hubbub), stock: median(rates.stock), ratio: median(rates.ratio) }
  } finally {
    for (const child of children) await child.stop()
    await store.close()
    await redis.stop()
  }

  async function measure(worker: Child, subscribersOf: Child, send: () => Promise<void>): Promise<number> {
    const before = cpuSeconds(worker.pid)
    const all = subscribersOf.next()
    await send()
    await all
    return (subscribers * events) / (cpuSeconds(worker.pid) - before)
  }

  /** The very event that Hubbub delivers, so that both sides send the same bytes. */
  async function sampleEvent(): Promise<unknown> {
    await append(store, -1, 1)
    const tail = store.openTail(0)
    const [entry] = await tail.read('0-0', 1, 5000)
    await tail.close()
    return JSON.parse(entry?.event ?? '{}')
  }
}
