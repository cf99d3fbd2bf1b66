/** I2 where it must give way: Redis itself lost what it had acknowledged. That is told as a typed gap, once, and the path goes on. */
import { createClient } from 'redis'
import { problems } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { BRISK } from './crossing.js'

let cluster: Cluster
let coder: Producer

beforeEach(async () => {
  cluster = await startCluster({ workers: 2, processors: 1, env: { ...BRISK, HUBBUB_LEASE_MS: '2000', HUBBUB_LEASE_RENEW_MS: '500' } })
  coder = createProducer({ name: 'coder', send: overHttp(() => cluster.workers[0]!.url, token({ sub: 'coder', role: 'agent' })) })
}, 60_000)
afterEach(() => cluster.stop('kill'))

async function loseEverythingSince(before: () => Promise<void>): Promise<void> {
  await before()
  await cluster.redis.kill('SIGKILL')
  await cluster.redis.restart()
}

async function snapshot(): Promise<void> {
  const client = createClient({ url: cluster.redis.url })
  await client.connect()
  await client.sendCommand(['SAVE'])
  client.destroy()
}

describe('a Redis that lost writes', () => {
  test.each([
    ['the last of them', snapshot],
    ['all of them', () => Promise.resolve()],
  ])('%s: every subscriber is told of one gap, and receives all that comes after', async (_, keep) => {
    const sinks = await Promise.all(cluster.workers.map(({ url }) => stockClient(url, { token: token(), topics: ['task:lost'] })))
    const before = await coder.publish(300, 'lost')
    await keep()
    await loseEverythingSince(async () => {
      before.push(...(await coder.publish(200, 'lost')))
      for (const sink of sinks) await sink.holds(500)
    })
    const after = await coder.publish(100, 'lost')
    for (const sink of sinks) {
      await sink.holds(600)
      await eventually(() => sink.gaps.length > 0, 'the gap')
      expect(sink.gaps).toEqual([{ from: expect.any(String), to: expect.any(String), reason: 'epoch' }])
      expect(problems(sink.receipts(), [...before, ...after])).toEqual([])
    }
  }, 60_000)
})
