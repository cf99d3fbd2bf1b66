/** A full memory mends itself where retention lets something go: also when nobody can commit, for nothing else makes the room for that. */
import { connect } from '@hubbub/client'
import { partitionOf } from '@hubbub/protocol'
import { createClient } from 'redis'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { inspect, type Inspector } from '../harness/inspector.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { token } from '../harness/token.js'

const ENV = {
  HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000', HUBBUB_CONNECTION_EVENTS: 'none', HUBBUB_SYSTEM_PROJECT: 'none',
  HUBBUB_RETENTION_MS: '4000', HUBBUB_RETENTION_COUNT: '10', HUBBUB_LEASE_MS: '2000', HUBBUB_LEASE_RENEW_MS: '500',
}
const PARTITION = partitionOf('default', 2)
const SERVICE = token({ sub: 'engine', role: 'service' })

let cluster: Cluster
let inspector: Inspector
afterEach(async () => {
  inspector?.close()
  await cluster?.stop('kill')
})

/** On a connection of its own. */
async function command(...args: string[]): Promise<string> {
  const client = await createClient({ url: cluster.redis.url }).connect()
  try {
    return await client.sendCommand<string>(args)
  } finally {
    client.destroy()
  }
}

test('the processor trims while its commit is refused, commits then, and publishes are taken again', async () => {
  cluster = await startCluster({ workers: 1, processors: 1, partitions: 2, env: ENV })
  const [{ url }, processor] = [cluster.workers[0]!, cluster.processors[0]!]
  inspector = await inspect(cluster.redis.url)
  const note = 'x'.repeat(5000)
  const send = (count: number, ack: string) =>
    ask(`${url}/api/v1/events?ack=${ack}`, { as: SERVICE, json: Array.from({ length: count }, () => ({ type: 'task.progress', data: { taskId: 't', progress: 1, note } })) })
  for (let round = 0; round < 10; round++) await send(100, 'committed')
  expect(await inspector.journal(PARTITION)).toHaveLength(1000)
  // A commit in hand, and no room for it.
  await processor.kill('SIGSTOP')
  await send(50, 'accepted')
  const used = Number(/^used_memory:(\d+)/m.exec(await command('INFO', 'memory'))![1])
  await command('CONFIG', 'SET', 'maxmemory', String(used - 1_000_000))
  await processor.kill('SIGCONT')
  await eventually(async () => (await send(1, 'committed')).text.includes('STORE_FULL'), 'a refusal')

  const client = connect(url, { token: SERVICE })
  const waited = client.publish('task.progress', { taskId: 'sdk', progress: 1 })

  const coder = createProducer({ name: 'coder', send: overHttp(() => url, SERVICE) })
  const ids = await coder.publish(10, 't')
  // What the SDK was refused meanwhile it tried again by itself.
  const { id } = await waited
  client.close()
  const journal = (await inspector.journal(PARTITION)).map((entry) => entry.id)
  expect(journal.filter((known) => known === id)).toHaveLength(1)
  expect(journal.filter((known) => ids.includes(known))).toEqual(ids)
  // It was trimming that made the room.
  expect(journal.length).toBeLessThan(1000)
}, 60_000)
